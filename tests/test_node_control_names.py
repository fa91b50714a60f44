"""Accounts as an operator writes them."""

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.node.control_names import alias_of

HOME = "home-1.example"
ACCOUNT = f"@{'a' * 26}:{HOME}"


class NameTests(SynchronousTestCase):
    def test_ways_to_write_it(self) -> None:
        """With blanks and the like in a number, with the node behind a login, in capitals."""
        for text, alias in (
            ("ada", "ada"),
            (" Ada@HOME-1.example\n", "ada"),
            ("@ada.l-b", "ada.l-b"),
            ("+44 7700 900123", "+447700900123"),
            ("+44\u00a0(7700) 900-123", "+447700900123"),
            (f"+44 7700/900.123@{HOME}", "+447700900123"),
            (ACCOUNT.upper(), ACCOUNT),
        ):
            self.assertEqual(alias_of(text, HOME), alias)

    def test_nobody(self) -> None:
        """What is no name, and whoever is somewhere else, is not found; neither is quoted."""
        for text in (
            "",
            "@",
            "+44",
            "a b",
            "ada@",
            "ada@other.example",
            "ada@a@b",
            f"@{'a' * 26}:other.example",
        ):
            problem = self.assertRaises(Problem, alias_of, text, HOME)
            self.assertIs(problem.code, Code.NOT_FOUND)
            self.assertNotIn("other", str(problem.detail).replace("another", ""))
