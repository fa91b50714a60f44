"""Calls: the values that their commands and events are made of. docs/calls.md narrates it."""

from enum import Enum
from typing import Annotated

from msgspec import Meta

CALL_PATTERN = r"^[A-Za-z0-9_-]{22}$(?!\n)"

RING_SECONDS = 45.0
"""For how long a call rings."""
ALIVE_SECONDS = 20.0
"""How often a device says that its call goes on (`call.alive`)."""
LOST_SECONDS = 60.0
"""After which a call of which its device says nothing is over for its node, as of when it last did."""
MOST_HELLO = 1024
MOST_SIGNAL = 24 * 1024
"""Characters of what two devices say to each other through their nodes."""
MOST_TOGETHER = 6
"""Devices in a conference: each is connected with each."""

CallId = Annotated[
    str,
    Meta(
        pattern=CALL_PATTERN, max_length=22, description="16 random octets, base64url; the caller's choice."
    ),
]
Hello = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,1024}$(?!\n)",
        max_length=MOST_HELLO,
        description="How two devices begin to agree on keys, base64url: nothing to a node (docs/calls.md).",
    ),
]
Signal = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,24576}$(?!\n)",
        max_length=MOST_SIGNAL,
        description="What one device says to another, sealed between them, base64url.",
    ),
]


class Media(Enum):
    """What a call begins with. What is sent later the devices agree on by themselves."""

    AUDIO = "audio"
    VIDEO = "video"


class Declined(Enum):
    """Why a call is not taken."""

    DECLINED = "declined"
    BUSY = "busy"


class Ended(Enum):
    """Why a call is over."""

    HANGUP = "hangup"
    DECLINED = "declined"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    """It has rung for as long as calls ring."""
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    """Another device of the account has answered."""
    DECLINED_ELSEWHERE = "declined_elsewhere"
    REPLACED = "replaced"
    """Both have called each other: the call with the lower id goes on, and is to be answered."""
    UNREACHABLE = "unreachable"
    """The other's node cannot be told, or takes no calls from here."""
    LOST = "lost"
    """The other device's node has not heard of it any more."""
