"""Files between clients and a node, over TLS: the asyncio SDK, the pipe, and the terminal on a terminal."""

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

from twisted.internet.defer import Deferred, succeed

from safeum_home.client.files.file_transfer import FileTransfer
from safeum_home.protocol.files import File
from tests.client_node_case import PASSWORD, ROOT, SAFEUM, SECONDS, NodeCase, until

OCTETS = os.urandom(3 * 2**20 + 1)
"""More than the buffers of a connection hold."""
LARGE = 64 * 2**20
ALONE = """
import sys
sys.modules["twisted.internet.reactor"] = object()  # whoever uses the global one fails
import asyncio
from pathlib import Path
from safeum_home.client import aio

async def main(node, ca, login, password, source, target):
    told = []
    async with await aio.connect(node, ca=Path(ca).read_bytes()) as client:
        await client.login(login, password)
        await client.send_file(client.notes, source, progress=lambda *done: told.append(done))
        [sent] = (await client.history(client.notes)).messages
        await client.download(sent, target)
    print(len(told) > 2 and told == sorted(told), told[-1][0] == told[-1][1])

asyncio.run(main(*sys.argv[1:]))
"""


class FileTests(NodeCase):
    """A file goes to the node and comes back as it was."""

    def setUp(self) -> None:
        super().setUp()
        self.register("sender")
        self.source = self.box / "source.bin"
        self.source.write_bytes(OCTETS)
        self.target = self.box / "target.bin"

    def assertArrived(self) -> None:
        self.assertTrue(self.target.read_bytes() == OCTETS)

    def test_the_asyncio_sdk(self) -> None:
        """With progress, and in a process in which nothing can use the global reactor."""
        where = (self.address, str(self.ca), "sender", PASSWORD)
        done = subprocess.run(
            [sys.executable, "-c", ALONE, *where, str(self.source), str(self.target)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            cwd=ROOT,
        )
        self.assertEqual((done.stdout, done.returncode), ("True True\n", 0), done.stderr)
        self.assertArrived()

    def test_given_up(self) -> None:
        """An upload whose task is cancelled in the middle stops there, and nothing is sent."""
        self.source.write_bytes(bytes(LARGE))
        again: list[float] = []

        def wait(_: FileTransfer, seconds: float) -> "Deferred[None]":
            again.append(seconds)
            return succeed(None)

        self.patch(FileTransfer, "_wait", wait)

        async def give_up() -> tuple[int, int, list[Any]]:
            moving = asyncio.Event()
            told = 0

            def moved(done: int, total: int) -> None:
                nonlocal told
                told = done
                moving.set()

            async with await self.connect() as client:
                await client.login("sender", PASSWORD)
                sending = asyncio.ensure_future(client.send_file(client.notes, self.source, progress=moved))
                await moving.wait()
                sending.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await sending
                stopped = told
                # What still went on would move meanwhile: another file goes all the way.
                await client.send_file(client.notes, self.ca)
                bodies = [message.body for message in (await client.history(client.notes)).messages]
                return stopped, told, bodies

        stopped, told, [body] = asyncio.run(asyncio.wait_for(give_up(), SECONDS))
        self.assertLess(stopped, LARGE)
        self.assertEqual((told, again), (stopped, []))
        assert isinstance(body, File)
        self.assertEqual(body.name, self.ca.name)

    def notes(self) -> str:
        """The sender's chat with themselves."""

        async def ask() -> str:
            async with await self.connect() as client:
                await client.login("sender", PASSWORD)
                return str(client.notes)

        return asyncio.run(asyncio.wait_for(ask(), SECONDS))

    def test_the_pipe(self) -> None:
        """Programs name paths."""
        chat = self.notes()
        where = ("--node", self.address, "--ca", str(self.ca), "--login", "sender")
        pipe = self.start(*SAFEUM, "pipe", *where, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        stdin, stdout = pipe.stdin, pipe.stdout
        assert stdin is not None and stdout is not None

        def ask(method: str, **params: Any) -> dict[str, Any]:
            stdin.write(json.dumps({"method": method, "params": params, "id": "asked"}).encode() + b"\n")
            stdin.flush()
            read = until(stdout, b'"asked"')
            while not read.endswith(b"\n"):
                read += os.read(stdout.fileno(), 65536)
            [answer] = [line for line in map(json.loads, read.splitlines()) if line.get("id") == "asked"]
            return dict(answer["result"])

        stdin.write(PASSWORD.encode() + b"\n")
        sent = ask("client.send_file", chat=chat, path=str(self.source), caption="look")
        saved = ask("client.save_file", chat=chat, message=sent["id"], path=str(self.target))
        self.assertEqual(saved, {"path": str(self.target), "size": len(OCTETS)})
        self.assertArrived()

    def test_the_terminal(self) -> None:
        """At a real terminal: sent, stored, and told."""
        with self.chat("--login", "sender") as (screen, process):
            until(screen, b"Password")
            screen.write(PASSWORD.encode() + b"\r")
            until(screen, b"connected")
            screen.write(b"/notes\r")
            screen.write(f"/send {self.source} look\r".encode())
            until(screen, b"Sent: source.bin")
            screen.write(f"/save {self.target}\r".encode())
            until(screen, b"tored as")  # the screen writes only what changes
            self.assertArrived()
            screen.write(b"/quit\r")
            self.assertEqual(process.wait(SECONDS), 0)
