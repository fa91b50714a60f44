"""Calls between two accounts: signalling, the log of one's own calls, and the relay. docs/calls.md."""

from typing import Annotated

from msgspec import Meta

from safeum_home.protocol.call_types import CallId, Declined, Hello, Media, Signal
from safeum_home.protocol.command import Done, Params, Result, command
from safeum_home.protocol.scalars import Account, Device, Milliseconds, PageSize


class CallInvited(Result, frozen=True):
    """It rings for so many `seconds`."""

    seconds: float


@command("call.invite", CallInvited, cost=5)
class CallInvite(Params, frozen=True):
    """Call a contact: all its devices ring, those asleep are woken.

    The same again is the same call. What becomes of it is told as `call.ringing`, `call.answered` and
    `call.ended`, to this device alone.
    """

    call: CallId
    to: Account
    media: Media
    hello: Hello


@command("call.ringing", Done, activity=False)
class CallRinging(Params, frozen=True):
    """This device rings. The caller's device is told, once for each device."""

    call: CallId
    hello: Hello


@command("call.signal", Done, activity=False)
class CallSignal(Params, frozen=True):
    """Say something to a device that takes part in the call: in order, or not at all.

    It is for `device` of the other account or, in a conference, of `account`. Before the answer the caller
    and each device that rings may speak to each other; then those two alone that are connected.
    """

    call: CallId
    device: Device
    data: Signal
    account: Account | None = None


@command("call.answer", Done)
class CallAnswer(Params, frozen=True):
    """Take the call on this device; `call_over` where another one was faster, or it is over."""

    call: CallId


@command("call.decline", Done)
class CallDecline(Params, frozen=True):
    """Do not take it, on any device."""

    call: CallId
    reason: Declined = Declined.DECLINED


@command("call.hangup", Done)
class CallHangup(Params, frozen=True):
    """End the call, or leave the conference. Of one that is over, or that is not known, nothing happens."""

    call: CallId


@command("call.alive", Done, activity=False)
class CallAlive(Params, frozen=True):
    """The call of this device with `account` goes on, answered `since`: every 20 s, and after coming back.

    A node that was started anew learns of it so, and goes on with its entry in the log. Of a conference
    `account` is left out.
    """

    call: CallId
    since: Milliseconds
    account: Account | None = None


class LoggedCall(Result, frozen=True):
    """That is all that a node keeps of a call."""

    at: Milliseconds
    seconds: Annotated[int, Meta(ge=0, le=2**31)]


class CallEntries(Result, frozen=True):
    """The newest first. `more`: there are older ones, which `before` the last `at` gets."""

    calls: list[LoggedCall]
    more: bool


@command("call.log", CallEntries, cost=2)
class CallLog(Params, frozen=True):
    """When one has spoken in calls and conferences of the network, and for how long; not with whom."""

    before: Milliseconds | None = None
    limit: PageSize = 50


@command("call.forget", Done, cost=2)
class CallForget(Params, frozen=True):
    """Erase the log of one's calls."""


class RelayCredentials(Result, frozen=True):
    """Addresses of the relay (RFC 7065) and, for as long as `until`, what it takes one for.

    No `urls`: this node has none.
    """

    urls: list[str]
    username: str
    password: str
    until: Milliseconds

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


@command("turn.credentials", RelayCredentials, cost=2, activity=False)
class TurnCredentials(Params, frozen=True):
    """Credentials for the node's relay (TURN, RFC 8656)."""
