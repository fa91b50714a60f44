"""The vault: sealed, versioned, never an older one unseen, and what becomes of two."""

import itertools

from msgspec import structs
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure import vault
from safeum_home.client.secure.chat_memory import ChatMemory, EpochMemory, StreamMemory
from safeum_home.client.secure.envelope import NONE
from safeum_home.client.secure.people import People, Trust
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.vault import Vault
from safeum_home.client.secure.vault_content import (
    Content,
    Draft,
    Keys,
    Pinned,
    Setting,
    merge,
    pinned,
    restore,
)
from safeum_home.protocol.signing import decode_octets, encode_octets
from tests.secure_case import CHAT, account, unique_key

FIRST = encode_octets(NONE)


def hash_text(number: int) -> str:
    return encode_octets(bytes([number]) * 32)


def stream(number: int) -> str:
    """One that began at that time."""
    return encode_octets(number.to_bytes(8, "big") + b"streamed")


class SealedTests(SynchronousTestCase):
    """What a node has."""

    def setUp(self) -> None:
        self.own = unique_key(0)
        self.content = Content(FIRST, settings={"theme": Setting(1, "dark")})

    def _reason(self, data: str, version: int = 1, number: int = 0) -> Reason:
        with self.assertRaises(Refused) as caught:
            vault.open(data, version, unique_key(number))
        reason: Reason = caught.exception.reason
        return reason

    def test_opened(self) -> None:
        """By who has the unique key, of this account, and as this version."""
        data = vault.seal(self.content, 1, self.own)
        self.assertEqual(vault.open(data, 1, self.own)[0], self.content)
        self.assertEqual(self._reason(data, 2), Reason.UNDECRYPTABLE)
        self.assertEqual(self._reason(data, number=1), Reason.UNDECRYPTABLE)
        for wrong in ("", data[:-2], data + "A", "A" * 100, "A" * 2_000_000, "é" + data[1:]):
            self.assertIn(self._reason(wrong), (Reason.MALFORMED, Reason.UNDECRYPTABLE))

    def test_bits(self) -> None:
        """Whichever is flipped, it does not open."""
        octets = decode_octets(vault.seal(self.content, 1, self.own), 4096 + 41)
        assert octets is not None
        for place in range(0, len(octets) * 8, 7):
            flipped = bytearray(octets)
            flipped[place // 8] ^= 1 << place % 8
            self.assertIn(
                self._reason(encode_octets(bytes(flipped))), (Reason.MALFORMED, Reason.UNDECRYPTABLE)
            )

    def test_sizes(self) -> None:
        """It does not tell by its length what is in it; one without bounds is refused."""
        drafts = {CHAT: Draft(1, "x" * 100)}
        few = vault.seal(self.content, 1, self.own)
        self.assertEqual(len(vault.seal(Content(FIRST, drafts=drafts), 1, self.own)), len(few))
        many = {f"s{each}": Setting(1, "x" * 1000) for each in range(1100)}
        with self.assertRaises(Refused) as caught:
            vault.seal(Content(FIRST, settings=many), 1, self.own)
        self.assertEqual(caught.exception.reason, Reason.TOO_LARGE)

    def test_people(self) -> None:
        """Pins are what they were."""
        people = People()
        people.told(account(1), unique_key(1).public, 5)
        people.told(account(1), unique_key(1, 1).public, 6)
        people.accept(account(1), unique_key(1, 1).hash, 7)
        people.told(account(1), unique_key(1, 2).public, 8)
        data = vault.seal(Content(FIRST, pinned(people)), 1, self.own)
        again = People()
        restore(again, vault.open(data, 1, self.own)[0])
        self.assertEqual(again.get(account(1)), people.get(account(1)))


class VersionTests(SynchronousTestCase):
    """One version after the other."""

    def setUp(self) -> None:
        self.vault = Vault(unique_key(0))
        self.versions = [""]
        for number in range(1, 4):
            content = Content(self.vault.previous, drafts={CHAT: Draft(number, str(number))})
            version, after, data = self.vault.put(content)
            self.assertEqual((version, after), (number, number - 1))
            self.vault.take(version, data)
            self.versions.append(data)

    def _reason(self, version: int, data: str) -> Reason:
        with self.assertRaises(Refused) as caught:
            self.vault.take(version, data)
        reason: Reason = caught.exception.reason
        return reason

    def test_rolled_back(self) -> None:
        """None that is older than one that was there is taken, as what it is or as another."""
        self.assertEqual(self._reason(2, self.versions[2]), Reason.ROLLED_BACK)
        self.assertEqual(self._reason(4, self.versions[2]), Reason.UNDECRYPTABLE)
        with self.assertRaises(Refused) as caught:
            self.vault.none()
        self.assertEqual(caught.exception.reason, Reason.ROLLED_BACK)
        self.vault.take(3, self.versions[3])

    def test_expected(self) -> None:
        """A program that begins knows from what others of its account have said which there has to be."""
        self.vault = Vault(unique_key(0))
        self.vault.none()
        self.vault.expect(3)
        self.assertEqual(self._reason(2, self.versions[2]), Reason.ROLLED_BACK)
        self.assertRaises(Refused, self.vault.none)
        self.vault.take(3, self.versions[3])

    def test_beside(self) -> None:
        """Another one of the same version, or one that follows on another one, is seen."""
        aside = vault.seal(Content(FIRST), 3, unique_key(0))
        self.assertEqual(self._reason(3, aside), Reason.FORKED)
        self.assertEqual(self._reason(4, vault.seal(Content(FIRST), 4, unique_key(0))), Reason.FORKED)


class MergeTests(SynchronousTestCase):
    """Two that were written at the same time."""

    def _merge(self, one: Content, other: Content) -> Content:
        merged = merge(one, other)
        self.assertEqual(merge(other, one), merged)
        self.assertEqual(merge(merged, merged), merged)
        return merged

    def _people(self, one: Pinned, other: Pinned) -> Pinned:
        contents = (Content(FIRST, {account(1): each}) for each in (one, other))
        return self._merge(*contents).people[account(1)]

    def test_verified_loses_to_a_change(self) -> None:
        """Also where it was verified later, by a program that had not heard of the change."""
        before, after = (Keys.of(unique_key(1, each).public) for each in (0, 1))
        changed = Pinned(after, Trust.CHANGED, 5, former=(before,))
        for since in (1, 9):
            self.assertEqual(self._people(Pinned(before, Trust.VERIFIED, 1, since), changed), changed)

    def test_verified_later(self) -> None:
        """Of the same keys the later word counts."""
        keys = Keys.of(unique_key(1).public)
        pinned, verified = Pinned(keys, Trust.PINNED, 1), Pinned(keys, Trust.VERIFIED, 1, 2)
        self.assertEqual(self._people(pinned, verified), verified)
        doubted = Pinned(keys, Trust.PINNED, 1, 3)
        self.assertEqual(self._people(doubted, verified), doubted)

    def test_different_keys(self) -> None:
        """Neither follows on the other: the later ones, and the others are kept."""
        one, other = (Keys.of(unique_key(1, each).public) for each in (0, 1))
        merged = self._people(Pinned(one, Trust.CHANGED, 1), Pinned(other, Trust.CHANGED, 2))
        self.assertEqual((merged.keys, merged.former), (other, (one,)))

    def test_seen_first(self) -> None:
        """What a program that knew nothing was shown takes nobody's place: it waits to be accepted."""
        one, other = (Keys.of(unique_key(1, each).public) for each in (0, 1))
        shown = Pinned(other, Trust.PINNED, 9)
        for known in (
            Pinned(one, Trust.PINNED, 1),
            Pinned(one, Trust.PINNED, 1, judged=3),
            Pinned(one, Trust.VERIFIED, 1, judged=3),
            Pinned(one, Trust.CHANGED, 1),
        ):
            self.assertEqual(self._people(known, shown), structs.replace(known, offered=other))
        waiting = Pinned(one, Trust.VERIFIED, 1, 3, offered=Keys.of(unique_key(1, 2).public))
        self.assertEqual(self._people(waiting, shown), waiting)

    def test_later(self) -> None:
        """Drafts and settings."""
        one = Content(
            FIRST, drafts={CHAT: Draft(2, "b")}, settings={"a": Setting(1, True), "b": Setting(1, 1)}
        )
        other = Content(FIRST, drafts={CHAT: Draft(1, "a")}, settings={"a": Setting(2, False)})
        merged = self._merge(one, other)
        self.assertEqual(merged.drafts, {CHAT: Draft(2, "b")})
        self.assertEqual(merged.settings, {"a": Setting(2, False), "b": Setting(1, 1)})

    def test_streams(self) -> None:
        """How far either has come; those that began last."""
        heads = {stream(each): (each, hash_text(each)) for each in range(1, 9)}
        one = ChatMemory({account(1): StreamMemory(3, heads)}, hash_text(1), 5, {account(0): hash_text(1)})
        more = {stream(8): (12, hash_text(0)), stream(9): (1, hash_text(9))}
        other = ChatMemory({account(1): StreamMemory(2, more)}, hash_text(2), 4, {account(0): hash_text(2)})
        chat = self._merge(Content(FIRST, chats={CHAT: one}), Content(FIRST, chats={CHAT: other})).chats[CHAT]
        memory = chat.streams[account(1)]
        self.assertEqual(set(memory.heads), {stream(each) for each in range(2, 10)})
        self.assertEqual((memory.floor, memory.heads[stream(8)]), (3, (12, hash_text(0))))

    def test_order_of_streams(self) -> None:
        """By when they began, and not by how that is written; one that gives way does not begin again."""
        heads = {stream(each): (1, hash_text(1)) for each in range(816, 832, 2)}
        one = ChatMemory({account(1): StreamMemory(0, heads)})
        other = ChatMemory({account(1): StreamMemory(0, {stream(832): (1, hash_text(1))})})
        chat = self._merge(Content(FIRST, chats={CHAT: one}), Content(FIRST, chats={CHAT: other})).chats[CHAT]
        memory = chat.streams[account(1)]
        self.assertEqual(
            (memory.floor, memory.heads.keys() & {stream(816), stream(832)}), (816, {stream(832)})
        )

    def test_epochs(self) -> None:
        """The newest four."""
        epochs = [EpochMemory(hash_text(each), hash_text(each), "A" * 107, each) for each in range(6)]
        halves = (ChatMemory(epochs=epochs[:4]), ChatMemory(epochs=epochs[2:]))
        merged = self._merge(*(Content(FIRST, chats={CHAT: each}) for each in halves))
        self.assertEqual(merged.chats[CHAT].epochs, epochs[2:])

    def test_in_any_order(self) -> None:
        """Three come to the same in any order."""
        keys = [Keys.of(unique_key(1, each).public) for each in range(3)]
        contents = [
            Content(FIRST, {account(1): Pinned(keys[0], Trust.VERIFIED, 7)}),
            Content(FIRST, {account(1): Pinned(keys[1], Trust.CHANGED, 5, former=(keys[0],))}),
            Content(FIRST, {account(1): Pinned(keys[2], Trust.CHANGED, 6, former=(keys[0], keys[1]))}),
        ]
        for one, two, three in itertools.permutations(contents):
            merged = merge(merge(one, two), three).people[account(1)]
            self.assertEqual((merged.keys, merged.trust), (keys[2], Trust.CHANGED))
            self.assertEqual(set(merged.former), set(keys[:2]))
