"""Whom an account may see: many small sets, held as few octets as they are."""

from collections.abc import Iterator

SIZE = 16
"""Octets of a blind index."""


class Peers:
    """A set of blind indexes, one behind the other: 16 octets for each, where a `set` takes about 90."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes = b"") -> None:
        self._octets = octets

    def __len__(self) -> int:
        return len(self._octets) // SIZE

    def __iter__(self) -> Iterator[bytes]:
        octets = self._octets
        for start in range(0, len(octets), SIZE):
            yield octets[start : start + SIZE]

    def __contains__(self, blind: bytes) -> bool:
        return self._place(blind) >= 0

    def add(self, blind: bytes) -> None:
        if blind not in self:
            self._octets += blind

    def discard(self, blind: bytes) -> None:
        place = self._place(blind)
        if place >= 0:
            self._octets = self._octets[:place] + self._octets[place + SIZE :]

    def _place(self, blind: bytes) -> int:
        """Where it begins; -1 where it is not. What lies across two of them is none."""
        place = self._octets.find(blind)
        while place >= 0 and place % SIZE:
            place = self._octets.find(blind, place + 1)
        return place
