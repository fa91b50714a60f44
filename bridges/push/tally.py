"""How it goes with one push provider, counted since the node was opened."""

from collections import Counter
from enum import StrEnum


class Became(StrEnum):
    """What became of a wake."""

    TAKEN = "taken"
    DEAD = "dead"
    """The provider says that the address is no more."""
    REFUSED = "refused"
    EXPIRED = "expired"
    """It was of no use any more before the provider took it."""
    CROWDED_OUT = "crowded_out"
    """It made room in a full queue."""
    CALLED_OFF = "called_off"
    """The device connected, or the node stops."""


class Failed(StrEnum):
    """Why a wake was not taken, and tried again."""

    TEMPORARY = "temporary"
    TIMED_OUT = "timed_out"
    ADDRESS_LIMITED = "address_limited"
    """It is this address that gets too many, or cannot be reached."""


class Tally:
    """Counts by `Became` and `Failed`."""

    def __init__(self) -> None:
        self.numbers: Counter[Became | Failed] = Counter()
