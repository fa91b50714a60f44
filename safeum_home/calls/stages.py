"""How far a leg is, and how one ends."""

from enum import Enum
from typing import NamedTuple

from safeum_home.ids import DeviceId
from safeum_home.protocol.call_types import Ended


class Stage(Enum):
    """How far a leg is; the machine's state, for who looks at it."""

    NEW = "new"
    INVITING = "inviting"
    RINGING = "ringing"
    CALLED = "ringing here"
    TAKEN = "taken"
    """A device of ours has answered, and it is not known whether the caller's half has heard that."""
    ACTIVE = "active"
    OVER = "over"


OUTGOING = frozenset((Stage.INVITING, Stage.RINGING))
INCOMING = frozenset((Stage.CALLED,))
ANSWERED = frozenset((Stage.TAKEN, Stage.ACTIVE))


class Ending(NamedTuple):
    """What devices `here` are told, but for the one that knows; what the other half is told."""

    here: Ended | None
    there: Ended | None
    skip: DeviceId | None = None
    until: int | None = None
    """When it was over, where that is not now; in milliseconds."""

    @property
    def reason(self) -> Ended:
        """What is remembered of it."""
        return self.there or self.here or Ended.LOST


NO_ANSWER = Ending(Ended.NO_ANSWER, Ended.NO_ANSWER)
LOST = Ending(Ended.LOST, Ended.LOST)
UNREACHABLE = Ending(Ended.UNREACHABLE, None)
MISSED = Ending(Ended.UNREACHABLE, Ended.UNREACHABLE)
WITHDRAWN = Ending(Ended.HANGUP, Ended.HANGUP)
REPLACED = Ending(Ended.REPLACED, Ended.REPLACED)
