"""Calls with the telephone network: open ones, that bridge and carrier hear. docs/telephone.md."""

from msgspec import UNSET, UnsetType

from safeum_home.protocol.call_types import CallId
from safeum_home.protocol.command import Done, Params, Result, command
from safeum_home.protocol.scalars import Milliseconds, PageSize
from safeum_home.protocol.telephone_types import (
    Description,
    Dialled,
    Digits,
    Number,
    TelephoneDirection,
)


class TelephoneDialled(Result, frozen=True):
    """The other side is shown `cli`, one's SafeNUM. `seconds` are paid for, from the answer on."""

    cli: Number
    seconds: int


@command("telephone.dial", TelephoneDialled, cost=5)
class TelephoneDial(Params, frozen=True):
    """Call a number. The same again is the same call.

    What becomes of it is told to this device as `telephone.progress`, `telephone.answered` and
    `telephone.ended`. Refused with `no_safenum`, `destination_refused` (emergency, premium), `no_rate`,
    `country_needed`, `no_balance`, `spend_limit`, `limit_reached`, `carrier_unavailable`, `busy`.
    """

    call: CallId
    to: Dialled
    sdp: Description


@command("telephone.answer", Done)
class TelephoneAnswer(Params, frozen=True):
    """Take a call on this device: the answer to the offer of `telephone.incoming`.

    `call_over` where another device was faster, or it is over.
    """

    call: CallId
    sdp: Description


@command("telephone.decline", Done)
class TelephoneDecline(Params, frozen=True):
    """Do not take it, on any device. The voicemail takes it, where it is on."""

    call: CallId


@command("telephone.hangup", Done)
class TelephoneHangup(Params, frozen=True):
    """End it, on whichever device it is; do not take one that rings.

    Of one that is over, or that is not known, nothing happens.
    """

    call: CallId


@command("telephone.dtmf", Done, activity=False)
class TelephoneDtmf(Params, frozen=True):
    """Press keys: they are sent one after the other, about four in a second.

    Raises `wrong_call_state` before the answer, and `rate_limited` where more than 64 are to be sent.
    """

    call: CallId
    digits: Digits


class OpenCall(Result, frozen=True, omit_defaults=True):
    """A call that goes on. `number` is the other side's; left out where withheld. `here`: on this device."""

    call: CallId
    direction: TelephoneDirection
    here: bool
    number: Number | UnsetType = UNSET
    since: Milliseconds | None = None
    """When it was answered; left out: it rings."""


class OpenCalls(Result, frozen=True):
    calls: list[OpenCall]


@command("telephone.list", OpenCalls, activity=False)
class TelephoneList(Params, frozen=True):
    """The calls of this account with the telephone network that go on now."""


class MissedCall(Result, frozen=True):
    """Somebody has called `at`. `voicemail`: it was answered by that, and there may be a message of it."""

    number: int
    """Of the entry, in the order of its list."""
    at: Milliseconds
    voicemail: bool
    caller: Number | UnsetType = UNSET
    """Left out where withheld."""


class MissedCalls(Result, frozen=True):
    """The newest first. `more`: there are older ones, which `before` the last `number` gets."""

    calls: list[MissedCall]
    more: bool


@command("telephone.missed", MissedCalls, cost=2, activity=False)
class TelephoneMissedList(Params, frozen=True):
    """Calls from the telephone network that nobody has taken: no answer, busy, offline. The last 500.

    Those that were declined are not among them. They are kept for as long as records of calls are.
    """

    before: int | None = None
    limit: PageSize = 50


@command("telephone.forget", Done)
class TelephoneForget(Params, frozen=True):
    """Erase that list."""
