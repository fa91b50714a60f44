"""Push services that clients name: one that is slow, dead or hostile holds up nobody but its own.

Each origin has a breaker of its own, and a bound on how many wakes are under way to it: a few at first, one
more with each that it takes quickly, half as many when it is slow, and a few again when it fails. Those that
have not taken several are strangers: all of them together have a bound too, since names cost nothing, and
whoever has a domain has as many as he likes.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Protocol

from bridges.breaker import Breaker
from bridges.push.endpoints import Endpoints
from safeum_home.errors import Problem
from safeum_home.outgoing.answers import GIVEN_UP, TOO_MANY
from safeum_home.outgoing.places import Place
from safeum_home.ports.push import PushAddress, Temporary

MOST_ORIGINS = 1024
"""That are remembered; of those that are idle strangers are forgotten first, and the longest unused."""
AT_ONE = 192
"""Wakes under way to one origin at the most."""
AT_A_STRANGER, KNOWN = 4, 8
"""Under way to one at first; one that may have so many is known."""
AT_STRANGERS = 128
"""Wakes under way to all strangers together."""
SLOW = 2.0
"""Seconds; who takes longer for an answer gets less."""
FAILURES, SECONDS = 5, 15.0
"""In a row open an origin's breaker, for so long at first."""
ASIDE = 1.0
"""Seconds until it is tried again where there is no room."""

NO_ROOM = Temporary("too many wakes are under way to that push service", ASIDE, address_alone=True)
LEFT_ALONE = "that push service is left alone for a while"


class Turn(Protocol):
    """One wake that is under way. It is told how that went, and then that it is over."""

    def answered(self, well: bool) -> None:
        """The push service answered; `well`: it took the wake."""

    def failed(self) -> None:
        """There was no answer that can be read."""

    def unanswered(self, reason: str) -> None:
        """There was none at all: it failed, unless `reason` (of `NoAnswer`) is this side's own."""

    def over(self) -> None:
        """It is not under way any more. Where nothing else was told, it says nothing of the origin."""


class _Origin:
    def __init__(self, now: Callable[[], float]) -> None:
        self.breaker = Breaker(FAILURES, SECONDS, now)
        self.under_way = 0
        self.room = AT_A_STRANGER
        self.halved_at = 0.0

    @property
    def known(self) -> bool:
        return self.room >= KNOWN


class _Turn:
    def __init__(self, origins: "Origins", origin: _Origin, admitted: int) -> None:
        self._origins = origins
        self._origin = origin
        self._admitted = admitted
        self._begun = origins.now()
        self._told = False
        self._as_stranger = not origin.known
        origin.under_way += 1
        origins.strangers_under_way += self._as_stranger

    def answered(self, well: bool) -> None:
        self._told = True
        origin, now = self._origin, self._origins.now()
        if now - self._begun <= SLOW:
            origin.room = min(origin.room + well, AT_ONE)
        elif self._begun >= origin.halved_at:
            # Once for all that were under way together.
            origin.room, origin.halved_at = max(origin.room // 2, AT_A_STRANGER), now
        origin.breaker.took(self._admitted)

    def failed(self) -> None:
        self._told = True
        self._origin.room = AT_A_STRANGER
        self._origin.breaker.failed(self._admitted)

    def unanswered(self, reason: str) -> None:
        if reason not in (GIVEN_UP, TOO_MANY):
            self.failed()

    def over(self) -> None:
        if not self._told:
            self._origin.breaker.left(self._admitted)
        self._origin.under_way -= 1
        self._origins.strangers_under_way -= self._as_stranger


class Origins:
    """How it is with each of them: `ports.push.Services`."""

    def __init__(self, now: Callable[[], float], endpoints: Endpoints) -> None:
        self.now = now
        self._endpoints = endpoints
        self._origins: OrderedDict[Hashable, _Origin] = OrderedDict()
        self.strangers_under_way = 0

    def begin(self, place: Place) -> Turn | Temporary:
        """A wake wants to go there: its turn, or why that is later."""
        origin = self._at(place)
        if origin.under_way >= origin.room:
            return NO_ROOM
        if not origin.known and self.strangers_under_way >= AT_STRANGERS:
            return NO_ROOM
        admitted = origin.breaker.admit()
        if admitted is None:
            return Temporary(LEFT_ALONE, max(origin.breaker.wait, ASIDE), address_alone=True)
        return _Turn(self, origin, admitted)

    def of(self, address: PushAddress) -> Place | None:
        """As `ports.push.Services`; None for what may not be asked."""
        try:
            return self._endpoints.read(address.token).place
        except Problem:
            return None

    def room(self, service: Hashable) -> int:
        """As `ports.push.Services`."""
        origin = self._origins.get(service)
        if origin is not None and origin.breaker.state != "closed":
            return 0 if origin.breaker.wait else 1
        if origin is not None and origin.known:
            return origin.room
        under_way, room = (0, AT_A_STRANGER) if origin is None else (origin.under_way, origin.room)
        return min(room, under_way + max(0, AT_STRANGERS - self.strangers_under_way))

    def _at(self, place: Place) -> _Origin:
        if (here := self._origins.get(place)) is None:
            self._make_room()
            here = self._origins[place] = _Origin(self.now)
        self._origins.move_to_end(place)
        return here

    def _make_room(self) -> None:
        """Those that are busy are no more than there are wakes."""
        if len(self._origins) < MOST_ORIGINS:
            return
        idle = [place for place, origin in self._origins.items() if not origin.under_way]
        strange = next((place for place in idle if not self._origins[place].known), None)
        if (first := strange or next(iter(idle), None)) is not None:
            del self._origins[first]
