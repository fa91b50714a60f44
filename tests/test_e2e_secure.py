"""Secure chats on a real node: it holds nothing of them, a kill is no alarm, and a forged key is one."""

import asyncio
from collections.abc import Callable
from typing import Any

from nacl._sodium import ffi
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.policy import standard
from safeum_home.client import aio
from safeum_home.client.events import Heard, Link, LinkChanged
from safeum_home.client.secret import Secret
from safeum_home.client.secure.events import KeysChanged
from safeum_home.client.secure.passphrase import words
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.events import SecureWarning
from safeum_home.client.unlocked.items import Fate
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


class SecureNodeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = NodeProcess()
        self.addCleanup(self.node.close)
        self.node.start()
        self.canaries = Canaries()
        self.planted: list[tuple[str, bytes]] = []
        """What must not be in the node's memory."""

    def _plant(self, name: str, value: str | bytes) -> None:
        self.canaries.add(name, value)
        self.planted.append((name, value.encode() if isinstance(value, str) else value))

    async def _until(self, happened: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not happened():  # noqa: ASYNC110  # what it waits for is many things
                await asyncio.sleep(0.05)

    async def _sign_up(self, name: str) -> Person:
        client = await aio.connect(f"localhost:{self.node.port}", ca=self.node.certificate)
        await client.register(name, PASSWORD, consent=standard().version)
        await client.load()
        return Person(client)

    async def _unlock(self, person: Person) -> None:
        """With new words, which are looked for, as the keys are that follow from them."""
        passphrase = words()
        self._plant("a passphrase", passphrase)
        secure = await person.client.unlock(passphrase)
        for name, key in (("box", secure.own.box), ("vault", secure.own.vault)):
            self._plant(f"a key: {name}", _octets(key))

    async def _meet(self, one: Person, other: Person) -> None:
        assert other.client.opened is not None
        found = await one.client.find(other.client.opened.address)
        await one.client.request(found.account, found.address)
        await self._until(lambda: one.account in other.client.state.contacts)
        await other.client.accept(one.account)
        await self._until(lambda: one.client.state.contacts[other.account].state.value == "accepted")

    async def _say(self, one: Conversation, other: Conversation, about: str) -> None:
        """Something is said, which is looked for, and read."""
        text = self.canaries.word(about)
        self._plant(about, text)
        item = one.send(text)
        await self._until(lambda: other.items.all and other.items.all[-1].text == text)
        await self._until(lambda: item.fate is Fate.SENT)

    def test_life(self) -> None:
        """Nothing is found in its memory, files and log; a kill is no alarm, and a forged key is one."""
        asyncio.run(self._live())
        self.node.stop()
        self.assertEqual(self.canaries.under(self.node.folder), [])

    async def _live(self) -> None:
        ann, ben = await self._sign_up("ann"), await self._sign_up("ben")
        await self._meet(ann, ben)
        await self._unlock(ann)
        await self._unlock(ben)
        assert ann.client.secure is not None and ben.client.secure is not None
        at_ann = await ann.client.secure.start([ben.account])
        await self._until(lambda: at_ann.id in ben.client.state.groups.invitations)
        at_ben = await ben.client.secure.accept(at_ann.id)
        await self._say(at_ann, at_ben, "said by Ann")
        await self._say(at_ben, at_ann, "said by Ben")
        self._look()
        self.node.kill()
        ann.heard.clear()
        ben.heard.clear()
        self.node.start()
        await self._back(ann)
        await self._back(ben)
        await self._say(at_ann, at_ben, "after the kill")
        await self._say(at_ben, at_ann, "after the kill")
        self.assertEqual(ann.warnings + ben.warnings, [])
        self._look()
        await self._forge(ann, ben)
        await ann.client.close()
        await ben.client.close()

    async def _back(self, person: Person) -> None:
        person.client.retry()
        await self._until(lambda: LinkChanged(Link.ONLINE) in person.heard)

    async def _forge(self, ann: Person, ben: Person) -> None:
        """Who has Ben's password, and not his passphrase, publishes keys: Ann is warned in the chat."""
        thief = await aio.connect(f"localhost:{self.node.port}", ca=self.node.certificate)
        await thief.login("ben", PASSWORD)
        forged = UniqueKey(ben.account, Secret.random())
        secure = await thief.unlock_with(forged)
        assert ben.client.secure is not None
        before = ben.client.secure.own.hash
        await secure.replace_keys()
        await self._until(lambda: ann.warnings)
        self.assertEqual(ann.warnings, [KeysChanged(ben.account, before, forged.hash, False)])
        await thief.close()

    def _look(self) -> None:
        """Through the memory of the node's process: what it has to know is found, so it is looked at."""
        self.assertGreater(count(self.node.pid, b"Secure chat"), 0)
        found = [name for name, octets in self.planted if count(self.node.pid, octets)]
        self.assertEqual(found, [])


def _octets(secret: Secret) -> bytes:
    """Those of a key, which nobody but a test may have."""
    return bytes(ffi.buffer(secret._at, 32))
