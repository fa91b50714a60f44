"""`python -m tests.runner [MODULE...]`: run the tests with trial and close with a line that counts them."""

import sys
from pathlib import Path

from twisted.trial.reporter import TreeReporter
from twisted.trial.runner import TestLoader, TrialRunner


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
        passed, failed, skipped = self.counts()
        sys.stderr.flush()
        self._writeln(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
        sys.stdout.flush()


def main(names: list[str]) -> int:
    """Run the named modules or tests, else all of this package; the exit status."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    result = TrialRunner(ClosingReporter).run(TestLoader().loadByNames(names or ["tests"], recurse=True))
    assert isinstance(result, ClosingReporter)
    passed, failed, _ = result.counts()
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
