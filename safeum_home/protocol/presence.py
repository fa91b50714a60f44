"""Who is there: what contacts are told of each other, and what an account keeps to itself."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.protocol.types import Account, Milliseconds

MOST_PRESENCES = 150
"""In one frame: so many fit it at their longest."""


class PresenceState(StrEnum):
    """How it is with an account."""

    ONLINE = "online"
    """A device of it is connected, and in use."""
    AWAY = "away"
    """Connected, and in use no more."""
    OFFLINE = "offline"
    """None of its devices is connected."""
    UNKNOWN = "unknown"
    """Not seen since the node was started, or not to be seen: the two look the same, on purpose."""


class Presence(Struct, frozen=True, omit_defaults=True):
    """How it is with an account. `last_seen` (away or offline) is rounded down to the minute."""

    account: Account
    state: PresenceState
    last_seen: Milliseconds | None = None


class Privacy(Struct, frozen=True):
    """What an account keeps to itself. It works both ways: whoever hides it is not shown it of others."""

    hide_presence: bool = False
    """Whether it is online, and when it was seen last."""
    hide_typing: bool = False


NOTHING_HIDDEN = Privacy()
"""How every account begins."""

PresenceAccounts = Annotated[list[Account], Meta(min_length=1, max_length=MOST_PRESENCES)]
