"""`safeum-home numbers`, with a node that is a process of its own."""

import json

from tests.node_case import NodeCase
from tests.safenum_case import HEADER


class OperatorTests(NodeCase):
    def test_a_life(self) -> None:
        """Numbers are loaded, given, listed without their owners, taken back and withdrawn."""
        node = self.serve()
        numbers, where = self.folder / "numbers.csv", ("--config", str(self.config))
        numbers.write_text(f"{HEADER}+3544900000,+3544900009,IS,voice-in voice-out\n")
        self.assertIn("10 numbers", self.operate("numbers", "load", str(numbers), "--check", *where))
        self.assertEqual(self.operate("numbers", "list", *where), "")
        self.operate("numbers", "load", str(numbers), *where)
        self.operate("numbers", "load", str(numbers), *where, code=1)
        self.sign_up("alice")
        self.assertEqual(
            self.operate("numbers", "list", "--state", "open", *where).split("  ")[0],
            "+3544900000-+3544900009",
        )
        self.assertEqual(self.state("numbers"), (10, 1, 0, 9))
        self.operate("numbers", "release", *where, text=b"alice\n")
        self.assertEqual(self.state("numbers"), (10, 0, 1, 9))
        self.operate("numbers", "assign", "alice", *where)
        self.operate("numbers", "assign", "nobody", *where, code=1)
        self.operate("numbers", "withdraw", "+3544900003", *where)
        self.operate("numbers", "withdraw", "+3544911111", *where, code=1)
        self.assertEqual(self.state("numbers"), (10, 1, 1, 0))
        numbers.write_bytes(b"first\n\xff\n")
        self.operate("numbers", "load", str(numbers), *where, code=1)
        numbers.write_bytes(b"x" * 200_000)
        self.operate("numbers", "load", str(numbers), *where, code=1)
        self.stop(node)
        for path in (self.folder / "state").iterdir():
            self.assertNotIn(b"354490000", path.read_bytes() if path.is_file() else b"", path)
        self.assertNotIn("354490000", self.log.read_text())

    def test_one_and_all(self) -> None:
        """One number is withdrawn and comes back; who signed up before there were any gets one with all."""
        self.serve()
        numbers, where = self.folder / "numbers.csv", ("--config", str(self.config))
        self.sign_up("alice")
        self.sign_up("bob")
        numbers.write_text(f"{HEADER}+3544900000,+3544900002,IS,voice-in\n")
        self.operate("numbers", "load", str(numbers), *where)
        self.operate("numbers", "withdraw", "--only", "+3544900001", *where)
        self.operate("numbers", "withdraw", "--only", "+3544911111", *where, code=1)
        self.assertIn("1 withdrawn", self.operate("numbers", "list", *where))
        self.operate("numbers", "assign", "alice", "--all", *where, code=2)
        told = self.operate("numbers", "assign", "--all", *where)
        self.assertEqual(told.splitlines(), ["2 accounts were given a number.", "No number is left."])
        self.assertIn("0 accounts", self.operate("numbers", "assign", "--all", *where))
        self.operate("numbers", "restore", "+3544900001", *where)
        self.operate("numbers", "restore", "+3544900001", *where, code=1)
        self.assertEqual(self.state("numbers"), (3, 2, 0, 1))

    def state(self, command: str) -> tuple[int, ...]:
        found = json.loads(self.operate(command, "status", "--json", "--config", str(self.config)))
        return found["loaded"], found["given"], found["quarantined"], found["left"]
