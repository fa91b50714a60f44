"""Files in groups across nodes: had from the node of their author, by whoever may see the message."""

import os
from collections.abc import Callable
from typing import Any, ClassVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.errors import Problem
from safeum_home.protocol.federation.files import FetchFile
from tests.across_case import befriend_across
from tests.file_case import OCTETS, Answer, Web
from tests.files_across_case import SECTION, FileHands, short
from tests.groups_across_case import A, B, C, GroupsAcrossCase
from tests.history_across_case import settle
from tests.nodes import MemoryBody
from tests.world import PASSWORD, Client, Refused

PIN = "284716"


def _emptying(table: str) -> Callable[[Connection], None]:
    def empty(c: Connection) -> None:
        c.exec_driver_sql(f"DELETE FROM {table}")

    return empty


class _Case(FileHands, GroupsAcrossCase):
    limits: ClassVar[dict[str, Any]] = {"files": SECTION}

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.amy, self.bob, self.ben, self.carol)

    def post(self, client: Client, octets: bytes, **more: Any) -> dict[str, Any]:
        """Send a file from wherever; the answer."""
        body = self.body(self.upload(client, self.chat, octets), octets, **more)
        return self.come(client, "chat.send", **(client.message(self.chat, "") | {"body": body}))

    def last(self, client: Client) -> dict[str, Any]:
        """The newest message that somebody has written."""
        page = client.call("chat.history", chat=self.chat, limit=200)["messages"]
        return dict([each for each in page if each["body"]["kind"] != "notice"][-1])

    def copied(self, client: Client, message: str, chat: str, source: str) -> dict[str, Any]:
        """A message is copied into another chat; the answer."""
        params = client.message(chat, "")
        del params["body"]
        return self.come(client, "chat.send", **params, forward={"chat": source, "message": message})

    def ask(self, node: str, origin: str, reader: Client, octets: bytes, sender: Client) -> FetchFile:
        """What the node of `reader` would ask `origin` for, of the last message, which `sender` has sent."""
        mine, theirs = self.last(sender), self.last(reader)
        name = theirs.get("origin") or mine.get("origin") or mine["id"]
        return FetchFile(self.chat, name, reader.account, mine["body"]["file"], len(octets), OCTETS)

    def lent(self, origin: str, node: str, asked: FetchFile) -> bool:
        """Whether `origin` gives it to `node`."""
        done: list[Any] = []
        lending: Any = self.nodes[origin].domain.files.lend(node, asked)
        Deferred.fromCoroutine(lending).addBoth(done.append)
        if hasattr(done[0], "value"):
            self.assertIsInstance(done[0].value, Problem)
            self.assertEqual(done[0].value.code.code, "not_found")
            return False
        done[0].close()
        return True

    def table(self, node: str, table: str) -> list[Any]:
        """All rows of a table of a node."""
        query = f"SELECT * FROM {table}"
        return list(self.nodes[node].database.now(lambda c: c.exec_driver_sql(query).all()))

    def left(self, *clients: Client) -> None:
        """Nothing of any file is at the nodes of these."""
        for client in clients:
            self.tidy(client, compare=True)
            self.assertEqual(dict(client.world.store.written), {})
            for table in ("files", "blobs", "fetched", "uploads", "dropped"):
                self.assertEqual(client.world.database.count(table), 0, table)
            self.assertEqual(len(client.world.domain.files.copies), 0)
            self.assertEqual(client.world.domain.files.means.slots.total, 0)


