"""What nodes ask and tell each other of conferences in groups. docs/federation.md, "Conferences"."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.protocol.call_types import CallId, Ended, Hello, Media, Signal
from safeum_home.protocol.commands.conferences import Participants
from safeum_home.protocol.scalars import Account, Chat, Device, Milliseconds

ROSTER, RINGS, SEATS, SIGNAL = "conference", "conference.rings", "conference.seats", "conference.signal"


class Seat(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A device of the node that asks wants to be in a conference of a group of the one that is asked.

    `media`: it is begun where there is none. `since`: this device was in it before. `at` is the time at the
    node that asks, later than of all that it has asked or told before.
    """

    chat: Chat
    call: CallId
    account: Account
    device: Device
    hello: Hello
    at: Milliseconds
    media: Media | None = None
    since: Milliseconds | None = None


class Roster(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who is in a conference, as its hub has it: in `version`, each higher than the one before.

    `heard` is the last `at` that it has heard from the node that is told. Not `whole`: the hub was started
    anew, and there may be more. `over`: there is no such conference, or none any more. `begun`, in an answer:
    it was not there before.
    """

    call: CallId
    media: Media
    version: Milliseconds
    heard: Milliseconds
    participants: Participants = []
    whole: bool = True
    over: Ended | None = None
    begun: bool = False


class ConferenceOf(Struct, frozen=True, forbid_unknown_fields=True):
    """Which conference goes on in a group: asked for `account`, of the node that asks."""

    chat: Chat
    account: Account


class ConferenceHeld(Struct, frozen=True, forbid_unknown_fields=True):
    """That one; None: there is none."""

    roster: Roster | None = None


class SeatsContent(Struct, frozen=True, forbid_unknown_fields=True):
    """Which devices of the sender's node are in a conference; the others are not, any more.

    `known`: the version of the roster that it has.
    """

    call: CallId
    media: Media
    known: Milliseconds
    participants: Participants


class RingsContent(Struct, frozen=True, forbid_unknown_fields=True):
    """The sender has begun a conference, which rings for so many milliseconds more."""

    call: CallId
    media: Media
    left: Annotated[int, Meta(ge=0, le=60_000)]


class SignalContent(Struct, frozen=True, forbid_unknown_fields=True):
    """What the sender's `device` says to a device of `account`, sealed between the two."""

    call: CallId
    device: Device
    account: Account
    to: Device
    data: Signal
