"""Why a call is over, as its program is told."""

from enum import Enum

from safeum_home.protocol.call_types import Ended


class CallEnd(Enum):
    """The reasons of `protocol.call_types.Ended`, and those that this side finds by itself."""

    HANGUP = "hangup"
    DECLINED = "declined"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    DECLINED_ELSEWHERE = "declined_elsewhere"
    REPLACED = "replaced"
    """Both have called each other: the other call goes on, and is answered by itself."""
    UNREACHABLE = "unreachable"
    LOST = "lost"
    TAMPERED = "call_tampered"
    """Somebody between the two devices, such as a node, has changed what they say, or is none of the two."""
    FAILED = "call_failed"
    """No way was found for the media, or none any more; or it cannot be told now whose device it is."""
    CLOSED = "session_over"
    """This client was closed, or its session has ended."""

    @classmethod
    def of(cls, ended: Ended) -> "CallEnd":
        return cls(ended.value)
