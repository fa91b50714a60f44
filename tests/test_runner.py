"""The closing line counts what happened."""

import warnings
from io import StringIO

from twisted.internet.defer import Deferred, fail
from twisted.trial.runner import TestLoader
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.runner import ClosingReporter, _collected, forget_warnings_once


class _Samples(SynchronousTestCase):
    """One of each outcome; the name keeps trial from finding it."""

    def passes(self) -> None:
        pass

    def fails(self) -> None:
        self.addCleanup(self.fail, "twice")
        self.fail("once")

    def breaks(self) -> None:
        raise ZeroDivisionError

    def skips(self) -> None:
        raise SkipTest("no such server here")


class ClosingLineTests(SynchronousTestCase):
    """The last line that is printed."""

    def _closing(self, *names: str) -> list[str]:
        stream = StringIO()
        reporter = ClosingReporter(stream)
        for name in names:
            _Samples(name).run(reporter)
        reporter.done()
        return stream.getvalue().splitlines()

    def test_counts(self) -> None:
        """Errors are failures, a test that fails twice is one, and skips say why."""
        lines = self._closing("passes", "passes", "fails", "breaks", "skips")
        self.assertEqual(lines[-1], "2 passed, 2 failed, 1 skipped")
        self.assertIn("no such server here", lines)
        self.flushLoggedErrors()

    def test_without_skips(self) -> None:
        """Skips are named only where there are some."""
        self.assertEqual(self._closing("passes")[-1], "1 passed, 0 failed")

    def test_what_cannot_be_imported_has_failed(self) -> None:
        """A module with an error in it is not simply absent."""
        reporter = ClosingReporter(StringIO())
        TestLoader().loadByNames(["tests.no_such_module"]).run(reporter)
        self.assertEqual(reporter.counts(), (0, 1, 0))


class LeftTests(SynchronousTestCase):
    """What tests leave, in cycles that only the collector finds."""

    def test_failures(self) -> None:
        """Each is told of once, and what is no failure is not."""
        _collected()
        for left in (fail(ZeroDivisionError()), Deferred()):
            vars(left)["itself"] = left
        del left
        (found,) = _collected()
        self.assertEqual(found["log_failure"].type, ZeroDivisionError)
        self.assertEqual(_collected(), [])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class WarningTests(SynchronousTestCase):
    """Warnings are those of each test, whichever came before."""

    def setUp(self) -> None:
        forget_warnings_once()

    def _warned(self) -> None:
        for _ in range(2):
            warnings.warn("it is old", DeprecationWarning, stacklevel=1)
        self.assertEqual([each["message"] for each in self.flushWarnings()], ["it is old"] * 2)

    def test_one(self) -> None:
        """What is warned of twice is there twice."""
        self._warned()

    def test_another(self) -> None:
        """So it is in the test after that."""
        self._warned()
