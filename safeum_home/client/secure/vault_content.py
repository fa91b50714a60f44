"""What is in a vault, and what becomes of two that were written at the same time."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from msgspec import Meta, Struct, structs

from safeum_home.client.secure import own_memory
from safeum_home.client.secure.chat_memory import (
    ChatMemory,
    EpochMemory,
    StreamMemory,
    in_a_row,
    newest_streams,
)
from safeum_home.client.secure.epochs import IN_VAULT
from safeum_home.client.secure.own_memory import OwnMemory
from safeum_home.client.secure.payloads import Octets32, Size
from safeum_home.client.secure.people import MOST_FORMER, People, Person, Trust
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.streams import PER_ACCOUNT
from safeum_home.protocol.message_types import MAX_DRAFT
from safeum_home.protocol.scalars import Account, Chat

T = TypeVar("T")
MOST_CHATS = 10_000
MOST_PEOPLE = 20_000
MOST_SETTINGS = 512


class Keys(Struct, frozen=True):
    """Two public keys, base64url."""

    sign: Octets32
    box: Octets32

    @classmethod
    def of(cls, keys: PublicKeys) -> "Keys":
        return cls(*keys.texts())

    def octets(self) -> PublicKeys:
        """Of what was read."""
        keys = PublicKeys.read(self.sign, self.box)
        assert keys is not None
        return keys


class Pinned(Struct, frozen=True, omit_defaults=True):
    """What is known of an account's keys: `people.Person`."""

    keys: Keys
    trust: Trust
    since: Size
    judged: Size = 0
    offered: Keys | None = None
    former: Annotated[tuple[Keys, ...], Meta(max_length=MOST_FORMER)] = ()


class Draft(Struct, frozen=True, omit_defaults=True):
    """What somebody has begun to write; with neither text nor reply it was sent, or dropped."""

    at: Size
    text: Annotated[str, Meta(max_length=MAX_DRAFT)]
    reply: Octets32 | None = None

    @property
    def gone(self) -> bool:
        return not self.text and self.reply is None


SettingName = Annotated[str, Meta(max_length=64)]
Value = bool | Annotated[int, Meta(ge=-(2**53) + 1, le=2**53 - 1)] | Annotated[str, Meta(max_length=1024)]


class Setting(Struct, frozen=True):
    """One of the program's own; without a value it was dropped."""

    at: Size
    value: Value | None

    @property
    def gone(self) -> bool:
        return self.value is None


class Content(Struct, frozen=True, omit_defaults=True):
    """All of it. `previous` is the hash of the vault that this one follows on."""

    previous: Octets32
    people: Annotated[dict[Account, Pinned], Meta(max_length=MOST_PEOPLE)] = {}
    drafts: Annotated[dict[Chat, Draft], Meta(max_length=MOST_CHATS)] = {}
    settings: Annotated[dict[SettingName, Setting], Meta(max_length=MOST_SETTINGS)] = {}
    chats: Annotated[dict[Chat, ChatMemory], Meta(max_length=MOST_CHATS)] = {}
    own: OwnMemory = OwnMemory()


def pinned(people: People) -> dict[str, Pinned]:
    """Those of whom keys are known."""
    return {
        account: Pinned(
            Keys.of(person.keys),
            person.trust,
            person.since,
            person.judged,
            Keys.of(person.offered) if person.offered else None,
            tuple(map(Keys.of, person.former)),
        )
        for account, person in people
    }


def restore(people: People, content: Content) -> None:
    """Those that a vault has: in place of what was known, so merge before."""
    for account, each in content.people.items():
        former = [known.octets() for known in each.former]
        offered = each.offered.octets() if each.offered else None
        people.restore(
            account, Person(each.keys.octets(), each.trust, each.since, each.judged, offered, former)
        )


