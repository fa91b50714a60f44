"""What devices are told of calls with the telephone network. None of it comes again after a reconnect, but
`telephone.incoming` as long as it rings, and `telephone.ended` for a minute."""

from msgspec import UNSET, Struct, UnsetType

from safeum_home.protocol.call_types import CallId
from safeum_home.protocol.event import event
from safeum_home.protocol.telephone_types import Description, Digits, Number, TelephoneEnded


@event("telephone.incoming", durable=False)
class TelephoneIncoming(Struct, frozen=True):
    """Somebody calls one's SafeNUM. `sdp` is an offer, for the one device that answers."""

    call: CallId
    sdp: Description
    seconds: float
    """For how much longer it rings."""
    caller: Number | UnsetType = UNSET
    """Left out where withheld."""


@event("telephone.progress", durable=False)
class TelephoneProgress(Struct, frozen=True):
    """It rings at the other side. With a description there is sound from there already."""

    call: CallId
    sdp: Description | None = None


@event("telephone.answered", durable=False)
class TelephoneAnswered(Struct, frozen=True):
    """It is taken, and paid for from now on. The description is left out where one came with the progress."""

    call: CallId
    sdp: Description | None = None


@event("telephone.paid", durable=False)
class TelephonePaid(Struct, frozen=True):
    """Paid for so many seconds from the answer; `last`: it will be ended then."""

    call: CallId
    seconds: int
    last: bool


@event("telephone.dtmf", durable=False)
class TelephoneKeys(Struct, frozen=True):
    """The other side has pressed keys, as far as they were signalled to the node."""

    call: CallId
    digits: Digits


@event("telephone.ended", durable=False)
class TelephoneOver(Struct, frozen=True):
    """It is over, after so many `seconds` from its answer, and has cost `amount` micro-units with tax."""

    call: CallId
    reason: TelephoneEnded
    sip: int = 0
    seconds: int = 0
    amount: int = 0
    currency: str = ""
