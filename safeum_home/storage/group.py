"""What waits together is run together: the inside of a group's transaction."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from safeum_home.ports import Bulk


class Change(NamedTuple):
    """What waits for the writer: a function, or a row for `bulk`; `position` is the last taken by then."""

    bulk: Bulk[Any] | None
    item: Any
    done: Deferred[Any]
    position: int


class Group(NamedTuple):
    """Changes of whole reactor turns, and the last position that was taken by then.

    Positions are taken in the turn in which they are used, so that once the group is committed,
    everything up to `horizon` is.
    """

    changes: list[Change]
    horizon: int


IsOutage = Callable[[BaseException], object]


def run(c: Connection, changes: Sequence[Change], is_outage: IsOutage) -> list[Any]:
    """Run all; for each its result, or a `Failure` of what it raised, which undid its own changes only.

    Raises what `is_outage`. Rows between two functions go to their `bulk` together, whatever other
    rows stand between them: bulks write to tables of their own, so their order is of no matter.
    """
    outcomes: list[Any] = [None] * len(changes)
    rows: dict[Bulk[Any], list[int]] = {}

    def run_bulks() -> None:
        for bulk, places in rows.items():
            results = _run_bulk(c, bulk, [changes[place].item for place in places], is_outage)
            for place, result in zip(places, results, strict=True):
                outcomes[place] = result
        rows.clear()

    for place, (bulk, item, *_) in enumerate(changes):
        if bulk is not None:
            rows.setdefault(bulk, []).append(place)
        else:
            run_bulks()
            outcomes[place] = _guarded(c, item, is_outage)
    run_bulks()
    return outcomes


def _run_bulk(c: Connection, bulk: Bulk[Any], rows: list[Any], is_outage: IsOutage) -> Sequence[Any]:
    outcome = _guarded(c, lambda c: bulk(c, rows), is_outage)
    if not isinstance(outcome, Failure):
        return outcome  # type: ignore[no-any-return] # what the bulk returned
    if len(rows) == 1:
        return [outcome]
    # One row spoils the others' statement: let it fail alone.
    return [_run_bulk(c, bulk, [row], is_outage)[0] for row in rows]


def _guarded(c: Connection, fn: Callable[[Connection], Any], is_outage: IsOutage) -> Any:
    execute: Any = c.connection.driver_connection.execute  # type: ignore[union-attr] # it is connected
    execute("SAVEPOINT change")
    try:
        result = fn(c)
    except Exception as error:
        if is_outage(error):
            raise
        failure = Failure()
        execute("ROLLBACK TO SAVEPOINT change")
        result = failure
    execute("RELEASE SAVEPOINT change")
    return result
