"""Telling those of a program who listen: one that fails keeps nothing from the others."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from twisted.logger import Logger

T = TypeVar("T")
_log = Logger()


def tell(listeners: Iterable[Callable[[T], None]], what: T) -> None:
    """Call each with `what`; they may come and go meanwhile."""
    for listener in list(listeners):
        try:
            listener(what)
        except Exception:
            _log.failure("A listener failed")
