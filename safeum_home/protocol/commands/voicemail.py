"""The voicemail: rules and greeting. What callers leave is in a chat of its own. docs/voicemail.md."""

from msgspec import UNSET, UnsetType

from safeum_home.protocol.command import Done, Params, Result, command
from safeum_home.protocol.scalars import Chat
from safeum_home.protocol.voicemail_types import Greeting, VoicemailRule


class VoicemailState(Result, frozen=True):
    """`available`: calls are answered on this node now. `chat` is where messages are, once there is one.

    A message has up to `seconds`, and is kept for `days`. `greeting`: there is one of one's own.
    """

    rule: VoicemailRule
    greeting: bool
    chat: Chat
    available: bool
    seconds: int
    days: int


@command("voicemail.get", VoicemailState, activity=False)
class VoicemailGet(Params, frozen=True):
    """The rule, and what there is."""


@command("voicemail.set", VoicemailState)
class VoicemailSet(Params, frozen=True):
    """Change the rule: what is left out stays as it is."""

    enabled: bool | UnsetType = UNSET
    no_answer: bool | UnsetType = UNSET
    busy: bool | UnsetType = UNSET
    declined: bool | UnsetType = UNSET
    offline: bool | UnsetType = UNSET
    always: bool | UnsetType = UNSET


class VoicemailGreetingKept(Result, frozen=True):
    """The greeting as callers hear it: Ogg Opus."""

    data: Greeting


@command("voicemail.greeting.set", VoicemailGreetingKept, cost=10)
class VoicemailGreetingSet(Params, frozen=True):
    """Have callers hear one's own greeting: Ogg (Opus, Vorbis, FLAC) or WAV, up to 40 KiB and 30 seconds.

    Refused with `bad_greeting`, also where nothing is heard in it; `voicemail_unavailable`, `rate_limited`.
    """

    data: Greeting


@command("voicemail.greeting.get", VoicemailGreetingKept, cost=5, activity=False)
class VoicemailGreetingGet(Params, frozen=True):
    """What callers hear: one's own greeting, or the node's."""


@command("voicemail.greeting.remove", Done)
class VoicemailGreetingRemove(Params, frozen=True):
    """Have callers hear the node's greeting."""
