"""What devices are told of calls with the telephone network. After a reconnect come again: what was told of a
call that still goes on, which may be known already, and `telephone.ended` for a minute."""

from msgspec import UNSET, Struct, UnsetType

from safeum_home.protocol.call_types import CallId
from safeum_home.protocol.event import event
from safeum_home.protocol.scalars import Milliseconds
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
class TelephoneProgress(Struct, frozen=True, omit_defaults=True):
    """It rings at the other side. With a description there is sound from there already."""

    call: CallId
    sdp: Description | None = None


@event("telephone.answered", durable=False)
class TelephoneAnswered(Struct, frozen=True, omit_defaults=True):
    """It is taken, and paid for from now on. The description is left out where one came with the progress.

    Also for the device that has answered: the carrier has heard of it.
    """

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
    """It is over, after so many `seconds` from its answer, and has cost `amount` micro-units with tax.

    `currency` is left out where nothing was charged, or where that is not known yet: `balance.changed` and
    the statement tell of it then.
    """

    call: CallId
    reason: TelephoneEnded
    sip: int = 0
    seconds: int = 0
    amount: int = 0
    currency: str = ""


@event("telephone.missed", durable=False)
class TelephoneMissed(Struct, frozen=True):
    """Somebody has called `at`, and nobody has taken it. `telephone.missed` lists those of before.

    `voicemail`: it was answered by that, and there may be a message of it.
    """

    at: Milliseconds
    voicemail: bool
    caller: Number | UnsetType = UNSET
    """Left out where withheld."""
