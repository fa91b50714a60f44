"""A relation to an account of another node: what its node is told of one's own side, and what follows of what
it tells.

Both nodes hold a `Pair`, each seen from its own account. Told is only what `relation` lets the other side
see: whether one has asked, has agreed, or neither. So a block is told as a removal is, and a declined request
not at all. Each time that somebody asks anew gets a number, so that what was taken back and asked again, or
has crossed an answer, is not taken for what it was before.
"""

from typing import NamedTuple

from safeum_home.accounts import relation
from safeum_home.accounts.relation import (
    ACCEPTED,
    BLOCKED,
    CLOSED,
    INCOMING,
    NONE,
    REMOVED,
    REQUESTED,
    Action,
)
from safeum_home.protocol.types import ContactState

OPEN = frozenset((REQUESTED, ACCEPTED))
"""States in which somebody wants the contact."""
_PARTED = {ACCEPTED: REMOVED, INCOMING: NONE}


class Told(NamedTuple):
    """One's own side as the other node may know it: `none`, `requested` or `accepted`.

    `asked` is the number of one's own asking, 0 where there is none; `of` the last of the other one's that
    was heard of when this came to be so.
    """

    state: ContactState = NONE
    asked: int = 0
    of: int = 0


class Pair(NamedTuple):
    """Both sides, as far as the node of `mine` knows.

    `asked` is the last number under which `mine` has asked, `heard` the last of `theirs` that was told.
    """

    mine: ContactState = NONE
    theirs: ContactState = NONE
    asked: int = 0
    heard: int = 0

    @property
    def told(self) -> Told:
        if self.mine is REQUESTED:
            return Told(REQUESTED, self.asked, self.heard)
        return Told(ACCEPTED, self.asked, self.heard) if self.mine is ACCEPTED else Told(NONE, 0, self.heard)


NEVER = Pair()
"""Nothing was ever done, or heard. Who is said to have been accepted then was, before this node was put back
from a backup: it is as if he were asked now."""


def acted(pair: Pair, action: Action, now: int) -> Pair:
    """After the owner of `mine` did `action`; raises `wrong_contact_state`. `now` is in milliseconds."""
    mine, theirs = relation.after(action, pair.mine, pair.theirs)
    # Of the other side it is known whether it wants the contact; what it does without is its own.
    theirs = theirs if theirs in OPEN else NONE
    asks = mine in OPEN and pair.mine not in OPEN
    return Pair(mine, theirs, max(now, pair.asked + 1) if asks else pair.asked, pair.heard)


def heard(pair: Pair, told: Told) -> Pair:
    """After the other node has told how its account stands. Hearing it again changes nothing."""
    if told.state is NONE:
        if pair.mine is ACCEPTED and told.of != pair.asked:
            return pair._replace(mine=REQUESTED, theirs=NONE)  # it has not heard yet of being asked anew
        return _parted(pair)
    if told.state is ACCEPTED and _stands(pair, told):
        return Pair(ACCEPTED, ACCEPTED, pair.asked, told.asked)
    if told.asked == pair.heard:
        return pair  # of before what has been done here meanwhile, or declined
    if told.state is ACCEPTED and pair != NEVER and pair.mine is not REMOVED:
        return _parted(pair)
    if pair.mine is REQUESTED:
        return Pair(ACCEPTED, ACCEPTED, pair.asked, told.asked)
    mine = pair.mine if pair.mine in (BLOCKED, CLOSED) else INCOMING
    return Pair(mine, REQUESTED, pair.asked, told.asked)


def is_news(before: Pair, now: Pair) -> bool:
    """Whether the other node is to be told. That something was heard, and no more, says what was done."""
    same = before.told == now.told or (before.told.state is not ACCEPTED and before.told[:2] == now.told[:2])
    return not same


def is_stale(pair: Pair, told: Told) -> bool:
    """Whether something was accepted that was taken back meanwhile: its node is to be told that."""
    if told.state is not ACCEPTED or _stands(pair, told) or pair == NEVER:
        return False
    # It may have been heard when there was nothing: then its owner has yet to say something to it.
    return not (pair.mine is INCOMING and told.asked == pair.heard)


def _stands(pair: Pair, told: Told) -> bool:
    """Whether what was accepted is being asked still."""
    return pair.mine in OPEN and told.of == pair.asked


def _parted(pair: Pair) -> Pair:
    return pair._replace(mine=_PARTED.get(pair.mine, pair.mine), theirs=NONE)
