"""Events of a transaction, stored in one commit with how far its stream got; or each alone, if one fails."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection
from twisted.logger import Logger

from federation.lines import LATER, Lines, in_line, refused_event
from safeum_home.errors import Code, Problem
from safeum_home.ports.federation import Applied, Bulky, SharedKind
from safeum_home.ports.outbox import Inbox, InBulk, Reached

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
HOLDS_UP = PASSING - LATER
"""What says that nothing else can be applied either."""
Kinds = Callable[[], Mapping[str, SharedKind]]
_log = Logger()


class Item(NamedTuple):
    """An event of a transaction, with what it comes to."""

    place: int
    type: str
    chat: str | None
    outcome: Applied | Problem


class Committing:
    """Commits runs of events, publishes what they came to, and ends them."""

    def __init__(self, inbox: Inbox, kinds: Kinds) -> None:
        self._inbox = inbox
        self._kinds = kinds

    async def store(self, origin: str, run: list[Item], before: Reached, is_last: bool) -> Reached:
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

    async def _store_alone(self, origin: str, item: Item, before: Reached, is_last: bool) -> Reached:
        try:
            return await self._commit(origin, [item], before, is_last)
        except Problem:
            raise
        except Exception:
            _log.failure("An event of the kind {kind} cannot be stored.", kind=item.type)
            refused = [item._replace(outcome=Problem(Code.INTERNAL))]
            return await self._commit(origin, refused, before, is_last)

    async def _commit(self, origin: str, run: Sequence[Item], before: Reached, is_last: bool) -> Reached:
        applied = [(item, item.outcome) for item in run if isinstance(item.outcome, Applied)]
        known = {item.place: item.outcome for item in run if isinstance(item.outcome, Problem)}

        def refused(outcomes: Sequence[Problem | None]) -> dict[int, Problem]:
            stored: dict[int, Problem] = {}
            for (item, _), outcome in zip(applied, outcomes, strict=True):
                if outcome is not None:
                    if outcome.code in HOLDS_UP:
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

    def _in_bulk(self, applied: Sequence[tuple[Item, Applied]]) -> list[InBulk]:
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


def _guarded(what: Callable[[], None]) -> None:
    """What was committed stays so, whatever goes wrong where it is told."""
    try:
        what()
    except Exception:
        _log.failure("What a node has told cannot be passed on.")
