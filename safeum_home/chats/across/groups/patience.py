"""For how long a group stands in line where the nodes of its authors cannot be asked for their keys."""

from collections import OrderedDict
from collections.abc import Callable

from safeum_home.limits import RateLimit

SECONDS, PER = 120.0, 3600.0
"""Seconds, of so many."""
MOST_GROUPS = 10_000


class Patience:
    """What is used up is time: whoever is told again sooner than he asked for has not waited for the rest."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._limit = RateLimit(SECONDS / PER, SECONDS, seconds, MOST_GROUPS)
        self._until: OrderedDict[tuple[str, str], float] = OrderedDict()

    def wait(self, origin: str, chat: str, seconds: float) -> None:
        """The group stands in line for so long now; raises `rate_limited` where it did for too long."""
        which, now = (origin, chat), self._seconds()
        early = self._until.pop(which, now) - now
        if early > 0:
            self._limit.give_back(which, early)
        self._limit.take(which, seconds)
        self._until[which] = now + seconds
        if len(self._until) > MOST_GROUPS:
            self._until.popitem(last=False)
