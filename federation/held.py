"""How much is held at one time: for each who asks, and in all, so that nobody keeps the others out."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from safeum_home.errors import Code, Problem


class Held:
    """Counts what is held for a key; `most` in all, and `each` for one."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._held: Counter[Hashable] = Counter()

    @contextmanager
    def of(self, key: Hashable) -> Iterator[None]:
        """Hold one more; raises `busy` where there are too many."""
        if self._held.total() >= self._most or self._held[key] >= self._each:
            raise Problem(Code.BUSY, retry_after=1)
        self._held[key] += 1
        try:
            yield
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
