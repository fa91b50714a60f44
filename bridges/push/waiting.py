"""Wakes that wait for a provider: calls first, each class in its order, and never more than so many.

Those for a service of the provider's that has no room wait aside, and hold up nobody.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from heapq import heapify, heappop, heappush
from itertools import takewhile

from twisted.internet.defer import Deferred

from safeum_home.ports.push import PushAddress, Wake, Woken

_SLACK = 64
"""Places of wakes that were given up which are not worth clearing away."""
LOOKED_AT = 256
"""Services that are looked at in one go for whether they have room again."""


class Waking:
    """A wake from when it was handed in until it is known what became of it. Seconds are the clock's.

    There may be a hundred thousand of them, so it has no timer and no closure of its own.
    """

    __slots__ = (
        "_left",
        "address",
        "admitted",
        "done",
        "due",
        "ends",
        "place",
        "tries",
        "until",
        "waits",
        "wake",
    )

    def __init__(
        self,
        address: PushAddress,
        wake: Wake,
        until: float,
        left: "Callable[[Waking], None]",
        place: Hashable | None = None,
    ) -> None:
        """It is of no use any more from `until` on; `left` is told where nobody wants it any more."""
        self.address = address
        self.wake = wake
        self.until = until
        self.place = place
        """The service that it goes to, where the provider is many."""
        self.tries = 0
        self.due = 0.0
        """When it is to be tried again."""
        self.ends = 0.0
        """When the provider is waited for no longer."""
        self.admitted = 0
        self.waits = False
        """It is in a line."""
        self._left = left
        self.done: Deferred[Woken] = Deferred(self._cancelled)

    def __lt__(self, other: "Waking") -> bool:
        return self.due < other.due

    def _cancelled(self, done: Deferred[Woken]) -> None:
        done.callback(Woken.GIVEN_UP)
        self._left(self)


class Line:
    """Those of one class, which are all of use for as long: so the first is the oldest, and over first.

    One that comes back from being tried goes before those that were not; among these the order may be off by
    what their back-offs differ in. Those that were given up meanwhile stay as empty places for a while.
    """

    def __init__(self) -> None:
        self._ready: deque[Waking] = deque()
        self._later: list[Waking] = []
        self._aside: OrderedDict[Hashable, deque[Waking]] = OrderedDict()
        """By the service that has no room for them."""
        self._live = 0
        self._empty = 0

    def __len__(self) -> int:
        return self._live

    def put(self, waking: Waking) -> None:
        """One that was not tried yet."""
        self._ready.append(waking)
        self._in(waking)

    def put_off(self, waking: Waking) -> None:
        """One that is to be tried again when it is due."""
        heappush(self._later, waking)
        self._in(waking)

    def now_due(self, now: float) -> None:
        """Those whose time has come may be taken."""
        later = self._later
        while later and later[0].due <= now:
            waking = heappop(later)
            if not waking.done.called:
                self._ready.appendleft(waking)

    def first(self) -> Waking | None:
        """The one whose turn it is."""
        ready = self._ready
        while ready and ready[0].done.called:
            ready.popleft()
        return ready[0] if ready else None

    def take(self) -> Waking:
        """Take `first()` out."""
        return self._out(self._ready.popleft())

    def set_aside(self) -> None:
        """Have `first()` wait until its service has room."""
        waking = self._ready.popleft()
        waiting = self._aside.setdefault(waking.place, deque())
        if waiting and waking.until < waiting[0].until:
            waiting.appendleft(waking)
        else:
            waiting.append(waking)

    def has_room(self, place: Hashable, count: int) -> None:
        """So many of those that wait for a service may be taken, after those that may already."""
        self._ready.extend(self._from_aside(place, count))

    def look_aside(self, now: float) -> list[Hashable]:
        """Some services that are waited for, others the next time; what is over there may be taken."""
        some = [place for place, _ in zip(self._aside, range(LOOKED_AT), strict=False)]
        for place in some:
            self._aside.move_to_end(place)
            over = takewhile(lambda each: each.done.called or each.until <= now, self._aside[place])
            self._ready.extendleft(self._from_aside(place, sum(1 for _ in over)))
        return [place for place in some if place in self._aside]

    def make_room(self) -> Waking | None:
        """Take one out.

        One that was tried before and is not the next to be tried, else one whose service has no room, else
        the oldest.
        """
        later = self._later
        while later:
            # The end of a heap can go without a change of order.
            waking = later.pop()
            if not waking.done.called:
                return self._out(waking)
        while self._aside:
            for waking in self._from_aside(next(iter(self._aside)), 1):
                return self._out(waking)
        return self.take() if self.first() is not None else None

    def left(self, waking: Waking) -> None:
        """One that is in here was given up."""
        self._out(waking)
        self._empty += 1
        if self._empty > self._live + _SLACK:
            self._clear()

    def drain(self) -> Iterator[Waking]:
        """Take all out."""
        while (waking := self.make_room()) is not None:
            yield waking

    def _from_aside(self, place: Hashable, count: int) -> list[Waking]:
        """Take so many out, the oldest first. A service that is waited for no more is forgotten."""
        waiting = self._aside.get(place, deque())
        some: list[Waking] = []
        while waiting and len(some) < count:
            waking = waiting.popleft()
            if not waking.done.called:
                some.append(waking)
        if not waiting:
            self._aside.pop(place, None)
        return some

    def _clear(self) -> None:
        """Have no empty places."""
        self._empty = 0
        self._ready = deque(waking for waking in self._ready if not waking.done.called)
        self._later = [waking for waking in self._later if not waking.done.called]
        heapify(self._later)
        for place, waiting in list(self._aside.items()):
            self._aside[place] = deque(waking for waking in waiting if not waking.done.called)
            self._from_aside(place, 0)

    def _in(self, waking: Waking) -> None:
        waking.waits = True
        self._live += 1

    def _out(self, waking: Waking) -> Waking:
        waking.waits = False
        self._live -= 1
        return waking


class Queue:
    """What waits for one provider: `most` wakes, of which messages make room for what comes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.lines = {wake: Line() for wake in (Wake.CALL, Wake.MESSAGE)}

    def __len__(self) -> int:
        return sum(map(len, self.lines.values()))

    def put(self, waking: Waking) -> Waking | None:
        """Have it wait; what had to make room for it, which may be itself."""
        displaced = self._make_room(waking) if len(self) >= self._most else None
        if displaced is not waking:
            self.lines[waking.wake].put(waking)
        return displaced

    def first(self) -> Waking | None:
        """Whose turn it is."""
        for line in self.lines.values():
            if (waking := line.first()) is not None:
                return waking
        return None

    def take(self, waking: Waking) -> Waking:
        """Take `first()` out."""
        return self.lines[waking.wake].take()

    def put_off(self, waking: Waking) -> None:
        """Have one that was taken out wait until it is due. It finds room: there was some for it before."""
        self.lines[waking.wake].put_off(waking)

    def set_aside(self, waking: Waking) -> None:
        """Have `first()` wait until its service has room."""
        self.lines[waking.wake].set_aside()

    def has_room(self, place: Hashable, count: int) -> None:
        """So many of those that wait for a service may be taken, and of each class."""
        for line in self.lines.values():
            line.has_room(place, count)

    def look_aside(self, now: float) -> set[Hashable]:
        """Some services that are waited for, others the next time; what is over there may be taken."""
        return {place for line in self.lines.values() for place in line.look_aside(now)}

    def left(self, waking: Waking) -> None:
        """One that is in here was given up."""
        self.lines[waking.wake].left(waking)

    def now_due(self, now: float) -> None:
        """Those whose time has come may be taken."""
        for line in self.lines.values():
            line.now_due(now)

    def over(self, now: float) -> Iterator[Waking]:
        """Take out those that are of no use any more."""
        for line in self.lines.values():
            while (waking := line.first()) is not None and waking.until <= now:
                yield line.take()

    def drain(self) -> Iterator[Waking]:
        """Take all out."""
        for line in self.lines.values():
            yield from line.drain()

    def _make_room(self, waking: Waking) -> Waking:
        oldest = self.lines[Wake.MESSAGE].make_room()
        if oldest is None and waking.wake is Wake.CALL:
            oldest = self.lines[Wake.CALL].make_room()
        return oldest or waking
