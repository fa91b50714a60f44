"""When a provider is left alone, and for how long: the breaker, and the rests that it asks for."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bridges.breaker import MOMENT, Breaker
from bridges.guard import LONGEST_REST, Guard

SECONDS = 15.0
DAY = 86400.0


class BreakerCase(SynchronousTestCase):
    """One that three failures open."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.breaker = Breaker(3, SECONDS, self.clock.seconds)
        self.guard = Guard("double", object(), self.breaker, self.clock, "wake")

    def admit(self) -> int:
        admitted = self.breaker.admit()
        assert admitted is not None
        return admitted

    def open(self) -> None:
        self.breaker.failed(self.admit(), at_once=True)


class FailureTests(BreakerCase):
    def test_in_a_row(self) -> None:
        """Each that was asked after the one before had failed counts, however soon."""
        for _ in range(3):
            self.assertEqual(self.breaker.state, "closed")
            self.breaker.failed(self.admit())
        self.assertEqual((self.breaker.state, self.breaker.admit()), ("open", None))

    def test_of_one_moment(self) -> None:
        """A connection that breaks with many under way is one failure; so it is with the next one."""
        for broken in range(1, 4):
            for admitted in [self.admit() for _ in range(100)]:
                self.breaker.failed(admitted)
            self.assertEqual(self.breaker.state, "open" if broken == 3 else "closed")

    def test_one_after_another(self) -> None:
        """Those that were asked together and fail one after another are as many."""
        for admitted in [self.admit() for _ in range(3)]:
            self.breaker.failed(admitted)
            self.clock.advance(2 * MOMENT)
        self.assertEqual(self.breaker.state, "open")

    def test_a_success_between(self) -> None:
        """Then they are not in a row."""
        for _ in range(5):
            self.breaker.failed(self.admit())
            self.breaker.failed(self.admit())
            self.breaker.took(self.admit())
        self.assertEqual(self.breaker.state, "closed")

    def test_from_before(self) -> None:
        """What was asked before it opened says nothing of how it is now."""
        early = [self.admit() for _ in range(3)]
        self.open()
        self.breaker.took(early[0])
        self.breaker.failed(early[1])
        self.breaker.left(early[2])
        self.assertEqual((self.breaker.state, self.breaker.wait), ("open", SECONDS))


class ClockTests(BreakerCase):
    """A clock that is set back leaves nobody alone for longer."""

    def test_breaker(self) -> None:
        self.open()
        self.clock.rightNow -= DAY
        self.assertEqual(self.breaker.wait, 0)
        self.breaker.took(self.admit())
        self.assertEqual(self.breaker.state, "closed")

    def test_rest(self) -> None:
        for rest, back in ((60.0, DAY), (60.0, 1800.0), (LONGEST_REST, 1.0)):
            self.guard.rest(rest)
            self.assertEqual((self.guard.wait, self.guard.admit()), (rest, None))
            self.clock.rightNow -= back
            self.assertEqual(self.guard.wait, 0)
            self.assertIsNotNone(self.guard.admit())

    def test_shorter_rest(self) -> None:
        """What is asked for later does not shorten it, and may make it longer."""
        for rest, wait in ((60.0, 60.0), (5.0, 60.0), (90.0, 90.0)):
            self.guard.rest(rest)
            self.assertEqual(self.guard.wait, wait)
