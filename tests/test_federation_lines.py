"""What a node cannot take of a chat for now holds up that chat alone, and nothing of it gets out of order."""

from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.node import refusals
from safeum_home.node.held_back import LONGEST_IN_LINE, SHORTEST
from safeum_home.node.refusals import KEPT_HOURS
from safeum_home.outgoing.http import Answer
from safeum_home.protocol.federation.events import Event
from tests.federated import Pair, room_of

A, B = "a.example", "b.example"


class Case(SynchronousTestCase):
    """a.example tells b.example of chats."""

    def setUp(self) -> None:
        self.pair = Pair()
        self.a, self.b = self.pair[A], self.pair[B]

    def close(self, *rooms: str, storing: bool = False, taken: Callable[[], bool] = lambda: False) -> None:
        """Nothing of these chats is taken from now on, but where `taken` says so."""
        ids = [room_of(f"{room}/") for room in rooms]

        def raises(event: Event) -> None:
            if event.chat in ids and not taken():
                raise Problem(Code.RATE_LIMITED, retry_after=0.3)

        for kind in self.b.kinds[:2]:
            kind.applying = (lambda event: None) if storing else raises
            kind.storing = (lambda c, event: raises(event)) if storing else (lambda c, event: None)

    def write(self, room: str, *values: int, kind: str = "chat.message") -> None:
        for value in values:
            self.a.say(f"{room}/{value}", value, kind=kind)

    def of(self, room: str) -> list[int]:
        """What has come of a chat."""
        return [value for _, name, value in self.b.arrived() if name.startswith(f"{room}/")]

    def assertAllCame(self, within: float = 7200.0) -> None:
        self.pair.until(lambda: not self.a.waiting, within)
        self.assertEqual([node.database.count("set_aside") for node in (self.a, self.b)], [0, 0])


