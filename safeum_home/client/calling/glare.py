"""Two who have called each other at the same moment: one of the two calls goes on, and is taken by itself."""

from collections.abc import Callable
from typing import NamedTuple

WITHIN = 5.0
"""Seconds within which the other's call comes."""


class _Given(NamedTuple):
    call: str
    until: float
    video: bool


class Glare:
    """Whose call is to be taken, since one's own to them was replaced by it."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._expected: dict[str, _Given] = {}

    def replaced(self, peer: str, call: str, video: bool) -> None:
        """A call to `peer`, with or without pictures of one's own, has given way to theirs."""
        now = self._seconds()
        self._expected = {each: it for each, it in self._expected.items() if it.until > now}
        self._expected[peer] = _Given(call, now + WITHIN, video)

    def take(self, peer: str, call: str) -> bool | None:
        """Whether to take a call of `peer` with pictures; None where it is not to be taken by itself.

        Of the two calls the one with the lower id goes on: no other one has replaced anything.
        """
        given = self._expected.get(peer)
        if given is None or call >= given.call:
            return None
        del self._expected[peer]
        return given.video if given.until > self._seconds() else None
