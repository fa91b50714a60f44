"""What waits for other nodes, on its way: for each destination one machine, and one transaction at a time.

Rows are read a batch at a time, and a body lives only while its request, or the one before it, is under way:
what waits for nodes that are away takes no memory.
"""

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from federation.answers import Failed
from federation.counts import FAILED, HINDERED, SENT, Counts
from federation.greeting import Greeting, Request
from federation.machine import LATER, Core
from federation.making import Build, Maker
from federation.slots import Slots
from federation.telling import Means, Telling
from federation.ways import Report, Way
from safeum_home.errors import Problem
from safeum_home.ports.outbox import Outbox


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
        self._request = request
        self._random = random
        self._counts = counts
        self._ways: dict[str, Way] = {}
        self._slots = Slots()
        maker = Maker(outbox, build, key_id)
        self._means = Means(clock, outbox, maker, request, self._slots, counts)
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
            self._wake(node, None)

    def more(self, node: str) -> bool:
        """Something more waits for a node; False where it is to be woken for that."""
        way = self._ways.get(node)
        if way is None:
            return False
        way.arrivals.one()
        return way.is_woken

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
            telling = Telling(self._means, node, way)
            await telling.run()
            # What comes now is sent with the next turn.
            await telling.turn()
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
