"""Other keys in JavaScript: vaults that move to them, and who is told, between both implementations."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
from msgspec import structs

from safeum_home.client.secure import succession, vault
from safeum_home.client.secure.chat_memory import ChatMemory, EpochMemory
from safeum_home.client.secure.epoch import open_key
from safeum_home.client.secure.moving import Boxes, moved
from safeum_home.client.secure.own_memory import OwnMemory
from safeum_home.client.secure.people import MOST_FORMER, People
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault import Vault
from safeum_home.client.secure.vault_content import Content, pinned
from safeum_home.client.unlocked.own_line import OwnLine
from safeum_home.protocol.signing import decode_octets, encode_octets
from tests import test_secure_successions
from tests.secure_both_case import BothCase
from tests.secure_case import CHAT, OTHER_CHAT, Program, account, unique_key
from tests.secure_foreign import ForeignAlice
from tests.secure_javascript import ForeignProgram, master
from tests.test_secure_successions import changes, line_of

NOW = 1_800_000_000_000


class Kept(NamedTuple):
    """A vault at the node."""

    version: int
    data: str


class MovingCase(BothCase):
    """Alice takes one passphrase after the other: her keys are of the versions 0, 1, 2."""

    def setUp(self) -> None:
        super().setUp()
        self.foreign = self.process()

    def first(self) -> Kept:
        """Of a group in which something was said, and of an epoch that does not open."""
        alice, _ = self.group(2)
        for each in ("One", "Two"):
            self.say(alice, each)
            self.clock.advance(24 * 3600)
        memory = alice.chat.memory()
        strange = structs.replace(memory.epochs[0], id="A" * 43, sealed="A" * 107)
        memory = structs.replace(memory, epochs=[strange, *memory.epochs])
        lost = OwnMemory(lost=(encode_octets(bytes(32)),))
        content = Content(
            "A" * 43, pinned(alice.people), chats={CHAT: memory, OTHER_CHAT: ChatMemory()}, own=lost
        )
        return Kept(1, vault.seal(content, 1, unique_key(0)))

    def python(self, version: int, kept: Kept, now: int) -> Kept:
        own, new = unique_key(0, version), unique_key(0, version + 1)
        mine, line = Vault(own), OwnLine(People())
        content = mine.take(*kept)
        line.restore(content.own, own)
        named = succession.name(own, new.public, now, line.line)
        mine.rekey(new)
        following = structs.replace(content, previous=mine.previous)
        after, _, data = mine.put(moved(following, own, Boxes(own, new), named, now))
        return Kept(after, data)

    def javascript(self, version: int, kept: Kept, now: int) -> Kept:
        self.begin(version)
        new = master(0, version + 1).hex()
        put = self.foreign.ask("move", **kept._asdict(), master=new, now=now)
        return Kept(put["n"], put["blob"])

    def begin(self, version: int) -> None:
        """A program in JavaScript, with these keys."""
        opened = {"account": account(0), "master": master(0, version).hex(), "chat": CHAT}
        self.foreign.ask("open", **opened, peer=None, now=NOW)


Move = Callable[[int, Kept, int], Kept]


class MovingTests(MovingCase):
    """Vaults."""

    def test_in_turns(self) -> None:
        """Ten times: each reads what the other has made of it, and it is what it makes itself."""
        kept, moves = self.first(), (self.javascript, self.python)
        for version in range(10):
            before = vault.open(kept.data, kept.version, unique_key(0, version))[0]
            own = self._same(version, kept, moves)
            self.assertEqual(own.lost, before.own.lost)
            kept = moves[version % 2](version, kept, NOW + version)
        line = succession.of_text(own.line)
        self.assertEqual(line.keys, tuple(unique_key(0, each).public for each in range(10 - MOST_FORMER, 11)))

    def _same(self, version: int, kept: Kept, moves: tuple[Move, Move]) -> OwnMemory:
        """What both make of one, as each of them reads it; what that says of its owner's keys."""
        new = unique_key(0, version + 1)
        read = list[Content]()
        for made in (move(version, kept, NOW + version) for move in moves):
            content = vault.open(made.data, made.version, new)[0]
            self.begin(version + 1)
            theirs = msgspec.convert(self.foreign.ask("vault", **made._asdict()), Content)
            self.assertEqual(theirs, content)
            read.append(self._unsealed(content, new))
        self.assertEqual(read[0], read[1])
        self.assertEqual(len(read[0].chats[CHAT].epochs), 2)
        return read[0].own

    def _unsealed(self, content: Content, own: UniqueKey) -> Content:
        """All boxes open; without them, as they are random."""

        def bare(each: EpochMemory) -> EpochMemory:
            sealed, commitment = decode_octets(each.sealed, 80), decode_octets(each.commitment, 32)
            assert sealed is not None and commitment is not None
            open_key(sealed, commitment, own).wipe()
            return structs.replace(each, sealed="")

        chats = {
            chat: structs.replace(memory, epochs=[bare(each) for each in memory.epochs])
            for chat, memory in content.chats.items()
        }
        return structs.replace(content, chats=chats)

    def test_interrupted(self) -> None:
        """Who begins with the vault knows which keys are to be replaced, and which chats were told."""
        for move in (self.javascript, self.python):
            kept = move(0, self.first(), NOW)
            self.programs.clear()
            for told in ((), (CHAT,), (OTHER_CHAT, CHAT)):
                own = self.assert_line(1, kept, told)
                self.assertEqual(own.told, tuple(sorted(told)))
                self.assertTrue(own.published)

    def test_own(self) -> None:
        """Keys are the account's that its directory has, or that its vault is sealed for."""
        wanted = {(0, 0): True, (1, 0): True, (0, 1): False, (1, 1): True, (2, 0): False}
        hashes = [encode_octets(unique_key(0, each).hash) for each in range(2)]
        for move in (self.javascript, self.python):
            kept = move(0, self.first(), NOW)
            self.programs.clear()
            for (version, known), owns in wanted.items():
                self.begin(version)
                found = self.foreign.ask("is_own", known=hashes[known], **kept._asdict())
                self.assertIs(found, owns, (version, known))
        self.assertIs(self.foreign.ask("is_own", known=hashes[0], version=0, data=""), False)

    def test_no_line_of_these(self) -> None:
        """One to other keys, of another account, or with a word that nobody gave is left alone."""
        line = line_of(0, 2)
        forged = line._replace(named=(line.named[0], line.named[1]._replace(at=2)))
        for text in (line_of(0, 1).text, line_of(1, 2).text, forged.text):
            content = Content("A" * 43, own=OwnMemory(text, told=(CHAT,)))
            own = self.assert_line(2, Kept(1, vault.seal(content, 1, unique_key(0, 2))), ())
            self.assertEqual(own, OwnMemory())

    def assert_line(self, version: int, kept: Kept, told: tuple[str, ...]) -> OwnMemory:
        """Both know the same of its owner's keys; what they keep of it."""
        own, mine = unique_key(0, version), OwnLine(People())
        mine.restore(Vault(own).take(*kept).own, own)
        before = mine.unpublished
        mine.published()
        for chat in told:
            mine.told(chat)
        self.begin(version)
        theirs = self.foreign.ask("line", **kept._asdict(), told=told)
        self.assertEqual(theirs["unpublished"], before and encode_octets(before))
        keys = () if mine.line is None else mine.line.keys
        self.assertEqual(theirs["keys"], [encode_octets(each.hash) for each in keys])
        self.assertEqual(msgspec.convert(theirs["kept"], OwnMemory), mine.kept)
        return mine.kept


