"""Secrets are compared in constant time (CVE-2021-32921): how early two differ cannot be measured."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent
PACKAGES = "safeum_home", "federation", "bridges"
SECRET = re.compile(r"(^|_)(secret|verifier|verifiers|token|password|pin|mac|hmac|code_hash|digest)$")
HARMLESS = {
    "federation/receiving.py": ["digest"] * 4,
    "safeum_home/chats/files/receiving.py": ["digest"],
    # What was refused and what is held are tokens of the node itself, as it has just sent them.
    "bridges/push/apns_jwt.py": ["_token"],
    # Both are what the same person has just entered.
    "safeum_home/accounts/pins.py": ["password", "pin", "pin"],
    "safeum_home/client/slash/closing.py": ["pin"],
    # A public key that was pinned.
    "safeum_home/client/calling/directory.py": ["pin"],
}
"""What is named so and is no secret to who asks: digests of what was sent, for instance."""


def compared(source: str) -> Iterator[tuple[int, str]]:
    """Where something that is named as a secret is compared with == or !=: the line, and the name."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        if not all(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) for side in sides):
            continue
        for side in sides:
            name = side.attr if isinstance(side, ast.Attribute) else getattr(side, "id", "")
            if SECRET.search(name):
                yield node.lineno, name


class ComparedTests(SynchronousTestCase):
    """All of the code."""

    def test_none(self) -> None:
        """Nothing that is named as a secret is compared as other things are."""
        found = {}
        for package in PACKAGES:
            for path in sorted((ROOT / package).rglob("*.py")):
                if names := sorted(name for _, name in compared(path.read_text())):
                    found[str(path.relative_to(ROOT))] = names
        self.assertEqual(found, HARMLESS)

    def test_found(self) -> None:
        """Where the defence is taken out that is found: in each place that has it."""
        taken_out = 0
        for package in PACKAGES:
            for path in sorted((ROOT / package).rglob("*.py")):
                source = path.read_text()
                without = re.sub(r"(?:hmac\.)?compare_digest\((.+?), (.+?)\)", r"(\1 == \2)", source)
                if without != source and "rows[0].verifier" in source:
                    taken_out += 1
                    self.assertEqual([name for _, name in compared(without)], ["verifier", "verifier"])
        self.assertEqual(taken_out, 1)
        for source in ("a.secret == b", "x != self.token", "mac == given", "row.verifier == verifier"):
            self.assertTrue(list(compared(source)), source)
        for source in ("compare_digest(a.secret, b)", "token == ''", "secret is None", "name == other"):
            self.assertEqual(list(compared(source)), [], source)
