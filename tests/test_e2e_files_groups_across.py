"""A file in a group of three real nodes, over TLS, while each of them is killed in its turn."""

import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from safeum_home.client import Client, new_client
from safeum_home.client.errors import RemoteProblem
from safeum_home.protocol.files import File
from safeum_home.protocol.types import ContactState, Message
from tests.certificates import Authority
from tests.e2e.big_file import digest, write
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.people import PASSWORD

SIZE = 4 * 2**20


class GroupFileAcrossTests(TestCase):
    """Ann has the group at her node; Ben, who sends the file, and Cat are at two others."""

    timeout = 400

    async def test_file(self) -> None:
        """Posted while the hub is away, had from the author's node alone, and gone when it is deleted."""
        await self._begin()
        ann, ben, cat = self.clients
        hub, own, _ = self.nodes
        source = own.folder / "source.bin"
        await deferToThread(write, source, SIZE)
        await deferToThread(hub.kill)
        uploaded = await ben.upload(self.chat, source)
        sent = await ben.send_body(self.chat, uploaded.body("Look!"))
        self.assertTrue(sent.waiting)
        await deferToThread(own.kill)  # what waits is on disk, and so is its file
        await deferToThread(own.start)
        await deferToThread(hub.start)
        message = await self._message(cat)
        await deferToThread(hub.kill)
        self.assertTrue(await self._same(cat, message, 2))
        await deferToThread(hub.start)
        message = await self._message(ann)
        await deferToThread(own.kill)
        starting = deferLater(reactor, 1.0, deferToThread, own.start)
        self.assertTrue(await self._same(ann, message, 0))
        await starting
        await ann.remove_from_group(self.chat, self.accounts[2])
        await self._until(partial(self._refused, cat))
        mine = await self._message(ben)
        await ben.delete(self.chat, mine.id)
        await self._until(self._is_gone)

    async def _begin(self) -> None:
        authority = Authority()
        self.nodes = [NodeProcess(authority=authority) for _ in range(3)]
        self.clients: list[Client] = []
        self.accounts: list[str] = []
        for node, name in zip(self.nodes, ("ann", "ben", "cat"), strict=True):
            self.addCleanup(node.close)
            await deferToThread(node.start)
            client = new_client(reactor, f"localhost:{node.port}", ca=authority.pem)
            self.addCleanup(client.close)
            policy = await client.policy()
            await client.register(name, PASSWORD, consent=policy.version)
            assert client.opened is not None
            self.clients.append(client)
            self.accounts.append(client.opened.account)
        ann = self.clients[0]
        for client in self.clients[1:]:
            assert client.opened is not None
            await ann.request(client.opened.account, client.opened.address)
            await self._until(partial(self._knows, client, 0, ContactState.INCOMING))
            await client.accept(self.accounts[0])
        for place in (1, 2):
            await self._until(partial(self._knows, ann, place, ContactState.ACCEPTED))
        made = await ann.create_group("Walks", self.accounts[1:])
        self.chat = made.chat.chat
        for client in self.clients[1:]:
            await self._until(partial(self._invited, client))
            await client.accept_invitation(self.chat)
        for client in self.clients:
            await self._until(partial(self._are_three, client))

    async def _knows(self, client: Client, place: int, state: ContactState) -> bool:
        page = await client.contacts()
        return any(c.account == self.accounts[place] and c.state is state for c in page.contacts)

    async def _invited(self, client: Client) -> bool:
        return any(one.chat == self.chat for one in (await client.invitations()).invitations)

    async def _are_three(self, client: Client) -> bool:
        try:
            page = await client.members(self.chat)
        except RemoteProblem:
            return False  # it is not there yet
        return [member.state for member in page.members].count("member") == 3

    async def _message(self, client: Client) -> Message:
        found: list[Message] = []

        async def look() -> bool:
            page = await client.history(self.chat)
            found[:] = [message for message in page.messages if isinstance(message.body, File)]
            return bool(found)

        await self._until(look)
        return found[0]

    async def _same(self, client: Client, message: Message, place: int) -> bool:
        """Whether what a client downloads is what was sent."""
        target, source = self.nodes[place].folder / "target.bin", self.nodes[1].folder / "source.bin"
        await client.download(message, target)
        return await deferToThread(lambda: digest(source) == digest(target))

    async def _refused(self, client: Client) -> bool:
        try:
            await client.history(self.chat)
        except RemoteProblem:
            return True
        return False

    async def _is_gone(self) -> bool:
        """Whether no node knows of a file any more."""
        return not any([await deferToThread(_files, node) for node in self.nodes])

    async def _until(self, happened: Callable[[], Awaitable[bool]]) -> None:
        for _ in range(int(PATIENCE * 10)):
            if await happened():
                return
            paused: Deferred[None] = deferLater(reactor, 0.1)
            await paused
        self.fail("it never happened")


def _files(node: NodeProcess) -> int:
    """How many files of messages, and copies, the tables of a node name."""
    database = sqlite3.connect(f"file:{node.state / 'home.sqlite'}?mode=ro", uri=True)
    try:
        [[files]] = database.execute("SELECT count(*) FROM files").fetchall()
        [[copies]] = database.execute("SELECT count(*) FROM fetched").fetchall()
    finally:
        database.close()
    return int(files) + int(copies)
