"""Another passphrase at two nodes: the SDK in a process of its own takes it, and is killed on the way."""

import asyncio
import os
import signal

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure.events import Forked, Gap, KeysChanged, Missing, Refusal, Unseen
from safeum_home.client.secure.passphrase import words
from safeum_home.client.secure.people import Trust
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.protocol import events
from tests.certificates import Authority
from tests.e2e.node_process import NodeProcess
from tests.e2e.secure_people import PASSWORD, Person, until
from tests.test_e2e_secure_program import Child

ALARMS = (Forked, Gap, Missing, Refusal, Unseen)


class PassphraseTests(SynchronousTestCase):
    """Cam is in another process; Ann is at the same node, Dan at another one."""

    def setUp(self) -> None:
        self.authority = Authority()
        self.nodes = [NodeProcess(authority=self.authority) for _ in range(2)]
        for node in self.nodes:
            self.addCleanup(node.close)
            node.start()

    def test_changed(self) -> None:
        """Both are told in every chat, and all go on; then it is killed on the way, and they do as well."""
        asyncio.run(self._changed())

    async def _changed(self) -> None:
        passphrases = [words() for _ in range(3)]
        cam = await self._meet(passphrases[0])
        await self._talk(cam, "before")
        self.ann.secure.verify(self.cam)
        await cam.do("client", "change_passphrase", passphrases[1])
        await self._told(1)
        self.assertIs(self.ann.secure.trust(self.cam), Trust.CHANGED)
        await self._talk(cam, "after")
        changing = asyncio.ensure_future(cam.do("client", "change_passphrase", passphrases[2]))
        await until(lambda: len(self._published()) == 2)
        os.kill(cam.pid, signal.SIGKILL)
        await asyncio.gather(changing, return_exceptions=True)
        waiting = self.pair.send("while it was dead")
        cam = await self._begin()
        await cam.do("client", "login", "cam", PASSWORD)
        await cam.do("client", "load")
        await cam.do("client", "unlock", passphrases[2])
        await self._told(2)
        await until(lambda: waiting.hash is not None)
        await cam.hears(self.pair.id, "while it was dead")
        await self._talk(cam, "after the kill")
        await cam.end()
        for person in (self.ann, self.dan):
            await person.client.close()

    async def _begin(self) -> Child:
        cam, node = await Child.start(), self.nodes[0]
        await cam.do("program", "connect", f"localhost:{node.port}", self.authority.pem.decode("ascii"))
        return cam

    async def _meet(self, passphrase: str) -> Child:
        self.ann, self.dan = [
            await Person.sign_up(node, name, self.authority.pem)
            for node, name in zip(self.nodes, ("ann", "dan"), strict=True)
        ]
        cam = await self._begin()
        await cam.do("program", "register", "cam", PASSWORD)
        self.cam = str(await cam.do("program", "account"))
        await cam.do("client", "unlock", passphrase)
        for person in (self.ann, self.dan):
            await person.unlock(os.urandom(32))
            await cam.do("client", "request", person.account, person.address)
            await until(lambda person=person: self.cam in person.client.state.contacts)  # type: ignore[misc]
            await person.client.accept(self.cam)
        await self.ann.befriend(self.dan)
        self.pair = await self.ann.secure.start([self.cam])
        group = await self.ann.secure.start([self.cam, self.dan.account], group=True)
        for chat in (self.pair, group):
            await cam.do("secure", "accept", chat.id)
        self.chats: list[Conversation] = [self.pair, group, await self.dan.join(group.id)]
        return cam

    def _published(self) -> list[events.KeysChanged]:
        """What Ann's node has told of Cam's keys."""
        told = [each for each in self.ann.heard if isinstance(each, events.KeysChanged)]
        return [each for each in told if each.account == self.cam]

    async def _told(self, times: int) -> None:
        """Ann in two chats, Dan in one, with a word of the keys before; nothing is refused, or missing."""
        for person, chats in ((self.ann, 2), (self.dan, 1)):
            await until(lambda person=person, most=chats * times: len(self._vouched(person)) >= most)  # type: ignore[misc]
            self.assertEqual(len(self._vouched(person)), chats * times)
            alarms = [each for each in person.warnings() if isinstance(each, ALARMS)]
            self.assertEqual(alarms, [])

    def _vouched(self, person: Person) -> list[KeysChanged]:
        return [each for each in person.warnings(KeysChanged) if each.vouched and each.account == self.cam]

    async def _talk(self, cam: Child, about: str) -> None:
        """Everybody says something, which all others read."""
        pair, group, of_dan = self.chats
        for chat in (pair, group):
            await cam.do("program", "say", chat.id, f"Cam, {about}")
            await until(lambda chat=chat: f"Cam, {about}" in _texts(chat))  # type: ignore[misc]
            chat.send(f"Ann, {about}")
            await cam.hears(chat.id, f"Ann, {about}")
        of_dan.send(f"Dan, {about}")
        await cam.hears(group.id, f"Dan, {about}")
        await until(lambda: {f"{each}, {about}" for each in ("Ann", "Cam", "Dan")} <= set(_texts(of_dan)))


def _texts(chat: Conversation) -> list[str]:
    return [item.text for item in chat.items.all]
