"""The relay of calls: what its secrets are to those who mint credentials with them, and to who runs it."""

from dataclasses import dataclass, field
from typing import Protocol

RELAY_PERIOD = 86400
"""Seconds after which another secret is in force; periods are counted since 1970."""


class RelaySecrets(Protocol):
    """The secrets that a node and its relay share."""

    def of(self, period: int) -> bytes:
        """The one of a period: 64 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class RelayGrant:
    """What a relay needs of its node."""

    secrets: tuple[str, ...] = field(repr=False)
    """Of the period before, of this one and of the next."""
    seconds: float
    """After which they are to be asked for anew."""
    key: bytes | None = field(repr=False)
    """That of `turn.certificate`, PEM, where the node has it in its sealed store."""


class NotGranted(Exception):
    """The node gives nothing now; the text is a line for the operator, and the cause says what it was."""


def granted(secrets: RelaySecrets, now: float, key: bytes | None) -> RelayGrant:
    """What a relay is given `now`, in seconds since 1970."""
    period, gone = divmod(now, RELAY_PERIOD)
    periods = range(int(period) - 1, int(period) + 2)
    return RelayGrant(tuple(secrets.of(each).decode() for each in periods), RELAY_PERIOD - gone, key)
