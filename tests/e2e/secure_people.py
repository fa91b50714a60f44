"""People with asyncio clients and unique keys on real nodes, and what must be found nowhere in these."""

import asyncio
from collections.abc import Callable
from typing import Any

from nacl._sodium import ffi
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.policy import standard
from safeum_home.client import aio
from safeum_home.client.events import Heard
from safeum_home.client.secret import Secret
from safeum_home.client.unlocked.events import SecureWarning
from tests.e2e.canaries import Canaries
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.test_sealing_memory import count

PASSWORD = "correct horse battery staple"


class Person:
    """Somebody with an asyncio client, and all that it was told."""

    def __init__(self, client: aio.Client) -> None:
        self.client = client
        self.heard: list[Heard] = []
        client.listen(self.heard.append)

    @property
    def account(self) -> str:
        assert self.client.opened is not None
        return self.client.opened.account

    @property
    def warnings(self) -> list[Any]:
        return [each.about for each in self.heard if isinstance(each, SecureWarning)]


class SecurePeopleCase(SynchronousTestCase):
    """What they do, and where it is looked for what they have said."""

    def setUp(self) -> None:
        self.canaries = Canaries()
        self.planted: list[tuple[str, bytes]] = []
        """What must not be in the memory of a node."""

    def plant(self, name: str, value: str | bytes) -> None:
        self.canaries.add(name, value)
        self.planted.append((name, value.encode() if isinstance(value, str) else value))

    async def until(self, happened: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not happened():  # noqa: ASYNC110  # what it waits for is many things
                await asyncio.sleep(0.05)

    async def sign_up(self, name: str, node: NodeProcess, ca: bytes | None = None) -> Person:
        client = await aio.connect(f"localhost:{node.port}", ca=ca or node.certificate)
        await client.register(name, PASSWORD, consent=standard().version)
        await client.load()
        return Person(client)

    async def meet(self, one: Person, other: Person) -> None:
        assert other.client.opened is not None
        found = await one.client.find(other.client.opened.address)
        await one.client.request(found.account, found.address)
        await self.until(lambda: one.account in other.client.state.contacts)
        await other.client.accept(one.account)
        await self.until(lambda: one.client.state.contacts[other.account].state.value == "accepted")

    def look(self, node: NodeProcess) -> None:
        """Through the memory of a node's process: what it has to know is found, so it is looked at."""
        self.assertGreater(count(node.pid, b"Secure chat"), 0)
        found = [name for name, octets in self.planted if count(node.pid, octets)]
        self.assertEqual(found, [])


def octets_of(secret: Secret) -> bytes:
    """Those of a key, which nobody but a test may have."""
    return bytes(ffi.buffer(secret._at, 32))
