"""Files in a secure group on two real nodes: the same octets at all members, and at no node."""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure.payloads import File
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.items import Item
from safeum_home.protocol.signing import decode_octets
from tests.certificates import Authority
from tests.e2e.canaries import Canaries
from tests.e2e.node_process import NodeProcess
from tests.e2e.secure_people import Person, until
from tests.test_sealing_memory import counts

SIZE = 9 * 2**20
"""More than is sent before the node has to acknowledge it."""


class SecureFilesTests(SynchronousTestCase):
    """Ann has the group at her node; Ben and Cat are at another one."""

    def setUp(self) -> None:
        self.canaries = Canaries()
        self.planted: dict[bytes, str] = {}
        """What must not be in the memory of a node."""
        self.authority = Authority()
        self.nodes = [NodeProcess(authority=self.authority) for _ in range(2)]
        for node in self.nodes:
            self.addCleanup(node.close)
            node.start()
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def test_files(self) -> None:
        """A file, over a kill of the node, and a voice note: read by three, and found nowhere else."""
        asyncio.run(self._live())
        for node in self.nodes:
            node.stop()
            self.assertEqual(self.canaries.under(node.folder), [])

    async def _live(self) -> None:
        home, away = self.nodes
        people = [
            await Person.sign_up(node, name, self.authority.pem)
            for name, node in (("ann", home), ("ben", away), ("cat", away))
        ]
        for other in people[1:]:
            await people[0].befriend(other)
        for person in people:
            await person.unlock(os.urandom(32))
        self.chats = await self._group(people)
        octets = self._marked("file")
        source = self.folder / f"{self._word('name')}.bin"
        source.write_bytes(octets)
        sending = self.chats[0].files.send(source, self._word("caption"), progress=self._kills(home))
        item = await sending
        assert self.again is not None
        await self.again
        await self._all_have(octets, item)
        sound = self._marked("voice note")[:200_000]
        item = await self.chats[1].files.send_voice(BytesIO(sound), 12_000, os.urandom(100))
        await self._all_have(sound, item)
        for node in self.nodes:
            found = counts(node.pid, [b"Secure chat", *self.planted])
            self.assertGreater(found.pop(b"Secure chat"), 0)  # it has to know that: so it was looked at
            self.assertEqual([self.planted[each] for each, times in found.items() if times], [])
        for person in people:
            await person.client.close()

    async def _group(self, people: list[Person]) -> list[Conversation]:
        ann, *others = people
        chats = [await ann.secure.start([each.account for each in others], group=True)]
        chats += [await each.join(chats[0].id) for each in others]
        await until(lambda: all(len(chat.members) == 3 for chat in chats))
        return chats

    def _word(self, name: str) -> str:
        word = self.canaries.word(name)
        self.planted[word.encode()] = name
        return word

    def _marked(self, name: str) -> bytes:
        """Random octets, with words at the beginning, within, and at the end, that are looked for."""
        places = ("beginning", "middle", "end")
        begins, within, ends = (self._word(f"{place} of the {name}").encode() for place in places)
        return begins + os.urandom(100_000) + within + os.urandom(SIZE - 100_048) + ends

    def _kills(self, node: NodeProcess) -> Callable[[int, int], None]:
        """Once it is half way the node is killed, and started again."""
        self.again: asyncio.Future[None] | None = None

        def progress(done: int, whole: int) -> None:
            if done > whole // 2 and self.again is None:
                node.kill()
                self.again = asyncio.get_running_loop().run_in_executor(None, node.start)

        return progress

    async def _all_have(self, octets: bytes, sent: Item) -> None:
        """It comes to all, with the octets that were sent; its key is looked for from then on."""
        assert isinstance(sent.payload, File)
        key = decode_octets(sent.payload.key, 32)
        assert key is not None
        self.canaries.add("a file's key", key)
        self.planted |= {key: "a file's key", sent.payload.key.encode(): "a file's key, as text"}
        for number, chat in enumerate(self.chats):
            await until(partial(_of, chat, sent))
            taken = _of(chat, sent)
            assert taken is not None
            target = self.folder / f"{sent.hash}.{number}"
            self.assertEqual(await chat.files.save(taken, target), len(octets))
            self.assertTrue(target.read_bytes() == octets)
        self.assertEqual([each.name for each in self.folder.iterdir() if each.name.endswith(".part")], [])


def _of(chat: Conversation, sent: Item) -> Item | None:
    """The same message as another member has it, once it is at the node."""
    found = None if sent.hash is None else chat.items.by_hash(sent.hash)
    return None if found is None or found.id is None else found
