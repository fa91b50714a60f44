"""The voicemail as typed methods, for the Twisted client and the asyncio client alike.

What callers leave is in a chat of its own: `chat_of_voicemail` of the state, a message of kind
`protocol.voicemail_types.Voicemail` each. It is read, deleted and fetched as in other chats: `history`,
`mark_read`, `delete`, `download`.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import TypeVar

from msgspec import UNSET, UnsetType

from safeum_home.client.errors import local
from safeum_home.errors import Code
from safeum_home.protocol import commands as c
from safeum_home.protocol.commands import voicemail as v
from safeum_home.protocol.voicemail_types import MAX_GREETING

R = TypeVar("R", bound=c.Result)


class VoicemailMethods(ABC):
    """The rule, and what callers hear."""

    @abstractmethod
    def _ask(self, params: c.Params, result: type[R]) -> Awaitable[R]:
        """Give a command of an open session."""

    def voicemail(self) -> Awaitable[v.VoicemailState]:
        """The rule, which chat messages are in, for how long they stay, and whether calls are answered."""
        return self._ask(v.VoicemailGet(), v.VoicemailState)

    def set_voicemail(
        self,
        *,
        enabled: bool | UnsetType = UNSET,
        no_answer: bool | UnsetType = UNSET,
        busy: bool | UnsetType = UNSET,
        declined: bool | UnsetType = UNSET,
        offline: bool | UnsetType = UNSET,
        always: bool | UnsetType = UNSET,
    ) -> Awaitable[v.VoicemailState]:
        """Change the rule: what is not given stays as it is. `always` takes each call, and nothing rings."""
        params = v.VoicemailSet(enabled, no_answer, busy, declined, offline, always)
        return self._ask(params, v.VoicemailState)

    def set_greeting(self, sound: bytes) -> Awaitable[v.VoicemailGreetingKept]:
        """Have callers hear this: the octets of an Ogg or WAV file (`webrtc.playback.greeting` makes them).

        Raises `bad_greeting`, also for more than 40 KiB or 30 seconds, and `voicemail_unavailable`.
        """
        if not 0 < len(sound) <= MAX_GREETING:
            raise local(Code.BAD_GREETING, f"{len(sound)} octets; {MAX_GREETING} is the most")
        return self._ask(v.VoicemailGreetingSet(sound), v.VoicemailGreetingKept)

    def greeting(self) -> Awaitable[v.VoicemailGreetingKept]:
        """What callers hear, as Ogg Opus: one's own greeting, or the node's."""
        return self._ask(v.VoicemailGreetingGet(), v.VoicemailGreetingKept)

    def remove_greeting(self) -> Awaitable[c.Done]:
        """Have callers hear the node's greeting."""
        return self._ask(v.VoicemailGreetingRemove(), c.Done)
