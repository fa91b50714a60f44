"""Waiting until an account is in a group of another node here, too: its hub has agreed, and tells of it next.

So whoever has accepted an invitation finds the group when that is answered. Where it takes long the answer
does not wait: the group is told of when it comes.
"""

from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId, ChatId

SECONDS = 3.0
MOST = 1_000
"""Accounts that wait at one time; others are answered at once."""


class Coming:
    """Those who wait, by account and group."""

    def __init__(self, clock: Any) -> None:
        """`clock` provides IReactorTime."""
        self._clock = clock
        self._waiting: dict[tuple[AccountId, ChatId], list[Deferred[None]]] = {}
        self._count = 0

    def expect(self, account: AccountId, chat: ChatId) -> "Deferred[None]":
        """Fires when `account` is a member, or after a while. Begin before the hub is asked."""
        expected: Deferred[None] = Deferred()
        if self._count >= MOST:
            expected.callback(None)
            return expected
        key = account, chat
        self._waiting.setdefault(key, []).append(expected)
        self._count += 1
        late = self._clock.callLater(SECONDS, lambda: self._over(key, expected))

        def over(_: object) -> None:
            if late.active():
                late.cancel()

        return expected.addBoth(over)

    def came(self, account: AccountId, chat: ChatId) -> None:
        """An account is a member of a group now."""
        for expected in list(self._waiting.get((account, chat), ())):
            self._over((account, chat), expected)

    def no_more(self, account: AccountId, chat: ChatId, expected: "Deferred[None]") -> None:
        """The hub has refused it."""
        self._over((account, chat), expected)

    def _over(self, key: tuple[AccountId, ChatId], expected: "Deferred[None]") -> None:
        waiting = self._waiting.get(key, [])
        if expected not in waiting:
            return
        waiting.remove(expected)
        self._count -= 1
        if not waiting:
            del self._waiting[key]
        expected.callback(None)
