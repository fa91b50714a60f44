"""Files across nodes: who asks for what is not his, and nodes that answer with something else."""

import os
from typing import Any

from msgspec import structs
from twisted.internet.defer import Deferred

from safeum_home.chats.files import fetching
from safeum_home.chats.files.octets import sealed_size
from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.files import FetchFile
from tests.across_case import A, B
from tests.file_case import OCTETS, Web
from tests.files_across_case import MIB, ByHand, FilesAcrossCase, by_hand
from tests.nodes import MemoryBody


class StrangerTests(FilesAcrossCase):
    """What a.example gives to whom."""

    def setUp(self) -> None:
        super().setUp()
        message = self.sent(b"octets")
        self.settle()
        body = self.page(self.alice)[-1]["body"]
        self.right = FetchFile(self.chat, message, self.bob.account, body["file"], 6, OCTETS)

    def lend(self, node: str, **changed: Any) -> Any:
        """The reading; raises `Problem`."""
        asked = structs.replace(self.right, **changed)
        done: list[Any] = []
        lending: Any = self.nodes[A].domain.files.lend(node, asked)
        Deferred.fromCoroutine(lending).addBoth(done.append)
        if hasattr(done[0], "value"):
            raise done[0].value
        return done[0]

    def assertRefused(self, node: str, **changed: Any) -> None:
        problem = self.assertRaises(Problem, self.lend, node, **changed)
        self.assertIs(problem.code, Code.NOT_FOUND)
        self.assertEqual((problem.detail, problem.retry_after), (None, None))
        self.assertEqual(self.nodes[A].domain.files.means.slots.total, 0)

    def test_right(self) -> None:
        """Bob's node, for Bob."""
        reading = self.lend(B)
        self.assertEqual(self.successResultOf(reading.read(0, 6)), b"octets")
        reading.close()
        self.assertEqual(self.nodes[A].domain.files.means.slots.total, 0)

    def test_others(self) -> None:
        """Another node, another account of his node, an account of this very node: all alike."""
        carol = self.nodes[B].register("carol")
        self.assertRefused("c.example")
        self.assertRefused(A)
        self.assertRefused(B, reader=carol.account)
        self.assertRefused(B, reader=self.alice.account)
        self.assertRefused(A, reader=self.alice.account)
        self.assertRefused("c.example", reader=self.bob.account.replace(B, "c.example"))

    def test_other_things(self) -> None:
        """Another message, chat or file, and what says something else of it."""
        text = self.write(self.alice, "hi")
        dan = self.nodes[A].register("dan")
        other = self.nodes[A].befriend(self.alice, dan)
        for changed in (
            {"message": text},
            {"message": "m1"},
            {"message": "../../" + "a" * 16},
            {"chat": other},
            {"chat": "!" + "a" * 26},
            {"file": "F" + "a" * 26},
            {"size": 7},
            {"type": "text/plain"},
            {"offset": 7},
        ):
            self.assertRefused(B, **changed)

    def test_other_chats(self) -> None:
        """The file of a message that he was not sent, though he is in a chat with who has sent it."""
        dan = self.nodes[A].register("dan")
        other = self.nodes[A].befriend(self.alice, dan)
        sent = self.send(self.alice, self.body(self.upload(self.alice, other, b"to dan"), b"to dan"), other)
        file = self.alice.call("chat.history", chat=other)["messages"][-1]["body"]["file"]
        for chat in (self.chat, other):
            self.assertRefused(B, message=sent, file=file, chat=chat)

    def test_own(self) -> None:
        """What his own node has is not fetched here: nobody is sent round in circles."""
        mine = self.send(self.bob, self.body(self.upload(self.bob, self.chat, b"from bob"), b"from bob"))
        self.settle()
        copy = next(m for m in self.page(self.alice) if m["sender"] == self.bob.account)
        self.assertNotEqual(copy["id"], mine)
        self.assertRefused(B, message=copy["id"], file=copy["body"]["file"], size=8)
        self.assertEqual(self.nodes.fetched, [])

    def test_deleted_meanwhile(self) -> None:
        """What is deleted while it is on its way stops within seconds."""
        reading = self.lend(B)
        self.delete(self.alice, self.page(self.alice)[-1]["id"])
        self.nodes[A].clock.advance(6)
        self.failureResultOf(reading.read(0, 6), Problem)
        reading.close()
        self.settle()

    def test_made_up_ids(self) -> None:
        """A node that gives its file the id of another one gets another id here: no file becomes another."""
        mine = self.send(self.alice, self.body(self.right.file, b"octets"))
        told = self.body(self.right.file, b"octets")
        self.hear(B, self.event("chat.message", {"sent": self.now, "body": told}, "x1"))
        copy = self.page(self.alice)[-1]
        self.assertNotEqual(copy["body"]["file"], self.right.file)
        self.assertEqual(self.fetch(self.alice, mine).body, b"octets")
        again = self.send(self.alice, self.body(self.right.file, b"octets"))
        self.assertEqual(self.fetch(self.alice, again).body, b"octets")
        self.assertEqual(self.nodes.fetched, [])

    def test_changed_descriptions(self) -> None:
        """A node that says something else of the same file next time has told of another one."""
        file, seen = "F" + "b" * 26, []
        for number, octets in enumerate((b"octets", b"more octets", b"octets")):
            told = self.body(file, octets, type="text/plain" if number == 2 else OCTETS)
            self.hear(B, self.event("chat.message", {"sent": self.now, "body": told}, f"x{number}"))
            seen.append(self.page(self.alice)[-1]["body"]["file"])
        self.assertEqual(len(set(seen)), 3)
        blobs = self.nodes[A].database.now(lambda c: c.exec_driver_sql("SELECT blob FROM fetched").all())
        self.assertEqual(len(blobs), 3)


