"""Files across nodes: sent in a message, fetched by the recipient's own node, and kept there sealed."""

import os
from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.errors import Problem
from safeum_home.ids import ChatId
from safeum_home.protocol.federation.files import FetchFile
from safeum_home.storage import erasure
from tests.across_case import A, B, befriend_across
from tests.file_case import OCTETS, Answer, Web
from tests.files_across_case import SECTION, FilesAcrossCase, short
from tests.nodes import MemoryBody, MemoryPeers
from tests.world import Refused, World

C = "c.example"


class FetchingTests(FilesAcrossCase):
    def test_whole(self) -> None:
        """It comes as it was, is fetched once, and its copy is there while the other node is away."""
        octets = os.urandom(300_000)
        message = self.got(octets, caption="look")
        body = self.page(self.bob)[-1]["body"]
        self.assertEqual((body["caption"], body["size"], body["name"]), ("look", 300_000, "notes.txt"))
        self.assertNotEqual(body["file"], self.page(self.alice)[-1]["body"]["file"])
        self.assertEqual(self.nodes.fetched, [])
        self.assertEqual(self.nodes[B].store.written, {})
        answer = self.fetch(self.bob, message)
        self.assertEqual((answer.status, answer["etag"], answer.body), (200, f'"{body["file"]}"', octets))
        self.nodes.away.add(A)
        part = self.fetch(self.bob, message, Range="bytes=65530-131080")
        self.assertEqual((part.status, part.body), (206, octets[65530:131081]))
        self.assertEqual(len(self.nodes.fetched), 1)

    def test_range_first(self) -> None:
        """A part that is asked for first, at the end too; the rest is there afterwards."""
        octets = os.urandom(300_000)
        message = self.got(octets)
        self.assertEqual(self.fetch(self.bob, message, Range="bytes=-7").body, octets[-7:])
        self.assertEqual(self.fetch(self.bob, message).body, octets)
        self.assertEqual(len(self.nodes.fetched), 1)

    def test_empty(self) -> None:
        """There is nothing to fetch of it."""
        message = self.got(b"")
        answer = self.fetch(self.bob, message)
        self.assertEqual((answer.status, answer.body, self.nodes.fetched), (200, b"", []))

    def test_away(self) -> None:
        """While its node is away it cannot be had; afterwards it can."""
        message = self.got(b"octets")
        self.nodes.away.add(A)
        answer = self.fetch(self.bob, message)
        self.assertEqual((answer.status, answer.code), (502, "node_unreachable"))
        self.assertNothing(self.bob)
        self.nodes.away.clear()
        self.assertEqual(self.fetch(self.bob, message).body, b"octets")

    def test_goes_on(self) -> None:
        """What came before it broke is kept, over a restart too; only the rest is asked for."""
        octets = os.urandom(500_000)
        message = self.got(octets)
        self.nodes.bodies = short(300_000)
        self.fetch(self.bob, message)
        self.nodes[B].store.crash()
        self.nodes.restart(B)
        self.bob = self.back(self.bob)
        self.nodes.bodies = MemoryBody
        self.assertEqual(self.fetch(self.bob, message, Range="bytes=300000-").body, octets[300_000:])
        offsets = [asked.offset for asked in self.nodes.fetched]
        self.assertEqual((offsets[0], set(offsets[1:])), (0, {262_144}))
        self.assertEqual(self.fetch(self.bob, message).body, octets)

    def test_at_once(self) -> None:
        """Two who ask at once have it fetched once."""
        octets = os.urandom(400_000)
        message = self.got(octets)
        again = self.nodes[B].login("bob")
        held: list[Any] = []
        take = MemoryBody.take

        class Held(MemoryBody):
            def take(self, least: int) -> "Deferred[bytes]":
                waiting: Deferred[bytes] = Deferred()
                held.append((waiting, lambda: take(self, least)))
                return waiting

        self.nodes.bodies = Held
        connections = [self.begun(client, message) for client in (self.bob, again)]
        while held:
            waiting, work = held.pop()
            work().chainDeferred(waiting)
        for connection in connections:
            self.assertEqual(Answer(connection.sent()).body, octets)
        self.assertEqual(len(self.nodes.fetched), 1)
        self.assertEqual(len(self.nodes[B].domain.files.copies), 0)
        self.assertEqual(self.nodes[B].domain.files.means.slots.total, 0)

    def test_both_ways(self) -> None:
        """Each of them sends one, and has what the other one sent."""
        mine = self.send(self.bob, self.body(self.upload(self.bob, self.chat, b"from bob"), b"from bob"))
        theirs = self.got(b"from alice")
        self.assertEqual(self.fetch(self.bob, theirs).body, b"from alice")
        self.assertEqual(self.fetch(self.bob, mine).body, b"from bob")
        copy = next(m["id"] for m in self.page(self.alice) if m["sender"] == self.bob.account)
        self.assertEqual(self.fetch(self.alice, copy).body, b"from bob")

    def test_again(self) -> None:
        """The same file sent again is the same one here, and not fetched again; one of them may go."""
        first = self.got(b"octets")
        self.assertEqual(self.fetch(self.bob, first).body, b"octets")
        body = self.page(self.alice)[-1]["body"]
        again = self.send(self.alice, body)
        self.settle()
        one, other = self.page(self.bob)
        self.assertEqual(one["body"]["file"], other["body"]["file"])
        self.assertEqual(self.fetch(self.bob, other["id"]).body, b"octets")
        self.assertEqual(len(self.nodes.fetched), 1)
        self.delete(self.alice, again)
        self.settle()
        self.assertEqual(self.fetch(self.bob, one["id"]).body, b"octets")

    def test_sealed(self) -> None:
        """What is kept is no octets of the file, and no row names it, its sender or its node."""
        octets = b"find me in here " * 20_000
        message = self.got(octets)
        self.fetch(self.bob, message)
        world = self.nodes[B]
        kept = b"".join(world.store.written.values())
        self.assertEqual(len(kept), len(octets) + 5 * 41)
        rows = repr(
            world.database.now(
                lambda c: [
                    c.exec_driver_sql(f"SELECT * FROM {t}").all() for t in ("files", "fetched", "blobs")
                ]
            )
        ).encode()
        file = self.page(self.alice)[-1]["body"]["file"]
        for told in (b"find me", A.encode(), file.encode(), self.alice.account.encode(), b"notes.txt"):
            self.assertNotIn(told, kept)
            self.assertNotIn(told, rows)


