"""The lives of a group's history that several nodes hold: the group's own node numbers them.

Each time that an owner switches the history off another one begins. Its number is the time in milliseconds at
that node, and a higher one than before; 0: nobody ever has. What was written in an earlier one was written
before all was erased.
"""

from collections.abc import Iterable

from msgspec import structs

from safeum_home.chats.record import AcrossRecord, ChatRecord


def life_of(record: ChatRecord) -> int:
    """The present life of a group's history."""
    across = record.across
    return across.life[0] if across is not None and across.life else 0


def switched_off(record: ChatRecord, at: int, nodes: Iterable[str]) -> AcrossRecord:
    """What becomes of it when an owner switches it off, at the group's own node; `nodes` hold copies."""
    before = record.across
    life = max(life_of(record) + 1, at)
    if before is None:
        return AcrossRecord((life,), at, at, (), tuple(sorted(set(nodes))))
    # Who has not confirmed an earlier one, and has left since then, has still not confirmed.
    awaited = tuple(sorted({*nodes, *before.awaited}))
    return AcrossRecord((life,), at, at, before.confirmed, awaited)


def told_off(record: ChatRecord, life: int, at: int, awaited: Iterable[str]) -> AcrossRecord:
    """What becomes of it in a copy that is erased."""
    before = record.across
    confirmed = () if before is None else before.confirmed
    return AcrossRecord((life,), at, at, confirmed, tuple(awaited))


def begun(life: int, at: int, awaited: Iterable[str]) -> AcrossRecord | None:
    """What a copy begins with, in which nothing is of before."""
    return AcrossRecord((life,), at, awaited=tuple(awaited)) if life else None


def with_awaited(record: ChatRecord, awaited: Iterable[str]) -> AcrossRecord | None:
    """The same life, with other nodes that have not confirmed."""
    return None if record.across is None else structs.replace(record.across, awaited=tuple(awaited))


def pending(record: ChatRecord, node: str) -> tuple[str, ...]:
    """The other nodes that have not signed yet that they have erased it; `node` is this one.

    In a copy they are those that the group's own node names, and that node itself until it has signed.
    """
    across, group = record.across, record.group
    if across is None or group is None:
        return ()
    if group.hub == node or not across.asked:
        return across.awaited
    signed = any(each.node == group.hub and each.life >= across.life for each in across.confirmed)
    others = {*across.awaited} - {node}
    return tuple(sorted(others if signed else {*others, group.hub}))
