"""`python -m tests.runner [MODULE...]`: run the tests with trial and close with a line that counts them.

Without names all of them are run, by twice as many processes as there are cores.
"""

import os
import sys
from compileall import compile_dir
from io import StringIO
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import monotonic

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial import _synctest
from twisted.trial.reporter import TreeReporter
from twisted.trial.runner import TestLoader, TrialRunner
from zope.interface import implementer

from safeum_home.node import collector
from tests.side_by_side import Outcome, modules, run_all, work

PACKAGES = ("safeum_home", "federation", "bridges", "tests", "bench", "tools", "twisted")


class ClosingReporter(TreeReporter):
    """Trial's tree, with a closing line of one form: `N passed, N failed[, N skipped]`."""

    def counts(self) -> tuple[int, int, int]:
        """Tests passed, failed and skipped; a test with two errors has failed once.

        What could not be loaded is an error of its own, and so a failure.
        """
        failed = {test.id() for test, _ in self.failures} | {test.id() for test, _ in self.errors}
        failed |= {test.id() for test, _ in self.unexpectedSuccesses}
        skipped = {test.id() for test, _ in self.skips} - failed
        return self.successes, len(failed), len(skipped)

    def _printSummary(self) -> None:
        sys.stderr.flush()
        self._writeln(closing(*self.counts()))
        sys.stdout.flush()


def closing(passed: int, failed: int, skipped: int) -> str:
    """The last line."""
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def forget_warnings_once() -> None:
    """Have trial leave to Python what Python does by itself: a warning that was given is given anew.

    Trial sets aside what each module has warned of: some thousand modules, before each of thousands of tests.
    Python does so for itself where filters are changed (`warnings.simplefilter`), as trial then does.
    """
    _synctest._setWarningRegistryToNone = lambda _: None


def _run(names: list[str], stream: StringIO | None = None) -> tuple[int, int, int]:
    runner = TrialRunner(ClosingReporter) if stream is None else TrialRunner(ClosingReporter, stream=stream)
    result = runner.run(TestLoader().loadByNames(names, recurse=True))
    assert isinstance(result, ClosingReporter)
    return result.counts()


def _outcome(module: str) -> Outcome:
    stream, began, used = StringIO(), monotonic(), _processor()
    passed, failed, skipped = _run([module], stream)
    for event in _collected():
        failed += 1
        stream.write(f"{module}: found when its tests were over: {formatEvent(event)}\n")
    return Outcome(passed, failed, skipped, stream.getvalue(), monotonic() - began, _processor() - used)


def _collected() -> list[LogEvent]:
    """Collect what a module leaves; the failures among it that nobody has looked at."""
    failures = _Failures()
    globalLogPublisher.addObserver(failures)
    try:
        collector.leave_what_is()
    finally:
        globalLogPublisher.removeObserver(failures)
    return failures.found


@implementer(ILogObserver)
class _Failures:
    """What is logged of failures."""

    def __init__(self) -> None:
        self.found: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        if "log_failure" in event:
            self.found.append(event)


def _processor() -> float:
    """Seconds of the processor that this process took, and what it started and has ended."""
    each = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in each)


def _compile(folder: Path) -> None:
    """Compile all modules once, instead of in each process that is started."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    for package in PACKAGES:
        compile_dir(folder / package, quiet=1, workers=0)


def main(names: list[str]) -> int:
    """Run the named modules or tests, else all of this package; the exit status."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    forget_warnings_once()
    if names == ["--worker"]:
        # With Python's default, a quarter of the time of tests in memory goes into looking for cycles.
        collector.look_seldom()
        work(_outcome)
        return 0
    if names:
        passed, failed, _ = _run(names)
    else:
        cores = os.cpu_count() or 1
        _compile(Path(__file__).parent.parent)
        total = run_all(modules(Path(__file__).parent), 2 * cores, backwards=max(1, cores // 2))
        passed, failed = total.passed, total.failed
        for what, found in (("took longest", total.longest), ("cost most", total.costliest)):
            for name, outcome in found:
                print(f"{what}: {outcome.seconds:6.1f} s, {outcome.processor:6.1f} s of a processor: {name}")
        for name in total.bad:
            print(f"failed in {name}")
        print(closing(passed, failed, total.skipped), flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
