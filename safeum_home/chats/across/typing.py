"""Typing across nodes: told to the nodes of those who may see it, stored nowhere."""

from collections.abc import Callable, Sequence
from typing import Any

from safeum_home.chats.typing_signal import TypingSignals
from safeum_home.ids import AccountId, ChatId
from safeum_home.limits import RateLimit
from safeum_home.ports import TypingPrivacy
from safeum_home.ports.expiring import GATHERED
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.protocol.federation.now import TYPING, TypingContent
from safeum_home.protocol.federation.people import content

LIVES = 5.0
"""Seconds: receivers forget it after 6."""
_RATE, _BURST = 1.0, 5.0
"""How often an account elsewhere may say that it types, in all its chats: per second, and at once."""


class TypingKind:
    """`ports.ExpiringKind` `typing`. A subject is a chat and an account of ours."""

    type = TYPING
    lives = LIVES
    turn = GATHERED

    def __init__(self, signals: TypingSignals, privacy: TypingPrivacy, seconds: Callable[[], float]) -> None:
        """`seconds` is the time now, since 1970."""
        self._signals = signals
        self._privacy = privacy
        self._seconds = seconds
        self._limit = RateLimit(_RATE, _BURST, seconds)

    def build(self, node: str, subjects: Sequence[Any]) -> Sequence[Event]:
        return [event for subject in subjects for event in self._build(*subject)]

    async def apply(self, node: str, event: Event) -> None:
        told, account = content(event, TypingContent), AccountId(event.sender)
        # Nobody who is connected is in contact with it: nothing is looked up for strangers.
        if event.chat is None or not self._privacy.is_known(account):
            return
        self._limit.take(account)
        await self._signals.told(ChatId(event.chat), account, told.active)

    def lost(self, node: str) -> None:
        """Receivers forget it by themselves."""

    back = lost

    def missed(self, node: str, subjects: Sequence[Any]) -> None:
        """The same."""

    def _build(self, chat: ChatId, account: AccountId) -> list[Event]:
        if not self._privacy.tells_typing(account):
            return []  # hidden since
        active = {"active": self._signals.types(chat, account)}
        return [new_event(self.type, account, int(self._seconds() * 1000), active, chat=chat)]