class FetchingTests(_Case):
    def test_everybody(self) -> None:
        """From the hub and from elsewhere: all have it, each node fetches it once, from the author's."""
        for author in (self.alice, self.bob):
            octets = os.urandom(200_000)
            self.post(author, octets, caption="look")
            self.nodes.fetched.clear()
            for client in self.everybody:
                message = self.last(client)
                self.assertEqual((message["sender"], message["body"]["caption"]), (author.account, "look"))
                self.assertEqual(self.fetch(client, message["id"]).body, octets)
            self.assertEqual(len(self.nodes.fetched), 2)
            home = author.account.partition(":")[2]
            self.assertEqual(
                {asked.reader.partition(":")[2] for asked in self.nodes.fetched}, {A, B, C} - {home}
            )
        files = {self.last(client)["body"]["file"] for client in (self.alice, self.bob, self.carol)}
        self.assertEqual(len(files), 3)

    def test_away(self) -> None:
        """While the author's node is away it is not to be had anew; the hub is not needed."""
        octets = os.urandom(200_000)
        self.post(self.bob, octets)
        self.nodes.away.add(A)
        self.assertEqual(self.fetch(self.carol, self.last(self.carol)["id"]).body, octets)
        self.nodes.away = {B}
        answer = self.fetch(self.amy, self.last(self.amy)["id"])
        self.assertEqual((answer.status, answer.code), (502, "node_unreachable"))
        self.assertEqual(self.fetch(self.carol, self.last(self.carol)["id"]).body, octets)
        self.nodes.away.clear()
        self.assertEqual(self.fetch(self.amy, self.last(self.amy)["id"]).body, octets)

    def test_goes_on(self) -> None:
        """What came before it broke is kept, over a restart too; another one asks for the rest alone."""
        octets = os.urandom(500_000)
        self.post(self.carol, octets)
        self.nodes.bodies = short(300_000)
        self.fetch(self.bob, self.last(self.bob)["id"])
        self.nodes.restart(B)
        self.bob, self.ben = self.back(self.bob), self.back(self.ben)
        self.nodes.bodies = MemoryBody
        self.assertEqual(self.fetch(self.ben, self.last(self.ben)["id"]).body, octets)
        *before, last = [(each.reader, each.offset > 0) for each in self.nodes.fetched]
        self.assertEqual(before[0], (self.bob.account, False))
        self.assertEqual(last, (self.ben.account, True))

    def test_readers(self) -> None:
        """Who began to fetch it is removed, which his node has not heard: another one asks for himself."""
        octets = os.urandom(300_000)
        self.post(self.alice, octets)
        message = self.last(self.ben)["id"]
        self.hold(B)
        self.come(self.alice, "group.remove", chat=self.chat, account=self.bob.account)
        peers, waiting = self.nodes.peers[B], list[Any]()
        fetch = peers.fetch

        def slowly(node: str, file: FetchFile) -> Any:
            asked: Deferred[None] = Deferred()
            waiting.append(asked)
            return asked.addCallback(lambda _: fetch(node, file))

        self.patch(peers, "fetch", slowly)
        connections = [self.begun(client, message) for client in (self.bob, self.ben)]
        while waiting:
            waiting.pop().callback(None)
        answers = [Answer(connection.sent()) for connection in connections]
        self.assertEqual((answers[0].code, answers[1].body), ("not_found", octets))
        self.assertEqual([each.reader for each in self.nodes.fetched], [self.bob.account, self.ben.account])
        self.assertEqual(len(self.nodes[B].domain.files.copies), 0)
        self.assertEqual(self.nodes[B].domain.files.means.slots.total, 0)
        self.release()

    def test_caption(self) -> None:
        """It is edited from elsewhere; the file is the same everywhere."""
        octets = b"octets"
        self.post(self.bob, octets, caption="one")
        before = {client.account: self.last(client)["body"]["file"] for client in self.everybody}
        body = {"kind": "text", "text": "two"}
        self.come(self.bob, "message.edit", chat=self.chat, message=self.last(self.bob)["id"], body=body)
        mine = self.last(self.bob)
        self.assertEqual(mine["body"]["caption"], "two")
        whole = {**mine["body"], "caption": "three"}
        self.come(self.bob, "message.edit", chat=self.chat, message=mine["id"], body=whole)
        for client in self.everybody:
            message = self.last(client)
            self.assertEqual(message["body"]["caption"], "three")
            self.assertEqual(message["body"]["file"], before[client.account])
            self.assertEqual(self.fetch(client, message["id"]).body, octets)

    def test_disk(self) -> None:
        """Tables and the store of a copy show nothing of a file."""
        self.post(self.bob, b"find me" * 9)
        self.fetch(self.carol, self.last(self.carol)["id"])
        kept = b"".join(bytes(each) for each in self.nodes[C].store.written.values())
        tables = ("files", "fetched", "blobs", "events")
        rows = str([self.table(C, table) for table in tables]).encode()
        for told in (b"find me", B.encode(), b"notes.txt", self.bob.account.encode()):
            self.assertNotIn(told, kept)
            self.assertNotIn(told, rows)


