"""Secure chats of five people at two nodes: nothing is found in either, a kill is no alarm, a forgery is."""

import asyncio
import os
from io import BytesIO
from itertools import combinations

from nacl.pwhash import argon2id
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client import aio
from safeum_home.client.secret import Secret
from safeum_home.client.secure.events import KeysChanged, RosterChanged
from safeum_home.client.secure.passphrase import words
from safeum_home.client.secure.payloads import File
from safeum_home.client.secure.unique_key import MEMORY, PASSES, UniqueKey, salt_of
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.items import Fate
from tests.certificates import Authority
from tests.e2e.canaries import Canaries
from tests.e2e.node_process import NodeProcess
from tests.e2e.secure_people import PASSWORD, Person, until
from tests.secure_needles import of_client, of_master
from tests.test_sealing_memory import counts

NAMES = ("ann", "ben", "cay", "dan", "eve")
"""The first three are at one node, the others at another. Ben's keys are forged."""


class SecureAcrossTests(SynchronousTestCase):
    """Ben talks with Ann, with Dan, and with all of them."""

    def setUp(self) -> None:
        self.authority = Authority()
        self.nodes = [NodeProcess(authority=self.authority) for _ in range(2)]
        for node in self.nodes:
            self.addCleanup(node.close)
            node.start()
        self.canaries = Canaries()
        self.planted: dict[bytes, str] = {}
        """What must not be in the memory of a node."""

    def _plant(self, name: str, value: str | bytes) -> None:
        octets = value.encode() if isinstance(value, str) else value
        if octets not in self.planted:
            self.planted[octets] = name
            self.canaries.add(name, value)

    def test_life(self) -> None:
        """Nothing is found in memory, files and log of either; who has heard of whom is told what changes."""
        asyncio.run(self._live())
        for node in self.nodes:
            node.stop()
            self.assertEqual(self.canaries.under(node.folder), [])
        self.assertGreater(len(self.planted), 50)

    async def _live(self) -> None:
        self.people = dict(zip(NAMES, [await self._enter(name) for name in NAMES], strict=True))
        ben = self.people["ben"]
        for one, other in combinations(self.people.values(), 2):
            if ben in (one, other):
                await one.befriend(other)
        self.chats = [
            await self._begin(*names) for names in (("ann",), ("dan",), ("ann", "cay", "dan", "eve"))
        ]
        await self._talk("at first")
        await self._keep()
        await self._look()
        await self._kill()
        await self._talk("after the kill")
        await until(lambda: self.chats[2]["eve"].items.all[-1].text.startswith("after the kill"))
        self.assertEqual(self._alarms(), {name: [] for name in NAMES})
        await self._look()
        await self._forge()
        for person in self.people.values():
            await person.client.close()

    async def _enter(self, name: str) -> Person:
        node = self.nodes[name in NAMES[3:]]
        person = await Person.sign_up(node, name, self.authority.pem)
        master = os.urandom(32)
        if name == "ann":
            passphrase = words()
            self._plant("a passphrase", passphrase)
            await person.client.unlock(passphrase)
            master = argon2id.kdf(32, passphrase.encode(), salt_of(person.account), PASSES, MEMORY)
        else:
            await person.unlock(master)
        for key, octets in of_master(master):
            self._plant(f"{name}: {key}", octets)
        return person

    async def _begin(self, *others: str) -> dict[str, Conversation]:
        """A chat of Ben's, as each of its members has it."""
        ben, invited = self.people["ben"], [self.people[name] for name in others]
        begun = await ben.secure.start([each.account for each in invited], group=len(others) > 1)
        return {"ben": begun, **{each.name: await each.join(begun.id) for each in invited}}

    async def _talk(self, about: str) -> None:
        """Everybody says something everywhere, which all others read."""
        for chat in self.chats:
            for name, own in chat.items():
                text = f"{about}, {self.canaries.word(f'{name}: {about}')}"
                self._plant(f"{name}: {about}", text)
                item = own.send(text)
                await until(lambda item=item: item.fate is Fate.SENT)  # type: ignore[misc]
                for other in chat.values():
                    await until(lambda at=other, text=text: text in [i.text for i in at.items.all])  # type: ignore[misc]

    async def _keep(self) -> None:
        """A file, a draft and a setting."""
        ben = self.people["ben"]
        text, value = self.canaries.word("a draft"), self.canaries.word("a setting")
        content = os.urandom(3000)
        for name, each in (("a draft", text), ("a setting", value), ("a file", content[:64])):
            self._plant(name, each)
        ben.secure.drafts.set(self.chats[2]["ben"].id, text)
        ben.secure.settings.set("name", value)
        await ben.secure.save()
        await self.chats[2]["ann"].files.send(BytesIO(content), name="a.bin")
        at_dan, got = self.chats[2]["dan"], BytesIO()
        await until(lambda: isinstance(at_dan.items.all[-1].payload, File))
        await at_dan.files.save(at_dan.items.all[-1], got)
        self.assertEqual(got.getvalue(), content)

    async def _kill(self) -> None:
        """Both nodes: they have no key that was published."""
        for node in self.nodes:
            node.kill()
        for person in self.people.values():
            person.heard.clear()
        for node in self.nodes:
            node.start()
        for person in self.people.values():
            await person.back()

    async def _forge(self) -> None:
        """Who has Ben's password, and no passphrase of his, publishes keys: all others are warned."""
        ben = self.people["ben"]
        thief = await aio.connect(f"{ben.node.host}:{ben.node.port}", ca=self.authority.pem)
        await thief.login("ben", PASSWORD)
        forged, before = UniqueKey(ben.account, Secret.random()), ben.secure.own.hash
        secure = await thief.unlock_with(forged)
        await secure.replace_keys()
        alarm = KeysChanged(ben.account, before, forged.hash, False)
        for name, person in self.people.items():
            if name != "ben":
                await until(lambda person=person: alarm in person.warnings())  # type: ignore[misc]
        told = {name: sum(each == alarm for each in alarms) for name, alarms in self._alarms().items()}
        self.assertEqual(
            {name: told[name] for name in NAMES if name != "ben"}, {"ann": 2, "cay": 1, "dan": 2, "eve": 1}
        )
        for name in ("ann", "dan", "eve"):
            item = self.chats[2][name].send("For Ben alone, and for whom he knows")
            self.assertEqual((item.fate, item.waits_for), (Fate.WAITING, (ben.account,)))
        await thief.close()

    def _alarms(self) -> dict[str, list[object]]:
        """All that was warned of, but for what members have signed."""
        return {
            name: [each for each in person.warnings() if not isinstance(each, RosterChanged)]
            for name, person in self.people.items()
        }

    async def _look(self) -> None:
        """Through the memory of both: what is said in clear is found, so it is all looked at."""
        for name, person in self.people.items():
            for key, octets in of_client(person.secure):
                self._plant(f"{name}: {key}", octets)
        for name, node in zip(("ann", "dan"), self.nodes, strict=True):
            clear = f"In clear: {os.urandom(16).hex()}"
            await self.people[name].client.create_group(clear)
            found = counts(node.pid, [clear.encode(), *self.planted])
            self.assertGreater(found.pop(clear.encode()), 0)
            self.assertEqual([self.planted[octets] for octets, times in found.items() if times], [])
