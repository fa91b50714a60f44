"""How far a call is, and how one ends."""

from enum import Enum
from typing import NamedTuple

from safeum_home.ports.carrier import CarrierEnd
from safeum_home.ports.money import Direction, Disposition, Released
from safeum_home.protocol.telephone_types import TelephoneEnded

NORMAL_CLEARING = 16
"""A cause (Q.850, table 1)."""
OK, LEAST_REFUSAL, REQUEST_TERMINATED = 200, 300, 487
"""Status codes (RFC 3261, section 21): the last one is of a call that was cancelled."""


class Stage(Enum):
    """How far a call is; the machine's state, for who looks at it."""

    NEW = "new"
    ASKING = "asking"
    """Whether it may be dialled; who is called."""
    DIALLED = "dialled"
    RINGING = "ringing"
    TAKEN = "taken"
    """A device has answered, and the carrier does not know it yet."""
    UNANSWERED = "unanswered"
    """The voicemail is asked to take it."""
    RECORDED = "recorded"
    """It has."""
    ACTIVE = "active"
    OVER = "over"


SHOWN = frozenset((Stage.DIALLED, Stage.RINGING, Stage.TAKEN, Stage.ACTIVE))
"""What an account sees of its calls."""
ENGAGED = frozenset((Stage.ASKING, Stage.DIALLED, Stage.TAKEN, Stage.ACTIVE))
"""Those that it has begun, or taken."""


class Ending(NamedTuple):
    """Why a call is over, and who has ended it; `sip` and `cause` as in `CarrierEnd`.

    `there`: the carrier knows.
    """

    reason: TelephoneEnded
    released: Released
    sip: int = 0
    cause: int = 0
    there: bool = False

    def disposition(self, is_answered: bool) -> Disposition:
        if is_answered:
            return Disposition.ANSWERED
        return _DISPOSITIONS.get(self.sip, Disposition.FAILED)


_DISPOSITIONS = {
    **dict.fromkeys((486, 600, 603), Disposition.BUSY),
    **dict.fromkeys((408, 480, REQUEST_TERMINATED), Disposition.NO_ANSWER),
}
_REFUSALS = {1: 404, 17: 486, 18: 480, 19: 480, 21: 603}
"""Codes of causes (RFC 3398, section 7.2.4.1), where a bridge tells these alone."""
_REASONS = {
    **dict.fromkeys((486, 600), TelephoneEnded.BUSY),
    **dict.fromkeys((408, 480, REQUEST_TERMINATED), TelephoneEnded.NO_ANSWER),
    **dict.fromkeys((404, 410, 484, 604), TelephoneEnded.UNALLOCATED),
}


def by_device(direction: Direction, is_answered: bool) -> Ending:
    """An account has ended its call."""
    released = Released.CALLER if direction is Direction.OUT else Released.CALLEE
    sip = OK if is_answered else REQUEST_TERMINATED
    return Ending(TelephoneEnded.HANGUP, released, sip, NORMAL_CLEARING)


def by_node(reason: TelephoneEnded, is_answered: bool) -> Ending:
    return Ending(reason, Released.NODE, OK if is_answered else REQUEST_TERMINATED, NORMAL_CLEARING)


def by_carrier(end: CarrierEnd, direction: Direction, is_answered: bool) -> Ending:
    """The carrier says that it is over: by the other side's wish, or because something has broken down."""
    other = Released.CALLEE if direction is Direction.OUT else Released.CALLER
    released = other if end.far else Released.CARRIER
    reason = TelephoneEnded.HANGUP if end.far else TelephoneEnded.LOST
    if is_answered:
        return Ending(reason, released, OK, end.cause, there=True)
    refusal = end.sip if end.sip >= LEAST_REFUSAL else _REFUSALS.get(end.cause, 0)
    if direction is Direction.IN:
        return Ending(reason, released, refusal or REQUEST_TERMINATED, end.cause, there=True)
    return Ending(_reason(refusal), released, refusal, end.cause, there=True)


def _reason(refusal: int) -> TelephoneEnded:
    """Why nobody has answered, by what the carrier has said; 0: nothing."""
    if not refusal or 500 <= refusal < 600:
        return TelephoneEnded.UNREACHABLE
    return _REASONS.get(refusal, TelephoneEnded.REFUSED)
