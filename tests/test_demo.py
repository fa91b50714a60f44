"""`make demo`: what it shows, that people can join, and that nothing of it stays."""

import asyncio
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import canonicaljson
from nacl.signing import SigningKey
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client import aio
from safeum_home.protocol.types import Text
from tests.client_node_case import ROOT, SECONDS, until
from tests.e2e.node_process import _free_port
from tools.demo.talk import PASSWORD


async def texts(node: str, ca: bytes, login: str) -> list[str]:
    """What somebody who logs in finds in the first chat with somebody else."""
    async with await aio.connect(node, ca=ca) as client:
        await client.login(login, PASSWORD)
        [contact] = (await client.contacts()).contacts
        page = await client.history(contact.chat)
        await client.logout()
    return sorted(message.body.text for message in page.messages if isinstance(message.body, Text))


def two_free_ports() -> int:
    """The first of two."""
    while True:
        port = _free_port()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def of_session(leader: int) -> list[int]:
    """The processes that descend from one that began a session (proc(5), stat: the sixth field)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == leader:
            found.append(int(stat.parent.name))
    return found


class Guest:
    """As much of a node as asks questions, by docs/federation.md: it publishes its key, and signs."""

    def __init__(self, name: str, chain: str, key: str) -> None:
        self._name = name
        self._signer = SigningKey.generate()
        document = self._document()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if self.path == "/_safeum/key/v1" else 404)
                self.send_header("Content-Length", str(len(document)))
                self.end_headers()
                self.wfile.write(document)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        self._server = ThreadingHTTPServer(("127.0.0.1", int(name.partition(":")[2])), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> "Guest":
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _document(self) -> bytes:
        public = b64encode(bytes(self._signer.verify_key)).decode().rstrip("=")
        until = int(time.time() * 1000) + 3_600_000
        document: dict[str, Any] = {
            "node": self._name,
            "old_verify_keys": {},
            "valid_until": until,
            "verify_keys": {"ed25519:1": {"key": public}},
        }
        signature = self._signer.sign(canonicaljson.encode_canonical_json(document)).signature
        document["signatures"] = {self._name: {"ed25519:1": b64encode(signature).decode().rstrip("=")}}
        return bytes(canonicaljson.encode_canonical_json(document))

    def asks(self, node: str, question: str, about: dict[str, str], ca: str) -> Any:
        """What the other node answers."""
        target, body = f"/_safeum/federation/v1/ask/{question}", json.dumps(about).encode()
        digest = f"sha-256=:{b64encode(sha256(body).digest()).decode()}:"
        names = '"@method" "@request-target" "content-digest" "safeum-origin" "safeum-destination"'
        parameters = (
            f'({names});created={int(time.time())};nonce="{secrets.token_urlsafe(16)}"'
            ';keyid="ed25519:1";alg="ed25519";tag="safeum-federation"'
        )
        base = "\n".join(
            (
                '"@method": POST',
                f'"@request-target": {target}',
                f'"content-digest": {digest}',
                f'"safeum-origin": {self._name}',
                f'"safeum-destination": {node}',
                f'"@signature-params": {parameters}',
            )
        )
        signature = b64encode(self._signer.sign(base.encode()).signature).decode()
        fields = {
            "Safeum-Origin": self._name,
            "Safeum-Destination": node,
            "Content-Digest": digest,
            "Signature-Input": f"mine={parameters}",
            "Signature": f"mine=:{signature}:",
        }
        request = Request(f"https://{node}{target}", body, fields, method="POST")
        with urlopen(request, context=ssl.create_default_context(cafile=ca), timeout=SECONDS) as answer:
            return json.load(answer)


class DemoTests(SynchronousTestCase):
    """All that it may write lies in one folder."""

    def setUp(self) -> None:
        self.box = Path(mkdtemp(prefix="safeum-", dir="/tmp"))
        self.addCleanup(rmtree, self.box)
        for name in ("tmp", "home", "here"):
            (self.box / name).mkdir()

    def start(self, *given: object) -> "subprocess.Popen[bytes]":
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.box / "home"),
            "TMPDIR": str(self.box / "tmp"),
        }
        # What runs in the background, as tests may, has SIGINT ignored.
        demo = subprocess.Popen(
            ["env", "--default-signal=INT", sys.executable, "-m", "tools.demo", *map(str, given)],
            cwd=self.box / "here",
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

        def stop() -> None:
            if demo.poll() is None:
                demo.kill()
            demo.communicate(timeout=SECONDS)

        self.addCleanup(stop)
        return demo

    def leave(self, demo: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
        """It ends in peace, says nothing more, and nothing is left."""
        demo.send_signal(how)
        said, _ = demo.communicate(timeout=SECONDS)
        self.assertEqual((demo.returncode, said.decode()), (0, ""))
        self.assertEqual(of_session(demo.pid), [])
        self.assertEqual([path for each in self.box.iterdir() for path in each.iterdir()], [])

    def test_whole(self) -> None:
        """Two people talk across; others can join by what it says; Ctrl-C ends all."""
        demo = self.start(two_free_ports())
        assert demo.stdout is not None
        shown = until(demo.stdout, b"Ctrl-C.\n\n").decode()
        self.assertEqual(of_session(demo.pid), [demo.pid])
        joins = re.findall(r"safeum chat --node (\S+) --ca (\S+)", shown)
        self.assertEqual(len(joins), 2)
        (a, ca), (b, _) = joins
        for node, what in (
            (a, f"ada signs up, as ada@{a}, and is called Ada"),
            (b, f"ben is asked by ada@{a}"),
            (b, "ben gets: Hello, over there!"),
            (a, "ada sees that it was delivered"),
            (a, "ada sees that it was read"),
            (a, "ada gets: Hello from my node to yours."),
            (b, "ben sees it edited: Hello, Ben!"),
            (a, "ada sees the reaction: 👍"),
            (a, "ada sends a file: letter.txt, 27000 octets"),
            (b, "ben fetches it through his own node, as it was"),
        ):
            self.assertIn(f"  {node}  {what}\n", shown)
        for node, login in ((a, "ada"), (b, "ben")):
            found = asyncio.run(texts(node, Path(ca).read_bytes(), login))
            self.assertEqual(found, ["Hello from my node to yours.", "Hello, Ben!"])
        self.leave(demo, signal.SIGINT)

    def test_a_third_node(self) -> None:
        """One that somebody has written may come: the two fetch its keys from it, and answer what it asks."""
        port, guest = two_free_ports(), f"localhost:{_free_port()}"
        demo = self.start(port, guest)
        assert demo.stdout is not None
        shown = until(demo.stdout, b"Ctrl-C.\n\n").decode()
        self.assertIn(f"closed to all others but {guest}.", shown)
        [chain, key] = re.findall(r"^      (\S+/guest\S+)$", shown, re.M)
        self.assertEqual(Path(key).stat().st_mode & 0o777, 0o600)
        ca = re.findall(r"--ca (\S+)", shown)[0]
        with Guest(guest, chain, key) as node:
            for each in (port, port + 1):
                login = "ada" if each == port else "ben"
                answer = node.asks(f"localhost:{each}", "account.find", {"login": login}, ca)
                self.assertTrue(answer["account"].endswith(f":localhost:{each}"))
        self.leave(demo, signal.SIGINT)

    def test_what_is_given_amiss(self) -> None:
        """Is said in a sentence, before anything is begun."""
        for given, told in (
            (("x",), "x is not the number of a port."),
            (("65536",), "There is no port 65536: they go from 1 to 65535."),
            (("65535",), "There is no port 65536: they go from 1 to 65535."),
            (("9443", "a b"), "a b is not the name of a node: localhost:9445 is one."),
        ):
            said, _ = (demo := self.start(*given)).communicate(timeout=SECONDS)
            self.assertEqual((demo.returncode, said.decode()), (1, f"{told}\n"))

    def test_meanwhile(self) -> None:
        """It can be ended in the middle of the talk, by closing its terminal too."""
        for how, after in ((signal.SIGINT, b"Two nodes"), (signal.SIGHUP, b"ada writes")):
            demo = self.start(two_free_ports())
            assert demo.stdout is not None
            until(demo.stdout, after)
            demo.send_signal(how)
            said, _ = demo.communicate(timeout=SECONDS)
            self.assertEqual(demo.returncode, 0)
            self.assertNotIn(b"Ctrl-C", said)
            self.assertNotIn(b"Traceback", said)
            self.assertEqual([path for each in self.box.iterdir() for path in each.iterdir()], [])

    def test_port_in_use(self) -> None:
        """The second node's port may be somebody else's: that is said in a sentence."""
        port = two_free_ports()
        with socket.socket() as other:
            other.bind(("127.0.0.1", port + 1))
            other.listen()
            said, _ = (demo := self.start(port)).communicate(timeout=SECONDS)
        self.assertEqual(demo.returncode, 1)
        self.assertIn(f"port {port + 1} of localhost".encode(), said)
        self.assertIn(b"make demo PORT=", said)
        self.assertNotIn(b"Traceback", said)
