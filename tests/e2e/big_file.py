"""A large file up and down through a real node, whose memory is watched; it is cut, and killed, midway.

`python -m tests.e2e.big_file [OCTETS]` does so with 1 GiB and prints the figures.
"""

import hashlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread

from safeum_home.client import Client, new_client
from safeum_home.protocol.types import Message
from tests.e2e.cable import Cable
from tests.e2e.node_process import NodeProcess
from tests.e2e.people import PASSWORD

EVERY = 0.02
"""Seconds between two looks at the node's memory."""


class Figures(NamedTuple):
    """Octets, and octets per second; `cuts` and `kills` are how often either happened."""

    size: int
    growth: int
    up: float
    down: float
    cuts: int
    kills: int

    def __str__(self) -> str:
        mib = 2**20
        return (
            f"{self.size / mib:.0f} MiB: the node grew by {self.growth / mib:.1f} MiB, "
            f"up {self.up / mib:.0f} MiB/s, down {self.down / mib:.0f} MiB/s, "
            f"{self.cuts} cuts, {self.kills} kills"
        )


class Watch:
    """Follows a node's memory: by how much it was ever above what it was when the process had started."""

    def __init__(self, reactor: Any, node: NodeProcess) -> None:
        self._node = node
        self._base = 0
        self.growth = 0
        self._looking = LoopingCall(self._look)
        self._looking.clock = reactor
        self._looking.start(EVERY, now=False)

    def begin(self) -> None:
        """The process is new, or has done what it does at the start."""
        self._base = self._node.resident()

    def pause(self) -> None:
        """The process is to be killed."""
        self._base = 0

    def stop(self) -> None:
        self._looking.stop()

    def _look(self) -> None:
        if self._node.running and not self._node.ending and self._base:
            self.growth = max(self.growth, self._node.resident() - self._base)


class Trial:
    """One file, from one account to another, with all that happens on the way."""

    def __init__(self, reactor: Any, node: NodeProcess, folder: Path, size: int) -> None:
        self._reactor = reactor
        self._node = node
        self._folder = folder
        self._size = size
        self._cable = Cable(reactor, node.port)
        self._watch = Watch(reactor, node)
        self._cuts = self._kills = 0
        self._clients: list[Client] = []

    async def run(self) -> Figures:
        """Raises AssertionError where what comes out is not what went in."""
        try:
            return await self._run()
        finally:
            self._watch.stop()
            for client in self._clients:
                await client.close()
            await self._cable.listening.stopListening()  # type: ignore[misc]  # it is a Deferred here

    async def _run(self) -> Figures:
        ann, bob = await self._client("ann"), await self._client("bob")
        assert ann.opened is not None and bob.opened is not None
        await ann.request(bob.opened.account, bob.opened.address)
        await bob.accept(ann.opened.account)
        chat = (await bob.contacts()).contacts[0].chat
        source, target = self._folder / "source.bin", self._folder / "target.bin"
        await deferToThread(write, source, self._size)
        self._watch.begin()
        third = self._size // 3
        up = await self._timed(
            lambda progress: ann.upload(chat, source, progress=progress),
            {third: self._cut, 2 * third: self._kill},
        )
        sent = await ann.send_body(chat, up[0].body())
        message = Message(sent.id, chat, ann.opened.account, sent.at, up[0].body())
        down = await self._timed(
            lambda progress: bob.download(message, target, progress=progress),
            {third: self._cut, 2 * third: self._kill},
        )
        same = await deferToThread(lambda: digest(source) == digest(target))
        assert same, "what came out is not what went in"
        assert self._cuts and self._kills == 2
        return Figures(self._size, self._watch.growth, up[1], down[1], self._cuts, self._kills)

    async def _client(self, name: str) -> Client:
        client = new_client(self._reactor, f"localhost:{self._cable.entrance}", ca=self._node.certificate)
        self._clients.append(client)
        policy = await client.policy()
        await client.register(name, PASSWORD, consent=policy.version)
        return client

    async def _timed(
        self,
        transfer: Callable[[Callable[[int, int], None]], "Deferred[Any]"],
        accidents: dict[int, Callable[[], None]],
    ) -> tuple[Any, float]:
        """Its result, and octets per second without the time in which the node was not there."""
        waiting = sorted(accidents)

        def progress(done: int, _size: int) -> None:
            if waiting and done >= waiting[0]:
                accidents[waiting.pop(0)]()

        self._away = 0.0
        began = time.monotonic()
        result = await transfer(progress)
        assert not waiting, "it was over too soon"
        return result, self._size / (time.monotonic() - began - self._away)

    def _cut(self) -> None:
        self._cuts += self._cable.cut() > 0

    def _kill(self) -> None:
        self._kills += 1
        self._watch.pause()
        began = time.monotonic()
        self._node.kill()

        def started(_: object) -> None:
            self._away += time.monotonic() - began
            self._watch.begin()

        deferToThread(self._node.start).addCallback(started)


def write(path: Path, size: int) -> None:
    """A file of random octets."""
    with path.open("wb") as file:
        for start in range(0, size, 2**20):
            file.write(os.urandom(min(2**20, size - start)))


def digest(path: Path) -> bytes:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def main() -> None:
    from twisted.internet import task

    size = int(sys.argv[1]) if len(sys.argv) > 1 else 2**30

    async def run(reactor: Any) -> None:
        node = NodeProcess()
        try:
            await deferToThread(node.start)
            figures = await Trial(reactor, node, node.folder, size).run()
            print(figures)
            assert figures.growth < 16 * 2**20, "the node's memory grew by too much"
        finally:
            node.close()

    task.react(lambda reactor: Deferred.fromCoroutine(run(reactor)))


if __name__ == "__main__":
    main()
