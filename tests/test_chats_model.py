"""Random lives of several people on several devices each, held against a model: see `chats_lives`."""

import os
from itertools import combinations

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, run_state_machine_as_test
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.chats_lives import NAMES
from tests.chats_lives_rough import RoughLives

EXAMPLES, STEPS = 44, 60
PHASES = [Phase.generate] if os.environ.get("MODEL_QUICK") else list(Phase)
"""Without shrinking, what fails is said at once, and in full length."""
LEAST = 2000
"""Steps. Which lives are made depends a little on the modules that are loaded beside this one."""


class _Lives(RoughLives):
    """All of that, with how it begins, and what holds."""

    taken = 0
    complaints: list[str] = []

    @initialize(apart=st.sets(st.integers(0, 5), max_size=3), group=st.booleans(), second=st.booleans())
    def meet_all(self, apart: set[int], group: bool, second: bool) -> None:
        """Most know each other, are in a group, and have two devices: without that little would happen."""
        _Lives.complaints.clear()
        for number, (one, other) in enumerate(combinations(range(len(NAMES)), 2)):
            if number not in apart:
                self.befriend(one, other - one)
        if group:
            self.create(0, earlier=False, invite=set(range(1, len(NAMES))))
            for number in range(1, len(NAMES)):
                self.join(number, 0, accept=True)
        for number in range(len(NAMES)) if second else ():
            self.login(number)

    @invariant()
    def shown(self) -> None:
        """Whoever was told everything shows what is true, and the node finds nothing amiss."""
        _Lives.taken += 1
        assert _Lives.complaints == []
        self.play.look_at_waiting()
        for device in self.play.devices:
            if device.live:
                self.play.check.shown(device)

    def teardown(self) -> None:
        self.play.finish()


@implementer(ILogObserver)
class _Complaints:
    """Notes what the node has to say of rows that cannot be opened, and of all that failed."""

    def __call__(self, event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.error and event["log_namespace"].startswith("safeum_home."):
            _Lives.complaints.append(str(formatEvent(event)))


class ModelTests(SynchronousTestCase):
    def setUp(self) -> None:
        observer = _Complaints()
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def test_devices_converge(self) -> None:
        """Whatever they do, and whatever becomes of connections and node, all show what is true.

        The same lives each time, unless `MODEL_SEED` is set, to a number (`make model` sets it);
        `MODEL_EXAMPLES` is then how many of them.
        """
        chosen = os.environ.get("MODEL_SEED")
        how = settings(
            max_examples=EXAMPLES if chosen is None else int(os.environ.get("MODEL_EXAMPLES", "1000")),
            stateful_step_count=STEPS,
            derandomize=chosen is None,
            database=None,
            print_blob=True,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        )
        lives: type[RuleBasedStateMachine] = _Lives
        if chosen is not None:
            lives = seed(int(chosen))(lives)
            print(f"\n    MODEL_SEED={chosen}", end=" ")
        _Lives.taken = 0
        _Lives.complaints.clear()
        run_state_machine_as_test(lives, settings=how)
        print(f"\n    {_Lives.taken} steps", end=" ")
        self.assertGreaterEqual(_Lives.taken, LEAST)
        self.assertEqual(self.flushLoggedErrors(), [])
