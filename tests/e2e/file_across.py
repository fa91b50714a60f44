"""A large file from a node to another one and its client, through all that can break on the way.

`PYTHONPATH=. python -m tests.e2e.file_across [OCTETS]` does so with 1 GiB and prints the figures.
"""

import sqlite3
import sys
from pathlib import Path
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThread

from safeum_home.client import Client, new_client
from safeum_home.protocol.files import File
from safeum_home.protocol.types import ContactState, Message
from tests.certificates import Authority
from tests.e2e.big_file import EVERY, Watch, digest, write
from tests.e2e.cable import Cable
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.people import PASSWORD


class Figures(NamedTuple):
    """By how many octets the memory of each node grew; how much was here when a node was killed."""

    size: int
    origin_growth: int
    own_growth: int
    down: float
    cuts: int
    origin_killed_at: int
    own_killed_at: int

    def __str__(self) -> str:
        mib = 2**20
        return (
            f"{self.size / mib:.0f} MiB: the sender's node grew by {self.origin_growth / mib:.1f} MiB, "
            f"the recipient's by {self.own_growth / mib:.1f} MiB, down {self.down / mib:.0f} MiB/s, "
            f"{self.cuts} cuts, killed with {self.origin_killed_at / mib:.0f} "
            f"and {self.own_killed_at / mib:.0f} MiB noted"
        )


class Trial:
    """Ann has the file at `origin`; Bob fetches it through his own node."""

    def __init__(self, reactor: Any, origin: NodeProcess, own: NodeProcess, authority: Authority, size: int):
        self._reactor = reactor
        self._origin, self._own = origin, own
        self._authority = authority
        self._size = size
        self._cable = Cable(reactor, own.port)
        self._watches = {node: Watch(reactor, node) for node in (origin, own)}
        self._clients: list[Client] = []
        self._killed_at: dict[NodeProcess, int] = {}
        self._cuts = 0

    async def run(self) -> Figures:
        """Raises AssertionError where what comes out is not what went in."""
        try:
            return await self._run()
        finally:
            for watch in self._watches.values():
                watch.stop()
            for client in self._clients:
                await client.close()
            await self._cable.listening.stopListening()  # type: ignore[misc]  # it is a Deferred here

    async def _run(self) -> Figures:
        ann = await self._client("ann", self._origin.port)
        bob = await self._client("bob", self._cable.entrance)
        chat = await self._befriend(ann, bob)
        source, target = self._origin.folder / "source.bin", self._own.folder / "target.bin"
        await deferToThread(write, source, self._size)
        uploaded = await ann.upload(chat, source)
        await ann.send_body(chat, uploaded.body("Look!"))
        message = await self._message(bob, chat)
        for watch in self._watches.values():
            watch.begin()
        waiting = [(self._size // 8, self._origin), (self._size // 2, self._own)]

        def look() -> None:
            # The node is ahead of the client: what counts is how far that is.
            if waiting and waiting[0][1].running and noted(self._own) >= waiting[0][0]:
                self._kill(waiting.pop(0)[1])

        def progress(done: int, _size: int) -> None:
            if not self._cuts and done >= self._size // 16:
                self._cut()

        looking = LoopingCall(look)
        looking.clock = self._reactor
        looking.start(EVERY)
        began = self._reactor.seconds()
        try:
            await bob.download(message, target, progress=progress)
        finally:
            looking.stop()
        took = self._reactor.seconds() - began
        assert not waiting, "it was over too soon"
        same = await deferToThread(lambda: digest(source) == digest(target))
        assert same, "what came out is not what went in"
        origin, own = self._origin, self._own
        return Figures(
            self._size,
            self._watches[origin].growth,
            self._watches[own].growth,
            self._size / took,
            self._cuts,
            self._killed_at[origin],
            self._killed_at[own],
        )

    async def _client(self, name: str, port: int) -> Client:
        client = new_client(self._reactor, f"localhost:{port}", ca=self._authority.pem)
        self._clients.append(client)
        policy = await client.policy()
        await client.register(name, PASSWORD, consent=policy.version)
        return client

    async def _befriend(self, ann: Client, bob: Client) -> str:
        assert ann.opened is not None and bob.opened is not None
        await ann.request(bob.opened.account, bob.opened.address)
        await self._until(bob, ContactState.INCOMING)
        await bob.accept(ann.opened.account)
        return await self._until(ann, ContactState.ACCEPTED)

    async def _until(self, client: Client, state: ContactState) -> str:
        """The chat with the one contact, once that is in this state."""
        for _ in range(int(PATIENCE * 10)):
            found = (await client.contacts()).contacts
            if found and found[0].state is state:
                return found[0].chat
            await deferLater(self._reactor, 0.1)
        raise AssertionError("they never came to be contacts")

    async def _message(self, client: Client, chat: str) -> Message:
        for _ in range(int(PATIENCE * 10)):
            page = await client.history(chat)
            found = [message for message in page.messages if isinstance(message.body, File)]
            if found:
                return found[0]
            await deferLater(self._reactor, 0.1)
        raise AssertionError("the message never came")

    def _cut(self) -> None:
        self._cuts += self._cable.cut() > 0

    def _kill(self, node: NodeProcess) -> None:
        self._watches[node].pause()
        node.kill()
        self._killed_at[node] = noted(self._own)
        started = deferToThread(node.start)
        started.addCallback(lambda _: self._watches[node].begin())


def noted(node: NodeProcess) -> int:
    """How many octets of the one copy that it keeps a node has noted."""
    path: Path = node.state / "home.sqlite"
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        [[received]] = database.execute("SELECT received FROM fetched").fetchall()
    finally:
        database.close()
    return int(received)


def main() -> None:
    from twisted.internet import task

    size = int(sys.argv[1]) if len(sys.argv) > 1 else 2**30

    async def run(reactor: Any) -> None:
        authority = Authority()
        nodes = [NodeProcess(authority=authority) for _ in range(2)]
        try:
            for node in nodes:
                await deferToThread(node.start)
            print(await Trial(reactor, nodes[0], nodes[1], authority, size).run())
        finally:
            for node in nodes:
                node.close()

    task.react(lambda reactor: Deferred.fromCoroutine(run(reactor)))


if __name__ == "__main__":
    main()
