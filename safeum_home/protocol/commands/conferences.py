"""Calls in groups: up to 6 devices, each connected with each. docs/calls.md."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.protocol.call_types import MOST_TOGETHER, CallId, Hello, Media
from safeum_home.protocol.command import Params, Result, command
from safeum_home.protocol.scalars import Account, Chat, Device


class Participant(Struct, frozen=True):
    """A device in a conference. It is the younger of two that speaks first: the older one has its `hello`."""

    account: Account
    device: Device
    hello: Hello


Participants = Annotated[list[Participant], Meta(max_length=MOST_TOGETHER)]


class Joined(Result, frozen=True):
    """Who is in it already, in the order in which they came."""

    call: CallId
    participants: Participants


@command("conference.start", Joined, cost=10)
class ConferenceStart(Params, frozen=True):
    """Begin a conference in a group: devices of all members ring.

    Where one goes on in this chat it is joined instead: `call` of the result tells. Signals go by
    `call.signal`, with `account`; `call.alive` every 20 s; it is left by `call.hangup`.
    """

    call: CallId
    chat: Chat
    media: Media
    hello: Hello


@command("conference.join", Joined, cost=5)
class ConferenceJoin(Params, frozen=True):
    """Join it with this device; `conference_full` where 6 are in it. The same again renews `hello`."""

    call: CallId
    chat: Chat
    hello: Hello


class ConferenceState(Result, frozen=True):
    """None: there is none in this chat now."""

    call: CallId | None = None
    media: Media | None = None
    accounts: list[Account] = []


@command("conference.get", ConferenceState, cost=2, activity=False)
class ConferenceGet(Params, frozen=True):
    """Which conference goes on in a group, and who is in it."""

    chat: Chat
