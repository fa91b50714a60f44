"""How many wakes may be under way to a provider: in all, for messages, and at one of the services it has."""

from collections import Counter
from collections.abc import Hashable

from safeum_home.ports.push import PushAddress, PushProvider, Services, Wake

FOR_CALLS = 8
"""One in so many of all is kept for calls."""
AT_ONE_SERVICE = 4
"""One in so many of all is what one service may have."""


class Room:
    """`most` wakes at once. A place is one of the provider's services, None is anywhere else."""

    def __init__(self, provider: PushProvider, most: int) -> None:
        self._services: Services | None = getattr(provider, "services", None)
        self._most = {Wake.CALL: most, Wake.MESSAGE: most - most // FOR_CALLS}
        self._at_one = max(1, most // AT_ONE_SERVICE)
        self._at: Counter[Hashable] = Counter()

    def place_of(self, address: PushAddress) -> Hashable | None:
        """Where a wake goes."""
        try:
            return None if self._services is None else self._services.of(address)
        except Exception:
            # A third party's. It will say, when it is asked to wake, what is wrong.
            return None

    def has(self, wake: Wake, under_way: int) -> bool:
        """Whether one more may be under way to the provider, where so many are."""
        return under_way < self._most[wake]

    def free_at(self, place: Hashable | None) -> int:
        """How many more may be under way there."""
        if place is None or self._services is None:
            return self._most[Wake.CALL]
        return min(self._at_one, self._services.room(place)) - self._at[place]

    def begin(self, place: Hashable | None) -> None:
        """One more is under way."""
        if place is not None:
            self._at[place] += 1

    def over(self, place: Hashable | None) -> None:
        """One is under way no more."""
        if place is not None:
            self._at[place] -= 1
            if not self._at[place]:
                del self._at[place]
