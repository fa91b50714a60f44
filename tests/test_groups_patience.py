"""For how long a group stands in line for the keys of its authors' nodes."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.across.groups.patience import PER, SECONDS, Patience
from safeum_home.errors import Code, Problem


class PatienceTests(SynchronousTestCase):
    """Time is used up, however often somebody comes."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.patience = Patience(self.clock.seconds)

    def waited(self, every: float, asked: float = 30.0, chat: str = "!one") -> float:
        """For how long it stood in line, where it is told again so often."""
        began = self.clock.seconds()
        while self.clock.seconds() - began < PER:
            try:
                self.patience.wait("hub.example", chat, asked)
            except Problem as problem:
                self.assertIs(problem.code, Code.RATE_LIMITED)
                return self.clock.seconds() - began
            self.clock.advance(every)
        return PER

    def test_as_asked(self) -> None:
        """Who comes when he was asked to."""
        self.assertGreaterEqual(self.waited(30), SECONDS)

    def test_sooner(self) -> None:
        """Who comes sooner uses up no more: what is left is less than what is asked for."""
        self.assertGreater(self.waited(1), SECONDS - 30)
        self.clock.advance(2 * PER)
        self.assertGreater(self.waited(0.05), SECONDS - 30)

    def test_over(self) -> None:
        """It is over for all that comes, and for most of an hour."""
        self.waited(1)
        for _ in range(20):
            with self.assertRaises(Problem):
                self.patience.wait("hub.example", "!one", 30)
            self.clock.advance(0.1)
        self.assertEqual(self.waited(1), 0)
        self.clock.advance(PER)
        self.assertGreater(self.waited(1), SECONDS - 30)

    def test_each_group(self) -> None:
        """Another group has its own."""
        self.waited(1)
        self.assertGreater(self.waited(1, chat="!other"), SECONDS - 30)
