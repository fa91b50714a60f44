"""Whether somebody wants to be woken: not for chats that he has muted, unless he is mentioned."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Waking

MOST = 100_000
"""Muted chats of accounts that are known; those known for longest make room."""
KNOWN_SECONDS = 300.0


class _Mentioning(Struct):
    mentions: tuple[str, ...] = ()


_decoder = msgspec.json.Decoder(_Mentioning)


def is_silent(muted: Mapping[ChatId, int], waking: Waking, account: AccountId, now: float) -> bool:
    """Whether `account`, which has muted these chats until then (milliseconds), is not woken for this.

    `now` is in seconds.
    """
    if waking.chat is None or now * 1000 >= muted.get(waking.chat, 0):
        return False
    return b'"mentions"' not in waking.message or account not in _decoder.decode(waking.message).mentions


class Muted:
    """Until when chats are muted, for a while: a busy chat is not looked up for each message.

    Whoever changes it says so at once; that it is forgotten with a group that was left is noticed in time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._until: OrderedDict[tuple[AccountId, ChatId], tuple[int, float]] = OrderedDict()

    def learn(self, account: AccountId, muted: Mapping[ChatId, int]) -> None:
        known_until = self._seconds() + KNOWN_SECONDS
        for chat, until in muted.items():
            self._until[account, chat] = until, known_until
            self._until.move_to_end((account, chat))
            if len(self._until) > MOST:
                self._until.popitem(last=False)

    def changed(self, account: AccountId, chat: ChatId) -> None:
        """An account has muted a chat, or not any more."""
        self._until.pop((account, chat), None)

    def clear(self) -> None:
        self._until.clear()

    def silences(self, account: AccountId, waking: Waking) -> bool:
        """Whether it is known that the account is not to be woken for this."""
        if waking.chat is None or (known := self._until.get((account, waking.chat))) is None:
            return False
        until, known_until = known
        now = self._seconds()
        return now < known_until and is_silent({waking.chat: until}, waking, account, now)