class AnswerTests(FilesAcrossCase):
    """What comes is not what was said, or does not come."""

    def setUp(self) -> None:
        super().setUp()
        self.octets = os.urandom(600_000)
        self.copy = self.got(self.octets)
        self.come = ByHand()
        self.addCleanup(self.come.stop)  # nobody waits for more of it afterwards
        self.nodes.bodies = by_hand(self.come)

    def assertGone(self) -> None:
        self.assertTrue(self.come.stopped)
        self.assertNothing(self.bob)
        self.assertEqual(self.nodes[B].database.now(self._kept), [(0, b"")])
        self.nodes.bodies = MemoryBody
        self.assertEqual(self.fetch(self.bob, self.copy).body, self.octets)

    @staticmethod
    def _kept(c: Any) -> list[Any]:
        return [tuple(row) for row in c.exec_driver_sql("SELECT received, stored FROM fetched").all()]

    def test_endless(self) -> None:
        """More than was said: nothing of it is kept."""
        written: list[int] = []
        append = self.nodes[B].store.append

        def spy(blob: bytes, offset: int, data: bytes) -> None:
            written.append(offset + len(data))
            append(blob, offset, data)

        self.patch(self.nodes[B].store, "append", spy)
        connection = self.begun(self.bob, self.copy)
        self.come.give(self.octets[:200_000])
        self.come.give(bytes(600_000))
        self.assertLess(max(written), sealed_size(len(self.octets)))
        self.assertTrue(connection.transport.disconnected or connection.transport.disconnecting)
        self.assertGone()

    def test_nothing(self) -> None:
        """It ends before it begins."""
        connection = self.begun(self.bob, self.copy)
        self.come.end(broken=False)
        self.assertIn(b"node_unreachable", connection.sent())
        self.assertGone()

    def test_less_than_a_chunk(self) -> None:
        """It ends within the first chunk: there is nothing to go on with."""
        self.begun(self.bob, self.copy)
        self.come.give(self.octets[:60_000])
        self.come.end()
        self.assertGone()

    def test_deleted(self) -> None:
        """Its message is deleted while it comes: that is noticed within seconds, and nothing is left."""
        self.begun(self.bob, self.copy)
        self.come.give(self.octets[:200_000])
        self.delete(self.alice, self.page(self.alice)[-1]["id"])
        self.settle()
        self.nodes[B].clock.advance(6)
        self.come.give(self.octets[200_000:380_000])
        self.assertTrue(self.come.stopped)
        self.assertNothing(self.bob)
        self.assertEqual(self.nodes[B].database.count("fetched"), 0)

    def test_slow(self) -> None:
        """What takes far too long is given up; what came is kept for whoever goes on."""
        self.begun(self.bob, self.copy)
        self.come.give(self.octets[:200_000])
        self.nodes[B].clock.advance(fetching.PATIENCE + 60)
        self.come.give(self.octets[200_000:380_000])
        self.assertTrue(self.come.stopped)
        self.assertEqual(len(self.nodes[B].domain.files.copies), 0)
        self.nodes.bodies = MemoryBody
        self.assertEqual(self.fetch(self.bob, self.copy).body, self.octets)
        self.assertEqual(self.nodes.fetched[-1].offset, 327_680)

    def test_nobody_waits(self) -> None:
        """Who is cut off may come back: it goes on for a while, and ends when nobody does."""
        connection = self.begun(self.bob, self.copy)
        self.come.give(self.octets[:140_000])
        connection.lose()
        self.nodes[B].clock.advance(10)
        self.come.give(self.octets[140_000:280_000])
        self.assertFalse(self.come.stopped)
        self.nodes[B].clock.advance(31)
        self.come.give(self.octets[280_000:420_000])
        self.assertTrue(self.come.stopped)
        self.assertEqual(len(self.nodes[B].domain.files.copies), 0)
        self.nodes.bodies = MemoryBody
        self.assertEqual(self.fetch(self.bob, self.copy).body, self.octets)
        self.assertEqual(self.nodes.fetched[-1].offset, 393_216)

    def test_killed(self) -> None:
        """What lies in the store behind what was noted is none of it: it is cut off, and comes again."""
        self.begun(self.bob, self.copy)
        self.come.give(self.octets[:140_000])
        self.come.end()
        self.come = ByHand()
        self.addCleanup(self.come.stop)  # nobody waits for more of it afterwards
        self.nodes.bodies = by_hand(self.come)
        self.begun(self.bob, self.copy)
        self.come.give(bytes(140_000))
        store = self.nodes[B].store
        [kept] = store.written.values()
        self.assertGreater(len(kept), sealed_size(131_072))
        self.nodes.restart(B)
        self.bob = self.back(self.bob)
        self.nodes.bodies = MemoryBody
        self.assertEqual(self.fetch(self.bob, self.copy).body, self.octets)
        self.assertEqual(self.nodes.fetched[-1].offset, 131_072)

    def test_in_use(self) -> None:
        """What is being fetched does not make room for something else."""
        self.begun(self.bob, self.copy)
        self.come.give(self.octets[:140_000])
        self.nodes[B].clock.advance(3600)
        self.nodes.bodies = MemoryBody
        for _ in range(4):
            self.fetch(self.bob, self.got(os.urandom(MIB)))
            self.nodes[B].clock.advance(3600)
        self.tidy(self.bob)
        self.assertEqual(len(self.nodes[B].store.written), 3)
        self.assertEqual(self.fetch(self.bob, self.copy, Range="bytes=0-9").body, self.octets[:10])
        self.come.end()

    def test_store_fails(self) -> None:
        """The store fails while it comes, and works again."""
        connection = self.begun(self.bob, self.copy)
        self.nodes[B].store.failing = True
        self.come.give(self.octets[:200_000])
        self.assertIn(b"storage_unavailable", connection.sent())
        self.nodes[B].store.failing = False
        self.assertTrue(self.come.stopped)
        self.nodes.bodies = MemoryBody
        self.assertEqual(self.fetch(self.bob, self.copy).body, self.octets)
        self.tidy(self.bob, compare=True)
        self.assertEqual(len(self.nodes[B].store.written), 1)

    def test_held_back(self) -> None:
        """No more is taken than the store has room for."""
        self.begun(self.bob, self.copy)
        batch = self.nodes[B].store.batch
        self.come.give(self.octets[:batch])
        self.assertEqual(self.come.taken, batch)
        self.come.give(self.octets[batch : batch + 10])
        self.assertEqual(self.come.taken, batch)
        self.come.end()

    def test_stopped(self) -> None:
        """The node is told to end: fetching ends, what came is kept, and nothing waits."""
        connection = self.begun(self.bob, self.copy)
        self.come.give(self.octets[:200_000])
        stopping = Deferred.fromCoroutine(self.nodes[B].domain.files.copies.stop())
        self.successResultOf(stopping)
        self.assertTrue(self.come.stopped)
        self.assertTrue(connection.transport.disconnected or connection.transport.disconnecting)
        self.assertEqual(self.nodes[B].domain.files.means.slots.total, 0)
        answer = Web(self.nodes[B]).ask("GET", self.link(self.bob, self.copy), None, Range="bytes=390000-")
        self.assertEqual(answer.code, "shutting_down")

    def test_too_many(self) -> None:
        """Each file that is fetched is one of the transfers of who has it fetched."""
        slots = self.nodes[B].domain.files.means.slots
        before = slots.total
        self.begun(self.bob, self.copy)
        self.assertEqual(slots.total, before + 2)
        self.come.end()
        self.assertEqual(slots.total, before)