class ChangedTests(FilesAcrossCase):
    """Messages that become something else."""

    def test_caption(self) -> None:
        """Its caption is edited; the file is the same."""
        message = self.got(b"octets", caption="one")
        file = self.page(self.bob)[-1]["body"]["file"]
        mine = self.page(self.alice)[-1]
        self.edit(self.alice, mine["id"], "two")
        self.settle()
        body = self.page(self.bob)[-1]["body"]
        self.assertEqual((body["caption"], body["file"]), ("two", file))
        self.assertEqual(self.fetch(self.bob, message).body, b"octets")
        changed = {**mine["body"], "caption": "three"}
        self.alice.call("message.edit", **self.about(mine["id"], body=changed))
        self.settle()
        self.assertEqual(self.page(self.bob)[-1]["body"]["caption"], "three")

    def test_deleted(self) -> None:
        """Neither node has it any more, fetched or not, and nothing of it is left."""
        for fetched in (False, True):
            message = self.got(b"octets")
            if fetched:
                self.fetch(self.bob, message)
            path = self.link(self.bob, message)
            self.delete(self.alice, self.page(self.alice)[-1]["id"])
            self.settle()
            self.assertEqual(Web(self.nodes[B]).ask("GET", path).code, "not_found")
            self.assertRaises(Refused, self.fetch, self.bob, message)
            for client in (self.alice, self.bob):
                self.assertNothing(client)
                for table in ("files", "blobs", "fetched"):
                    self.assertEqual(client.world.database.count(table), 0, table)

    def test_deleted_before_it_was_heard(self) -> None:
        """The deletion is known to the sender's node alone: it cannot be had there, and nothing is kept."""
        octets = os.urandom(300_000)
        message = self.got(octets)
        self.nodes.bodies = short(200_000)
        self.fetch(self.bob, message)
        self.assertEqual(len(self.nodes[B].store.written), 1)
        self.delete(self.alice, self.page(self.alice)[-1]["id"])
        self.assertEqual(self.fetch(self.bob, message, Range="bytes=250000-").code, "not_found")
        self.assertNothing(self.bob)
        self.settle()

    def test_deleted_overtakes(self) -> None:
        """The stub comes in the place of a message that was never heard of, without a file."""
        self.nodes.away.add(B)
        sent = self.sent(b"octets")
        self.delete(self.alice, sent)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.page(self.bob)[-1]["body"]["kind"], "deleted")
        self.assertEqual(self.nodes[B].database.count("files"), 0)

    def test_chat_erased(self) -> None:
        """With the chat its copies go."""
        message = self.got(b"octets")
        self.fetch(self.bob, message)
        world = self.nodes[B]
        blind = world.vault.blinder.chat(ChatId(self.chat))
        world.database.transact(lambda c: erasure.erase_chat(c, blind, 1))
        self.successResultOf(Deferred.fromCoroutine(world.domain.closing.sweep()))
        self.assertNothing(self.bob)
        self.assertEqual(world.database.count("fetched"), 0)


