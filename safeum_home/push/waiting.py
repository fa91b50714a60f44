"""Whether something waits for a device that it would have been woken for.

It is what the device would be sent if it came, with the same marks: what its account has missed since the
last position that the device holds, or was woken for; but for what was read on another one. A page is read at
a time; the first reason is enough.
"""

from collections.abc import Awaitable, Callable, Sequence, Set

from sqlalchemy import Connection

from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Database, MissedPage, Mutes, Owners, Waking
from safeum_home.push.muted import is_silent
from safeum_home.storage import chats

MOST_PAGES = 20
"""So much of what wakes nobody is read; behind that there may be something that does."""

Read = Callable[[AccountId, int], Awaitable[MissedPage]]


class Waiting:
    """Looks through what devices have missed."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        owners: Owners,
        mutes: Mutes,
        seconds: Callable[[], float],
        missed: Read,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._owners = owners
        self._mutes = mutes
        self._seconds = seconds
        self._missed = missed

    async def behind(self, account: AccountId, position: int) -> bool:
        """Whether there is something behind `position` that the account's devices are woken for."""
        for _ in range(MOST_PAGES):
            page = await self._missed(account, position)
            reasons = [(event.wake, event.position) for event in page.events if event.wake is not None]
            if reasons and await self._is_one_enough(account, reasons):
                return True
            if not page.more:
                return False
            position = page.position
        return True

    async def _is_one_enough(self, account: AccountId, reasons: Sequence[tuple[Waking, int]]) -> bool:
        if any(reason.chat is None for reason, _ in reasons):
            return True  # what is of no chat is muted by nobody, and nobody says that he has read it
        within = {reason.chat for reason, _ in reasons if reason.chat is not None}

        def read(c: Connection) -> tuple[dict[ChatId, int], dict[ChatId, int]]:
            owner = self._owners.read(c, account)
            muted = {} if owner is None else self._mutes.muted_until(c, owner, within)
            return muted, self._read_upto(c, account, within)

        (muted, upto), now = await self._database.read(read), self._seconds()
        return any(
            position > upto.get(reason.chat or ChatId(""), 0) and not is_silent(muted, reason, account, now)
            for reason, position in reasons
        )

    def _read_upto(self, c: Connection, account: AccountId, within: Set[ChatId]) -> dict[ChatId, int]:
        """Up to where the account has read chats, on whichever device."""
        mine, blinds = self._blinder.account(account), {self._blinder.chat(chat): chat for chat in within}
        rows = chats.members_among(c, [(blind, mine) for blind in blinds])
        return {blinds[row.chat]: row.read for row in rows}
