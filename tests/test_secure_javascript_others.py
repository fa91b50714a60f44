"""Vaults, files and comparing in JavaScript and in Python: each reads what the other one has written."""

import json
from collections.abc import Iterable
from itertools import permutations

import msgspec

from safeum_home.client.sas import Words
from safeum_home.client.secure import comparing, payloads
from safeum_home.client.secure.chat_memory import ChatMemory, in_a_row
from safeum_home.client.secure.comparing import Pair
from safeum_home.client.secure.files import FileOpener, FileSealer, sealed_size
from safeum_home.client.secure.own_memory import OwnMemory
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Refused
from safeum_home.client.secure.vault import Vault
from safeum_home.client.secure.vault_content import Content, Draft, Keys, Pinned, Setting, merge, pinned
from safeum_home.client.secure.vault_room import TRACE, encode, fitted
from safeum_home.protocol.key_types import Identity
from safeum_home.protocol.signing import decode_octets, encode_octets
from tests import (
    test_secure_successions,
)
from tests.secure_both_case import BothCase
from tests.secure_case import CHAT, OTHER_CHAT, account, unique_key
from tests.test_secure_vault_room import NOW, chat, memory, people


def _pieces(octets: bytes, size: int) -> Iterable[str]:
    return (encode_octets(octets[at : at + size]) for at in range(0, len(octets), size))


