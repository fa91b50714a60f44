"""Calls in groups: up to 6 devices, each connected with each. docs/calls.md."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.protocol.call_types import MOST_TOGETHER, CallId, Hello, Media
from safeum_home.protocol.command import Params, Result, command
from safeum_home.protocol.scalars import Account, Chat, Device, Milliseconds


class Participant(Struct, frozen=True):
    """A device in a conference, and `since` when.

    Of two it is the younger one that begins to agree on keys, with its `hello`: the one with the later
    `since`, or the greater account id where both are the same.
    """

    account: Account
    device: Device
    hello: Hello
    since: Milliseconds


Participants = Annotated[list[Participant], Meta(max_length=MOST_TOGETHER)]


class Joined(Result, frozen=True):
    """Who is in it, the oldest first, and this device among them.

    Not `whole`: the group's node was started anew, and there may be more. Ask again later.
    """

    call: CallId
    media: Media
    participants: Participants
    whole: bool = True


@command("conference.start", Joined, cost=10)
class ConferenceStart(Params, frozen=True):
    """Begin a conference in a group: devices of members ring who have the one who begins in their contacts.

    Where one goes on in this chat it is joined instead: `call` of the result tells. Signals go by
    `call.signal`, with `account`; `call.alive` every 20 s; it is left by `call.hangup`. An account is in it
    with one device: with another one it is taken over. `since` is for a device that was in it already, of
    which its node knows nothing any more (`call.alive` is `not_found`): nobody rings, and it goes on.
    """

    call: CallId
    chat: Chat
    media: Media
    hello: Hello
    since: Milliseconds | None = None


@command("conference.join", Joined, cost=5)
class ConferenceJoin(Params, frozen=True):
    """Join it with this device; `conference_full` where 6 are in it, `call_over` where it is over.

    The same again tells who is in it now; with another `hello` this device is the youngest again.
    """

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
