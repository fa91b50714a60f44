"""When the vault is written."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.unlocked.vault_writing import PAUSE, Core, new_writing


class WritingTests(SynchronousTestCase):
    """`written` is when it was begun to be written, in seconds."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.written: list[float] = []
        self.core = Core(self.clock, lambda: self.written.append(self.clock.seconds()))
        self.machine = new_writing(self.core)

    def tearDown(self) -> None:
        self.machine.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_in_a_while(self) -> None:
        """Changes go together."""
        self.machine.changed()
        self.clock.advance(PAUSE / 2)
        self.machine.changed()
        self.clock.advance(PAUSE / 2)
        self.assertEqual(self.written, [PAUSE])
        self.machine.written()
        self.clock.advance(3 * PAUSE)
        self.assertEqual(self.written, [PAUSE])

    def test_at_once(self) -> None:
        """What is urgent, and all with it; what is not pressed for where there is nothing."""
        self.machine.press()
        self.assertEqual(self.written, [])
        self.machine.changed()
        self.machine.urgent()
        self.machine.written()
        self.machine.urgent()
        self.assertEqual(self.written, [0, 0])
        self.machine.written()
        self.clock.advance(3 * PAUSE)
        self.assertEqual(self.written, [0, 0])

    def test_meanwhile(self) -> None:
        """What changes while it is written is written with the next one: later, or at once."""
        self.machine.urgent()
        self.machine.changed()
        self.machine.written()
        self.clock.advance(PAUSE)
        self.assertEqual(self.written, [0, PAUSE])
        self.machine.changed()
        self.machine.urgent()
        self.assertEqual(self.written, [0, PAUSE])
        self.machine.written()
        self.assertEqual(self.written, [0, PAUSE, PAUSE])

    def test_failed(self) -> None:
        """It is tried again."""
        self.machine.urgent()
        for tries in range(1, 4):
            self.machine.failed()
            self.clock.advance(PAUSE)
            self.assertEqual(len(self.written), tries + 1)

    def test_held(self) -> None:
        """Nothing is written until somebody was asked."""
        self.machine.changed()
        self.machine.hold()
        for each in (self.machine.changed, self.machine.urgent, self.machine.press, self.machine.failed):
            each()
        self.clock.advance(3 * PAUSE)
        self.assertEqual(self.written, [])
        self.machine.release()
        self.clock.advance(PAUSE)
        self.assertEqual(self.written, [3 * PAUSE + PAUSE])

    def test_held_meanwhile(self) -> None:
        """Also where it is just being written."""
        self.machine.urgent()
        self.machine.urgent()
        self.machine.hold()
        self.machine.written()
        self.clock.advance(3 * PAUSE)
        self.assertEqual(self.written, [0])

    def test_waited_for(self) -> None:
        """Until all is written, or it has failed, or is over."""
        self.successResultOf(self.core.wait())
        self.machine.changed()
        waiting = self.core.wait()
        self.machine.press()
        self.machine.urgent()
        self.machine.written()
        self.assertNoResult(waiting)
        self.machine.written()
        self.successResultOf(waiting)
        for over in (self.machine.failed, self.machine.hold, self.machine.stop):
            self.machine.release()
            self.machine.urgent()
            waiting = self.core.wait()
            over()
            self.successResultOf(waiting)

    def test_given_up(self) -> None:
        """Whoever waits may give it up."""
        self.machine.urgent()
        waiting = self.core.wait().addTimeout(1, self.clock)
        self.clock.advance(1)
        self.failureResultOf(waiting)
        self.machine.written()

    def test_stopped(self) -> None:
        """Nothing is written any more."""
        self.machine.changed()
        self.machine.stop()
        for each in (self.machine.changed, self.machine.urgent, self.machine.written, self.machine.release):
            each()
        self.clock.advance(3 * PAUSE)
        self.assertEqual(self.written, [])
