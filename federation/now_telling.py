"""What is of use for a moment alone, on its way to other nodes: from memory, together, or not at all.

What is to be told to a node within a turn goes in one request, and what changes meanwhile is told once, as it
is then. A node that does not take it is left alone for a while, and nothing waits for it.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from federation.counts import NOW_LOST, NOW_TOLD, Counts
from federation.greeting import Request
from federation.own_keys import OwnKeys
from federation.slots import Slots
from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.resolving import TOO_MANY_NAMES
from safeum_home.ports.expiring import ExpiringKind
from safeum_home.protocol.federation.events import Event, sign_event
from safeum_home.protocol.federation.now import FRAME, MOST_EVENTS, MOST_OCTETS, NOW_PATH, now_body, size_of

TURN = 0.25
"""Seconds for which it is gathered what is to be told to a node."""
PATIENCE = 10.0
"""Seconds that a node may take to answer."""
FIRST, LONGEST = 5.0, 300.0
"""Seconds for which a node is left alone that has not taken it, and at the most, if it goes on with that."""
WAITING, WAITING_OF_NODE = 200_000, 20_000
"""How many subjects may wait, in all and for one node: beyond that nothing is told."""
PER_SECOND = 100.0
"""How many events a node is told in a second, on average."""
AT_ONCE = 1_000
"""How many subjects are looked at for one request."""
REMEMBERED = 10_000
"""Of how many nodes it is known that they do not take it: those left alone for longest are tried again."""
Kinds = Callable[[], Mapping[str, ExpiringKind]]
InThread = Callable[[Callable[[], list[bytes]]], "Deferred[list[bytes]]"]
Subject = tuple[str, Hashable]


class _Away(NamedTuple):
    """A node that has not taken it: so often in a row, and until when it is left alone."""

    times: int
    until: float


class _Way:
    """What waits for a node: each subject once, with the time at which it is of no use any more."""

    def __init__(self) -> None:
        self.waiting: OrderedDict[Subject, float] = OrderedDict()
        self.timer: IDelayedCall | None = None
        self.run: Deferred[None] | None = None
        self.pause = TURN
        """Seconds until the next request."""


class NowTelling:
    """Tells other nodes. For the reactor's thread; nothing of it is ever stored."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        kinds: Kinds,
        own: OwnKeys,
        in_thread: InThread,
        request: Request,
        is_failing: Callable[[str], bool],
        counts: Counts,
    ) -> None:
        """`is_failing` says whether a node cannot be told other things."""
        self._clock = clock
        self._kinds = kinds
        self._own = own
        self._in_thread = in_thread
        self._request = request
        self._is_failing = is_failing
        self._counts = counts
        self._ways: dict[str, _Way] = {}
        self._away: OrderedDict[str, _Away] = OrderedDict()
        self._slots = Slots()
        self._stopped = False
        self.waiting = 0
        """How many subjects wait."""

    def tell(self, node: str, type: str, subject: Hashable) -> None:
        """As `ports.Peers.tell_now`."""
        kind = self._kinds().get(type)
        if kind is None or self._stopped or self._is_left_alone(node):
            return
        way = self._ways.get(node)
        if way is None:
            way = self._ways[node] = _Way()
        key = (type, subject)
        if key not in way.waiting:
            if self.waiting >= WAITING or len(way.waiting) >= WAITING_OF_NODE:
                self._counts.add(NOW_LOST)
                return
            self.waiting += 1
        # It keeps its place, but is of use for longer: what is told is how it is then.
        way.waiting[key] = self._clock.seconds() + kind.lives
        self._arrange(node, way)

    def heard(self, node: str) -> None:
        """A node has sent a request that is really of it."""
        if self._away.pop(node, None) is not None:
            self._each(lambda kind: kind.back(node))

    def greeted(self, node: str) -> None:
        """A node says that it is there again."""
        self._away.pop(node, None)
        self._each(lambda kind: kind.back(node))

    def stop(self) -> "Deferred[None]":
        """Tell nothing more; fires when nothing is under way."""
        self._stopped = True
        running = []
        for way in self._ways.values():
            if way.timer is not None:
                way.timer.cancel()
            if way.run is not None:
                running.append(way.run)
        self._ways.clear()
        self.waiting = 0
        for run in running:
            run.cancel()
        return gatherResults(running, consumeErrors=True).addCallback(lambda _: None)

    # --- one node

    def _is_left_alone(self, node: str) -> bool:
        away = self._away.get(node)
        if away is not None and self._clock.seconds() < away.until:
            return True
        if self._is_failing(node):
            self._fail(node)
            return True
        return False

    def _arrange(self, node: str, way: _Way) -> None:
        if way.timer is None and way.run is None:
            way.timer = self._clock.callLater(way.pause, self._begin, node, way)

    def _begin(self, node: str, way: _Way) -> None:
        way.timer = None
        run = Deferred.fromCoroutine(self._tell(node, way))
        way.run = run

        def ended(result: object) -> None:
            way.run = None
            if self._ways.get(node) is not way:
                return
            if way.waiting:
                self._arrange(node, way)
            else:
                del self._ways[node]

        run.addBoth(ended)

    async def _tell(self, node: str, way: _Way) -> None:
        try:
            slot = await self._slots.acquire(node, node in self._away)
            try:
                await self._send(node, way)
            finally:
                self._slots.release(slot)
        except CancelledError:
            return
        except NoAnswer as error:
            if error.reason not in (TOO_MANY, TOO_MANY_NAMES) or error.handed_over:
                self._fail(node)  # else too much is under way here, and the node is not to blame
        except Exception:
            self._log.failure("What is of use now cannot be told to a node.")
            self._fail(node)

    async def _send(self, node: str, way: _Way) -> None:
        if self._is_left_alone(node):
            return
        key, made = self._own.in_use, self._make(node, self._take(way))
        signed = await self._in_thread(
            lambda: [sign_event(event, key.key_id, key.signer) for _, event in made]
        )
        deadlines = [deadline for deadline, _ in made]
        for page in _pages(list(zip(deadlines, signed, strict=True))):
            await self._post(node, way, page)

    async def _post(self, node: str, way: _Way, page: Sequence[tuple[float, bytes]]) -> None:
        now = self._clock.seconds()
        told = [(int(deadline * 1000), octets) for deadline, octets in page if deadline > now]
        self._counts.add(NOW_LOST, number=len(page) - len(told))
        if not told:
            return
        way.pause = max(TURN, len(told) / PER_SECOND)
        asked = self._request(node, "POST", NOW_PATH, now_body(told), 4096)
        asked.addTimeout(PATIENCE, self._clock, lambda result, _: _too_long(result))
        answer = await asked
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status}")
        self._counts.add(NOW_TOLD, number=len(told))
        self._slots.told(node)
        if self._away.pop(node, None) is not None:
            self._each(lambda kind: kind.back(node))
        if len(told) == MOST_EVENTS:
            await deferLater(self._clock, way.pause)

    def _take(self, way: _Way) -> dict[str, list[tuple[Hashable, float]]]:
        """What waits, of each kind, without what is of no use any more."""
        now = self._clock.seconds()
        taken: dict[str, list[tuple[Hashable, float]]] = {}
        for _ in range(min(AT_ONCE, len(way.waiting))):
            (type, subject), deadline = way.waiting.popitem(last=False)
            self.waiting -= 1
            if deadline > now:
                taken.setdefault(type, []).append((subject, deadline))
            else:
                self._counts.add(NOW_LOST)
        return taken

    def _make(
        self, node: str, taken: Mapping[str, Sequence[tuple[Hashable, float]]]
    ) -> list[tuple[float, Event]]:
        """Their events, each with the time at which the first of its kind is of no use any more."""
        made: list[tuple[float, Event]] = []
        for type, subjects in taken.items():
            deadline = min(until for _, until in subjects)
            try:
                events = self._kinds()[type].build(node, [subject for subject, _ in subjects])
            except Exception:
                self._log.failure("What is of use now cannot be made: {kind}.", kind=type)
                continue
            made += [(deadline, event) for event in events]
        return made

    def _fail(self, node: str) -> None:
        """It is left alone for a while, and what waits for it is lost."""
        if (way := self._ways.get(node)) is not None:
            self.waiting -= len(way.waiting)
            self._counts.add(NOW_LOST, number=len(way.waiting))
            way.waiting.clear()
        self._slots.failed(node)
        times = self._away.pop(node, _Away(0, 0.0)).times + 1
        pause = min(LONGEST, FIRST * 2.0 ** min(times - 1, 10))
        self._away[node] = _Away(times, self._clock.seconds() + pause)
        if len(self._away) > REMEMBERED:
            self._away.popitem(last=False)
        self._each(lambda kind: kind.lost(node))

    def _each(self, do: Callable[[ExpiringKind], None]) -> None:
        for kind in self._kinds().values():
            try:
                do(kind)
            except Exception:
                self._log.failure("A kind of what is of use now failed: {kind}.", kind=kind.type)


def _pages(signed: Sequence[tuple[float, bytes]]) -> Iterator[list[tuple[float, bytes]]]:
    """As many as go into a body each."""
    page, size = list[tuple[float, bytes]](), FRAME
    for deadline, octets in signed:
        if page and (len(page) == MOST_EVENTS or size + size_of(octets) > MOST_OCTETS):
            yield page
            page, size = [], FRAME
        page.append((deadline, octets))
        size += size_of(octets)
    if page:
        yield page


def _too_long(result: object) -> object:
    raise NoAnswer("there was no answer in time")
