"""What goes first where a vault is full."""

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure.chat_memory import ChatMemory, EpochMemory, FormerRoster, StreamMemory
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault import ROOM, open, seal
from safeum_home.client.secure.vault_content import MOST_SETTINGS, Content, Draft, Keys, Pinned, Setting
from safeum_home.client.secure.vault_room import ROOM_FOR_DRAFTS, TRACE, encode, fitted
from tests.secure_case import account, unique_key
from tests.test_secure_vault import FIRST, hash_text, stream

NOW = 10**12
KEYS = Keys.of(unique_key(1).public)


def chat(number: int) -> str:
    return "!" + f"{number:026}".translate(str.maketrans("0189", "abcd"))


def people(count: int) -> dict[str, Pinned]:
    return {account(each): Pinned(KEYS, Trust.VERIFIED, each, each) for each in range(count)}


def memory(since: int, accounts: int = 50) -> ChatMemory:
    """Of a group in which much is said."""
    heads = {stream(each): (each, hash_text(1)) for each in range(since, since + 8)}
    epochs = [EpochMemory(hash_text(each), hash_text(each), "A" * 107, each) for each in range(4)]
    named = [account(each) for each in range(accounts)]
    former = [FormerRoster(hash_text(each), {named[0]: None}) for each in range(20)]
    members = {each: hash_text(2) for each in named}
    streams = {each: StreamMemory(0, heads) for each in named}
    return ChatMemory(streams, hash_text(3), 5, members, epochs, since, former, peer=None)


class RoomTests(SynchronousTestCase):
    def test_all(self) -> None:
        """What has room stays as it is."""
        drafts = {chat(1): Draft(5, "begun"), chat(2): Draft(NOW, "")}
        content = Content(FIRST, people(20), drafts, {"a": Setting(NOW, None)}, {chat(1): memory(7)})
        self.assertEqual(fitted(content, NOW, ROOM), content)

    def test_traces(self) -> None:
        """That something was dropped is known for a month."""
        drafts = {
            chat(1): Draft(NOW - TRACE, ""),
            chat(2): Draft(NOW - TRACE - 1, ""),
            chat(3): Draft(1, "x"),
        }
        settings = {
            "a": Setting(NOW - TRACE, None),
            "b": Setting(NOW - TRACE - 1, None),
            "c": Setting(1, False),
        }
        left = fitted(Content(FIRST, drafts=drafts, settings=settings), NOW, ROOM)
        self.assertEqual((set(left.drafts), set(left.settings)), ({chat(1), chat(3)}, {"a", "c"}))

    def test_drafts(self) -> None:
        """They have room of their own, and the oldest go first."""
        drafts = {chat(each): Draft(each, "x" * 4000) for each in range(100)}
        left = fitted(Content(FIRST, drafts=drafts), NOW, ROOM).drafts
        self.assertEqual(set(left), {chat(each) for each in range(100 - len(left), 100)})
        self.assertLess(ROOM_FOR_DRAFTS - 5000, len(left) * 4000)
        self.assertLessEqual(len(encode(Content(FIRST, drafts=left))), ROOM_FOR_DRAFTS + 100)

    def test_settings(self) -> None:
        """There are never more than can be read again: traces go first, then the oldest."""
        settings = {f"gone {each}": Setting(NOW, None) for each in range(400)}
        settings |= {f"set {each}": Setting(each, 1) for each in range(MOST_SETTINGS + 5)}
        left = fitted(Content(FIRST, settings=settings), NOW, ROOM).settings
        self.assertEqual(set(left), {f"set {each}" for each in range(5, MOST_SETTINGS + 5)})

    def test_order(self) -> None:
        """Drafts, epochs and rosters, older streams, settings; of each the oldest first, never keys."""
        known = people(2000)
        drafts = {chat(each): Draft(each, "x" * 4000) for each in range(40)}
        settings = {f"s{each}": Setting(each, "x" * 1000) for each in range(60)}
        chats = {chat(each): memory(100 * each) for each in range(1, 15)}
        content = Content(FIRST, known, drafts, settings, chats)
        for room in range(len(encode(content)), 0, -20_000):
            left = fitted(content, NOW, room)
            self.assertEqual(left.people, known)
            self.assertEqual(left.chats.keys(), chats.keys())
            bare = {number for number in range(1, 15) if not left.chats[chat(number)].epochs}
            lean = {name for name, each in left.chats.items() if len(each.streams[account(0)].heads) == 1}
            self.assertEqual(bare, set(range(1, len(bare) + 1)))
            if left.drafts:
                self.assertEqual((bare, lean), (set(), set()))
            if len(bare) < len(chats):
                self.assertEqual(lean, set())
            if len(lean) < len(chats):
                self.assertEqual(left.settings, settings)
            if left.settings:
                self.assertLessEqual(len(encode(left)), room)
        self.assertEqual((left.drafts, left.settings, len(bare), len(lean)), ({}, {}, 14, 14))

    def test_streams(self) -> None:
        """Of those that are left out none is taken again."""
        left = fitted(Content(FIRST, chats={chat(1): memory(100)}), NOW, 0).chats[chat(1)]
        self.assertEqual(left.streams[account(0)], StreamMemory(106, {stream(107): (107, hash_text(1))}))
        self.assertEqual((left.members, left.roster), (memory(100).members, hash_text(3)))

    def test_too_many_keys(self) -> None:
        """They are refused, and not thrown away."""
        key: UniqueKey = unique_key(0)
        full = fitted(Content(FIRST, people(3500)), NOW, ROOM)
        self.assertEqual(open(seal(full, 1, key), 1, key)[0], full)
        with self.assertRaises(Refused) as caught:
            seal(fitted(Content(FIRST, people(8000)), NOW, ROOM), 1, key)
        self.assertIs(caught.exception.reason, Reason.TOO_LARGE)
