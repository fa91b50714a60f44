"""How many messages are handed over at once, and how many may wait for that: nothing grows without bound."""

from collections import deque
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError

from safeum_home.errors import Code, Problem

RETRY_AFTER = 10.0


class Slots:
    """`running` at once, `waiting` for their turn in order. `clock` provides IReactorTime."""

    def __init__(self, clock: Any, running: int, waiting: int) -> None:
        self._clock = clock
        self._free = running
        self._most = waiting
        self._waiting: deque[Deferred[None]] = deque()

    def check(self) -> None:
        """Raises `Problem(busy)` with `retry_after` where one more would be too many."""
        if not self._free and len(self._waiting) >= self._most:
            raise Problem(Code.BUSY, retry_after=RETRY_AFTER)

    async def take(self, within: float) -> None:
        """Done when it is one's turn; raises `Problem(busy)` where that takes longer than so many seconds."""
        self.check()
        if self._free:
            self._free -= 1
            return
        turn: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(turn)
        try:
            await turn.addTimeout(within, self._clock)
        except TimeoutError:
            raise Problem(Code.BUSY, retry_after=RETRY_AFTER) from None

    def free(self) -> None:
        """Give the turn on."""
        if self._waiting:
            self._waiting.popleft().callback(None)
        else:
            self._free += 1
