"""The lives of a history that several nodes hold: each time somebody switches it off a new one begins.

A life is written as one number for each of the two members, in the order of their ids: of the last time that
this one has switched the history off, each time a higher one; 0: never. It is the time in milliseconds, so
that a node which was put back from a backup does not use one twice. Nobody's node counts for the other, so of
two lives that began at once neither is later, and the one that follows from both is made of the higher
numbers. What was written in another life than the present one was written before somebody erased it. Empty:
nobody ever has.
"""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import structs

from safeum_home.chats.groups import lives as group_lives
from safeum_home.chats.record import AcrossRecord, ChatRecord
from safeum_home.ids import AccountId
from safeum_home.protocol.federation.events import node_of

Life = tuple[int, ...]


class HistoryState(NamedTuple):
    """A life, and whether in it the history was switched on (again)."""

    life: Life
    kept: bool


def life_of(record: ChatRecord) -> Life:
    """The present life of a chat."""
    return () if record.across is None else record.across.life


def state_of(record: ChatRecord) -> HistoryState:
    return HistoryState(life_of(record), record.history)


def is_known(told: Life, own: Life) -> bool:
    """Whether one who knows of the life `own` has heard of all that began `told`."""
    return joined(told, own) == plain(own)


def joined(one: Life, other: Life) -> Life:
    """The life that follows from both."""
    one, other = plain(one), plain(other)
    if not one or not other:
        return one or other
    return tuple(map(max, one, other))


def plain(life: Iterable[int]) -> Life:
    """Empty where it is the one that every chat begins with."""
    life = tuple(life)
    return life if any(life) else ()


def merged(one: HistoryState, other: HistoryState) -> HistoryState:
    """What both come to, in whatever order and however often they hear of each other.

    Who switches a history on does that to the life that he knows: so somebody who has switched it off
    meanwhile is not overruled.
    """
    life = joined(one.life, other.life)
    kept = any(each.kept and plain(each.life) == life for each in (one, other))
    return HistoryState(life, kept)


def place_of(record: ChatRecord, account: AccountId) -> int:
    """Where in a life the number of a member is."""
    return sorted(record.members).index(account)


def switched_off(record: ChatRecord, account: AccountId, at: int) -> AcrossRecord:
    """What becomes of it when a member of this node switches the history off, at that time."""
    before, place = record.across, place_of(record, account)
    life = list(life_of(record) or (0,) * len(record.members))
    life[place] = max(life[place] + 1, at)
    confirmed = () if before is None else before.confirmed
    return AcrossRecord(tuple(life), at, at, confirmed)


def told_of(record: ChatRecord, life: Life, at: int) -> AcrossRecord:
    """What becomes of it when another node's telling leads to `life`."""
    before = record.across
    return AcrossRecord(life, at) if before is None else structs.replace(before, life=life, at=at)


def pending(record: ChatRecord, node: str) -> tuple[str, ...]:
    """The nodes that have not signed yet that they erased what somebody of `node`, which is this one, has."""
    if record.group is not None:
        return group_lives.pending(record, node)
    across = record.across
    if across is None or not across.asked:
        return ()
    signed = {each.node: each.life for each in across.confirmed}
    own = [place for place, member in enumerate(sorted(record.members)) if node_of(member) == node]
    others = sorted({node_of(member) for member in record.members} - {node})
    return tuple(
        other
        for other in others
        if any(number_of(signed.get(other, ()), place) < across.life[place] for place in own)
    )


def number_of(life: Life, place: int) -> int:
    """The number at a place of a life."""
    return life[place] if life else 0