class WaitingTests(_Case):
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
        self.left(self.alice, self.bob, self.carol)


class RightsTests(_Case):
    """Whom the author's node gives it to."""

    def test_no_member(self) -> None:
        """Nobody who is none has it, nor a node in the name of another one's account."""
        octets = b"octets"
        for sender, origin in ((self.alice, A), (self.bob, B)):
            self.post(sender, octets)
            asked = self.ask(C, origin, self.carol, octets, sender)
            self.assertTrue(self.lent(origin, C, asked))
            self.assertFalse(self.lent(origin, "d.example", asked))
            dan = self.nodes[C].register(f"dan{origin[0]}")
            name, file = asked.message, asked.file
            for reader, node in ((dan, C), (self.carol, B), (self.bob, C), (self.alice, C)):
                wrong = FetchFile(self.chat, name, reader.account, file, len(octets), OCTETS)
                self.assertFalse(self.lent(origin, node, wrong), (origin, reader.account))
            more = FetchFile(self.chat, name, self.carol.account, file, len(octets) + 1, OCTETS)
            self.assertFalse(self.lent(origin, C, more))

    def test_not_from_others(self) -> None:
        """Neither the hub nor another copy passes on what somebody else's account has sent."""
        octets = b"octets"
        self.post(self.bob, octets)
        for other, reader, node in ((A, self.carol, C), (C, self.alice, A)):
            there = self.alice if other == A else self.carol
            self.fetch(there, self.last(there)["id"])
            for name in (self.last(there)["id"], self.last(there)["origin"], self.last(self.bob)["id"]):
                file = self.last(there)["body"]["file"]
                asked = FetchFile(self.chat, name, reader.account, file, len(octets), OCTETS)
                self.assertFalse(self.lent(other, node, asked))
        self.come(self.bob, "group.leave", chat=self.chat)  # what he has sent is none of the hub's either
        file, name = self.last(self.alice)["body"]["file"], self.last(self.alice)["id"]
        asked = FetchFile(self.chat, name, self.carol.account, file, len(octets), OCTETS)
        self.assertFalse(self.lent(A, C, asked))

    def test_removed(self) -> None:
        """Carol is removed: both nodes refuse hers, as soon as they are told."""
        octets = b"octets"
        questions = []
        for sender, origin in ((self.alice, A), (self.bob, B)):
            self.post(sender, octets)
            questions.append((origin, self.ask(C, origin, self.carol, octets, sender)))
        for origin, asked in questions:
            self.assertTrue(self.lent(origin, C, asked))
        self.come(self.alice, "group.remove", chat=self.chat, account=self.carol.account)
        for origin, asked in questions:
            self.assertFalse(self.lent(origin, C, asked), origin)
        self.tidy(self.carol)
        self.assertEqual(dict(self.nodes[C].store.written), {})
        self.assertRaises(Refused, self.link, self.carol, questions[0][1].message)

    def test_came_later(self) -> None:
        """Dan comes later, and does not see what was written before: nor has he its file from any node."""
        octets = b"octets"
        dan = self.nodes[C].register("dan")
        self.befriend(self.alice, dan)
        questions = []
        for sender, origin in ((self.alice, A), (self.bob, B)):
            self.post(sender, octets)
            asked = self.ask(C, origin, self.carol, octets, sender)
            parts = (asked.chat, asked.message, dan.account, asked.file, asked.size, asked.type)
            questions.append((origin, FetchFile(*parts)))
        self.come(self.alice, "group.invite", chat=self.chat, accounts=[dan.account])
        self.come(dan, "group.accept", chat=self.chat)
        for origin, asked in questions:
            self.assertFalse(self.lent(origin, C, asked), origin)
        for sender in (self.alice, self.bob):
            self.post(sender, octets)
            self.assertEqual(self.fetch(dan, self.last(dan)["id"]).body, octets)

    def test_came_later_and_sees(self) -> None:
        """In a group that shows what was there before, he has it, and a node that comes later as well."""
        octets = os.urandom(100_000)
        chat = self.chat = self.group(self.bob, name="Open", earlier=True)
        self.post(self.bob, octets)
        self.post(self.alice, octets)
        for newcomer in (self.carol, self.ben):
            self.come(self.alice, "group.invite", chat=chat, accounts=[newcomer.account])
            self.come(newcomer, "group.accept", chat=chat)
            page = newcomer.call("chat.history", chat=chat, limit=200)["messages"]
            sent = [m["id"] for m in page if m["body"]["kind"] == "file"]
            self.assertEqual(len(sent), 2)
            for message in sent:
                self.assertEqual(self.fetch(newcomer, message).body, octets)

    def test_left_and_back(self) -> None:
        """Who left, and came again, has nothing of before."""
        octets = b"octets"
        self.post(self.bob, octets)
        asked = self.ask(C, B, self.carol, octets, self.bob)
        self.come(self.carol, "group.leave", chat=self.chat)
        self.assertFalse(self.lent(B, C, asked))
        self.come(self.alice, "group.invite", chat=self.chat, accounts=[self.carol.account])
        self.come(self.carol, "group.accept", chat=self.chat)
        self.assertFalse(self.lent(B, C, asked))


