"""Transactions of other nodes, applied in their order: each event once, whatever is sent again.

How far a stream got is stored in the commit that applies its events. So whoever sends a transaction again,
since the answer was lost or one of the two was killed, goes on where it broke off.
"""

from collections.abc import Iterator, Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from federation.committing import HOLDS_UP, PASSING, Committing, Item, Kinds
from federation.counts import RECEIVED, Counts
from federation.event_verifier import EventVerifier
from federation.lines import RETRY_AFTER, Lines
from safeum_home.errors import Code, Problem
from safeum_home.ports.federation import Applied, SharedKind
from safeum_home.ports.outbox import Inbox, Reached
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.transactions import Received, RefusedEvent, events_in

_log = Logger()


class Receiver:
    """Applies transactions, one at a time of each node. Each kind of event knows by itself what it means."""

    def __init__(self, inbox: Inbox, events: EventVerifier, kinds: Kinds, counts: Counts) -> None:
        self._inbox = inbox
        self._events = events
        self._kinds = kinds
        self._committing = Committing(inbox, kinds)
        self._counts = counts
        self._under_way: dict[str, Deferred[None]] = {}

    async def received(self, origin: str, stream: bytes, number: int, body: bytes, digest: bytes) -> Received:
        """Apply the transaction `number` of a stream (16 octets); `digest` is the SHA-256 of its body.

        Raises `Problem`: `stale_stream`, `sequence_gap`, `bad_request`, and what passes (`PASSING`, and
        `unknown_key`), always with `retry_after`: some of it may have been applied.
        """
        if origin in self._under_way:
            raise Problem(Code.BUSY, "a transaction of this node is under way", retry_after=1)
        self._under_way[origin] = Deferred()
        try:
            return await self._received(origin, stream, number, body, digest)
        except Problem as problem:
            self._counts.add(RECEIVED, problem.code.code)
            if problem.code in PASSING:
                raise Problem(problem.code, None, problem.retry_after or RETRY_AFTER) from None
            raise
        finally:
            self._under_way.pop(origin).callback(None)

    async def finished(self) -> None:
        """Wait for what is under way."""
        for each in list(self._under_way.values()):
            await each

    async def _received(
        self, origin: str, stream: bytes, number: int, body: bytes, digest: bytes
    ) -> Received:
        reached = await self._inbox.reached(origin)
        if reached.stream != stream:
            if number != 1:
                raise Problem(Code.SEQUENCE_GAP, "a stream begins with 1")
            reached = Reached(stream, 0, 0, b"", ())
        if number == reached.last and not reached.done and digest == reached.digest:
            return _answer(reached)
        if number <= reached.last:
            raise Problem(Code.STALE_STREAM)
        if number > reached.last + 1:
            raise Problem(Code.SEQUENCE_GAP, f"the last was {reached.last}")
        if reached.done and digest != reached.digest:
            raise Problem(Code.STALE_STREAM)
        reached = reached._replace(digest=digest, refused=reached.refused if reached.done else ())
        events = await self._events.verified(events_in(body), origin)
        _check_keys(events, origin)
        reached = await self._apply(origin, events, reached)
        self._counts.applied(len(events), (each.code for each in reached.refused))
        return _answer(reached)

    async def _apply(self, origin: str, events: Sequence[Event | Problem], reached: Reached) -> Reached:
        standing = Lines(reached.refused, _chats(events))
        while True:
            run, passing = await self._run(origin, events, reached.done, standing)
            done = reached.done + len(run)
            is_last = done == len(events) and passing is None
            if run or is_last:
                reached = await self._committing.store(origin, run, reached, is_last)
                standing = Lines(reached.refused, _chats(events))
            if passing is not None:
                raise passing
            if is_last:
                return reached

    async def _run(
        self, origin: str, events: Sequence[Event | Problem], begin: int, standing: Lines
    ) -> tuple[list[Item], Problem | None]:
        """What is stored together, from the event `begin` on; and what keeps the next one from it."""
        run: list[Item] = []
        kinds = self._kinds()
        for index in range(begin, len(events)):
            event = events[index]
            if isinstance(event, Problem):
                if event.code in PASSING:
                    return run, event
                run.append(Item(index, "", None, event))
                continue
            if (behind := standing.before(event.chat)) is not None:
                run.append(Item(index, event.type, event.chat, behind))
                continue
            kind = kinds.get(event.type)
            is_alone = not getattr(kind, "together", False)
            if is_alone and any(isinstance(item.outcome, Applied) for item in run):
                return run, None
            outcome = await _applied(kind, origin, event)
            if isinstance(outcome, Problem):
                if outcome.code in HOLDS_UP:
                    return run, outcome
                standing.refused(event.chat, outcome)
            run.append(Item(index, event.type, event.chat, outcome))
            if isinstance(outcome, Applied) and is_alone:
                return run, None
        return run, None


def _chats(events: Sequence[Event | Problem]) -> Iterator[tuple[int, str | None]]:
    """Which chat each event is of."""
    return ((place, each.chat) for place, each in enumerate(events) if isinstance(each, Event))


def _check_keys(events: Sequence[Event | Problem], origin: str) -> None:
    """Raises `unknown_key`, where that is what is wrong with all that `origin` says itself.

    Its key was replaced on the way, or its document could not be fetched: that says nothing of the events.
    """
    for each in events:
        if isinstance(each, Event) and each.node == origin:
            return
    for each in events:
        if isinstance(each, Problem) and each.code is Code.UNKNOWN_KEY and each.retry_after is not None:
            raise Problem(each.code, None, each.retry_after)


async def _applied(kind: SharedKind | None, origin: str, event: Event) -> Applied | Problem:
    if kind is None:
        return Problem(Code.UNKNOWN_KIND)
    try:
        return await kind.apply(origin, event)
    except Problem as problem:
        return Problem(problem.code, problem.detail, problem.retry_after)
    except Exception:
        _log.failure("An event of the kind {kind} cannot be applied.", kind=event.type)
        return Problem(Code.INTERNAL)


def _answer(reached: Reached) -> Received:
    return Received(reached.last, [RefusedEvent(*each) for each in reached.refused])
