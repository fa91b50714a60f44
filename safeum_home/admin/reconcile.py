"""Records of calls of two kinds side by side: what the node has, and what the edge has seen."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from safeum_home.grants.trunk import EdgeRecord

COLUMNS = (
    "difference",
    "call_id",
    "direction",
    "a_number",
    "b_number",
    "talk_seconds",
    "edge_a_number",
    "edge_b_number",
    "edge_talk_seconds",
)
MISSING_HERE, MISSING_THERE = "missing here", "missing at the edge"
TALK, NUMBERS = "talk time", "numbers"


class OwnRecord(NamedTuple):
    """A call as the node has it; times in milliseconds, `answered` 0 where it was not."""

    reference: str
    direction: str
    caller: str
    called: str
    answered: int
    ended: int


class Difference(NamedTuple):
    """What is not the same, and both records as far as there are any."""

    what: str
    own: OwnRecord | None
    edge: EdgeRecord | None

    def fields(self) -> list[str]:
        """Its `COLUMNS`."""
        own, edge = self.own, self.edge
        reference = own.reference if own is not None else edge.reference if edge is not None else ""
        direction = own.direction if own is not None else edge.direction if edge is not None else ""
        ours = ["", "", ""] if own is None else [own.caller, own.called, _seconds(own)]
        theirs = ["", "", ""] if edge is None else [edge.caller, edge.called, _seconds(edge)]
        return [self.what, reference, direction, *ours, *theirs]


def talk(record: OwnRecord | EdgeRecord) -> int:
    """For how many milliseconds it was spoken."""
    return max(record.ended - record.answered, 0) if record.answered else 0


def differences(
    own: Iterable[OwnRecord], edge: Iterable[EdgeRecord], tolerance: int, unanswered: bool = False
) -> Iterator[Difference]:
    """By Call-ID, in the order of the edge's records, then of ours; `tolerance` in milliseconds.

    A call that never came to the edge has no Call-ID, and one that was not answered costs nothing: these are
    left out, the latter unless it is asked for them.
    """
    ours: dict[str, list[OwnRecord]] = {}
    for record in own:
        if record.reference:
            ours.setdefault(record.reference, []).append(record)
    for seen in edge:
        found = _taken(ours, seen)
        if found is None:
            if seen.answered or unanswered:
                yield Difference(MISSING_HERE, None, seen)
            continue
        if abs(talk(found) - talk(seen)) > tolerance:
            yield Difference(TALK, found, seen)
        if (found.direction, found.caller, found.called) != (seen.direction, seen.caller, seen.called):
            yield Difference(NUMBERS, found, seen)
    for left in ours.values():
        for record in left:
            if record.answered or unanswered:
                yield Difference(MISSING_THERE, record, None)


def _taken(ours: dict[str, list[OwnRecord]], seen: EdgeRecord) -> OwnRecord | None:
    """Ours of the same Call-ID, that is nearest in time: it is not given out once more."""
    left = ours.get(seen.reference)
    if not left:
        return None
    nearest = min(left, key=lambda record: abs(record.ended - seen.ended))
    left.remove(nearest)
    return nearest


def _seconds(record: OwnRecord | EdgeRecord) -> str:
    return f"{talk(record) / 1000:.3f}"
