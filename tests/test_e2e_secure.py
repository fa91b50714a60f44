"""Secure chats on a real node: it holds nothing of them, a kill is no alarm, and a forged key is one."""

import asyncio

from safeum_home.client import aio
from safeum_home.client.events import Link, LinkChanged
from safeum_home.client.secret import Secret
from safeum_home.client.secure.events import KeysChanged
from safeum_home.client.secure.passphrase import words
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.items import Fate
from tests.e2e.node_process import NodeProcess
from tests.e2e.secure_people import PASSWORD, Person, SecurePeopleCase, octets_of


class SecureNodeTests(SecurePeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.node = NodeProcess()
        self.addCleanup(self.node.close)
        self.node.start()

    async def _unlock(self, person: Person) -> None:
        """With new words, which are looked for, as the keys are that follow from them."""
        passphrase = words()
        self.plant("a passphrase", passphrase)
        secure = await person.client.unlock(passphrase)
        for name, key in (("box", secure.own.box), ("vault", secure.own.vault)):
            self.plant(f"a key: {name}", octets_of(key))

    async def _say(self, one: Conversation, other: Conversation, about: str) -> None:
        """Something is said, which is looked for, and read."""
        text = self.canaries.word(about)
        self.plant(about, text)
        item = one.send(text)
        await self.until(lambda: other.items.all and other.items.all[-1].text == text)
        await self.until(lambda: item.fate is Fate.SENT)

    def test_life(self) -> None:
        """Nothing is found in its memory, files and log; a kill is no alarm, and a forged key is one."""
        asyncio.run(self._live())
        self.node.stop()
        self.assertEqual(self.canaries.under(self.node.folder), [])

    async def _live(self) -> None:
        ann, ben = await self.sign_up("ann", self.node), await self.sign_up("ben", self.node)
        await self.meet(ann, ben)
        await self._unlock(ann)
        await self._unlock(ben)
        assert ann.client.secure is not None and ben.client.secure is not None
        at_ann = await ann.client.secure.start([ben.account])
        await self.until(lambda: at_ann.id in ben.client.state.groups.invitations)
        at_ben = await ben.client.secure.accept(at_ann.id)
        await self._say(at_ann, at_ben, "said by Ann")
        await self._say(at_ben, at_ann, "said by Ben")
        self.look(self.node)
        self.node.kill()
        ann.heard.clear()
        ben.heard.clear()
        self.node.start()
        await self._back(ann)
        await self._back(ben)
        await self._say(at_ann, at_ben, "after the kill")
        await self._say(at_ben, at_ann, "after the kill")
        self.assertEqual(ann.warnings + ben.warnings, [])
        self.look(self.node)
        await self._forge(ann, ben)
        await ann.client.close()
        await ben.client.close()

    async def _back(self, person: Person) -> None:
        person.client.retry()
        await self.until(lambda: LinkChanged(Link.ONLINE) in person.heard)

    async def _forge(self, ann: Person, ben: Person) -> None:
        """Who has Ben's password, and not his passphrase, publishes keys: Ann is warned in the chat."""
        thief = await aio.connect(f"localhost:{self.node.port}", ca=self.node.certificate)
        await thief.login("ben", PASSWORD)
        forged = UniqueKey(ben.account, Secret.random())
        secure = await thief.unlock_with(forged)
        assert ben.client.secure is not None
        before = ben.client.secure.own.hash
        await secure.replace_keys()
        await self.until(lambda: ann.warnings)
        self.assertEqual(ann.warnings, [KeysChanged(ben.account, before, forged.hash, False)])
        await thief.close()
