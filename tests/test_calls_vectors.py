"""docs/call-vectors.json computed by others' code; tests.test_protocol_documents holds it to ours."""

import json
import subprocess
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.calling import handshake
from safeum_home.client.calling.handshake import Pair, octets_of
from safeum_home.client.calling.payloads import Description, decode
from safeum_home.client.calling.sealed import Direction, Opener
from safeum_home.client.sas import TABLE
from safeum_home.client.secret import Secret
from tests.e2e.registries import node, npm

VECTORS = Path(__file__).parent.parent / "docs" / "call-vectors.json"
SCRIPT = Path(__file__).parent / "data" / "call_vectors.mjs"
PACKAGES = ("@noble/curves@2.4.0", "@noble/hashes@2.4.0", "@noble/ciphers@2.4.0")


class VectorCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.vectors: dict[str, Any] = json.loads(VECTORS.read_text())


class JavaScriptTests(VectorCase):
    """Another implementation, from the page: on @noble/curves, @noble/hashes and @noble/ciphers."""

    def test_the_same(self) -> None:
        """It comes to the same octets for all that is said, and to the same words."""
        script = npm("calls", *PACKAGES).parent / SCRIPT.name
        script.write_bytes(SCRIPT.read_bytes())
        done = subprocess.run(
            [node(), str(script), str(VECTORS)], capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        theirs = json.loads(done.stdout)
        theirs["words"]["emoji"] = [TABLE[number].name for number in theirs["words"]["emoji"]]
        for name, value in theirs.items():
            self.assertEqual(value, self.vectors[name], name)
        self.assertEqual(set(self.vectors) - set(theirs), {"about", "private", "pair"})


class OwnTests(VectorCase):
    """What they are read as."""

    def test_read(self) -> None:
        """Response and reveal are taken, signals open, and the offer in them is signed."""
        pair = Pair(**self.vectors["pair"])
        hello, response, reveal = (octets_of(self.vectors[name]) for name in ("hello", "response", "reveal"))
        shown = handshake.read_response(pair, hello, response)
        _, transcript = handshake.read_reveal(pair, hello, response, reveal)
        ephemeral = Secret.of(bytes.fromhex(self.vectors["private"]["initiator"]["ephemeral"]))
        agreed = handshake.agree(ephemeral, shown.ephemeral, transcript)
        self.assertEqual(agreed.words.hex(), self.vectors["words"]["octets"])
        openers = {
            "initiator": Opener(agreed.initiators, Direction(pair.call, True)),
            "responder": Opener(agreed.responders, Direction(pair.call, False)),
        }
        for signal in self.vectors["signals"]:
            said = openers[signal["by"]].open(signal["signal"])
            self.assertEqual(said, signal["said"].encode())
        self.assertIsInstance(decode(self.vectors["signals"][1]["said"].encode()), Description)