class TellingTests(BothCase):
    """Chats."""

    def test_begun_anew(self) -> None:
        """Who begins with the last keys tells of the line in the vault; the other sees both hashes."""
        line = line_of(0, 2)
        for javascript in (True, False):
            alice, bob = self.between(javascript)
            alice.chat.know(line)
            self.carry(alice, alice.chat.succeed(unique_key(0, 2), line))
            self.assertEqual(changes(bob), [(unique_key(0).hash, unique_key(0, 2).hash)])
            self.say(alice, "After")
            self.say(bob, "I see")
            self.assertEqual((bob.texts, alice.texts), (["After"], ["I see"]))
            self.assertEqual((bob.refused, alice.refused), ([], []))

    def between(self, javascript: bool) -> tuple[Program, Program]:
        """Alice with her third keys, in JavaScript or not, and Bob, in the other one, who knows the first."""
        kinds = (self.alien, Program) if javascript else (Program, self.alien)
        alice, bob = kinds[0](0, self.clock, 1, 2), kinds[1](1, self.clock, 0)
        self.programs = [alice.knows(unique_key(1)), bob.knows(unique_key(0))]
        return alice, bob

    def alien(self, number: int, clock: object, peer: int, version: int = 0) -> Program:
        return ForeignProgram(number, self.clock, self.process(), peer, version)


class AliceChangingTests(ForeignAlice, test_secure_successions.ChangingTests):
    """How it goes on with them in the same chat."""


class AliceTakingTests(ForeignAlice, test_secure_successions.TakingTests):
    """What Alice's program says of its keys, where it is in JavaScript."""
