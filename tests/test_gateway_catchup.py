"""Coming back: what was missed, in its order, once, whatever happens meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.gateway import catchup
from safeum_home.ids import AccountId
from tests.world import Client, World, texts


class CatchUpCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.start()
        self.addCleanup(lambda: self.assertEqual(self.world.late, []))

    def start(self, **limits: Any) -> None:
        self.world = World(**limits)
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.chat = self.world.befriend(self.alice, self.bob)
        self.bob.cursor = self.world.cursor

    def send(self, *names: str) -> list[str]:
        return [self.alice.write(self.chat, name)["id"] for name in names]

    def numbers(self, count: int, start: int = 0) -> list[str]:
        return [str(number) for number in range(start, start + count)]


class ResumeTests(CatchUpCase):
    def test_missed_then_live(self) -> None:
        """What was missed comes in order, then `session.synced`, then what is live."""
        self.bob.drop()
        self.send("1", "2")
        self.alice.call("profile.set", profile={"display_name": "Alice"})
        self.send("3")
        events = self.bob.resume(self.bob.cursor).take()
        methods = [event["method"] for event in events]
        expected = ["chat.message", "chat.message", "profile.changed", "chat.message", "session.synced"]
        self.assertEqual(methods, expected)
        self.assertEqual(events[-1]["params"]["cursor"], self.world.cursor)
        self.send("4")
        self.assertEqual(texts(self.bob.messages()), ["4"])

    def test_nothing_missed(self) -> None:
        """Then only `session.synced` comes; and without `since` not even that."""
        events = self.bob.resume(self.world.cursor).take()
        self.assertEqual([event["method"] for event in events], ["session.synced"])
        self.assertEqual(self.bob.resume().take(), [])
        self.assertEqual(self.bob.cursor, self.world.cursor)

    def test_the_answer_comes_first(self) -> None:
        """The answer to the resume precedes all events."""
        self.bob.drop()
        self.send("1")
        self.bob.resume(self.bob.cursor)
        self.assertIn("result", self.bob.connection.written[0])

    def test_many(self) -> None:
        """More than a page, from any place, and again from there."""
        self.bob.drop()
        names = self.numbers(450)
        ids = self.send(*names)
        for place in (None, 0, 199, 200, 201, 399, 400, 448, 449):
            since = self.bob.cursor if place is None else ids[place]
            expected = names if place is None else names[place + 1 :]
            client = Client(self.world)
            client.token = self.bob.token
            self.assertEqual(texts(client.resume(since).messages()), expected)

    def test_live_meanwhile(self) -> None:
        """What comes while pages are read follows them, once."""
        self.bob.drop()
        self.send("1")
        self.bob.connect()
        asked = self.bob.ask("session.resume", token=self.bob.token, since=self.bob.cursor)
        self.assertIsNotNone(self.bob.answer(asked))
        self.bob.take()
        self.world.database.hold_reads = True
        self.bob.connect()
        self.bob.ask("session.resume", token=self.bob.token, since=self.bob.cursor)
        self.world.database.answer_reads()
        self.send("2")
        self.alice.notify("chat.typing", chat=self.chat)
        self.assertEqual([event["method"] for event in self.bob.take()], ["chat.typing"])
        self.world.database.answer_reads()
        events = self.bob.take()
        self.assertEqual([event["method"] for event in events], ["chat.message"] * 2 + ["session.synced"])
        self.assertEqual(events[-1]["params"]["cursor"], events[-2]["params"]["id"])

    def test_overflow(self) -> None:
        """Where too much comes meanwhile it is read from the database instead, by number or by octets."""
        for limit, octets in ((5, 10**6), (10**6, 1000)):
            self.patch(catchup, "HELD_LIMIT", limit)
            self.patch(catchup, "HELD_OCTETS", octets)
            self.start()
            self.bob.drop()
            self.send("missed")
            self.world.database.hold_reads = True
            self.bob.connect()
            self.bob.ask("session.resume", token=self.bob.token, since=self.bob.cursor)
            self.world.database.answer_reads()
            self.send(*self.numbers(20))
            held: Any = self.bob.connection.session._device
            self.assertLessEqual(len(held._catch_up._held), 6)
            self.world.database.answer_reads()
            self.send("late")
            while self.world.database.held:
                self.world.database.answer_reads()
            events = self.bob.take()
            self.assertEqual(events[-1]["method"], "session.synced")
            received = texts([event["params"] for event in events if event["method"] == "chat.message"])
            self.assertEqual(received, ["missed", *self.numbers(20), "late"])

    def test_committed_and_not_reported(self) -> None:
        """What is on disk when it is read, and published only then, comes once."""
        self.bob.drop()
        database = self.world.database
        database.hold = True
        asked = self.alice.ask("chat.send", **self.alice.message(self.chat, "1"))
        database.commit()
        self.bob.resume(self.bob.cursor)
        self.assertEqual(self.bob.messages(), [])
        database.report()
        self.assertIsNotNone(self.alice.answer(asked))
        database.release()
        events = self.bob.take()
        self.assertEqual([event["method"] for event in events], ["chat.message", "session.synced"])
        self.bob.call("session.ack", cursor=events[0]["params"]["id"])

    def test_what_moves_meanwhile(self) -> None:
        """A receipt that moves on between the reads of messages and receipts is not lost."""
        tablet = self.world.login("alice")
        ids = self.send("1", "2", "3")
        tablet.take()
        tablet.drop()
        self.bob.call("chat.read", chat=self.chat, upto=ids[0])
        [read] = self.alice.take("chat.receipt")
        self.bob.call("session.ack", cursor=ids[2])
        self.world.settle()
        [receipt] = tablet.resume(read["params"]["cursor"]).take("chat.receipt")
        self.assertEqual((receipt["params"]["delivered"], receipt["params"]["read"]), (ids[2], ids[0]))


class FailureTests(CatchUpCase):
    def test_fails(self) -> None:
        """A catch-up that cannot go on closes the session, with the reason in the log where it is a fault."""
        self.bob.drop()
        for failure, code in ((Problem(Code.STORAGE_UNAVAILABLE), 1013), (ZeroDivisionError(), 1011)):
            missed: Callable[..., Any] = lambda *_, failure=failure: fail(failure)  # noqa: E731
            world = World(self.world.database, self.world.vault)
            world.services = replace(world.services, missed=missed)
            client = Client(world)
            client.ask("session.resume", token=self.bob.token, since=self.bob.cursor)
            self.assertEqual(client.connection.close_code, code)
            world.settle()
            self.assertEqual(world.services.bus.connected(AccountId(self.bob.account)), frozenset())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_reads_fail(self) -> None:
        """Where the database answers no reads the device is told to come back later."""
        self.bob.drop()
        self.send("1")
        self.world.database.hold_reads = True
        self.bob.connect()
        self.bob.ask("session.resume", token=self.bob.token, since=self.bob.cursor)
        self.world.database.reading_fails = True
        self.world.database.answer_reads(1)
        self.world.database.answer_reads()
        self.assertEqual(self.bob.connection.close_code, 1013)
        self.assertEqual(self.bob.messages(), [])
        self.world.database.reading_fails = self.world.database.hold_reads = False
        self.assertEqual(texts(self.bob.resume(self.bob.cursor).messages()), ["1"])

    def test_gone_meanwhile(self) -> None:
        """A client that goes away while it catches up leaves nothing behind."""
        self.bob.drop()
        self.send(*self.numbers(450))
        self.world.database.hold_reads = True
        for answered in range(4):
            self.bob.connect()
            self.bob.ask("session.resume", token=self.bob.token, since=self.bob.cursor)
            for _ in range(answered):
                self.world.database.answer_reads()
            self.bob.drop()
            while self.world.database.held:
                self.world.database.answer_reads()
        self.assertEqual(self.world.services.bus.connected(AccountId(self.bob.account)), frozenset())

    def test_replaced_meanwhile(self) -> None:
        """A session that was closed reads no further pages."""
        self.bob.drop()
        self.send(*self.numbers(450))
        self.world.database.hold_reads = True
        self.bob.connect()
        self.bob.ask("session.resume", token=self.bob.token, since=self.bob.cursor)
        self.world.database.answer_reads()
        self.bob.connection.session.close(4009, "replaced")
        reads = 0
        while self.world.database.held:
            self.world.database.answer_reads()
            reads += 1
        self.assertLessEqual(reads, 1)


class SlowReaderTests(CatchUpCase):
    def test_closed_and_resumed(self) -> None:
        """Who does not read is closed with 4008 at the bound, and has lost nothing when he is back."""
        for limits in ({"outbound_frames": 10}, {"outbound_bytes": 3000}):
            self.start(**limits)
            self.bob.connection.session.paused()
            names = self.numbers(30)
            ids = self.send(*names)
            self.assertEqual(self.bob.connection.close_code, 4008)
            self.assertEqual(self.bob.messages(), [])
            self.bob.connection.session.resumed()
            self.assertEqual(texts(self.bob.resume(self.bob.cursor).messages()), names)
            self.assertEqual(self.bob.call("chat.history", chat=self.chat)["messages"][-1]["id"], ids[-1])

    def test_slow_for_a_while(self) -> None:
        """What waited is written when the client reads again, in order with what follows."""
        session = self.bob.connection.session
        session.paused()
        self.send("1", "2")
        self.assertEqual(self.bob.messages(), [])
        session.resumed()
        self.send("3")
        self.assertEqual(texts(self.bob.messages()), ["1", "2", "3"])

    def test_pages_wait_for_a_slow_reader(self) -> None:
        """The next page is read when the client has taken the one before."""
        self.bob.drop()
        self.send(*self.numbers(450))
        self.bob.connect()
        session = self.bob.connection.session
        session.paused()
        self.bob.ask("session.resume", token=self.bob.token, since=self.bob.cursor)
        self.world.database.hold_reads = True
        received: list[str] = []
        for expected in (200, 400, 450):
            self.assertEqual(self.world.database.held, 0)
            session.resumed()
            received += texts(self.bob.messages())
            self.assertEqual(len(received), expected)
            session.paused()
            self.world.database.answer_reads()
        self.assertEqual(received, self.numbers(450))

    def test_paused_again_while_it_drains(self) -> None:
        """A client that falls behind once more while what waited is written is waited for again."""
        session, write = self.bob.connection.session, self.bob.connection.write

        def once(frame: bytes) -> None:
            write(frame)
            session.paused()

        session.paused()
        self.send("1", "2", "3")
        self.patch(self.bob.connection, "write", once)
        seen = []
        for _ in range(4):
            session.resumed()
            seen.append(len(texts(self.bob.messages())))
        self.assertEqual(seen, [1, 1, 1, 0])

    def test_unacknowledged(self) -> None:
        """Who acknowledges nothing is closed at the bound; what others wrote is what counts."""
        self.start(unacknowledged=10)
        for number in range(20):
            self.bob.write(self.chat, str(number))
            self.alice.call("session.ack", cursor=self.world.cursor)
        names = self.numbers(15)
        self.send(*names)
        self.assertEqual(self.bob.connection.close_code, 4008)
        received = self.bob.messages()
        self.assertLess(len(received), 11)
        while len(received) < len(names):
            before = len(received)
            received += self.bob.resume(received[-1]["id"]).messages()
            self.assertGreater(len(received), before)
        self.assertEqual(texts(received), names)

    def test_acknowledged(self) -> None:
        """Who acknowledges is never closed for it."""
        self.start(unacknowledged=10)
        for number in range(50):
            [upto] = self.send(str(number))
            self.bob.notify("session.ack", cursor=upto)
        self.assertIsNone(self.bob.connection.close_code)
