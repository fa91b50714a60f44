"""What nodes tell each other of accounts: the contents of events of the types `contact`, `profile` and
`account.closed`. docs/federation.md, "People", says what follows of each.
"""

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from safeum_home import ids
from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.profile_types import AboutText, AvatarId, DisplayName, ProfileField, StatusText
from safeum_home.protocol.scalars import Account, Address, Milliseconds

T = TypeVar("T", bound=Struct)

SafeNumber = Annotated[str, Meta(min_length=1, max_length=32)]


class RelationContent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the sender stands to an account of the node that is told, as far as that may know it.

    `requested`: it asks; `accepted`: it has agreed to the asking that had the number `of`; `none`: neither.
    `asked` is the number of its own asking, each higher than the one before, and `of` the last number of the
    other one's that its node had heard of. `address` is what it is to be called, left out with `none`.
    """

    peer: Account
    state: Literal["none", "requested", "accepted"]
    asked: Milliseconds = 0
    of: Milliseconds = 0
    address: Address = "-"


class ProfileContent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the sender shows to its contacts."""

    address: Address
    display_name: DisplayName = ""
    status: StatusText = ""
    about: AboutText = ""
    fields: Annotated[list[ProfileField], Meta(max_length=8)] = []
    avatar: AvatarId | None = None
    safenum: SafeNumber | None = None


class ClosedContent(Struct, frozen=True, forbid_unknown_fields=True):
    """The sender was closed for ever, and the chats with it are to be erased."""


def content(event: Event, kind: type[T]) -> T:
    """The content of an event; raises `malformed_event`."""
    try:
        return msgspec.convert(event.content, kind, strict=True)
    except msgspec.ValidationError as error:
        raise Problem(Code.MALFORMED_EVENT, str(error)) from None


def address_of(event: Event, text: str) -> str:
    """What the sender of an event is to be called, in its written form; raises `malformed_event`.

    It is a login at the sender's node or the sender's id: a number is private, and another node is not asked.
    """
    try:
        alias, node = ids.address(text, event.node)
    except Problem:
        raise Problem(Code.MALFORMED_EVENT) from None
    if node != event.node or ids.is_number(alias) or (ids.is_account(alias) and alias != event.sender):
        raise Problem(Code.MALFORMED_EVENT)
    return ids.written(alias, node)