class GoneTests(_Case):
    """What was deleted, erased, or whose author has left."""

    def test_deleted(self) -> None:
        """By its author, or by who may: no node has it any more, fetched or not."""
        for deletes in (self.bob, self.alice):
            self.post(self.bob, b"octets")
            asked = self.ask(C, B, self.carol, b"octets", self.bob)
            self.fetch(self.carol, self.last(self.carol)["id"])
            path = self.link(self.carol, self.last(self.carol)["id"])
            message = self.last(deletes)["id"]
            self.come(deletes, "message.delete", chat=self.chat, message=message)
            self.assertEqual(Web(self.nodes[C]).ask("GET", path).code, "not_found")
            self.assertFalse(self.lent(B, C, asked))
            self.left(self.alice, self.bob, self.carol)

    def test_author_left(self) -> None:
        """While somebody else of his node is in the group it is to be had; with the last one it goes."""
        octets = os.urandom(100_000)
        self.post(self.bob, octets)
        before = self.last(self.alice)["id"], self.last(self.carol)["id"]
        self.come(self.bob, "group.leave", chat=self.chat)
        self.assertEqual(self.fetch(self.alice, before[0]).body, octets)
        self.come(self.ben, "group.leave", chat=self.chat)
        self.successResultOf(Deferred.fromCoroutine(self.nodes[B].domain.closing.sweep()))
        self.left(self.bob)
        self.assertEqual(self.fetch(self.carol, before[1]).code, "not_found")
        self.assertEqual(self.fetch(self.alice, before[0]).body, octets)  # it was fetched before

    def test_over(self) -> None:
        """With the last member of a node its copy goes, and what was fetched, and uploads for it."""
        self.post(self.bob, b"octets")
        self.fetch(self.carol, self.last(self.carol)["id"])
        self.upload(self.carol, self.chat, b"never sent")
        self.come(self.carol, "group.leave", chat=self.chat)
        self.successResultOf(Deferred.fromCoroutine(self.nodes[C].domain.closing.sweep()))
        self.left(self.carol)

    def test_reader_closed(self) -> None:
        """What was kept for an account that was closed goes; who else reads it has it anew."""
        octets = os.urandom(100_000)
        self.post(self.alice, octets)
        self.fetch(self.bob, self.last(self.bob)["id"])
        self.assertEqual(len(self.nodes[B].store.written), 1)
        self.bob.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.bob.call("session.block", pin=PIN)
        self.successResultOf(Deferred.fromCoroutine(self.nodes[B].domain.closing.sweep()))
        self.settle()
        self.tidy(self.ben)
        self.assertEqual(dict(self.nodes[B].store.written), {})
        self.assertEqual(self.fetch(self.ben, self.last(self.ben)["id"]).body, octets)


