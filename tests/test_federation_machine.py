"""When a destination is tried again."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from federation.machine import HINDERED, LATER, PACE, SOON, Core, Destination, new_destination


class MachineTests(SynchronousTestCase):
    """A destination on a test's clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.begun: list[float] = []
        self.chance = 1.0
        self.core = Core(self.clock, lambda: self.chance, lambda: self.begun.append(self.clock.seconds()))
        self.machine: Destination = new_destination(self.core)

    def fail_once(self, retry_after: float = 0.0) -> float:
        """It fails; after how many seconds it is tried again."""
        failed, count = self.clock.seconds(), len(self.begun)
        self.machine.failed(retry_after)
        [timer] = self.clock.getDelayedCalls()
        pause = timer.getTime() - failed
        self.clock.advance(pause)
        self.assertEqual(len(self.begun), count + 1)
        return pause

    def test_emptied(self) -> None:
        """It begins when it is woken, once, and once more where it was woken meanwhile."""
        for woken, begun in ((1, 1), (3, 2)):
            self.begun.clear()
            for _ in range(woken):
                self.machine.woken()
            for _ in range(begun):
                self.assertEqual(self.core.state, "sending")
                self.machine.emptied()
            self.assertEqual((self.core.state, len(self.begun)), ("idle", begun))

    def test_back_off(self) -> None:
        """The longest pause doubles up to five minutes; after an hour it is half an hour."""
        self.machine.woken()
        pauses = [self.fail_once() for _ in range(25)]
        self.assertEqual(pauses[:10], [1, 2, 4, 8, 16, 32, 64, 128, 256, 300])
        hour = next(place for place in range(25) if sum(pauses[:place]) >= SOON)
        self.assertEqual(set(pauses[9:hour]), {300})
        self.assertEqual(set(pauses[hour:]), {LATER})
        self.machine.told()
        self.assertEqual(self.fail_once(), 1)

    def test_jitter(self) -> None:
        """Pauses are of a random length, from nothing on; after an hour from a quarter of an hour on."""
        self.machine.woken()
        self.chance = 0.0
        self.assertEqual(self.fail_once(), 0)
        self.chance = 0.5
        self.assertEqual(self.fail_once(), 1)
        self.clock.advance(SOON)
        self.chance = 0.0
        self.assertEqual(self.fail_once(), LATER / 2)

    def test_retry_after(self) -> None:
        """What the node asks for counts, where it is longer, up to half an hour."""
        self.machine.woken()
        self.assertEqual([self.fail_once(asked) for asked in (17, 1e9, 2)], [17, LATER, 4])

    def test_hindered(self) -> None:
        """What this node is to blame for counts for nothing: it is tried again in some seconds."""
        self.machine.woken()
        for asked, pause in ((1.0, HINDERED), (10.0, 10.0)):
            for _ in range(50):
                self.machine.hindered(asked)
                [timer] = self.clock.getDelayedCalls()
                self.assertEqual(timer.getTime() - self.clock.seconds(), pause)
                self.assertEqual(
                    (self.core.state, self.core.since, self.core.tries), ("backing off", None, 0)
                )
                self.clock.advance(pause)
        self.assertEqual(len(self.begun), 101)
        self.assertEqual(self.fail_once(), 1)

    def test_since_before(self) -> None:
        """A failure that began before the start of this node goes on."""
        self.core.since = self.clock.seconds() - SOON
        self.machine.woken()
        self.assertEqual(self.fail_once(), LATER)

    def test_woken_while_it_waits(self) -> None:
        """More that waits is no reason to try sooner."""
        self.machine.woken()
        self.machine.failed(100)
        self.machine.woken()
        self.clock.advance(99)
        self.assertEqual(len(self.begun), 1)
        self.clock.advance(1)
        self.assertEqual(len(self.begun), 2)

    def test_heard(self) -> None:
        """A node that shows that it is there is tried at once, though never twice within some seconds."""
        self.machine.woken()
        self.machine.failed(1000)
        self.clock.advance(500)
        self.machine.heard()
        self.clock.advance(0)
        self.assertEqual(len(self.begun), 2)
        self.machine.failed(1000)
        for _ in range(10):
            self.machine.heard()
            self.clock.advance(PACE / 20)
        self.assertEqual(len(self.begun), 2)
        self.clock.advance(PACE / 2)
        self.assertEqual(len(self.begun), 3)
        self.machine.heard()
        self.machine.emptied()
        self.machine.heard()
        self.assertEqual((self.core.state, len(self.begun)), ("idle", 3))

    def test_stopped(self) -> None:
        """Nothing more happens, whatever comes to an end after that."""
        for state in ("idle", "sending", "again", "backing off"):
            self.setUp()
            if state != "idle":
                self.machine.woken()
            if state == "again":
                self.machine.woken()
            if state == "backing off":
                self.machine.failed(10)
            begun = len(self.begun)
            self.machine.stop()
            for late in (self.machine.woken, self.machine.heard, self.machine.told, self.machine.emptied):
                late()
            self.machine.failed(1)
            self.machine.hindered(1)
            self.machine.stop()
            self.assertEqual((self.core.state, len(self.begun)), ("stopped", begun))
            self.assertEqual(self.clock.getDelayedCalls(), [])
