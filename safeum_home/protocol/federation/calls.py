"""What the two halves of a call say to each other, at one node or across nodes: of use for a moment alone."""

from msgspec import Struct

from safeum_home.protocol.call_types import CallId, Ended, Hello, Media, Signal
from safeum_home.protocol.scalars import Account, Device

CALL, CALL_SIGNAL = "call", "call.signal"
"""The types of events, whose content is `Spoken`: of signals, and of all else, which goes before them.

The sender is the account that says it.
"""


class _Said(Struct, frozen=True, forbid_unknown_fields=True, tag_field="says"):
    """`device` is the one of the sender that the call is of there."""

    call: CallId
    to: Account


class Invite(_Said, frozen=True, tag="invite"):
    """The sender calls. The same again asks how it is with the call, and rings no second time."""

    device: Device
    media: Media
    hello: Hello


class Ringing(_Said, frozen=True, tag="ringing"):
    """A device of the sender, who is called, rings."""

    device: Device
    hello: Hello


class Answer(_Said, frozen=True, tag="answer"):
    """The sender has taken the call, on a device that rang."""

    device: Device


class Said(_Said, frozen=True, tag="signal"):
    """From a device to a device, sealed between the two."""

    device: Device
    target: Device
    data: Signal


class GoesOn(_Said, frozen=True, tag="goes_on"):
    """The call goes on at a node that had forgotten it. `other` is the other's device, where it is known.

    Where it is not, the same is said back.
    """

    device: Device
    other: Device | None = None


class End(_Said, frozen=True, tag="end"):
    """It is over. Nothing is ever said back to that."""

    reason: Ended


Word = Invite | Ringing | Answer | Said | GoesOn | End


class Spoken(Struct, frozen=True, forbid_unknown_fields=True):
    word: Word


ELSEWHERE = frozenset((Ended.ANSWERED_ELSEWHERE, Ended.DECLINED_ELSEWHERE))
"""What devices of one account hear, and nobody says to another."""
