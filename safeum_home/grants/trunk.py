"""The processes towards a carrier: what they need of their node, and what the edge tells it of calls."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta, Struct

EDGE, JANUS = "kamailio", "janus"
"""What is run; each is given its own secrets alone."""
EDGE_USER, EDGE_DOMAIN = "bridge", "edge.invalid"
"""As whom Janus registers at the edge: `sip:bridge@edge.invalid`, which leads to nothing outside."""

LAST = 253_402_300_799_999
"""The end of the year 9999, in milliseconds: calendars know of no later one."""
Milliseconds = Annotated[int, Meta(ge=0, le=LAST)]
Number = Annotated[str, Meta(max_length=32)]


@dataclass(frozen=True, slots=True)
class TrunkGrant:
    """What a process needs of its node."""

    shared: str = field(repr=False)
    """With the edge: what Janus registers with; with Janus: its API secret. Hexadecimal digits."""
    password: str = field(default="", repr=False)
    """That of `trunk.login`, for the edge."""


class EdgeRecord(Struct, frozen=True):
    """A call as the edge has seen it: of what was asked of it, answered or not. `answered` 0: it was not."""

    reference: Annotated[str, Meta(min_length=1, max_length=128)]
    """The Call-ID (RFC 3261)."""
    direction: Literal["in", "out"]
    caller: Number
    called: Number
    began: Milliseconds
    answered: Milliseconds
    ended: Milliseconds
    sip: Annotated[int, Meta(ge=0, le=699)] = 0
    """The status code that it was refused with; 0 where it was answered."""
