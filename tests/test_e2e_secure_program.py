"""The SDK as a process of its own: where nothing can be written, and without a key of its own once closed."""

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from nacl.pwhash import argon2id
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure.passphrase import words
from safeum_home.client.secure.unique_key import MEMORY, PASSES, salt_of
from safeum_home.client.unlocked.conversation import Conversation
from tests.e2e import needs, strace
from tests.e2e.node_process import NodeProcess
from tests.e2e.secure_people import PASSWORD, Person, until
from tests.secure_needles import of_conversation, of_master
from tests.test_sealing_memory import counts

ROOT = Path(__file__).parent.parent
READ_ONLY = """
mount --make-rprivate / || exit 90
while read -r _ at _; do mount -o remount,bind,ro "$(printf '%b' "$at")" || exit 91; done <<END
$(cat /proc/self/mounts)
END
exec "$@"
"""
"""All file systems, in a namespace of its own, and then a program."""


class Child:
    """`tests.e2e.secure_program`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    async def start(cls, before: Sequence[str] = (), folder: str | None = None) -> "Child":
        """`before` is what runs it; without a HOME, and as Python is by itself."""
        command = [*before, sys.executable, "-m", "tests.e2e.secure_program"]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=environment, cwd=folder, limit=2**24
        )
        return cls(process)

    async def do(self, whose: str, method: str, *arguments: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([whose, method, arguments]).encode() + b"\n")
        return json.loads(await self._process.stdout.readline())

    async def texts(self, chat: str) -> list[str]:
        return list(await self.do("program", "texts", chat))

    async def hears(self, chat: str, text: str) -> None:
        while text not in await self.texts(chat):  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


class ProgramCase(SynchronousTestCase):
    """Ann is in this process, Cam in another."""

    def setUp(self) -> None:
        self.node = NodeProcess()
        self.addCleanup(self.node.close)
        self.node.start()

    async def meet(self, child: Child, passphrase: str) -> Conversation:
        """Both are in a secure chat of two."""
        self.ann = await Person.sign_up(self.node, "ann", self.node.certificate)
        await self.ann.unlock(os.urandom(32))
        await child.do(
            "program", "connect", f"localhost:{self.node.port}", self.node.certificate.decode("ascii")
        )
        await child.do("program", "register", "cam", PASSWORD)
        self.cam = str(await child.do("program", "account"))
        await child.do("client", "unlock", passphrase)
        await child.do("client", "request", self.ann.account, self.ann.address)
        await until(lambda: self.cam in self.ann.client.state.contacts)
        await self.ann.client.accept(self.cam)
        chat = await self.ann.secure.start([self.cam])
        await child.do("secure", "accept", chat.id)
        return chat

    async def talk(self, child: Child, chat: Conversation, said: Iterable[str]) -> None:
        """Ann says all of these, which are read; then Cam answers, and a file and a draft go the same way."""
        last = ""
        for last in said:
            chat.send(last)
        await child.hears(chat.id, last)
        await child.do("program", "say", chat.id, "An answer")
        await until(lambda: chat.items.all[-1].text == "An answer")
        await child.do("program", "send", chat.id, "A file")
        await until(lambda: chat.items.all[-1].text == "")
        self.assertEqual(await child.do("program", "fetch", chat.id), "A file")
        await child.do("program", "keep", chat.id, "A draft")


class ClosedTests(ProgramCase):
    """What its memory has while it is open, and after."""

    def test_closed(self) -> None:
        """All private keys are there as long as it is unlocked, and none of them any more after that."""
        asyncio.run(self._closed())

    async def _closed(self) -> None:
        child, passphrase = await Child.start(), words()
        self.assertIn("/tmp", await child.do("program", "writable"))
        chat = await self.meet(child, passphrase)
        await self.talk(child, chat, [f"Said by Ann: {number}" for number in range(130)])
        master = argon2id.kdf(32, passphrase.encode(), salt_of(self.cam), PASSES, MEMORY)
        needles = {octets: name for name, octets in (*of_master(master), *of_conversation(chat))}
        files = {octets: name for octets, name in needles.items() if name.startswith("file")}
        texts = {passphrase.encode(): "passphrase", b"Said by Ann: 77": "text"}
        held = {needles[octets]: times for octets, times in counts(child.pid, needles).items()}
        # The master key is wiped as soon as others follow from it.
        expected = {"sign", "box", "vault", *(name for name in needles.values() if name.startswith("epoch"))}
        self.assertGreater(len(expected), 4)
        self.assertEqual({name for name in expected if not held[name]}, set())
        for method in ("lock", "close"):
            await child.do("client", method)
            after = counts(child.pid, {**needles, **texts})
            kept = {(files | texts)[octets]: after.pop(octets) for octets in (*files, *texts)}
            print(f"\n    after {method}: {kept}", end=" ")
            self.assertEqual({needles[octets]: times for octets, times in after.items() if times}, {})
        await child.end()
        await self.ann.client.close()


class ReadOnlyTests(ProgramCase):
    """On a machine where nothing can be written."""

    def test_read_only(self) -> None:
        """It unlocks, talks, sends a file, keeps a draft and closes; no file was opened to be written."""
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            asyncio.run(self._read_only(Path(folder)))

    async def _read_only(self, folder: Path) -> None:
        needs.root("mount file systems anew")
        child = await Child.start(
            strace.command(folder / "traces", ["unshare", "-m", "sh", "-c", READ_ONLY, "sh"]), "/"
        )
        self.assertEqual(await child.do("program", "writable"), [])
        chat = await self.meet(child, words())
        await self.talk(child, chat, ["Hello"])
        await child.do("client", "lock")
        await child.do("client", "close")
        await child.end()
        await self.ann.client.close()
        trace = strace.read(folder / "traces")
        self.assertEqual({path for path in trace.to_write if not path.startswith("/dev/")}, set())
        self.assertEqual({path for path in trace.written if path.startswith("/")} - {"/dev/null"}, set())
        self.assertEqual(trace.moved, [])
