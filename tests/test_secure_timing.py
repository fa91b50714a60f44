"""What a message costs in a group of 50 is printed; nothing is asserted of how long it takes."""

from twisted.trial.unittest import SynchronousTestCase

from tests.secure_timing import MESSAGES, TEXT, measure


class TimingTests(SynchronousTestCase):
    """As `python -m tests.secure_timing`."""

    def test_printed(self) -> None:
        """Everything that is said is taken; epochs are as many as they should be."""
        saying, taking, epochs = measure()
        print(f"\n    {len(TEXT)} octets to 50: to say {saying:.0f} us, to take {taking:.0f} us", end=" ")
        self.assertEqual(epochs, MESSAGES // 100)
