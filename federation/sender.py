"""What waits for other nodes, on its way: for each destination one machine, and one transaction at a time.

Rows are read a batch at a time, and a body lives only while its request, or the one before it, is under way:
what waits for nodes that are away takes no memory.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from federation.answers import Failed, code_in, refused_in, seconds_in
from federation.counts import BEGUN_ANEW, FAILED, HINDERED, SENT, SPLIT, Counts
from federation.greeting import Greeting, Request
from federation.machine import LATER, SOON, Core
from federation.making import Build, Maker, Ready
from federation.slots import Slots
from federation.ways import Report, Way
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.resolving import TOO_MANY_NAMES
from safeum_home.ports.outbox import Batch, Outbox, Refused, Trim
from safeum_home.protocol.federation.group_posts import PASSED_ON
from safeum_home.protocol.federation.transactions import TRANSACTIONS_PATH, stream_name

LONGEST_ANSWER = 128 * 1024
TURN = 0.01
"""Seconds from one transaction to the next one for the same node: what comes meanwhile goes together."""
BEGINNINGS = 3
"""How often in a row a stream is begun anew, before the node is left alone for a while."""
WITHOUT_KEYS = 30.0
"""Seconds for which a node that knows no key of this one is left alone: as often others fetch them."""
_ANEW = frozenset(("stale_stream", "sequence_gap"))
_TOO_MUCH = frozenset(("bad_request", "too_large", "malformed_event"))
"""What a node says of a transaction that it will never take as it is."""


class Sender:
    """Tells other nodes. For the reactor's thread."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        outbox: Outbox,
        build: Build,
        request: Request,
        random: Callable[[], float],
        key_id: Callable[[], str],
        counts: Counts,
    ) -> None:
        """`random` gives numbers from 0 to 1, `key_id` names the key that requests are signed with now."""
        self._clock = clock
        self._outbox = outbox
        self._maker = Maker(clock, outbox, build, key_id)
        self._request = request
        self._random = random
        self._counts = counts
        self._ways: dict[str, Way] = {}
        self._slots = Slots()
        self._greeting: Deferred[None] | None = None
        self._stopped = False

    # --- what happens

    def start(self) -> None:
        """Go on with what waits, and tell the others that this node is there again; not all at once."""
        greeting = Greeting(self._clock, self._outbox, self._request, self._wake)
        self._greeting = Deferred.fromCoroutine(greeting.run())
        self._greeting.addErrback(self._gave_up)

    def wake(self, nodes: Iterable[str]) -> None:
        """Something waits for these."""
        for node in nodes:
            if not self.is_woken(node):
                self._wake(node, None)

    def is_woken(self, node: str) -> bool:
        """Whether a node will be looked after without being woken: what waits is looked for later."""
        way = self._ways.get(node)
        return way is not None and way.is_woken

    def is_failing(self, node: str) -> bool:
        """Whether a node could not be told, and has not shown since that it is there."""
        way = self._ways.get(node)
        return way is not None and way.core.since is not None and not way.is_there

    def heard(self, node: str) -> None:
        """A node has sent a request that is really of it."""
        if (way := self._ways.get(node)) is not None:
            way.is_there = True
            self._slots.heard(node)
            way.machine.heard()

    def stop(self) -> "Deferred[None]":
        """Send nothing more; fires when nothing is under way."""
        self._stopped = True
        running = [] if self._greeting is None else [self._greeting]
        for way in self._ways.values():
            way.machine.stop()
            if way.run is not None:
                running.append(way.run)
        self._ways.clear()
        for run in running:
            run.cancel()
        return gatherResults(running, consumeErrors=True).addCallback(lambda _: None)

    def reports(self) -> dict[str, Report]:
        """Of those for which there is something to do."""
        return {node: Report(way.core.state, way.error) for node, way in self._ways.items()}

    def summary(self, mode: str) -> str:
        """How it is with all of them, in one line."""
        states = [way.core.state for way in self._ways.values()]
        telling, failing = sum("sending" in each for each in states), states.count("backing off")
        return f"{mode}; telling {telling} nodes, {failing} cannot be told"

    @property
    def held(self) -> int:
        """For how many destinations there is something in memory."""
        return len(self._ways)

    # --- one destination

    def _wake(self, node: str, since: float | None) -> None:
        if self._stopped:
            return
        way = self._ways.get(node)
        if way is None:
            core = Core(self._clock, self._random, lambda: self._begin(node), since=since)
            way = self._ways[node] = Way(core)
        is_busy = way.core.state != "idle"
        way.machine.woken()
        way.is_woken = is_busy

    def _begin(self, node: str) -> None:
        way = self._ways[node]
        way.is_woken = False

        run = Deferred.fromCoroutine(self._run(node, way))
        way.run = run

        def ended(result: object) -> None:
            if way.run is run:
                way.run = None

        run.addBoth(ended)

    async def _run(self, node: str, way: Way) -> None:
        try:
            await self._send(node, way)
            # What comes now is sent with the next turn.
            await self._turn(way)
        except CancelledError:
            return
        except Failed as failed:
            await self._fail(node, way, failed)
        except Problem as problem:
            # The database's, or too much is under way here: the other node is not to blame.
            way.error = problem.code.code
            self._counts.add(SENT, HINDERED)
            way.machine.hindered(problem.retry_after or 1.0)
        except Exception:
            self._log.failure("Telling a node failed.")
            await self._fail(node, way, Failed("this node failed"))
        else:
            way.machine.emptied()
            if way.core.state == "idle" and self._ways.get(node) is way:
                del self._ways[node]

    async def _send(self, node: str, way: Way) -> None:
        beginnings = 0
        ready: Ready | None = None
        batch = await self._outbox.next(node)
        while batch is not None:
            await self._turn(way)
            way.begun = self._clock.seconds()
            slot = await self._slots.acquire(node, way.core.since is not None and not way.is_there)
            try:
                (batch, built), ready = await self._maker.made(node, batch, ready), None
                answer = None
                if batch.rows:
                    answer, ready = await self._put_on(node, batch, built.body)
                del built  # before the next one is waited for
            finally:
                self._slots.release(slot)
            if answer is None:
                batch = await self._outbox.next(node)
            elif answer.status == 200:
                refused = refused_in(answer.body, batch)
                if self._is_without_keys(way, batch, refused):
                    # The answer stands for this transaction: what is asked again is asked in another one.
                    await self._outbox.new_stream(node)
                    raise Failed("unknown_key", WITHOUT_KEYS)
                self._counts.sent(len(batch.rows), (each.code for each in refused))
                made = None if ready is None else ready.batch
                batch = await self._outbox.delivered(node, batch, refused, made)
                way.machine.told()
                self._slots.told(node)
                way.error, beginnings = "", 0
            else:
                code = code_in(answer.body)
                if code in _ANEW and beginnings < BEGINNINGS:
                    self._log.info("A stream to another node is begun anew: {code}.", code=code)
                    beginnings += 1
                    self._counts.add(SENT, BEGUN_ANEW)
                    batch = await self._outbox.new_stream(node)
                elif code in _TOO_MUCH:
                    self._counts.add(SENT, SPLIT)
                    await self._split(node, batch, code)
                    batch = await self._outbox.next(node)
                else:
                    raise Failed(code or f"status {answer.status}", seconds_in(answer.retry_after))

    async def _turn(self, way: Way) -> None:
        pause = way.begun + TURN - self._clock.seconds()
        if 0 < pause <= TURN:  # else the clock was set back
            await deferLater(self._clock, pause)

    async def _put_on(self, node: str, batch: Batch, body: bytes) -> tuple[Answer, Ready | None]:
        """The answer to a batch; the next one is made meanwhile, where much waits."""
        putting = Deferred.fromCoroutine(self._put(node, batch, body))
        ahead = self._maker.ahead(node, batch)
        try:
            answer = await putting
        except Exception:
            await ahead.answered()  # whatever the answer is: it uses the database
            raise
        return answer, await ahead.answered()

    async def _put(self, node: str, batch: Batch, body: bytes) -> Answer:
        path = f"{TRANSACTIONS_PATH}{stream_name(batch.stream)}/{batch.number}"
        try:
            return await self._request(node, "PUT", path, body, LONGEST_ANSWER)
        except NoAnswer as error:
            if error.reason in (TOO_MANY, TOO_MANY_NAMES) and not error.handed_over:
                raise Problem(Code.BUSY) from None
            raise Failed(error.reason) from None

    def _is_without_keys(self, way: Way, batch: Batch, refused: Sequence[Refused]) -> bool:
        """Whether a node knows no key of this one for now, which says nothing of what it was told.

        Of what is passed on it says that of the keys of a third node, for which nobody else is to wait.
        """
        since = way.core.since
        passes = since is None or self._clock.seconds() - since < SOON
        own = any(row.type not in PASSED_ON for row in batch.rows)
        return passes and own and [each.code for each in refused] == ["unknown_key"] * len(batch.rows)

    async def _split(self, node: str, batch: Batch, code: str) -> None:
        """A node will not take it as a whole: so it gets half, and one event that it will not take goes."""
        half = len(batch.rows) // 2
        if half:
            await self._outbox.trim(node, batch, Trim(later=batch.rows[half:]))
        else:
            await self._outbox.trim(node, batch, Trim(poison=((batch.rows[0], code),)))

    async def _fail(self, node: str, way: Way, failed: Failed) -> None:
        self._counts.add(SENT, FAILED)
        way.error, way.is_there = failed.reason, False
        self._slots.failed(node)
        since, now = way.core.since, self._clock.seconds()
        try:
            if since is None or now - since >= LATER:
                dropped = await self._outbox.failing(node, int((since or now) * 1000))
                if dropped:
                    self._log.warn("What waited too long for a node was given up: {count}.", count=dropped)
        except (Problem, CancelledError):
            """It is noted with the next failure."""
        way.machine.failed(failed.retry_after)

    def _gave_up(self, failure: Any) -> None:
        if failure.check(CancelledError) is None:
            self._log.failure("Greeting other nodes failed.", failure=failure)
