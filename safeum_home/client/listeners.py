"""Those of a program who listen: one that fails keeps nothing from the others."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from twisted.logger import Logger

T = TypeVar("T")
_log = Logger()


class Listeners(Generic[T]):
    """They may come and go while they are told."""

    def __init__(self) -> None:
        self._all: list[Callable[[T], None]] = []

    def add(self, listener: Callable[[T], None], already: Iterable[T] = ()) -> Callable[[], None]:
        """Tell it what there is `already`, and whatever comes; returns what ends that."""
        self._all.append(listener)
        for what in already:
            _tell(listener, what)
        return lambda: self._all.remove(listener)

    def tell(self, what: T) -> None:
        for listener in list(self._all):
            _tell(listener, what)


def _tell(listener: Callable[[T], None], what: T) -> None:
    try:
        listener(what)
    except Exception:
        _log.failure("A listener failed")