def merge(one: Content, other: Content) -> Content:
    """Of two that follow on the same vault: the same, whichever is which; `previous` is of `other`.

    Keys: those that have followed on the other's. Of others, what a program has only seen first gives way,
    and waits to be accepted; else those that came, or were verified, later. So what was verified loses to a
    change, and not to what a program is shown that knows nothing. Drafts, settings: the later one. Streams:
    how far either has come. Roster: the one that was signed later. Keys that have named followers: of both.
    """
    return Content(
        other.previous,
        _both(one.people, other.people, _merge_pinned),
        _both(one.drafts, other.drafts, _later_draft),
        _both(one.settings, other.settings, _later_setting),
        _both(one.chats, other.chats, _merge_chats),
        own_memory.merge(one.own, other.own),
    )


def _both(one: dict[str, T], other: dict[str, T], merged: Callable[[T, T], T]) -> dict[str, T]:
    either = {**one, **other}
    return {
        key: merged(one[key], other[key]) if key in one and key in other else either[key] for key in either
    }


def _later_draft(one: Draft, other: Draft) -> Draft:
    return max(one, other, key=lambda each: (each.at, each.text, each.reply or ""))


def _later_setting(one: Setting, other: Setting) -> Setting:
    return max(one, other, key=lambda each: (each.at, *_rank(each.value)))


def _rank(value: Value | None) -> tuple[int, int, str]:
    """Of what was set at the same time: the same everywhere, and no deletion."""
    if isinstance(value, str):
        return 3, 0, value
    if value is None:
        return 0, 0, ""
    return 1 if isinstance(value, bool) else 2, int(value), ""


def _merge_pinned(one: Pinned, other: Pinned) -> Pinned:
    if one.keys == other.keys:
        later, earlier = sorted((one, other), key=_age, reverse=True)
    elif other.keys in one.former and one.keys not in other.former:
        later, earlier = one, other
    elif one.keys in other.former and other.keys not in one.former:
        later, earlier = other, one
    elif (one.keys not in other.former) and (given_way := _seen_first(one, other)) is not None:
        stays = other if given_way is one else one
        return stays if stays.offered else structs.replace(stays, offered=given_way.keys)
    else:
        later, earlier = sorted((one, other), key=_age, reverse=True)
    before = [*earlier.former, *([earlier.keys] if earlier.keys != later.keys else []), *later.former]
    former = list(dict.fromkeys(reversed([each for each in before if each != later.keys])))[:MOST_FORMER]
    offered = later.offered or earlier.offered
    if offered in (later.keys, *former):
        offered = None
    return Pinned(later.keys, later.trust, later.since, later.judged, offered, tuple(reversed(former)))


def _seen_first(one: Pinned, other: Pinned) -> Pinned | None:
    """Of two with keys of which neither follows on the other: the one that nobody's word speaks for."""
    unjudged = [
        each for each in (one, other) if each.trust is Trust.PINNED and not each.judged and not each.former
    ]
    return max(unjudged, key=_age) if unjudged else None


def _age(pinned: Pinned) -> tuple[int, bool, str, str, str]:
    trust = pinned.trust
    return (
        max(pinned.since, pinned.judged),
        trust is not Trust.VERIFIED,
        pinned.keys.sign,
        pinned.keys.box,
        trust.value,
    )


def _merge_chats(one: ChatMemory, other: ChatMemory) -> ChatMemory:
    streams = _both(one.streams, other.streams, _merge_streams)
    epochs: dict[str, EpochMemory] = {each.id: each for each in (*one.epochs, *other.epochs)}
    newest = sorted(epochs.values(), key=lambda each: (each.at, each.id))[-IN_VAULT:]
    roster = max(one, other, key=lambda each: (each.roster_at, each.roster))
    return ChatMemory(
        streams,
        roster.roster,
        roster.roster_at,
        roster.members,
        newest,
        max(one.since, other.since),
        roster.former,
        _both(one.successions, other.successions, lambda mine, theirs: in_a_row((*mine, *theirs))),
        max(one.peer or "", other.peer or "") or None,
    )


def _merge_streams(one: StreamMemory, other: StreamMemory) -> StreamMemory:
    heads = _both(one.heads, other.heads, max)
    return newest_streams(StreamMemory(max(one.floor, other.floor), heads), PER_ACCOUNT)
