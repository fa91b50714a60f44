"""What an operator asks about push providers."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from safeum_home.admin.wire import Params


class PushRow(Struct, frozen=True):
    """A provider, and what became of wakes since the start."""

    name: str
    kind: str
    state: str
    trouble: str
    """Why it did not take a wake last; "" where it always did."""
    calls: int
    """How many wakes wait, by their class."""
    messages: int
    under_way: int
    counts: dict[str, int]


class PushRows(Struct, frozen=True):
    """In the order of the configuration."""

    providers: list[PushRow]


class PushTestParams(Params, frozen=True):
    """A device's id."""

    device: Annotated[str, Meta(min_length=1, max_length=64)]


class PushTested(Struct, frozen=True):
    """`reason` is in the words of the bridge to the provider; "" where the wake was taken."""

    provider: str
    outcome: Literal["taken", "temporary", "dead", "refused"]
    reason: str
