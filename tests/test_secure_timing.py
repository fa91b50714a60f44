"""What a message costs in a group of 50 is printed; nothing is asserted of how long it takes."""

from twisted.trial.unittest import SynchronousTestCase

from tests.secure_timing import EPOCH, Cost, in_javascript, in_python

ROUNDS = 5


class TimingTests(SynchronousTestCase):
    """As `python -m tests.secure_timing`."""

    def _printed(self, cost: Cost) -> None:
        """Everything that is said is taken; epochs are as many as they should be."""
        print(f"\n    {cost}", end=" ")
        self.assertEqual((cost.received, cost.epochs), (ROUNDS * EPOCH, ROUNDS))

    def test_python(self) -> None:
        """In Python."""
        self._printed(in_python(ROUNDS))

    def test_javascript(self) -> None:
        """In JavaScript."""
        self._printed(in_javascript(ROUNDS))
