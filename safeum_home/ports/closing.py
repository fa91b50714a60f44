"""Closing an account for ever: what the parts of the domain do for it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId


class EpochTurns(Protocol):
    """Turns of the keyring's epoch, after which nobody can open what was erased before."""

    @property
    def epoch(self) -> int:
        """The present epoch. It may be read on any thread, and only grows."""

    @property
    def oldest(self) -> int:
        """The oldest epoch whose key is not destroyed yet."""

    def turned(self) -> "Deferred[None]":
        """Fires when an epoch that began after this call is on disk, and is the only one.

        It fails with `Problem(shutting_down)` alone: the turn is then made at the next start.
        """

    async def if_due(self) -> None:
        """The same where something was erased without a turn after it; raises `storage_unavailable` too."""


class Forfeit(Protocol):
    """Ends what an account has a claim to, such as a balance."""

    def __call__(self, c: Connection, account: bytes, /) -> None:
        """Called inside the transaction that closes the account with this blind index, before it is erased.

        What it raises leaves the account as it was.
        """


Forfeits = Sequence[Forfeit]
Forget = Callable[[AccountId, str], None]
"""Drops what is kept in RAM of an account that was closed, and had this login, in the turn in which that
was committed."""