class ForwardingTests(_Case):
    def test_out(self) -> None:
        """Bob passes it on to somebody of another node, who has it through Bob's, as Bob may have it."""
        dan = self.nodes[C].register("dan")
        other = befriend_across(self.bob, dan)
        octets = os.urandom(100_000)
        self.post(self.alice, octets)
        self.copied(self.bob, self.last(self.bob)["id"], other, self.chat)
        [copy] = dan.call("chat.history", chat=other)["messages"]
        self.assertEqual(self.fetch(dan, copy["id"], other).body, octets)
        self.assertEqual([each.reader for each in self.nodes.fetched], [dan.account, self.bob.account])

    def test_into(self) -> None:
        """Bob passes into the group what he has from elsewhere; all have it from his node."""
        octets = os.urandom(100_000)
        other = self.nodes[B].befriend(self.bob, self.ben)
        sent = self.send(self.ben, self.body(self.upload(self.ben, other, octets), octets), other)
        answer = self.copied(self.bob, sent, self.chat, other)
        self.assertEqual(answer["id"], self.last(self.bob)["id"])
        for client in self.everybody:
            self.assertEqual(self.fetch(client, self.last(client)["id"]).body, octets)

    def test_within(self) -> None:
        """Bob sends once more what Alice has sent: it is a message of his, and outlives hers."""
        octets = os.urandom(100_000)
        self.post(self.alice, octets)
        first = self.last(self.alice)["id"]
        self.copied(self.bob, self.last(self.bob)["id"], self.chat, self.chat)
        self.assertEqual(self.fetch(self.carol, self.last(self.carol)["id"]).body, octets)
        self.come(self.alice, "message.delete", chat=self.chat, message=first)
        for client in self.everybody:
            self.assertEqual(self.fetch(client, self.last(client)["id"]).body, octets)

    def test_not_seen(self) -> None:
        """Somebody who is not in the group cannot send it by its id."""
        self.post(self.alice, b"octets")
        body = self.last(self.bob)["body"]
        dan = self.nodes[B].register("dan")
        other = self.nodes[B].befriend(self.bob, dan)
        refused = self.assertRaises(Refused, self.send, dan, body, other)
        self.assertEqual(refused.code, "not_found")


class HistoryTests(_Case):
    """The history is switched off."""

    def test_off(self) -> None:
        """Files go at all nodes, one that waits with its post as well, and are lent to nobody."""
        for author in (self.alice, self.bob):
            self.post(author, os.urandom(200_000))
            for client in self.everybody:
                self.fetch(client, self.last(client)["id"])
        octets = os.urandom(200_000)
        asked = self.ask(C, B, self.carol, octets, self.bob)
        self.assertTrue(self.lent(B, C, asked))
        self.nodes.away.add(A)
        body = self.body(self.upload(self.bob, self.chat, octets), octets)
        self.bob.ask("chat.send", **(self.bob.message(self.chat, "") | {"body": body}))
        self.nodes[B].clock.advance(5)
        self.nodes.away.clear()
        self.nodes.peers[B].held.add(A)
        self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        settle(self.nodes)
        self.nodes.peers[B].held.clear()
        settle(self.nodes)
        self.assertFalse(self.lent(B, C, asked))
        for client in self.everybody:
            self.assertEqual(client.history(self.chat), [])
        self.left(self.alice, self.bob, self.carol)

    def test_while_it_is_off(self) -> None:
        """A file can be had from everywhere, and has a life of its own."""
        self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        settle(self.nodes)
        for author in (self.alice, self.bob):
            octets = os.urandom(200_000)
            self.post(author, octets)
            settle(self.nodes)
            for client in self.everybody:
                self.assertEqual(self.fetch(client, self.last(client)["id"]).body, octets)
