"""Tests of nodes that mean harm to secure chats notice when what they test is gone."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secret import Secret
from safeum_home.client.secure import (
    chat,
    chat_memory,
    comparing,
    envelope,
    signers,
    strict_json,
    succession,
    taking,
    vault,
)
from safeum_home.client.secure.chat import SecureChat, Step
from safeum_home.client.secure.epoch import EpochKey
from safeum_home.client.secure.holding import Holding
from safeum_home.client.secure.padding import padded
from safeum_home.client.secure.people import People
from safeum_home.client.secure.room import Room
from safeum_home.client.secure.roster import Change, Roster
from safeum_home.client.secure.streams import Noted, Stream, Streams, Verdict
from safeum_home.client.secure.taking import Taker
from safeum_home.client.secure.vault import Vault
from safeum_home.client.secure.watching import Watching
from tests.without import Defence, check, nothing, yes

HOSTILE = "tests.test_secure_hostile."
EPOCHS = "tests.test_secure_hostile_epochs."
ORDER = "tests.test_secure_order."
GROUPS = "tests.test_secure_groups."
SUCCESSIONS = "tests.test_secure_successions."
SDK = "tests.test_client_secure_succession.SuccessionTests."
TAKING = SUCCESSIONS + "TakingTests."
BITS = "tests.test_secure_bits."
VAULT = "tests.test_secure_vault."
COMPARING = "tests.test_secure_comparing.ComparingTests."


def no(*_arguments: object, **_named: object) -> bool:
    return False


class _Any(bytes):
    """Octets that are equal to all octets."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = bytes.__hash__


def _new(*_arguments: object) -> Noted:
    """`Stream.note` that takes all."""
    return Noted(Verdict.NEW)


def _unnoted(self: Any, head: Any, account: str, hash: bytes, live: bool) -> Noted:
    """`Streams.note` that notes nothing."""
    return Noted(Verdict.NEW)


def _at_once(self: Any, account: str, keys: Any, now: int) -> object:
    """`People.told` that takes whatever it is told."""
    told = _told(self, account, keys, now)
    self.accept(account, keys.hash, now)
    return told


def _whichever(self: Any, account: str, line: Any) -> bool:
    """`People.check_line` that does not look which keys say so."""
    self.told(account, line[-1], 0)
    self.accept(account, line[-1].hash, 0)
    return True


def _former(self: Any, epoch: Any) -> Any:
    """`Room.open` that takes all that it does not open as for keys of before."""
    own = epoch.members.get(self.own.account, (b"",))[0] == self.own.hash
    return epoch.open(self.own) if own else None


def _as_it_is(room: Any, unreturned: Any = None) -> Any:
    """`remember` that minds nothing that is on its way."""
    return chat_memory.remember(room)


def _whoever(self: Any, statement: Any, head: bytes, signer: str, hash: bytes, *way: Any, **ways: Any) -> Any:
    """`Roster.follow` that looks neither at who signs nor at what it follows on."""
    change = Change(added=tuple(statement.members))
    self._set(head, statement.at, dict(statement.members))
    return change, True


def _grows(self: Any, statement: Any, head: bytes, signer: str, hash: bytes, *way: Any, **ways: Any) -> Any:
    """`Roster.follow` of which nobody is ever removed."""
    change = Change(added=tuple(statement.members))
    self._set(head, statement.at, {**self.members, **statement.members})
    return change, True


def _taken(self: Any, version: int, data: str) -> Any:
    """`Vault.take` that takes any."""
    content, hash = vault.open(data, version, self._own)
    self.version, self._hash, self._after = version, hash, version
    return content


def _bare(self: Any, tag: bytes) -> bytes:
    """`Place.about` that says nothing of the place."""
    return tag


def _heard(self: Any, by: str, inner: Any, own: bytes, now: int) -> Any:
    return iter(())


def _always(self: Any, head: Any, account: str, live: bool) -> Stream:
    """`Streams._begin` of streams that may begin at any number, and at any time."""
    return Stream(account, head.number - 1, head.previous)


_told = People.told

SIGNED = Defence(envelope, "is_signed_by", yes)
NOTED = Defence(Stream, "note", _new)
STREAMS = Defence(Streams, "note", _unnoted)
PINNED = Defence(People, "told", _at_once)
VOUCHED = Defence(Room, "has_ghosts", no)
FOLLOWED = Defence(Roster, "follow", _whoever)
WATCHED = Defence(Watching, "heard", _heard)
VERSIONS = Defence(Vault, "take", _taken)
FRESH = Defence(taking, "GRACE", 10**15)
IN_TIME = Defence(signers, "_check_time", nothing)

DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "envelopes that were changed": (BITS + "BitTests.test_bits_of_texts", (SIGNED,)),
    "envelopes of another sender or chat": (BITS + "BitTests.test_around", (SIGNED,)),
    "what is sealed and was changed": (
        BITS + "SealTests.test_bits",
        (Defence(Secret, "open", lambda *_: padded(bytes(17) + b"{}")),),
    ),
    "what is sealed for another place": (
        BITS + "SealTests.test_bits",
        (Defence(envelope.Place, "about", _bare),),
    ),
    "replays": (ORDER + "OrderTests.test_replayed", (NOTED,)),
    "replays after a start": (ORDER + "OrderTests.test_replayed_after_a_start", (NOTED,)),
    "replayed streams": (
        ORDER + "OrderTests.test_replayed_stream",
        (Defence(Streams, "_begin", _always),),
    ),
    "another order": (ORDER + "OrderTests.test_reordered", (NOTED,)),
    "what is dropped": (ORDER + "OrderTests.test_dropped", (NOTED,)),
    "first ones that are dropped": (
        ORDER + "OrderTests.test_first_dropped",
        (Defence(Streams, "_begin", _always),),
    ),
    "first ones that are dropped meanwhile": (
        ORDER + "OrderTests.test_first_dropped_meanwhile",
        (Defence(Streams, "knows_since", nothing),),
    ),
    "cuts": (ORDER + "OrderTests.test_cut", (WATCHED,)),
    "cuts for all": (ORDER + "OrderTests.test_cut_for_all", (WATCHED,)),
    "forks": (ORDER + "OrderTests.test_forked", (STREAMS,)),
    "forks for one": (ORDER + "OrderTests.test_forked_apart", (WATCHED,)),
    "what is spliced": (
        HOSTILE + "PlaceTests.test_spliced",
        (Defence(envelope.Place, "about", _bare),),
    ),
    "what somebody else has said": (HOSTILE + "PlaceTests.test_of_somebody_else", (SIGNED,)),
    "members who are none any more": (
        HOSTILE + "MemberTests.test_removed_says_something",
        (Defence(Taker, "_check_now", nothing),),
    ),
    "streams of somebody else": (HOSTILE + "PlaceTests.test_somebody_elses_stream", (STREAMS,)),
    "edits of what others have written": (
        HOSTILE + "PlaceTests.test_others_edits",
        (Defence(Taker, "_check_author", nothing),),
    ),
    "swapped keys": (HOSTILE + "KeyTests.test_swapped", (PINNED,)),
    "messages with swapped keys": (HOSTILE + "KeyTests.test_forged_messages", (PINNED,)),
    "forged successions": (
        HOSTILE + "KeyTests.test_forged_succession",
        (Defence(succession, "is_signed_by", yes),),
    ),
    "successions that nobody has signed": (HOSTILE + "KeyTests.test_forged_succession", (SIGNED,)),
    "keys with two followers": (
        HOSTILE + "KeyTests.test_two_followers",
        (Defence(People, "check_line", _whichever),),
    ),
    "successions of somebody else": (
        TAKING + "test_somebody_elses",
        (Defence(succession.Line, "is_said", yes), SIGNED),
    ),
    "any bit of a succession": (
        BITS + "LineTests.test_bits",
        (Defence(succession, "is_signed_by", yes),),
    ),
    "lines in a vault that nobody has said": (
        "tests.test_secure_javascript_moving.MovingTests.test_no_line_of_these",
        (Defence(succession.Line, "is_said", yes),),
    ),
    "members of a payload that stand there twice": (
        "tests.test_secure_agreed.AgreedTests.test_twice",
        (Defence(strict_json, "check", nothing),),
    ),
    "replayed successions": (TAKING + "test_replayed", (NOTED,)),
    "keys of before that lead elsewhere": (
        TAKING + "test_back",
        (Defence(People, "check_line", _whichever), IN_TIME),
    ),
    "successions of the node's own, by the SDK": (
        SDK + "test_of_the_nodes_own",
        (Defence(People, "check_line", _whichever),),
    ),
    "words that nobody has said, by the SDK": (
        SDK + "test_unsaid",
        (Defence(succession, "is_signed_by", yes),),
    ),
    "words of somebody else, by the SDK": (
        SDK + "test_of_somebody_else",
        (Defence(succession, "is_signed_by", yes),),
    ),
    "words of another chat, by the SDK": (SDK + "test_of_another_chat", (SIGNED,)),
    "words that come again, by the SDK": (SDK + "test_replayed", (NOTED,)),
    "words of keys before the last, by the SDK": (
        SDK + "test_of_keys_before_the_last",
        (Defence(People, "check_line", _whichever), IN_TIME),
    ),
    "what was under way for too long": (TAKING + "test_under_way", (IN_TIME,)),
    "programs whose keys have named others": (
        SUCCESSIONS + "ChangingTests.test_another_program",
        (Defence(Room, "is_succeeded", False),),
    ),
    "epochs for keys that were never one's own": (
        SUCCESSIONS + "FormerTests.test_alarms_stay",
        (Defence(Room, "open", _former),),
    ),
    "rosters that nobody signs anew": (
        GROUPS + "GroupTests.test_not_signed_anew",
        (Defence(Roster, "adds", no),),
    ),
    "rosters on their way": (
        SUCCESSIONS + "UnreturnedTests.test_after_a_start",
        (Defence(chat, "remember", _as_it_is),),
    ),
    "old keys": (HOSTILE + "KeyTests.test_old_keys", (IN_TIME,)),
    "forged epochs": (EPOCHS + "EpochTests.test_forged_epoch", (SIGNED,)),
    "ghosts in an epoch": (EPOCHS + "EpochTests.test_ghost_in_an_epoch", (VOUCHED,)),
    "ghosts in a chat of two": (EPOCHS + "EpochTests.test_ghost_in_a_chat_of_two", (VOUCHED,)),
    "ghosts in a roster": (EPOCHS + "EpochTests.test_ghost_in_a_roster", (FOLLOWED,)),
    "rosters of who was removed": (EPOCHS + "EpochTests.test_removed_member_signs", (FOLLOWED,)),
    "gaps of who was never out": (
        "tests.test_secure_out.OutTests.test_never_out",
        (Defence(Roster, "is_out", True),),
    ),
    "gaps of who is in again": (
        "tests.test_secure_out.OutTests.test_only_the_first",
        (Defence(Roster, "is_out", True),),
    ),
    "cuts for who has just come": ("tests.test_secure_out.OutTests.test_seen_by_others", (WATCHED,)),
    "replays for who was out": ("tests.test_secure_out.OutTests.test_replayed", (NOTED,)),
    "rosters of before": (
        EPOCHS + "EpochTests.test_roster_of_before",
        (Defence(Roster, "_is_further", yes),),
    ),
    "removals behind another roster": (
        EPOCHS + "EpochTests.test_removal_behind_another",
        (Defence(Roster, "_strike", lambda *_: Change()),),
    ),
    "different keys for different members": (
        EPOCHS + "EpochTests.test_two_keys",
        (Defence(EpochKey, "commitment", lambda _self: _Any(32)),),
    ),
    "what waits without end": (
        EPOCHS + "EpochTests.test_without_end",
        (Defence(Holding, "add", lambda _self, _held: iter(())),),
    ),
    "epochs of members that are none any more": (GROUPS + "GroupTests.test_under_way", (FRESH,)),
    "epochs that go on": (
        GROUPS + "GroupTests.test_dismissed",
        (Defence(Roster, "follow", _grows),),
    ),
    "members whom the node drops": (
        GROUPS + "GroupTests.test_told_by_the_node",
        (Defence(SecureChat, "members_told", lambda *_: Step()),),
    ),
    "keys of before in lists of members": (
        "tests.test_secure_remembered.SuccessionTests.test_begun_anew",
        (Defence(chat_memory, "_remember_successions", lambda _room: {}),),
    ),
    "vaults that are rolled back": (VAULT + "VersionTests.test_rolled_back", (VERSIONS,)),
    "vaults that others have seen": (VAULT + "VersionTests.test_expected", (VERSIONS,)),
    "vaults beside another": (VAULT + "VersionTests.test_beside", (VERSIONS,)),
    "vaults of another version": (
        VAULT + "SealedTests.test_opened",
        (Defence(vault, "_about", lambda *_: b""),),
    ),
    "keys chosen late": (
        COMPARING + "test_key_chosen_late",
        (Defence(comparing, "commitment", lambda *_: _Any(32)),),
    ),
    "keys of small order": (
        COMPARING + "test_small_order",
        (Defence(Secret, "agree", lambda _self, _public: Secret.random()),),
    ),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "SecureDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class SecureDefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(SecureDefenceTests, f"test_{_number:02}", _of(_name))
