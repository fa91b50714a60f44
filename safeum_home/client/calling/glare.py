"""Two who have called each other at the same moment: one of the two calls goes on, and is taken by itself."""

from collections.abc import Callable

WITHIN = 10.0
"""Seconds within which the other's call comes."""


class Glare:
    """Whose call is to be taken, since one's own to them was replaced by it."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._expected: dict[str, tuple[float, bool]] = {}

    def replaced(self, peer: str, video: bool) -> None:
        """A call to `peer`, with or without pictures of one's own, has given way to theirs."""
        now = self._seconds()
        self._expected = {each: it for each, it in self._expected.items() if it[0] > now}
        self._expected[peer] = now + WITHIN, video

    def take(self, peer: str) -> bool | None:
        """Whether to take a call of `peer` with pictures; None where it is not to be taken by itself."""
        until, video = self._expected.pop(peer, (0.0, False))
        return video if until > self._seconds() else None
