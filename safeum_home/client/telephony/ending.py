"""Why a call with the telephone network is over, as its program is told."""

from enum import Enum
from typing import NamedTuple

from safeum_home.protocol.telephone_types import TelephoneEnded


class TelephoneEnd(Enum):
    """The reasons of `protocol.telephone_types.TelephoneEnded`, and those that this side finds by itself."""

    HANGUP = "hangup"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNALLOCATED = "unallocated"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    NO_BALANCE = "no_balance"
    TIME_OVER = "time_over"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    DECLINED_ELSEWHERE = "declined_elsewhere"
    VOICEMAIL = "voicemail"
    DECLINED = "declined"
    """On this device."""
    FAILED = "call_failed"
    """No way was found for the sound, or none any more."""
    CLOSED = "session_over"
    """This client was closed, or its session has ended."""

    @classmethod
    def of(cls, ended: TelephoneEnded) -> "TelephoneEnd":
        return cls(ended.value)


class Bill(NamedTuple):
    """What a call has cost: `amount` micro-units with tax, for so many `seconds` from its answer."""

    seconds: int
    amount: int
    currency: str
