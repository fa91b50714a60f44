"""What is of use for a moment alone: who is there, who looks, who types. Never stored, never told again."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from safeum_home.errors import Code, Problem
from safeum_home.protocol.presence import MOST_PRESENCES, Presence
from safeum_home.protocol.scalars import Account, Milliseconds

NOW_PATH = "/_safeum/federation/v1/now"
"""`POST` a `Now`."""
MOST_EVENTS = 100
MOST_OCTETS = 64 * 1024
"""Of the body."""
MOST_AHEAD = 360_000
"""Milliseconds: how far ahead of the receiver's clock a deadline may lie, or the time of an event."""
MOST_LOOKERS = 500

PRESENCE, LOOKING, TYPING = "presence", "presence.looking", "typing"


class Expiring(Struct, frozen=True, forbid_unknown_fields=True):
    """An event, and until when it is of any use. What comes later is left alone."""

    deadline: Milliseconds
    event: Raw


class Now(Struct, frozen=True, forbid_unknown_fields=True):
    """Events of the node that sends it, in their order."""

    events: Annotated[list[Expiring], Meta(max_length=MOST_EVENTS)]


class Taken(Struct, frozen=True):
    """It was taken. What became of each event is not told."""


class PresenceContent(Struct, frozen=True, forbid_unknown_fields=True):
    """How it is with accounts of the sender's node now."""

    presences: Annotated[list[Presence], Meta(max_length=MOST_PRESENCES)]


class LookingContent(Struct, frozen=True, forbid_unknown_fields=True):
    """These accounts of the sender's node want to know how it is with their contacts, or do so no more."""

    accounts: Annotated[list[Account], Meta(max_length=MOST_LOOKERS)]
    look: bool


class TypingContent(Struct, frozen=True, forbid_unknown_fields=True):
    """The sender types in the chat, or does so no more."""

    active: bool


_now = msgspec.json.Decoder(Now)
FRAME = len(b'{"events":[]}')
_ENTRY = len(b'{"deadline":,"event":},') + 16


def size_of(event: bytes) -> int:
    """What an event adds to a body at the most, in octets."""
    return len(event) + _ENTRY


def now_body(events: Sequence[tuple[int, bytes]]) -> bytes:
    """The body that brings these events: deadline and octets of each."""
    entries = (b'{"deadline":%d,"event":%b}' % each for each in events)
    return b'{"events":[%b]}' % b",".join(entries)


def now_in(body: bytes) -> list[tuple[int, bytes]]:
    """The same, of a body; raises `Problem(bad_request)`."""
    try:
        return [(each.deadline, bytes(each.event)) for each in _now.decode(body).events]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise Problem(Code.BAD_REQUEST, "this is not what is of use now") from None
