"""Devices that have asked to be in a conference and were not answered yet: they may hang up meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from safeum_home.ids import AccountId, DeviceId


class Asked(NamedTuple):
    """By whom, and with the id of which call."""

    account: AccountId
    device: DeviceId
    call: str


class Wish:
    """One of them."""

    __slots__ = ("hung_up",)

    def __init__(self) -> None:
        self.hung_up = False


class Wishes:
    """All of this node: as many as commands are in flight."""

    def __init__(self) -> None:
        self._by_asked: dict[Asked, list[Wish]] = {}

    def __len__(self) -> int:
        return len(self._by_asked)

    @contextmanager
    def wish(self, asked: Asked) -> Iterator[Wish]:
        """One for as long as it is not answered."""
        wish = Wish()
        self._by_asked.setdefault(asked, []).append(wish)
        try:
            yield wish
        finally:
            self._by_asked[asked].remove(wish)
            if not self._by_asked[asked]:
                del self._by_asked[asked]

    def hang_up(self, asked: Asked) -> None:
        """The device does not want it any more."""
        for wish in self._by_asked.get(asked, ()):
            wish.hung_up = True
