"""Files in posts that wait for the group's node."""

import os
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.protocol.federation.files import FetchFile
from tests.file_case import OCTETS
from tests.files_groups_case import PIN, FilesGroupsCase
from tests.groups_across_case import A, B, C
from tests.world import PASSWORD, Refused


def _emptying(table: str) -> Callable[[Connection], None]:
    def empty(c: Connection) -> None:
        c.exec_driver_sql(f"DELETE FROM {table}")

    return empty


class WaitingTests(FilesGroupsCase):
    """Posts with files that wait for the hub."""

    def wait(self, octets: bytes) -> dict[str, Any]:
        """Bob posts a file while the hub is away."""
        self.nodes.away.add(A)
        body = self.body(self.upload(self.bob, self.chat, octets), octets)
        self.params = self.bob.message(self.chat, "") | {"body": body}
        number = self.bob.ask("chat.send", **self.params)
        self.nodes.settle()
        self.nodes[B].clock.advance(4)
        answer = self.bob.answer(number)
        assert answer is not None
        self.assertTrue(answer["waiting"])
        return answer

    def test_waits(self) -> None:
        """It stays through the janitor and a restart, and all have it when the hub is back."""
        octets = os.urandom(200_000)
        post = self.wait(octets)
        self.tidy(self.bob, compare=True)
        self.nodes.restart(B)
        self.bob = self.back(self.bob)
        self.tidy(self.bob, compare=True)
        self.nodes[B].clock.advance(2 * 86_400)  # longer than an upload would be kept
        self.tidy(self.bob, compare=True)
        [waiting] = self.bob.call("chat.history", chat=self.chat)["waiting"]
        self.assertEqual(waiting["body"]["name"], "notes.txt")
        self.assertEqual(self.fetch(self.bob, post["id"]).body, octets)
        self.nodes.away.clear()
        self.settle()
        self.ben = self.back(self.ben)
        for client in (self.alice, self.bob, self.ben, self.carol):
            self.assertEqual(self.fetch(client, self.last(client)["id"]).body, octets)
        self.assertEqual(self.of_chat(B, "files"), 1)
        self.assertEqual(self.bob.call("file.quota")["quota"]["used"], len(octets))
        answer = self.bob.call("chat.send", **self.params)
        self.assertEqual((answer["id"], answer.get("waiting")), (self.last(self.bob)["id"], None))

    def test_sent_again(self) -> None:
        """The same answer, and one file."""
        post = self.wait(b"octets")
        number = self.bob.ask("chat.send", **self.params)
        self.nodes[B].clock.advance(4)
        again = self.bob.answer(number)
        assert again is not None
        self.assertEqual((again["id"], again["waiting"]), (post["id"], True))
        self.assertEqual(self.of_chat(B, "files"), 1)

    def test_come_to_others_first(self) -> None:
        """Carol is told before Bob's own node is, and has it already."""
        octets = os.urandom(100_000)
        self.wait(octets)
        self.nodes.away.clear()
        self.hold(B)
        self.settle()
        self.assertIn("waiting", self.bob.call("chat.history", chat=self.chat))
        self.assertEqual(self.fetch(self.carol, self.last(self.carol)["id"]).body, octets)
        self.release()
        self.assertEqual(self.fetch(self.ben, self.last(self.ben)["id"]).body, octets)

    def test_not_told_yet(self) -> None:
        """What waits is nobody's of another node who could guess its id and is no member."""
        octets = b"octets"
        post = self.wait(octets)
        file = self.params["body"]["file"]
        dan = self.nodes[C].register("dan")
        for reader in (dan, self.bob):
            asked = FetchFile(self.chat, post["id"], reader.account, file, len(octets), OCTETS)
            self.assertFalse(self.lent(B, C, asked))

    def test_withdrawn(self) -> None:
        """Bob deletes it while it waits: nothing of it is left, nor of a message that was on its way."""
        for on_its_way in (False, True):
            post = self.wait(b"octets")
            if on_its_way:
                self.nodes.away.clear()
                self.hold(B)
                self.settle()
                self.assertEqual(self.last(self.carol)["body"]["kind"], "file")
            self.come(self.bob, "message.delete", chat=self.chat, message=post["id"])
            self.left(self.bob)
            self.nodes.away.clear()
            self.release()
            self.left(self.alice, self.bob, self.carol)

    def test_put_back(self) -> None:
        """Bob's node was put back from before he posted it: the message is there, and its file is not."""
        self.wait(b"octets")
        self.nodes.away.clear()
        self.hold(B)
        self.settle()
        world = self.nodes[B]
        for table in ("posts", "files"):
            world.database.transact(_emptying(table))
        self.release()
        self.assertEqual(self.last(self.ben)["body"]["kind"], "file")
        self.assertRaises(Refused, self.link, self.ben, self.last(self.ben)["id"])
        self.assertEqual(self.fetch(self.carol, self.last(self.carol)["id"]).code, "not_found")

    def test_refused(self) -> None:
        """Bob is removed meanwhile: his post is refused, and nothing is left of its file; again as well."""
        self.wait(b"octets")
        self.nodes.away.clear()
        self.hold(B)
        self.come(self.alice, "group.remove", chat=self.chat, account=self.bob.account)
        self.release()
        self.left(self.bob, self.alice, self.carol)
        self.refused("not_a_contact", self.bob, "chat.send", **self.params)

    def test_not_taken(self) -> None:
        """It is given up after a while: nothing is left of it, and who sends it again is told so."""
        self.wait(b"octets")
        self.nodes.give_up(B, A)
        self.nodes.away.clear()
        self.settle()
        self.left(self.bob, self.alice)
        self.refused("not_taken", self.bob, "chat.send", **self.params)

    def test_left(self) -> None:
        """Bob leaves while it waits: he has written it before that, so it comes, to Ben as well."""
        octets = os.urandom(100_000)
        self.wait(octets)
        number = self.bob.ask("group.leave", chat=self.chat)
        self.nodes[B].clock.advance(60)
        self.assertIsNotNone(self.bob.answer(number))
        self.nodes.away.clear()
        self.settle()
        for client in (self.alice, self.ben, self.carol):
            self.assertEqual(self.fetch(client, self.last(client)["id"]).body, octets)

    def test_last_left(self) -> None:
        """Who leaves is the last of his node, which holds no copy any more: nor the file that waited."""
        self.come(self.ben, "group.leave", chat=self.chat)
        self.wait(b"octets")
        number = self.bob.ask("group.leave", chat=self.chat)
        self.nodes[B].clock.advance(60)
        self.assertIsNotNone(self.bob.answer(number))
        self.nodes.away.clear()
        self.settle()
        self.successResultOf(Deferred.fromCoroutine(self.nodes[B].domain.closing.sweep()))
        self.left(self.alice, self.bob, self.carol)

    def test_closed(self) -> None:
        """Bob closes his account while it waits: nothing is left of it."""
        self.wait(b"octets")
        self.bob.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.bob.call("session.block", pin=PIN)
        self.successResultOf(Deferred.fromCoroutine(self.nodes[B].domain.closing.sweep()))
        self.left(self.bob)
        self.nodes.away.clear()
        self.settle()
        self.left(self.alice, self.bob, self.carol)

    def test_deleted_before_it_came(self) -> None:
        """Alice deletes it before Bob's node has heard of it: the stub comes, and nothing is left."""
        self.wait(b"octets")
        self.nodes.away.clear()
        self.hold(B)
        self.settle()
        self.come(self.alice, "message.delete", chat=self.chat, message=self.last(self.alice)["id"])
        self.release()
        self.assertEqual(self.last(self.bob)["body"]["kind"], "deleted")
        self.assertEqual(self.of_chat(B, "files"), 0)
        self.left(self.alice, self.bob, self.carol)