class ForwardingTests(FilesAcrossCase):
    def setUp(self) -> None:
        super().setUp()
        self.carol = self.nodes[B].register("carol")
        self.other = self.nodes[B].befriend(self.bob, self.carol)

    def test_within(self) -> None:
        """Bob passes it on to somebody of his node, who has it though its author has deleted it since."""
        octets = os.urandom(200_000)
        message = self.got(octets)
        self.fetch(self.bob, message)
        copy = self.forward(self.bob, message, self.other)
        self.delete(self.alice, self.page(self.alice)[-1]["id"])
        self.settle()
        self.tidy(self.bob, compare=True)
        self.assertEqual(self.fetch(self.carol, copy, self.other).body, octets)
        self.assertEqual(len(self.nodes.fetched), 1)
        self.assertEqual(self.bob.call("file.quota")["quota"]["used"], len(octets))

    def test_not_fetched(self) -> None:
        """It is fetched when it is asked for, as Bob may have it; from then on both have it."""
        message = self.got(b"octets")
        copy = self.forward(self.bob, message, self.other)
        self.assertEqual(self.fetch(self.carol, copy, self.other).body, b"octets")
        self.assertEqual([asked.reader for asked in self.nodes.fetched], [self.bob.account])
        self.nodes.away.add(A)
        self.assertEqual(self.fetch(self.bob, message).body, b"octets")

    def test_back(self) -> None:
        """Bob sends it back: it is another message of his, and his node has the file of that."""
        message = self.got(b"octets")
        self.forward(self.bob, message, self.chat)
        self.settle()
        back = self.page(self.alice)[-1]
        self.assertEqual(back["sender"], self.bob.account)
        self.assertEqual(self.fetch(self.alice, back["id"]).body, b"octets")

    def test_to_a_foreign_chat(self) -> None:
        """Alice passes on what somebody of her own node has sent to her."""
        dan = self.nodes[A].register("dan")
        chat = self.nodes[A].befriend(self.alice, dan)
        sent = self.send(dan, self.body(self.upload(dan, chat, b"from dan"), b"from dan"), chat)
        self.forward(self.alice, sent, self.chat, chat)
        self.settle()
        message = self.page(self.bob)[-1]
        self.assertIsNone(message["forwarded"].get("author"))
        self.assertEqual(self.fetch(self.bob, message["id"]).body, b"from dan")

    def test_not_seen(self) -> None:
        """Somebody who was not sent it cannot send it by its id."""
        message = self.got(b"octets")
        self.fetch(self.bob, message)
        body = self.page(self.bob)[-1]["body"]
        refused = self.assertRaises(Refused, self.send, self.carol, body, self.other)
        self.assertEqual(refused.code, "not_found")


class ChainTests(FilesAcrossCase):
    """Three nodes: Bob passes on what Alice has sent, to Carl at c.example."""

    def setUp(self) -> None:
        super().setUp()
        self.nodes.peers[C] = peers = MemoryPeers(self.nodes, C)
        self.nodes.worlds[C] = world = World(node=C, peers=peers, files=SECTION)
        self.carl = world.register("carl")
        self.other = befriend_across(self.bob, self.carl)
        self.octets = os.urandom(300_000)
        self.forward(self.bob, self.got(self.octets), self.other)
        self.settle()
        [self.copy] = self.carl.call("chat.history", chat=self.other)["messages"]

    def test_through(self) -> None:
        """It comes from node to node as it is asked for, and each keeps it."""
        self.assertEqual(self.copy["sender"], self.bob.account)
        self.assertEqual(self.fetch(self.carl, self.copy["id"], self.other).body, self.octets)
        self.assertEqual(
            [asked.reader for asked in self.nodes.fetched], [self.carl.account, self.bob.account]
        )
        self.nodes.away.update((A, B))
        self.assertEqual(self.fetch(self.carl, self.copy["id"], self.other).body, self.octets)
        for client in (self.bob, self.carl):
            self.assertEqual(client.world.domain.files.means.slots.total, 0)
            self.assertEqual(len(client.world.domain.files.copies), 0)

    def test_first_away(self) -> None:
        """Where the first node is away it is to be had nowhere, and later it is."""
        self.nodes.away.add(A)
        answer = self.fetch(self.carl, self.copy["id"], self.other)
        self.assertEqual(answer.code, "node_unreachable")
        self.nodes.away.clear()
        self.assertEqual(self.fetch(self.carl, self.copy["id"], self.other).body, self.octets)

    def test_not_asked_directly(self) -> None:
        """Carl is nobody to the first node."""
        found = FetchFile(self.chat, "m", self.carl.account, "F" + "a" * 26, 300_000, OCTETS)
        lending: Any = self.nodes[A].domain.files.lend(C, found)
        self.failureResultOf(Deferred.fromCoroutine(lending), Problem)
