"""What is held at one time: nobody keeps the others out."""

from contextlib import ExitStack

from twisted.trial.unittest import SynchronousTestCase

from federation.held import Held
from safeum_home.errors import Code, Problem


class HeldTests(SynchronousTestCase):
    def busy(self, held: Held, key: str) -> bool:
        try:
            with held.of(key):
                return False
        except Problem as problem:
            self.assertEqual(problem.code, Code.BUSY)
            return True

    def test_each(self) -> None:
        """One has its share, the others have theirs; what is over makes room."""
        held = Held(5, 2)
        with ExitStack() as open_ones:
            for _ in range(2):
                open_ones.enter_context(held.of("slow"))
            self.assertTrue(self.busy(held, "slow"))
            self.assertFalse(self.busy(held, "other"))
        self.assertFalse(self.busy(held, "slow"))
        self.assertEqual(len(held._held), 0)

    def test_all(self) -> None:
        """Together there is a bound, too; whatever fails inside."""
        held = Held(2, 2)
        with held.of("a"), held.of("b"):
            self.assertTrue(self.busy(held, "c"))
        try:
            with held.of("a"):
                raise ZeroDivisionError
        except ZeroDivisionError:
            self.assertEqual(len(held._held), 0)
