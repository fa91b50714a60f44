"""Files through a real node: a large one through all that can break, and clients that are not ours."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.e2e.big_file import Trial
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.people import history, pair
from tests.e2e.registries import node as node_js
from tests.e2e.registries import npm

SIZE = 64 * 2**20
MOST_GROWTH = 16 * 2**20


class BigFileTests(TestCase):
    """What `python -m tests.e2e.big_file` does with 1 GiB, with less."""

    timeout = 240

    async def test_up_and_down(self) -> None:
        """It arrives as it was through cuts and kills both ways, and the node's memory hardly grows."""
        node = NodeProcess()
        self.addCleanup(node.close)
        await deferToThread(node.start)
        figures = await Trial(reactor, node, node.folder, SIZE).run()
        print(f"\n    {figures} ", end="")
        self.assertLess(figures.growth, MOST_GROWTH)
        self.assertEqual((figures.cuts, figures.kills), (2, 2))


class ForeignClientTests(SynchronousTestCase):
    """tus-js-client uploads, and urllib downloads."""

    def setUp(self) -> None:
        self.program = node_js()
        self.modules = npm("tus", "tus-js-client@4.3.1")
        self.node = NodeProcess()
        self.addCleanup(self.node.close)
        self.node.start()
        _, self.ann, _, self.bob, self.chat = pair(self.node, "ann", "bob")
        self.addCleanup(self.ann.close)
        self.addCleanup(self.bob.close)
        self.source = self.node.folder / "source.txt"
        self.octets = os.urandom(1_000_003)
        self.source.write_bytes(self.octets)
        self.base = f"https://localhost:{self.node.port}"

    def drive(self, what: str, **more: Any) -> dict[str, str]:
        ticket = self.ann.call("file.upload", chat=self.chat)
        task = {"what": what, "path": str(self.source), "ticket": ticket["ticket"], **more}
        done = subprocess.run(
            [
                self.program,
                str(Path(__file__).parent / "e2e" / "tus.js"),
                json.dumps(task | self.where(ticket)),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "NODE_PATH": str(self.modules),
                "NODE_EXTRA_CA_CERTS": str(self.node.folder / "chain.pem"),
            },
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return dict(json.loads(done.stdout))

    def where(self, ticket: dict[str, Any]) -> dict[str, str]:
        return {"endpoint": self.base + ticket["path"]}

    def assertArrives(self, told: dict[str, str]) -> None:
        """The upload can be sent, and is what it was at the other side."""
        self.assertIn("url", told, told)
        file = told["url"].rpartition("/")[2]
        body = {"kind": "file", "file": file, "name": "s.txt", "size": len(self.octets), "type": "text/plain"}
        sent = self.ann.call("chat.send", chat=self.chat, client_id=file, body=body)
        link = self.bob.call("file.download", chat=self.chat, message=sent["id"])
        with self.fetch(link["path"]) as answer:
            self.assertEqual(answer.read(), self.octets)
            self.assertEqual(answer.headers["Content-Type"], "application/octet-stream")
        with self.fetch(link["path"], Range="bytes=65530-131080") as part:
            self.assertEqual((part.status, part.read()), (206, self.octets[65530:131081]))

    def fetch(self, path: str, **fields: str) -> Any:
        asked = urllib.request.Request(self.base + path, headers=fields)
        return urllib.request.urlopen(asked, context=self.node.tls, timeout=PATIENCE)

    def test_whole(self) -> None:
        """In one PATCH."""
        self.assertArrives(self.drive("whole"))

    def test_chunks(self) -> None:
        """In many."""
        self.assertArrives(self.drive("chunks", chunk=99_999))

    def test_resumed(self) -> None:
        """Broken off, and gone on with."""
        self.assertArrives(self.drive("resume"))

    def test_terminated(self) -> None:
        """Begun, and thrown away: nothing of it is on the disk."""
        told = self.drive("terminate")
        self.assertIn("url", told, told)
        left = [path for path in (self.node.state / "files").rglob("*") if path.is_file()]
        self.assertEqual(left, [])

    def test_no_ticket(self) -> None:
        """Without a ticket it gets a problem that says so, and no secret is in the log."""
        told = self.drive("whole", ticket="x" * 43)
        self.assertIn("bad_ticket", told["answer"])
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.fetch("/v1/downloads/" + "x" * 43)
        with refused.exception as answer:
            self.assertEqual((answer.code, json.load(answer)["code"]), (401, "bad_ticket"))

    def test_told_to_end(self) -> None:
        """A node that is told to end in the middle of both ways ends in time, and without a failure."""
        told = self.drive("whole")
        self.assertArrives(told)
        [message] = [one for one in history(self.bob, self.chat) if one["body"]["kind"] == "file"]
        link = self.bob.call("file.download", chat=self.chat, message=message["id"])["path"]
        with self.node.connect() as down, self.node.connect() as up:
            down.send(f"GET {link} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            ticket = self.ann.call("file.upload", chat=self.chat)["ticket"]
            head = f"Host: a\r\nTus-Resumable: 1.0.0\r\nAuthorization: Bearer {ticket}\r\n"
            up.send(f"POST /v1/uploads HTTP/1.1\r\n{head}Upload-Length: 9999999\r\n\r\n".encode())
            status, answered, _ = up.read_response()
            self.assertEqual(status, 201)
            path = answered.partition("Location: ")[2].split()[0]
            kind = "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n"
            length = "Content-Length: 9999999\r\n\r\n"
            up.send(f"PATCH {path} HTTP/1.1\r\n{head}{kind}{length}".encode() + bytes(200_000))
            self.node.stop()
        self.assertNotIn("failed", self.node.logged())

    def test_log(self) -> None:
        """Tickets, names and ids are in no log."""
        ticket = self.ann.call("file.upload", chat=self.chat)["ticket"]
        told = self.drive("whole")
        self.assertArrives(told)
        logged = self.node.logged()
        for secret in (ticket, told["url"].rpartition("/")[2], "s.txt", "/v1/uploads", "/v1/downloads"):
            self.assertNotIn(secret, logged)
