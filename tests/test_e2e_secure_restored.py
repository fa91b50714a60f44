"""A node that is put back to an older backup, as docs/operate.md says: its secure chats go on."""

import asyncio

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.events import Link, LinkChanged
from safeum_home.client.secret import Secret
from safeum_home.client.secure.events import RosterChanged
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.events import KeysMismatch, VaultRefused
from safeum_home.client.unlocked.items import Fate
from tests.e2e.canaries import Canaries
from tests.e2e.node_process import NodeProcess
from tests.e2e.secure_people import Person, until


class RestoredTests(SynchronousTestCase):
    """Ann, Ben and Cay run on; what they have done since the backup the node does not know any more."""

    def setUp(self) -> None:
        self.node = NodeProcess()
        self.addCleanup(self.node.close)
        self.node.start()
        self.canaries = Canaries()

    def test_restored(self) -> None:
        """The vault's rollback is asked about, keys that had followed others do again, and all is read on."""
        asyncio.run(self._live())
        self.node.stop()
        self.assertEqual(self.canaries.under(self.node.folder), [])

    async def _live(self) -> None:
        await self._meet()
        await self._talk("before")
        await self._saved()
        copy = self.node.state / "copy.sqlite"
        self.assertEqual(self.node.admin("backup", str(copy))[0], 0)
        await self._go_on()
        self._restore(copy)
        await self._come_back()
        await self._look()
        await self._talk("after")
        self.assertEqual(self._alarms(), [])
        await self._begin_anew()
        for person in self.people:
            await person.client.close()

    async def _meet(self) -> None:
        self.people: list[Person] = []
        for name in ("ann", "ben", "cay"):
            person = await Person.sign_up(self.node, name, self.node.certificate)
            await person.unlock(name.encode().ljust(32, b"k"))
            for other in self.people:
                await other.befriend(person)
            self.people.append(person)
        self.ann, self.ben, self.cay = self.people
        pair = await self.ann.secure.start([self.ben.account])
        group = await self.ann.secure.start([self.ben.account, self.cay.account], group=True)
        self.chats: list[list[Conversation]] = [
            [pair, await self.ben.join(pair.id)],
            [group, await self.ben.join(group.id), await self.cay.join(group.id)],
        ]

    async def _talk(self, about: str) -> None:
        """Everybody says something everywhere, which all others read."""
        for chat in self.chats:
            for own in chat:
                text = f"{about}: {self.canaries.word(about)}"
                self.canaries.add(about, text)
                item = own.send(text)
                await until(lambda item=item: item.fate is Fate.SENT)  # type: ignore[misc]
                for other in chat:
                    await until(lambda at=other, text=text: text in [i.text for i in at.items.all])  # type: ignore[misc]

    async def _saved(self) -> None:
        for person in self.people:
            await person.secure.save()

    async def _go_on(self) -> None:
        """Ann verifies Cay, Ben takes another passphrase, and all talk: none of it is in the backup."""
        self.ann.secure.verify(self.cay.account)
        await self._talk("meanwhile")
        await self.ben.secure.change_key(UniqueKey(self.ben.account, Secret.of(b"other".ljust(32, b"k"))))
        await until(lambda: not self.ben.secure.untold)
        await self._talk("with other keys")
        self.ann.secure.drafts.set(self.chats[0][0].id, self.canaries.word("a draft"))
        await self._saved()
        self.versions = [person.secure.vault_version() for person in self.people]

    def _restore(self, copy: object) -> None:
        self.node.stop()
        for person in self.people:
            person.heard.clear()
        code, said = self.node.admin("restore", str(copy))
        self.assertEqual(code, 0, said)
        self.node.start()

    async def _come_back(self) -> None:
        for person in self.people:
            person.client.retry()
            await until(lambda person=person: self._is_online(person))  # type: ignore[misc]

    def _is_online(self, person: Person) -> bool:
        return any(isinstance(each, LinkChanged) and each.link is Link.ONLINE for each in person.heard)

    def _refused(self, person: Person) -> list[Reason]:
        return [each.reason for each in person.heard if isinstance(each, VaultRefused)]

    async def _look(self) -> None:
        """Each is asked, and puts what its program knows; nothing was written before."""
        for person in self.people:
            await until(lambda person=person: person.secure.refused_vault is not None)  # type: ignore[misc]
        self.assertEqual(self._refused(self.ann), [Reason.ROLLED_BACK])
        self.assertEqual(self._refused(self.cay), [Reason.ROLLED_BACK])
        self.assertEqual(len(self._refused(self.ben)), 1)
        for person in self.people:
            await person.secure.replace_vault()
        for person, before in zip(self.people, self.versions, strict=True):
            self.assertGreater(person.secure.vault_version(), before)
        self.assertEqual([each for each in self.ben.heard if isinstance(each, KeysMismatch)], [])
        self.assertIs(self.ann.secure.trust(self.cay.account), Trust.VERIFIED)

    def _alarms(self) -> list[object]:
        """All that was warned of, but for what members have signed."""
        about = [each for person in self.people for each in person.warnings()]
        return [each for each in about if not isinstance(each, RosterChanged)]

    async def _begin_anew(self) -> None:
        """A program that begins after it has the vault of now."""
        await self._saved()
        draft = self.ann.secure.drafts.of(self.chats[0][0].id)
        await self.ann.client.lock()
        self.ann.heard.clear()
        await self.ann.unlock(b"ann".ljust(32, b"k"))
        self.assertIs(self.ann.secure.trust(self.cay.account), Trust.VERIFIED)
        self.assertEqual(self._refused(self.ann), [])
        self.assertEqual(self.ann.secure.drafts.of(self.chats[0][0].id), draft)