class LineTests(Case):
    def test_others_go_on(self) -> None:
        """Where one chat is too busy others are told of at once, in the same transaction and behind it."""
        for storing in (False, True):
            self.setUp()
            self.close("b", storing=storing)
            self.pair.away.add(B)
            for value in range(4):
                self.write("b", value)
                self.write("c", value, kind="test.saying")
            self.pair.away.clear()
            self.pair.until(lambda: len(self.of("c")) == 4, 30)
            self.write("b", 4)
            self.write("c", 4)
            self.pair.settle()
            self.assertEqual((self.of("b"), self.of("c")), ([], [0, 1, 2, 3, 4]))
            self.close()
            self.assertAllCame(SHORTEST + 2)
            self.assertEqual(self.of("b"), [0, 1, 2, 3, 4])

    def test_what_was_taken(self) -> None:
        """What stands before it is there, what is behind it comes behind it, of whichever kind."""
        left = [3, 0, 2, 0, 0, 9]

        def sometimes() -> bool:
            left[0] -= 1
            if left[0] < 0:
                left.pop(0)
                return not left
            return True

        self.close("b", taken=lambda: not left or sometimes())
        self.pair.away.add(B)
        for value in range(20):
            self.write("b", value, kind=("chat.message", "test.saying")[value % 3 == 0])
        self.pair.away.clear()
        self.assertAllCame()
        self.assertEqual(self.of("b"), list(range(20)))

    def test_urgent(self) -> None:
        """What is urgent goes before what stands in line, as before all else."""
        self.close("b")
        self.write("b", 1)
        self.pair.settle()
        self.close()
        self.a.say("b/2", 2, urgent=True)
        self.pair.settle(0.1)
        self.assertEqual(self.of("b"), [2])
        self.assertAllCame()
        self.assertEqual(self.of("b"), [2, 1])

    def test_changed_meanwhile(self) -> None:
        """What changes while it stands in line is told once, in its place, as it is then."""
        self.close("b")
        self.write("b", 1, 2)
        self.pair.settle()
        self.a.say("b/1", 10, kind="chat.message")
        self.pair.settle()
        self.assertEqual(self.a.waiting, 2)
        self.a.say("b/1", 11, kind="chat.message")
        self.close()
        self.assertAllCame()
        self.assertEqual(self.of("b"), [11, 2])

    def test_urgent_by_then(self) -> None:
        """What stands in line, and is urgent by now, waits once."""
        self.close("b")
        self.write("b", 1, 2)
        self.pair.settle()
        self.a.say("b/1", 10, kind="chat.message", urgent=True)
        self.pair.settle()
        self.close()
        self.assertAllCame()
        self.assertEqual(self.of("b"), [10, 2])

    def test_known_to_wait(self) -> None:
        """Whoever asks is told that it is still to be told: so what is not kept is not forgotten either."""
        self.close("b")
        self.write("b", 1)
        self.pair.settle()
        asked = [("chat.message", self.a.kinds[1].pointer("b/1")), ("chat.message", b"nothing")]
        waiting = self.a.database.now(lambda c: self.a.federation.to_be_told(c, B, asked))
        self.assertEqual(waiting, asked[:1])

    def test_nobody_is_forgotten(self) -> None:
        """However long a chat is too busy it is asked each minute; what is too much for once goes on."""
        self.patch(refusals, "OF_LINE", 3)
        self.patch(refusals, "OF_LINES", 4)
        self.close("b", "c")
        self.write("b", *range(10))
        self.write("c", *range(10))
        self.pair.settle()
        before = len(self.pair.requests)
        self.pair.clock.pump([1.0] * 3600)
        asked = len(self.pair.requests) - before
        self.assertTrue(50 < asked < 200, asked)
        self.close()
        self.assertAllCame(2 * LONGEST_IN_LINE + 10)
        self.assertEqual((self.of("b"), self.of("c")), ([*range(10)], [*range(10)]))

    def test_as_fast_as_is_taken(self) -> None:
        """Where some of it is taken each time it is not asked for more and more seldom."""
        room = [0]

        def taken() -> bool:
            room[0] -= 1
            return room[0] >= 0

        self.close("b", taken=taken)
        self.write("b", *range(100))
        self.pair.settle()
        passed = 0
        while self.a.waiting:
            room[0] = 5
            self.pair.settle(SHORTEST)
            passed += SHORTEST
            self.assertLess(passed, 200)
        self.assertEqual(self.of("b"), [*range(100)])

    def test_restart(self) -> None:
        """A node that starts asks at once; in the order that it was."""
        self.close("b")
        self.write("b", 1, 2, 3)
        self.pair.settle()
        self.write("b", 4)
        self.close()
        self.pair.restart(A)
        self.pair.settle(0.5)
        self.assertEqual(self.of("b"), [1, 2, 3, 4])

    def test_receiver_restarts(self) -> None:
        """A node that is killed within a transaction knows which chats of it stand in line."""
        self.pair.away.add(B)
        self.write("b", 0, 1)
        self.write("c", 0, kind="test.saying")
        self.write("b", 2, kind="test.saying")
        self.close("b")
        self.b.kinds[0].applying = lambda event: setattr(self.b.database, "failing", True)
        self.pair.away.clear()
        self.pair.settle(5)
        self.assertEqual(self.b.database.count("peers"), 1)
        self.b.database.failing = False
        self.pair.restart(B)
        self.assertAllCame()
        self.assertEqual((self.of("b"), self.of("c")), ([0, 1, 2], [0]))

    def test_not_for_ever(self) -> None:
        """After 30 days it will never be told, and what is behind it is."""
        self.close("b")
        self.write("b", 1)
        for _ in range(KEPT_HOURS + 3):
            self.pair.clock.advance(3599)
            self.pair.settle()
        self.assertEqual(self.a.kinds[1].untold_of, [(B, "b/1")])
        self.assertEqual(self.a.waiting, 0)

    def test_said_by_another_node(self) -> None:
        """A node that says so of all that it is told gets it later, and keeps nobody else from anything."""
        refused = [{"index": 0, "code": "busy", "retry_after": 10}]
        self.pair.answers[B] = Answer(200, msgspec.json.encode({"received": 1, "refused": refused}))
        self.write("b", 1)
        self.pair.settle()
        self.assertEqual(self.a.waiting, 1)
        self.pair.answers.clear()
        self.assertAllCame(30)
        self.assertEqual(set(self.of("b")), {1})

    def test_spoiled_commit(self) -> None:
        """Where an event spoils the commit of others each is stored alone, and those in line are not."""

        times = count()

        def storing(c: Any, event: Event) -> None:
            if event.content["value"] == 0:
                raise KeyError("it cannot be stored")
            if event.content["value"] == 1 and next(times) < 2:
                raise Problem(Code.BUSY)

        self.pair.away.add(B)
        self.write("c", 0)
        self.write("b", 1, 2, 3)
        self.write("d", 4)
        for kind in self.b.kinds[:2]:
            kind.storing = storing
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual((self.of("b"), self.of("d"), self.of("c")), ([1, 2, 3], [4], []))
        self.flushLoggedErrors(KeyError)
