"""Work that is done for certain: again while the database is away, one run at a time, until the node ends."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.jobs import AGAIN, Job, Jobs, again
from safeum_home.spawn import spawn


class JobTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.jobs = Jobs(self.clock)
        self.runs: list[Deferred[None]] = []

    def _job(self) -> Job:
        async def work() -> None:
            run: Deferred[None] = Deferred()
            self.runs.append(run)
            await run

        return self.jobs.job("tidying up", work)

    def test_asked_meanwhile(self) -> None:
        """Who asks while it is under way may be too late for that run: there is one more, and no more."""
        job = self._job()
        job.ask()
        job.ask()
        job.ask()
        self.assertEqual(len(self.runs), 1)
        self.runs[0].callback(None)
        self.assertEqual(len(self.runs), 2)
        self.runs[1].callback(None)
        self.assertEqual(len(self.runs), 2)
        job.ask()
        self.assertEqual(len(self.runs), 3)

    def test_asks_itself(self) -> None:
        """Also where nothing is waited for a run never begins inside another one."""
        trace: list[str] = []

        async def work() -> None:
            trace.append("begun")
            if len(trace) < 5:
                job.ask()
            trace.append("ended")

        job = self.jobs.job("tidying up", work)
        job.ask()
        self.assertEqual(trace, ["begun", "ended"] * 3)

    def test_away(self) -> None:
        """It is tried again until the database is there, and the log says so once, without a traceback."""
        job = self._job()
        with capturedLogs() as events:
            job.ask()
            for code in (Code.STORAGE_UNAVAILABLE, Code.BUSY, Code.STORAGE_UNAVAILABLE):
                self.runs[-1].errback(Problem(code))
                self.clock.advance(AGAIN)
            self.assertEqual(len(self.runs), 4)
            self.runs[-1].callback(None)
        self.assertEqual([event["log_level"] for event in events], [LogLevel.warn])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_fails(self) -> None:
        """A fault of the code is logged as one, and not tried again before it is asked for."""
        job = self._job()
        job.ask()
        self.runs[0].errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.clock.advance(AGAIN)
        self.assertEqual(len(self.runs), 1)
        job.ask()
        self.assertEqual(len(self.runs), 2)

    def _stops(self, bring: Callable[[Job], object]) -> None:
        job = self._job()
        bring(job)
        before = len(self.runs)
        self.jobs.stop()
        job.ask()
        self.clock.advance(AGAIN)
        self.assertEqual(len(self.runs), before)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopped_idle(self) -> None:
        self._stops(lambda job: None)

    def test_stopped_running(self) -> None:
        self._stops(lambda job: job.ask())

    def test_stopped_asked(self) -> None:
        """What was asked for meanwhile is not begun."""

        def twice(job: Job) -> None:
            job.ask()
            job.ask()

        self._stops(twice)

    def test_stopped_pausing(self) -> None:
        def away(job: Job) -> None:
            job.ask()
            self.runs[-1].errback(Problem(Code.BUSY))

        self._stops(away)


class AgainTests(SynchronousTestCase):
    def test_until(self) -> None:
        """What is of no use later is given up with the last error of the database."""
        clock, tries = Clock(), []

        async def do() -> None:
            tries.append(clock.seconds())
            raise Problem(Code.STORAGE_UNAVAILABLE)

        done = Deferred.fromCoroutine(again(clock, "asking", do, until=2.5 * AGAIN))
        for _ in range(9):
            clock.advance(AGAIN)
        self.assertEqual(self.failureResultOf(done, Problem).value.code, Code.STORAGE_UNAVAILABLE)
        self.assertEqual(tries, [0.0, AGAIN, 2 * AGAIN])

    def test_refused(self) -> None:
        """Another refusal does not pass."""
        clock = Clock()

        async def do() -> None:
            raise Problem(Code.NOT_FOUND)

        done = Deferred.fromCoroutine(again(clock, "asking", do))
        self.assertEqual(self.failureResultOf(done, Problem).value.code, Code.NOT_FOUND)


class SpawnTests(SynchronousTestCase):
    def _spawned(self, error: Exception) -> list[LogLevel]:
        async def fail() -> None:
            await succeed(None)
            raise error

        with capturedLogs() as events:
            spawn(fail(), "looking")
        return [event["log_level"] for event in events]

    def test_away(self) -> None:
        """The storage says itself that it is away: no traceback is needed. Nor where the node ends."""
        self.assertEqual(self._spawned(Problem(Code.STORAGE_UNAVAILABLE)), [LogLevel.warn])
        self.assertEqual(self._spawned(Problem(Code.SHUTTING_DOWN)), [])

    def test_fault(self) -> None:
        self.assertEqual(self._spawned(Problem(Code.NOT_FOUND)), [LogLevel.critical])
        self.assertEqual(len(self.flushLoggedErrors(Problem)), 1)
