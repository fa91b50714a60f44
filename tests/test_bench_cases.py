"""Each case of the bench, whole and small: the relay, the node and the generator as they are run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.e2e.registries import node

ROOT = Path(__file__).parent.parent
SMALL = ["--seconds", "0.3", "--warm-up", "0.1", "--scale", "0.004"]
FIELDS = {"case", "target", "per_s", "p50_ms", "p99_ms", "generator_cpu", "target_cpu"}
COMPARED = {"relay_ratio", "relay_per_s"}


def bench(*arguments: str) -> list[dict[str, Any]]:
    """The lines that a small run prints."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", *SMALL, *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise AssertionError(done.stderr[-2000:])
    return [json.loads(line) for line in done.stdout.splitlines()]


class CaseTests(SynchronousTestCase):
    def check(self, lines: list[dict[str, Any]], case: str) -> None:
        for line in lines:
            self.assertEqual((FIELDS | COMPARED) - line.keys(), set())
            self.assertEqual(line["case"], case)
            self.assertGreater(line["per_s"], 0)
            self.assertGreaterEqual(line["p99_ms"], line["p50_ms"])

    def test_pairs(self) -> None:
        for target in ("fast", "node"):
            lines = bench("pairs", "--target", target)
            self.check(lines, "pairs")
            self.assertEqual(
                [(line["pairs"], line["in_flight"], line["rate"]) for line in lines],
                [(1, 16, None), (2, 1, None), (1, None, 200)],
            )
            self.assertEqual("ack_p99_ms" in lines[0], target == "node")

    def test_groups(self) -> None:
        """Every message reaches every recipient; the relay is measured beside it."""
        lines = bench("groups", "--scale", "0.03")
        self.check(lines, "groups")
        self.assertEqual(
            [(line["recipients"], line["in_flight"]) for line in lines], [(3, 1), (3, 16), (3, 64)]
        )
        self.assertIn("ack_p99_ms", lines[0])

    def test_sync(self) -> None:
        """What is read, and what is not; with nothing missed, and with a little."""
        lines = bench("sync")
        self.assertEqual(
            [line["what"] for line in lines],
            ["fresh, unread", "fresh, read", "nothing missed", "some missed"],
        )
        for line in lines:
            self.assertEqual((FIELDS | {"cpu_ms"}) - line.keys(), set())
            self.assertEqual((line["chats"], line["messages"]), (2, 4))
        self.assertGreater(lines[0]["octets"], 500)
        self.assertEqual(lines[2]["events"], 0)
        self.assertGreaterEqual(lines[3]["events"], 4)

    def test_federation(self) -> None:
        """Across two nodes: both ways, by the clock, and after an outage."""
        lines = bench("federation", "--scale", "0.04")
        self.check(lines[:2], "federation")
        self.assertEqual(
            [(line["pairs"], line["in_flight"], line["rate"]) for line in lines[:2]],
            [(2, 16, None), (2, None, 100)],
        )
        self.assertIn("ack_p99_ms", lines[0])
        self.assertGreater(lines[0]["per_core_s"], 0)
        self.assertEqual(
            [(line["what"], line["waiting"]) for line in lines[2:]], [("queued", 4000), ("caught up", 6000)]
        )
        self.assertIsInstance(lines[2]["later_kib"], int)

    def test_push(self) -> None:
        """Each device that sleeps is woken for its message, once; none is lost on the way to APNs."""
        node()  # what may have to be installed first is none of the bench's time
        first, second = bench("push")
        self.assertEqual((first["wakes"], first["rate"]), (6, 20.0))
        self.assertGreaterEqual(first["p99_ms"], first["p50_ms"])
        self.assertGreater(first["p50_ms"], first["after_ack_p50_ms"])
        self.assertEqual((second["wakes"], second["lost"], second["missing"]), (100, 0, 0))

    def test_idle(self) -> None:
        lines = bench("idle")
        self.check(lines, "idle")
        self.assertEqual([line["connections"] for line in lines], [8, 20])
        for line in lines:
            self.assertIsInstance(line["kib_per_conn"], float)

    def test_login(self) -> None:
        lines = bench("login")
        self.check(lines, "login")
        self.assertEqual([line["method"] for line in lines], ["token", "password"])
        self.assertEqual({(line["argon2id_mib"], line["argon2id_operations"]) for line in lines}, {(64, 2)})

    def test_secure(self) -> None:
        """What is said is taken, and there is an epoch for each hundred messages, in both languages."""
        node()
        lines = bench("secure", "--scale", "0.04")
        self.assertEqual([line["language"] for line in lines], ["python", "javascript"])
        for line in lines:
            self.assertEqual((line["messages"], line["epochs"], line["epoch_messages"]), (200, 2, 100))
            self.assertEqual(
                {"say_us", "take_us", "sign_us", "verify_us", "ed25519_ratio"} - line.keys(), set()
            )

    def test_an_unknown_case_is_refused(self) -> None:
        error = self.assertRaises(AssertionError, bench, "no-such-case")
        self.assertIn("no such case", str(error))
