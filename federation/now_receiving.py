"""What other nodes say that is of use for a moment alone: taken while it is, or left alone; never stored."""

from collections.abc import Callable, Mapping

from twisted.logger import Logger

from federation.counts import NOW_LEFT, NOW_TAKEN, Counts
from federation.event_verifier import EventVerifier
from safeum_home.errors import Problem
from safeum_home.limits import RateLimit
from safeum_home.ports.expiring import ExpiringKind
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.now import MOST_AHEAD, Taken, now_in

EVENTS_OF_NODE, EVENTS_BURST = 400.0, 4_000.0
"""How many events of each node are looked at: per second, and at once. Each lane of it may have 100."""

Kinds = Callable[[], Mapping[str, ExpiringKind]]


class NowReceiver:
    """Applies it. A node does not learn what became of it."""

    _log = Logger()

    def __init__(
        self, events: EventVerifier, kinds: Kinds, seconds: Callable[[], float], counts: Counts
    ) -> None:
        """`seconds` is the time now, since 1970."""
        self._events = events
        self._kinds = kinds
        self._seconds = seconds
        self._counts = counts
        self._limit = RateLimit(EVENTS_OF_NODE, EVENTS_BURST, seconds)

    async def received(self, origin: str, octets: bytes, _digest: bytes) -> Taken:
        """The body of a request of `origin`. Raises `bad_request`, and `rate_limited` for all of it."""
        told = now_in(octets)
        if told:
            self._limit.take(origin, len(told))
        timely = [(deadline, event) for deadline, event in told if self._is_timely(deadline)]
        verified = await self._events.verified([event for _, event in timely], origin)
        taken = 0
        for (deadline, _), event in zip(timely, verified, strict=True):
            # Verifying may have taken its time: keys may have had to be fetched.
            if isinstance(event, Event) and self._is_timely(deadline) and self._is_of_now(event):
                taken += await self._apply(origin, event)
        self._counts.add(NOW_TAKEN, number=taken)
        self._counts.add(NOW_LEFT, number=len(told) - taken)
        return Taken()

    def _is_timely(self, deadline: int) -> bool:
        now = self._seconds() * 1000
        return now < deadline <= now + MOST_AHEAD

    def _is_of_now(self, event: Event) -> bool:
        return abs(event.at - self._seconds() * 1000) <= MOST_AHEAD

    async def _apply(self, origin: str, event: Event) -> bool:
        kind = self._kinds().get(event.type)
        if kind is None:
            return False
        try:
            await kind.apply(origin, event)
        except Problem:
            return False
        except Exception:
            # What it says may quote what it is about.
            self._log.failure("An event of the kind {kind} cannot be taken.", kind=event.type)
            return False
        return True
