"""What is of use for a moment alone, on its way to other nodes: from memory, together, or not at all.

What is to be told to a node within a turn goes in one request, and what changes meanwhile is told once, as it
is then. Kinds with different turns do not wait for each other. A node that does not take it is left alone for
a while, and nothing waits for it.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from federation.counts import NOW_LOST, NOW_TOLD, Counts
from federation.greeting import Request
from federation.now_away import Away
from federation.now_lanes import Lane, Way
from federation.own_keys import OwnKeys
from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.resolving import TOO_MANY_NAMES
from safeum_home.ports.expiring import ExpiringKind
from safeum_home.protocol.federation.events import Event, sign_event
from safeum_home.protocol.federation.now import FRAME, MOST_EVENTS, MOST_OCTETS, NOW_PATH, now_body, size_of

PATIENCE = 10.0
"""Seconds that a node may take to answer."""
Kinds = Callable[[], Mapping[str, ExpiringKind]]
InThread = Callable[[Callable[[], list[bytes]]], "Deferred[list[bytes]]"]


class _Made(NamedTuple):
    """An event, signed: of which subject it is, where it is of one, and until when it is of use."""

    type: str
    subjects: Sequence[Hashable]
    deadline: float
    octets: bytes


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
        self._away = Away(clock.seconds)
        self._stopped = False

    @property
    def waiting(self) -> int:
        """How many subjects wait."""
        return sum(lane.waiting for lane in self._lanes.values())

    def tell(self, node: str, type: str, subject: Hashable) -> bool:
        """As `ports.Peers.tell_now`."""
        kind = self._kinds().get(type)
        if kind is None or self._stopped or self._is_left_alone(node, not kind.turn):
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
        if self._away.back(node):
            self._each(lambda kind: kind.back(node))

    def greeted(self, node: str) -> None:
        """A node says that it is there again."""
        self._away.back(node)
        self._each(lambda kind: kind.back(node))

    def stop(self) -> "Deferred[None]":
        """Tell nothing more; fires when nothing is under way."""
        self._stopped = True
        running = [run for lane in self._lanes.values() for run in lane.stop()]
        for run in running:
            run.cancel()
        return gatherResults(running, consumeErrors=True).addCallback(lambda _: None)

    # --- one node

    def _is_left_alone(self, node: str, is_prompt: bool) -> bool:
        if self._away.is_left_alone(node, is_prompt):
            return True
        if not is_prompt and self._is_failing(node):
            self._fail(node, was_tried=False)
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
                self._missed(node, way.made)  # too much is under way here, and the node is not to blame
        except Exception:
            self._log.failure("What is of use now cannot be told to a node.")
            self._fail(node)
        finally:
            way.made = []

    async def _send(self, node: str, lane: Lane, way: Way) -> None:
        if self._is_left_alone(node, not lane.turn):
            return
        way.told = 0
        taken = lane.take(way, self._clock.seconds())
        for type, subject in taken.late:
            self._miss(node, type, (subject,))
        key, made = self._own.in_use, self._make(node, lane, taken.subjects)
        signed = await self._in_thread(
            lambda: [sign_event(event, key.key_id, key.signer) for _, event in made]
        )
        way.made = [about._replace(octets=octets) for (about, _), octets in zip(made, signed, strict=True)]
        while way.made:
            await self._post(node, lane, way)

    async def _post(self, node: str, lane: Lane, way: Way) -> None:
        """Tell it the first of what was made, as much as goes into a body."""
        now = self._clock.seconds()
        self._missed(node, [each for each in way.made if each.deadline <= now])
        way.made = [each for each in way.made if each.deadline > now]
        told = way.made[: _page(way.made)]
        if not told:
            return
        way.told = len(told)
        body = now_body([(int(each.deadline * 1000), each.octets) for each in told])
        asked = self._request(node, "POST", NOW_PATH, body, 4096)
        asked.addTimeout(PATIENCE, self._clock, lambda result, _: _too_long(result))
        answer = await asked
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status}")
        del way.made[: len(told)]
        self._counts.add(NOW_TOLD, number=len(told))
        lane.slots.told(node)
        if self._away.back(node):
            self._each(lambda kind: kind.back(node))
        if len(told) == MOST_EVENTS:
            await deferLater(self._clock, lane.pause(way))

    def _make(
        self, node: str, lane: Lane, taken: Mapping[str, Sequence[tuple[Hashable, float]]]
    ) -> list[tuple[_Made, Event]]:
        """Their events. Those of what is gathered are of use for as long as the first of their kind is."""
        made: list[tuple[_Made, Event]] = []
        for type, subjects in taken.items():
            for some in [subjects] if lane.turn else [[each] for each in subjects]:
                names, deadline = [subject for subject, _ in some], min(until for _, until in some)
                try:
                    events = self._kinds()[type].build(node, names)
                except Exception:
                    self._log.failure("What is of use now cannot be made: {kind}.", kind=type)
                    continue
                about = _Made(type, () if lane.turn else names, deadline, b"")
                made += [(about, event) for event in events]
        return made

    def _missed(self, node: str, made: Sequence[_Made]) -> None:
        for each in made:
            self._miss(node, each.type, each.subjects)

    def _miss(self, node: str, type: str, subjects: Sequence[Hashable]) -> None:
        """An event of these is not told, and the node is not left alone for that."""
        self._counts.add(NOW_LOST)
        if (kind := self._kinds().get(type)) is not None and subjects:
            self._do(kind, lambda kind: kind.missed(node, subjects))

    def _fail(self, node: str, was_tried: bool = True) -> None:
        """It is left alone for a while, and what waits for it is lost."""
        for lane in self._lanes.values():
            self._counts.add(NOW_LOST, number=lane.drop(node))
            lane.slots.failed(node)
        self._away.failed(node, was_tried)
        self._each(lambda kind: kind.lost(node))

    def _each(self, do: Callable[[ExpiringKind], None]) -> None:
        for kind in self._kinds().values():
            self._do(kind, do)

    def _do(self, kind: ExpiringKind, do: Callable[[ExpiringKind], None]) -> None:
        try:
            do(kind)
        except Exception:
            self._log.failure("A kind of what is of use now failed: {kind}.", kind=kind.type)


def _page(made: Sequence[_Made]) -> int:
    """How many go into a body."""
    size = FRAME
    for number, each in enumerate(made):
        size += size_of(each.octets)
        if number and (number == MOST_EVENTS or size > MOST_OCTETS):
            return number
    return len(made)


def _too_long(result: object) -> object:
    raise NoAnswer("there was no answer in time")
