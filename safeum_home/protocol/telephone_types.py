"""Calls with the telephone network: the values that their commands and events are made of."""

from enum import Enum
from typing import Annotated

from msgspec import Meta

DIGITS = "0123456789*#ABCD"
RING_SECONDS = 30.0
"""For how long a call from the telephone network rings."""
MOST_SDP = 12 * 1024
E164_PATTERN = r"^\+[1-9][0-9]{6,14}$(?!\n)"

Number = Annotated[
    str, Meta(pattern=E164_PATTERN, max_length=16, description="In international form (E.164), +49....")
]
Dialled = Annotated[
    str,
    Meta(
        pattern=r"^(\+[1-9][0-9]{1,14}|[0-9*#]{2,6})$(?!\n)",
        max_length=16,
        description="A number in international form (E.164). Short ones are refused with a reason.",
    ),
]
Description = Annotated[
    str,
    Meta(
        pattern=r"^v=0\r?\n[\x09\x0a\x0d\x20-\x7e]{1,12284}$",
        max_length=MOST_SDP,
        description="SDP of WebRTC (RFC 8829), with all candidates. One audio section, with G.711.",
    ),
]
Digits = Annotated[
    str, Meta(pattern=r"^[0-9*#A-D]{1,32}$(?!\n)", max_length=32, description="Keys of a telephone (DTMF).")
]


class TelephoneEnded(Enum):
    """Why a call with the telephone network is over, or was not to be."""

    HANGUP = "hangup"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNALLOCATED = "unallocated"
    """Nobody has this number."""
    REFUSED = "refused"
    """The carrier does not put it through; `sip` says more."""
    UNREACHABLE = "unreachable"
    """The carrier is in trouble, or cannot be reached."""
    LOST = "lost"
    """The bridge, or the sound, broke down in the midst of it."""
    NO_BALANCE = "no_balance"
    """The balance, or what may be spent in a day, is used up."""
    TIME_OVER = "time_over"
    """It has lasted as long as a call may."""
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    DECLINED_ELSEWHERE = "declined_elsewhere"
    VOICEMAIL = "voicemail"
    """The voicemail has taken it."""


class TelephoneDirection(Enum):
    OUT = "out"
    IN = "in"
