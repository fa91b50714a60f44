"""What is of use for a moment alone, on its way to other nodes: from memory, together, or not at all.

What is to be told to a node within a turn goes in one request, and what changes meanwhile is told once, as it
is then. Kinds with different turns do not wait for each other. A node that does not take it is left alone for
a while, and nothing waits for it.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from federation.counts import NOW_LOST, NOW_TOLD, Counts
from federation.greeting import Request
from federation.now_lanes import Lane, Way
from federation.own_keys import OwnKeys
from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.resolving import TOO_MANY_NAMES
from safeum_home.ports.expiring import ExpiringKind
from safeum_home.protocol.federation.events import Event, sign_event
from safeum_home.protocol.federation.now import FRAME, MOST_EVENTS, MOST_OCTETS, NOW_PATH, now_body, size_of

PATIENCE = 10.0
"""Seconds that a node may take to answer."""
FIRST, LONGEST = 5.0, 300.0
"""Seconds for which a node is left alone that has not taken it, and at the most, if it goes on with that."""
REMEMBERED = 10_000
"""Of how many nodes it is known that they do not take it: those left alone for longest are tried again."""
Kinds = Callable[[], Mapping[str, ExpiringKind]]
InThread = Callable[[Callable[[], list[bytes]]], "Deferred[list[bytes]]"]


class _Away(NamedTuple):
    """A node that has not taken it: so often in a row, and until when it is left alone."""

    times: int
    until: float


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
        self._lanes: dict[float, Lane] = {}
        """By the turns of their kinds."""
        self._away: OrderedDict[str, _Away] = OrderedDict()
        self._stopped = False

    @property
    def waiting(self) -> int:
        """How many subjects wait."""
        return sum(lane.waiting for lane in self._lanes.values())

    def tell(self, node: str, type: str, subject: Hashable) -> bool:
        """As `ports.Peers.tell_now`."""
        kind = self._kinds().get(type)
        if kind is None or self._stopped or self._is_left_alone(node):
            return False
        lane = self._lanes.get(kind.turn)
        if lane is None:
            lane = self._lanes[kind.turn] = Lane(kind.turn)
        is_new = node not in lane.ways
        if not lane.put(node, (type, subject), self._clock.seconds() + kind.lives):
            self._counts.add(NOW_LOST)
            return False
        if is_new:
            self._arrange(node, lane, lane.ways[node], lane.turn)
        return True

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
        running = [run for lane in self._lanes.values() for run in lane.stop()]
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

    def _arrange(self, node: str, lane: Lane, way: Way, seconds: float) -> None:
        way.timer = self._clock.callLater(seconds, self._begin, node, lane, way)

    def _begin(self, node: str, lane: Lane, way: Way) -> None:
        way.timer = None
        if not way.waiting:
            del lane.ways[node]
            return
        way.run = run = Deferred.fromCoroutine(self._tell(node, lane, way))

        def ended(result: object) -> None:
            way.run = None
            if lane.ways.get(node) is way:
                self._arrange(node, lane, way, lane.pause(way))

        run.addBoth(ended)

    async def _tell(self, node: str, lane: Lane, way: Way) -> None:
        try:
            slot = await lane.slots.acquire(node, node in self._away)
            try:
                await self._send(node, lane, way)
            finally:
                lane.slots.release(slot)
        except CancelledError:
            return
        except NoAnswer as error:
            if error.reason not in (TOO_MANY, TOO_MANY_NAMES) or error.handed_over:
                self._fail(node)
            else:
                self._lose(node, lane, 1)  # too much is under way here, and the node is not to blame
        except Exception:
            self._log.failure("What is of use now cannot be told to a node.")
            self._fail(node)

    async def _send(self, node: str, lane: Lane, way: Way) -> None:
        if self._is_left_alone(node):
            return
        way.told = 0
        taken = lane.take(way, self._clock.seconds())
        self._lose(node, lane, taken.late)
        key, made = self._own.in_use, self._make(node, taken.subjects)
        signed = await self._in_thread(
            lambda: [sign_event(event, key.key_id, key.signer) for _, event in made]
        )
        deadlines = [deadline for deadline, _ in made]
        for page in _pages(list(zip(deadlines, signed, strict=True))):
            await self._post(node, lane, way, page)

    async def _post(self, node: str, lane: Lane, way: Way, page: Sequence[tuple[float, bytes]]) -> None:
        now = self._clock.seconds()
        told = [(int(deadline * 1000), octets) for deadline, octets in page if deadline > now]
        self._lose(node, lane, len(page) - len(told))
        if not told:
            return
        way.told = len(told)
        asked = self._request(node, "POST", NOW_PATH, now_body(told), 4096)
        asked.addTimeout(PATIENCE, self._clock, lambda result, _: _too_long(result))
        answer = await asked
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status}")
        self._counts.add(NOW_TOLD, number=len(told))
        lane.slots.told(node)
        if self._away.pop(node, None) is not None:
            self._each(lambda kind: kind.back(node))
        if len(told) == MOST_EVENTS:
            await deferLater(self._clock, lane.pause(way))

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

    def _lose(self, node: str, lane: Lane, number: int) -> None:
        """So much is lost of a lane, and the node is not left alone for that: who is prompt has to know."""
        self._counts.add(NOW_LOST, number=number)
        if number and not lane.turn:
            self._each(lambda kind: None if kind.turn else kind.lost(node))

    def _fail(self, node: str) -> None:
        """It is left alone for a while, and what waits for it is lost."""
        for lane in self._lanes.values():
            self._counts.add(NOW_LOST, number=lane.drop(node))
            lane.slots.failed(node)
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
