"""People with real SDK clients in this process, and secure chats at nodes that are processes of their own."""

import asyncio
from collections.abc import Callable
from typing import Any

from safeum_home.accounts.policy import standard
from safeum_home.client import aio
from safeum_home.client.events import Heard, Link, LinkChanged
from safeum_home.client.secret import Secret
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.events import SecureWarning
from safeum_home.client.unlocked.secure_chats import SecureChats
from tests.e2e.node_process import PATIENCE, NodeProcess

PASSWORD = "correct horse battery staple"


async def until(happened: Callable[[], Any]) -> None:
    """Wait for something that comes of many things."""
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


class Person:
    """Somebody with an asyncio client, and all that it was told."""

    def __init__(self, node: NodeProcess, name: str, client: aio.Client) -> None:
        self.node = node
        self.name = name
        self.client = client
        self.heard: list[Heard] = []
        client.listen(self.heard.append)

    @classmethod
    async def sign_up(cls, node: NodeProcess, name: str, ca: bytes) -> "Person":
        client = await aio.connect(f"{node.host}:{node.port}", ca=ca)
        await client.register(name, PASSWORD, consent=standard().version)
        await client.load()
        return cls(node, name, client)

    @property
    def account(self) -> str:
        assert self.client.opened is not None
        return self.client.opened.account

    @property
    def address(self) -> str:
        assert self.client.opened is not None
        return self.client.opened.address

    @property
    def secure(self) -> SecureChats:
        assert self.client.secure is not None
        return self.client.secure

    def warnings(self, kind: type | None = None) -> list[Any]:
        about = [each.about for each in self.heard if isinstance(each, SecureWarning)]
        return about if kind is None else [each for each in about if isinstance(each, kind)]

    async def unlock(self, master: bytes) -> None:
        """With a key of no passphrase, which would take its time."""
        await self.client.unlock_with(UniqueKey(self.account, Secret.of(master)))

    async def befriend(self, other: "Person") -> None:
        found = await self.client.find(other.address)
        await self.client.request(found.account, found.address)
        await until(lambda: self.account in other.client.state.contacts)
        await other.client.accept(self.account)
        await until(lambda: self.client.state.contacts[other.account].state.value == "accepted")

    async def join(self, chat: str) -> Conversation:
        await until(lambda: chat in self.client.state.groups.invitations)
        return await self.secure.accept(chat)

    async def back(self) -> None:
        """After its node was away."""
        self.client.retry()
        await until(lambda: LinkChanged(Link.ONLINE) in self.heard)
