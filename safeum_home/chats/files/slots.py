"""How many transfers an account has under way at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId

RETRY_AFTER = 2.0
MOST = 512
"""Of all accounts together, whatever they take."""
MEMORY = 256 * 1024 * 1024
"""Octets that all of them together may have in memory."""
HELD = 5
"""Batches of a store that one may have there: what comes, what waits, the same sealed, what goes."""
_SHARE = 8
"""No account has more than one part in so many of all."""


class Slots:
    """Counts them."""

    def __init__(self, limit: int, batch: int) -> None:
        """`limit` is that of one account, `batch` how many octets the store takes at once."""
        self.most = max(1, min(MOST, MEMORY // (HELD * batch)))
        self._limit = min(limit, max(1, self.most // _SHARE))
        self._taken: dict[AccountId, int] = {}
        self.total = 0

    def take(self, account: AccountId) -> None:
        """Raises `busy` where there are too many."""
        count = self._taken.get(account, 0)
        if count >= self._limit or self.total >= self.most:
            raise Problem(Code.BUSY, "too many files at once", RETRY_AFTER)
        self._taken[account] = count + 1
        self.total += 1

    def release(self, account: AccountId) -> None:
        """One is over."""
        self.total -= 1
        self._taken[account] -= 1
        if not self._taken[account]:
            del self._taken[account]

    @contextmanager
    def one(self, account: AccountId) -> Iterator[None]:
        """Take one for as long as the block runs."""
        self.take(account)
        try:
            yield
        finally:
            self.release(account)
