"""Calls with real sound between namespaces: direct, through the relay, across nodes, without the node."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any
from unittest import SkipTest

from aiortc.codecs.opus import OpusEncoder
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.webrtc.tones import SAMPLES, ToneTrack, frame_of
from tests.chaos.network import alone, impossible
from tests.e2e import relay
from tests.e2e.needs import root, tool
from tests.e2e.sniffer import loudest

PATIENCE = 240.0
DIRECT = "ada.example ben.example"


class SnifferTests(SynchronousTestCase):
    def test_what_is_not_encrypted(self) -> None:
        """Of sound that is not encrypted the tone is heard, whatever stands behind it."""
        encoder, tone = OpusEncoder(), ToneTrack(440)
        payloads = []
        for at in range(0, 50 * SAMPLES, SAMPLES):
            payloads += encoder.encode(frame_of(tone.samples(at), at))[0]
        for trailer in (b"", bytes(10), bytes(16)):
            self.assertGreater(loudest([payload + trailer for payload in payloads], 440), 0.9)
        self.assertLess(loudest(payloads, 880), 0.1)


@cache
def _run() -> "subprocess.CompletedProcess[str]":
    """One world for all tests."""
    return subprocess.run(
        alone(sys.executable, "-m", "tests.e2e.calls"),
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class CallTests(SynchronousTestCase):
    """Each looks at what one of the calls has come to."""

    def setUp(self) -> None:
        root("have namespaces")
        for name, package in (("ip", "iproute2"), ("iptables", "iptables"), ("nsenter", "util-linux")):
            tool(name, package)
        if (reason := impossible()) is not None:
            raise SkipTest(reason)
        relay.needs()
        done = _run()
        self.assertEqual(done.returncode, 0, f"{done.stdout[-4000:]}{done.stderr[-8000:]}")
        self.found = json.loads(done.stdout.splitlines()[-1])

    def call(self, name: str) -> dict[str, Any]:
        """What a call has come to; both sides were connected, and see the same words."""
        found: dict[str, Any] = self.found[name]
        self.assertNotIn("failed", found, found.get("failed"))
        self.assertEqual(found["states"], ["active", "active"])
        self.assertEqual(len(set(found["words"])), 1)
        self.assertEqual(found["ended"], ["hangup", "hangup"])
        print(f"\n    heard {found['seconds until heard']} s after the answer", end=" ")
        return found

    def nothing_heard(self, sniffed: dict[str, Any]) -> None:
        """There was a stream each way at least, and nobody gets anything out of them."""
        self.assertGreaterEqual(len(sniffed["packets"]), 2)
        self.assertGreater(sniffed["packets"][0], 5)
        self.assertLess(sniffed["heard"], 0.2)

    def test_direct(self) -> None:
        """From device to device, by no other way, and encrypted."""
        found = self.call("direct")
        self.assertEqual(found["direct"]["ways"], [DIRECT])
        self.nothing_heard(found["direct"])

    def test_broken(self) -> None:
        """Where that way breaks the call goes on through the relay: it was not hung up, and nobody rang."""
        for name in ("direct", "across"):
            found = self.call(name)
            self.assertTrue(all("relay.example" in way for way in found["relayed"]["ways"]), found["relayed"])
            self.nothing_heard(found["relayed"])
            print(f"\n    went on {found['seconds until it went on']} s after it broke", end=" ")

    def test_relayed(self) -> None:
        """Where there is no other way the call begins through the relay."""
        found = self.call("relayed")
        self.assertTrue(all("relay.example" in way for way in found["relayed"]["ways"]), found["relayed"])
        self.nothing_heard(found["relayed"])

    def test_across(self) -> None:
        """People of two nodes are as close to each other."""
        found = self.call("across")
        self.assertEqual(found["direct"]["ways"], ["ada.example cay.example"])
        self.nothing_heard(found["direct"])

    def test_hidden(self) -> None:
        """Who does not want to be found sends nothing to anybody but the relay, and is heard."""
        self.assertTrue(self.call("hidden")["spoke with"])

    def test_conference(self) -> None:
        """Three people, of whom two are strangers at two nodes, hear each other; then one leaves."""
        found = self.found["conference"]
        self.assertNotIn("failed", found, found.get("failed"))
        pairs = [tuple(each[:2]) for each in found["words"]]
        self.assertEqual((len(pairs), len(set(pairs))), (6, 3))
        self.assertEqual(len({each[2] for each in found["words"]}), 3)
        self.assertEqual((found["left"], found["log"]), ([1, 1], True))

    def test_killed(self) -> None:
        """Both hear each other while their node is dead; both logs have the call, as long as it was."""
        found = self.call("killed")
        self.assertTrue(found["heard while it was dead"])
        for seconds in found["log"]:
            self.assertLessEqual(seconds, found["most"])
