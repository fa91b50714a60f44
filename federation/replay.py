"""Which requests were here already: none is taken twice, and none that was signed too long ago."""

from collections.abc import Callable
from hashlib import blake2b
from secrets import token_bytes

from safeum_home.errors import Code, Problem

WINDOW = 300
"""Seconds by which the clocks of two nodes, and a request on its way, may differ from the present."""
MOST = 400_000
"""Nonces that are held of all nodes together, at about 80 octets each."""
MOST_OF_NODE = 100_000
"""Nonces of one node, so that it cannot use up what there is for others: 333 a second in the long run."""
_SPAN = 16
"""Seconds of signing times that are forgotten together."""


class NonceWindow:
    """The nonces of requests whose signatures were good.

    A request is bound to the time at which it was signed, so only nonces of about that time are compared.
    Held are keyed hashes of 64 bits. What was signed before this process began is refused: nobody knows any
    more whether it was here.
    """

    def __init__(
        self, seconds: Callable[[], float], most: int = MOST, most_of_node: int = MOST_OF_NODE
    ) -> None:
        self._seconds = seconds
        self._most, self._most_of_node = most, most_of_node
        self._began = int(seconds())
        self._secret = token_bytes(32)
        self._spans: dict[int, dict[str, set[int]]] = {}
        self._counts: dict[str, int] = {}
        self._held = 0

    def __len__(self) -> int:
        return self._held

    def check_time(self, created: int) -> None:
        """Raises `Problem(replayed)` for a signing time (seconds since 1970) that is not of the present."""
        now = self._seconds()
        if abs(now - created) > WINDOW:
            raise Problem(Code.REPLAYED, "it was not signed within the last 300 seconds: compare the clocks")
        if created < self._began:
            raise Problem(Code.REPLAYED, "it was signed before this node was started", retry_after=1)

    def take(self, node: str, nonce: str, created: int) -> None:
        """Remember the nonce of a request that is verified but for this.

        Raises `Problem`: `replayed`; `busy` where too many are held, of all or of this node.
        """
        self.check_time(created)
        self._expire()
        span = created // _SPAN
        mark = self._mark(node, nonce)
        if mark in self._spans.get(span, {}).get(node, ()):
            raise Problem(Code.REPLAYED)
        if self._held >= self._most or self._counts.get(node, 0) >= self._most_of_node:
            raise Problem(Code.BUSY, "too many requests within the window of replays", retry_after=_SPAN)
        self._spans.setdefault(span, {}).setdefault(node, set()).add(mark)
        self._held += 1
        self._counts[node] = self._counts.get(node, 0) + 1

    def _mark(self, node: str, nonce: str) -> int:
        data = f"{node}\0{nonce}".encode()
        return int.from_bytes(blake2b(data, digest_size=8, key=self._secret).digest(), "big")

    def _expire(self) -> None:
        """Forget the spans all of which `check_time` refuses."""
        last = (int(self._seconds()) - WINDOW) // _SPAN
        for span in [span for span in self._spans if span < last]:
            for node, marks in self._spans.pop(span).items():
                self._held -= len(marks)
                self._counts[node] -= len(marks)
                if not self._counts[node]:
                    del self._counts[node]
