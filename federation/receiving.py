"""Transactions of other nodes, applied in their order: each event once, whatever is sent again.

How far a stream got is stored in the commit that applies its events. So whoever sends a transaction again,
since the answer was lost or one of the two was killed, goes on where it broke off.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from federation.counts import RECEIVED, Counts
from federation.event_verifier import EventVerifier
from federation.lines import LATER, RETRY_AFTER, Lines, in_line, refused_event
from safeum_home.errors import Code, Problem
from safeum_home.ports.federation import Applied, Bulky, SharedKind
from safeum_home.ports.outbox import Inbox, InBulk, Reached
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.transactions import Received, RefusedEvent, events_in

PASSING = frozenset(
    (
        Code.BUSY,
        Code.RATE_LIMITED,
        Code.STORAGE_UNAVAILABLE,
        Code.SEALED,
        Code.SHUTTING_DOWN,
        Code.NODE_UNREACHABLE,
    )
)
"""What does not say that an event is refused, but that it cannot be applied now."""
Kinds = Callable[[], Mapping[str, SharedKind]]
_log = Logger()


_HOLDS_UP = PASSING - LATER
"""What says that nothing else can be applied either."""


class _Item(NamedTuple):
    """An event of a transaction, with what it comes to."""

    place: int
    type: str
    chat: str | None
    outcome: Applied | Problem


class Receiver:
    """Applies transactions, one at a time of each node. Each kind of event knows by itself what it means."""

    def __init__(self, inbox: Inbox, events: EventVerifier, kinds: Kinds, counts: Counts) -> None:
        self._inbox = inbox
        self._events = events
        self._kinds = kinds
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
                reached = await self._store(origin, run, reached, is_last)
                standing = Lines(reached.refused, _chats(events))
            if passing is not None:
                raise passing
            if is_last:
                return reached

    async def _run(
        self, origin: str, events: Sequence[Event | Problem], begin: int, standing: Lines
    ) -> tuple[list[_Item], Problem | None]:
        """What is stored together, from the event `begin` on; and what keeps the next one from it."""
        run: list[_Item] = []
        kinds = self._kinds()
        for index in range(begin, len(events)):
            event = events[index]
            if isinstance(event, Problem):
                if event.code in PASSING:
                    return run, event
                run.append(_Item(index, "", None, event))
                continue
            if (behind := standing.before(event.chat)) is not None:
                run.append(_Item(index, event.type, event.chat, behind))
                continue
            kind = kinds.get(event.type)
            is_alone = not getattr(kind, "together", False)
            if is_alone and any(isinstance(item.outcome, Applied) for item in run):
                return run, None
            outcome = await _applied(kind, origin, event)
            if isinstance(outcome, Problem):
                if outcome.code in _HOLDS_UP:
                    return run, outcome
                standing.refused(event.chat, outcome)
            run.append(_Item(index, event.type, event.chat, outcome))
            if isinstance(outcome, Applied) and is_alone:
                return run, None
        return run, None

    async def _store(self, origin: str, run: list[_Item], before: Reached, is_last: bool) -> Reached:
        """Commit a run, publish it, and end it; the state that it leads to."""
        try:
            try:
                return await self._commit(origin, run, before, is_last)
            except Problem:
                raise
            except Exception:
                if len(run) == 1:
                    _log.failure("An event of the kind {kind} cannot be stored.", kind=run[0].type)
                    refused = [run[0]._replace(outcome=Problem(Code.INTERNAL))]
                    return await self._commit(origin, refused, before, is_last)
            # One of them spoils the others' commit: let it fail alone.
            for place, item in enumerate(run):
                standing = Lines(before.refused, ((each.place, each.chat) for each in run))
                alone = item._replace(outcome=standing.before(item.chat) or item.outcome)
                before = await self._store_alone(origin, alone, before, is_last and place == len(run) - 1)
            return before
        finally:
            for item in run:
                if isinstance(item.outcome, Applied):
                    _guarded(item.outcome.ended)

    async def _store_alone(self, origin: str, item: _Item, before: Reached, is_last: bool) -> Reached:
        try:
            return await self._commit(origin, [item], before, is_last)
        except Problem:
            raise
        except Exception:
            _log.failure("An event of the kind {kind} cannot be stored.", kind=item.type)
            refused = [item._replace(outcome=Problem(Code.INTERNAL))]
            return await self._commit(origin, refused, before, is_last)

    async def _commit(self, origin: str, run: Sequence[_Item], before: Reached, is_last: bool) -> Reached:
        applied = [(item, item.outcome) for item in run if isinstance(item.outcome, Applied)]
        known = {item.place: item.outcome for item in run if isinstance(item.outcome, Problem)}

        def refused(outcomes: Sequence[Problem | None]) -> dict[int, Problem]:
            stored: dict[int, Problem] = {}
            for (item, _), outcome in zip(applied, outcomes, strict=True):
                if outcome is not None:
                    if outcome.code in _HOLDS_UP:
                        raise outcome
                    stored[item.place] = outcome
            return {**known, **stored}

        def reached(outcomes: Sequence[Problem | None]) -> Reached:
            more = tuple(refused_event(index, each) for index, each in sorted(refused(outcomes).items()))
            every = (*before.refused, *more)
            if is_last:
                return before._replace(last=before.last + 1, done=0, refused=every)
            return before._replace(done=before.done + len(run), refused=every)

        def aside(outcomes: Sequence[Problem | None]) -> list[tuple[str, str]]:
            types = {item.place: item.type for item in run}
            every = refused(outcomes).items()
            return [(types[index], each.code.code) for index, each in every if each.code not in LATER]

        for _, each in applied:
            each.placed()  # in the turn in which they are handed to the database
        stores = in_line([(item.chat, each.store) for item, each in applied])
        bulks = self._in_bulk(applied)
        outcomes = await self._inbox.apply(origin, stores, reached, aside, bulks)
        for (_, each), outcome in zip(applied, outcomes, strict=True):
            if outcome is None:
                _guarded(each.publish)
        return reached(outcomes)

    def _in_bulk(self, applied: Sequence[tuple[_Item, Applied]]) -> list[InBulk]:
        """What is stored at once: of kinds that can do that, where there is more than one of them."""
        places: dict[str, list[int]] = {}
        for place, (item, each) in enumerate(applied):
            if each.row is not None:
                places.setdefault(item.type, []).append(place)
        kinds, bulks = self._kinds(), list[InBulk]()
        for of_type, found in places.items():
            kind: Any = kinds[of_type]
            if len(found) > 1:
                rows = [applied[place][1].row for place in found]
                bulks.append(InBulk(found, partial(_store_rows, kind, rows)))
        return bulks


def _store_rows(kind: Bulky, rows: Sequence[Any], c: Connection) -> bool:
    return kind.store_rows(c, rows)


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


def _guarded(what: Callable[[], None]) -> None:
    """What was committed stays so, whatever goes wrong where it is told."""
    try:
        what()
    except Exception:
        _log.failure("What a node has told cannot be passed on.")


def _answer(reached: Reached) -> Received:
    return Received(reached.last, [RefusedEvent(*each) for each in reached.refused])