def _whole(pieces: Iterable[str]) -> bytes:
    decoded = [decode_octets(each, len(each) * 3 // 4) for each in pieces]
    return b"".join(each for each in decoded if each is not None)


class OtherTests(BothCase):
    """Vaults, files, and comparing."""

    def test_vault(self) -> None:
        """Each opens the other's; both merge alike."""
        process = self.process()
        key = unique_key(0)
        opened = {"account": key.account, "master": bytes([0, 0]).ljust(32, b"k").hex(), "chat": CHAT}
        identity = process.ask("open", **opened, peer=account(1), now=5)
        self.assertEqual(PublicKeys.of(key.account, msgspec.convert(identity, Identity)), key.public)
        mine = Vault(key)
        keys = [Keys.of(unique_key(1, each).public) for each in range(3)]
        people = {account(1): Pinned(keys[1], Trust.VERIFIED, 5, 9, keys[2], (keys[0],))}
        settings = {"a": Setting(1, True), "b": Setting(2, -3), "c": Setting(3, "Ü\u2028")}
        content = Content(mine.previous, people, {CHAT: Draft(4, 'x"', keys[0].sign)}, settings)
        version, _, blob = mine.put(content)
        theirs = process.ask("vault", version=version, data=blob)
        self.assertEqual(msgspec.convert(theirs, Content), mine.take(version, blob))
        put = process.ask("put", content={"drafts": {CHAT: {"at": 5, "text": ""}}, "settings": {}})
        again = mine.take(put["n"], put["blob"])
        self.assertEqual(again.drafts, {CHAT: Draft(5, "")})
        own = again.people[key.account]
        self.assertEqual(own.keys, Keys.of(key.public))

    def test_merged(self) -> None:
        """All pairs of some contents come to the same in both."""
        process = self.process()
        keys = [Keys.of(unique_key(1, each).public) for each in range(3)]
        contents = [
            Content("A" * 43),
            Content("A" * 43, {account(1): Pinned(keys[0], Trust.VERIFIED, 7)}, {CHAT: Draft(2, "b")}),
            Content("A" * 43, {account(1): Pinned(keys[1], Trust.CHANGED, 5, former=(keys[0],))}),
            Content("A" * 43, {account(1): Pinned(keys[2], Trust.CHANGED, 7, offered=keys[1])}),
            *(Content("A" * 43, {account(1): Pinned(keys[at], Trust.PINNED, 9 - at)}) for at in (1, 2)),
            Content("A" * 43, drafts={CHAT: Draft(2, "a")}),
        ]
        alice, bob, *_ = self.group(3)
        for each in (alice, bob):
            self.say(each, "x")
            self.clock.advance(1)
            each.chat.renew()
            self.say(each, "y")
            own = Content("A" * 43, pinned(each.people), chats={CHAT: each.chat.memory()})
            contents.append(own)
        lines = [test_secure_successions.line_of(0, each).text for each in (1, 2)]
        lost = tuple(sorted(encode_octets(bytes([each]) * 32) for each in range(6)))
        for line, published, told, known in (
            (lines[0], True, (CHAT,), lost[:2]),
            (lines[0], False, (OTHER_CHAT,), lost[1:]),
            (lines[1], False, (), ()),
            ("", True, (), lost),
        ):
            contents.append(Content("A" * 43, own=OwnMemory(line, published, told, known)))
        for pairs in ("dbbcca", "caaxxy", "dexyba"):
            named = [encode_octets(each.encode() * 32) for each in pairs]
            row = in_a_row(zip(named[::2], named[1::2], strict=True))
            contents.append(Content("A" * 43, chats={CHAT: ChatMemory(successions={account(1): row})}))
        for one, other in permutations(contents, 2):
            built = [json.loads(msgspec.json.encode(each)) for each in (one, other)]
            merged = process.ask("merge", one=built[0], other=built[1])
            self.assertEqual(msgspec.convert(merged, Content), merge(one, other))

    def test_settled(self) -> None:
        """Drafts and settings of the same time come to the same in both, whatever letters they have."""
        process = self.process()
        texts = ("", "a", "\uffff", "\U0001f600", "'", '"')
        drafts = [Content("A" * 43, drafts={CHAT: Draft(2, text)}) for text in texts]
        values = (None, True, False, 0, -1, 2**53 - 1, *texts)
        settings = [Content("A" * 43, settings={"x": Setting(2, value)}) for value in values]
        pairs = [ChatMemory(peer=peer) for peer in (None, account(1), account(2))]
        chats = [Content("A" * 43, chats={CHAT: each}) for each in pairs]
        for contents in (drafts, settings, chats):
            for one, other in permutations(contents, 2):
                built = [json.loads(msgspec.json.encode(each)) for each in (one, other)]
                merged = msgspec.convert(process.ask("merge", one=built[0], other=built[1]), Content)
                self.assertEqual(merged, merge(one, other))
                self.assertEqual(merge(other, one), merged)
                if contents is settings:
                    value = merged.settings["x"].value
                    self.assertIs(type(value), type(merge(one, other).settings["x"].value))

    def test_fitted(self) -> None:
        """The same goes first in both where a vault is full."""
        process = self.process()
        drafts = {chat(each): Draft(each + 1, "x" * 4000) for each in range(20)}
        drafts[chat(90)] = Draft(NOW - TRACE - 1, "")
        settings = {f"s{each}": Setting(each, "x" * 1000) for each in range(30)}
        chats = {chat(each): memory(100 * each, 5) for each in range(1, 9)}
        content = Content("A" * 43, people(20), drafts, settings, chats)
        built = json.loads(msgspec.json.encode(content))
        whole = len(encode(content))
        for room in (2 * whole, *range(whole, 0, -15_000), 0):
            left = msgspec.convert(process.ask("fitted", content=built, now=NOW, room=room), Content)
            mine = fitted(content, NOW, room)
            self.assertEqual(left.people, mine.people)
            for kind in ("drafts", "settings"):
                counts = [len(getattr(each, kind)) for each in (left, mine)]
                self.assertLessEqual(abs(counts[0] - counts[1]), 1)
                kept = [each.at for each in getattr(left, kind).values()]
                newest = sorted(each.at for each in getattr(content, kind).values() if not each.gone)
                self.assertEqual(sorted(kept), newest[len(newest) - len(kept) :])
            bare = [sum(not memory.epochs for memory in each.chats.values()) for each in (left, mine)]
            self.assertLessEqual(abs(bare[0] - bare[1]), 1)
        self.assertEqual(left, mine)

    def test_restored(self) -> None:
        """What follows on a vault of before is beyond all that there were, in both."""
        process, key = self.process(), unique_key(0)
        opened = {"account": key.account, "master": bytes([0, 0]).ljust(32, b"k").hex(), "chat": CHAT}
        process.ask("open", **opened, peer=account(1), now=5)
        mine = Vault(key)
        version, _, old = mine.put(Content(mine.previous))
        mine.take(version, old)
        process.ask("vault", version=version, data=old)
        mine.expect(7)
        self.assertRaises(Refused, mine.take, version, old)
        mine.accept(version, old)
        process.ask("expect", version=7)
        self.assertRaises(Refused, process.ask, "vault", version=version, data=old)
        process.ask("accept", version=version, data=old)
        put = process.ask("put", content={})
        self.assertEqual((put["n"], put["after"]), mine.put(Content(mine.previous))[:2])
        self.assertEqual((put["n"], put["after"]), (8, 1))
        mine.take(put["n"], put["blob"])
        mine.instead(3)
        self.assertEqual(mine.put(Content(mine.previous))[:2], (9, 3))
        process.ask("instead", version=3)
        put = process.ask("put", content={})
        self.assertEqual((put["n"], put["after"]), (8, 3))

    def test_files(self) -> None:
        """Of sizes around those of chunks."""
        process = self.process()
        for size in (0, 1, 300, 65_535, 65_536, 65_537, 140_000, 1_000_000):
            file, piece = self.random.randbytes(size), self.random.choice((1_000, 65_536, 100_000))
            sealer = FileSealer(size)
            sealed = b"".join([sealer.add(file), *sealer.end()])
            about = {"key": encode_octets(sealer.key), "size": size, "hash": encode_octets(sealer.hash)}
            process.ask("open_file", file=about)
            opened = [process.ask("open_more", piece=each) for each in _pieces(sealed, piece)]
            opened.append(process.ask("open_end"))
            self.assertEqual(_whole(opened), file, (size, piece, self.note))
            process.ask("seal_file", size=size)
            theirs = [process.ask("seal_more", piece=each) for each in _pieces(file, piece)]
            made = process.ask("seal_end")
            keys = [decode_octets(made[each], 32) for each in ("key", "hash")]
            assert keys[0] is not None and keys[1] is not None
            opener = FileOpener(keys[0], size, keys[1])
            whole = _whole([*theirs, *made["rest"]])
            self.assertEqual(len(whole), sealed_size(size))
            self.assertEqual(opener.add(whole) + opener.end(), file, (size, piece, self.note))

    def test_comparing(self) -> None:
        """Both see the same emoji, and numbers."""
        process = self.process()
        seen: list[Words] = []
        said: list[payloads.Compare] = []

        class Home:
            def say(self, payload: payloads.Compare) -> None:
                said.append(payload)

            def show(self, words: Words) -> None:
                seen.append(words)

            def done(self, same: bool) -> None:
                raise AssertionError("it goes on")

        pair = Pair(CHAT, (account(0), unique_key(0).hash), (account(1), unique_key(1).hash))
        machine = comparing.begins(pair, Home())
        machine.begin()
        theirs = {
            "chat": CHAT,
            "beginner": {"account": account(0), "hash": encode_octets(unique_key(0).hash)},
            "other": {"account": account(1), "hash": encode_octets(unique_key(1).hash)},
        }
        process.ask("open", account=account(1), master="00" * 32, chat=CHAT, peer=account(0), now=1)
        answer = process.ask("compare", pair=theirs, payload=json.loads(payloads.encode(said[0])))
        heard = payloads.decode(json.dumps(answer["said"][0]).encode())
        assert isinstance(heard, payloads.CompareAnswer)
        machine.heard(heard)
        shown = process.ask("compare", pair=theirs, payload=json.loads(payloads.encode(said[1])))["words"]
        self.assertEqual([each["name"] for each in shown["emoji"]], [each.name for each in seen[0].emoji])
        self.assertEqual(tuple(shown["numbers"]), seen[0].numbers)
