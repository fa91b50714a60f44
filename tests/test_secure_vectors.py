"""The vaults of docs/secure-chats-vectors.json, read back as a program takes, moves and merges them."""

import json
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secret import Secret
from safeum_home.client.secure import succession, vault
from safeum_home.client.secure.chat import SecureChat
from safeum_home.client.secure.epoch import open_key
from safeum_home.client.secure.moving import Boxes, moved
from safeum_home.client.secure.people import People
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault import Vault
from safeum_home.client.secure.vault_content import Content, merge, pinned, restore
from safeum_home.client.state.group_ids import is_kind
from safeum_home.client.unlocked.own_line import OwnLine
from safeum_home.protocol.signing import decode_octets, encode_octets
from safeum_home.protocol.types import GroupInfo

VECTORS = Path(__file__).parent.parent / "docs" / "secure-chats-vectors.json"


class VaultVectorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.vectors: dict[str, Any] = json.loads(VECTORS.read_text())
        self.vaults = self.vectors["vaults"]
        self.contents = [msgspec.convert(each["content"], Content) for each in self.vaults]

    def key(self, at: int) -> UniqueKey:
        master = bytes.fromhex(self.vaults[at]["master"])
        return UniqueKey(self.vectors["accounts"]["alice"], Secret.of(master))

    def test_read(self) -> None:
        """Each is what stands beside it, of its version, and of its keys alone."""
        for at, (each, content) in enumerate(zip(self.vaults, self.contents, strict=True)):
            opened, hash = vault.open(each["blob"], each["version"], self.key(at))
            self.assertEqual((opened, encode_octets(hash)), (content, each["hash"]))
            for version, own in (
                (at, self.key(at)),
                (at + 2, self.key(at)),
                (at + 1, self.key((at + 2) % 4)),
            ):
                self.assertRaises(Refused, vault.open, each["blob"], version, own)

    def test_bits(self) -> None:
        """Whichever is flipped, none opens."""
        for at, each in enumerate(self.vaults):
            own, data = self.key(at), each["blob"]
            octets = decode_octets(data, len(data) * 3 // 4)
            assert octets is not None
            for place in range(at, len(octets) * 8, 11):
                flipped = bytearray(octets)
                flipped[place // 8] ^= 1 << place % 8
                wrong = encode_octets(bytes(flipped))
                self.assertRaises(Refused, vault.open, wrong, each["version"], own)

    def test_restored(self) -> None:
        """All that is in it comes back from a program that begins with it."""
        content, own, people = self.contents[1], self.key(1), People()
        restore(people, content)
        self.assertEqual(pinned(people), content.people)
        line = OwnLine(people)
        line.restore(content.own, own)
        self.assertEqual(line.kept, content.own)
        clock = Clock()
        for chat, memory in content.chats.items():
            clock.rightNow = memory.since / 1000
            opened = SecureChat(chat, own, people, clock, memory.peer)
            opened.restore(memory)
            self.assertEqual(opened.memory(), memory)

    def test_follow(self) -> None:
        """One on the other, also where the keys become others; none of before is taken again."""
        mine = Vault(self.key(0))
        for at, each in enumerate(self.vaults):
            mine.rekey(self.key(at))
            mine.take(each["version"], each["blob"])
        with self.assertRaises(Refused) as caught:
            mine.take(3, self.vaults[2]["blob"])
        self.assertEqual(caught.exception.reason, Reason.ROLLED_BACK)

    def test_moved(self) -> None:
        """It is what was there, with the same keys in boxes for the keys that follow."""
        own, new = self.key(1), self.key(2)
        line = succession.of_text(self.contents[2].own.line)
        before = structs.replace(self.contents[1], previous=self.vaults[1]["hash"])
        made = [moved(before, own, Boxes(own, new), line, self.vectors["moved"]["at"]), self.contents[2]]
        commitments = [[self._opened(memory, new) for memory in each.chats.values()] for each in made]
        self.assertEqual(commitments[0], commitments[1])
        self.assertEqual(*[self._bare(each) for each in made])

    def _opened(self, memory: Any, own: UniqueKey) -> list[bytes]:
        found = list[bytes]()
        for each in memory.epochs:
            box, commitment = decode_octets(each.sealed, 80), decode_octets(each.commitment, 32)
            found.append(open_key(box or b"", commitment or b"", own).commitment())
        return found

    def _bare(self, content: Content) -> Content:
        """Without boxes, as they are random."""
        bare = {chat: structs.replace(each, epochs=[]) for chat, each in content.chats.items()}
        return structs.replace(content, chats=bare)

    def test_ids(self) -> None:
        """Those of groups say how secure they are."""
        ids = self.vectors["ids"]
        groups = [
            GroupInfo(ids["hub"], "", "", None, False, 2, each["secure"], each["pair"], each["seed"])
            for each in ids["groups"]
        ]
        for at, each in enumerate(ids["groups"]):
            kinds = [is_kind(each["chat"], group) for group in groups]
            self.assertEqual(kinds, [place == at for place in range(3)])

    def test_merged(self) -> None:
        """Two come to the same, whichever is which."""
        for each in self.vectors["merged"]:
            one, other, both = (msgspec.convert(each[name], Content) for name in ("one", "other", "merged"))
            self.assertEqual((merge(one, other), merge(other, one)), (both, both), each["about"])
