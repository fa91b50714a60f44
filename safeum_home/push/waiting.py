"""Whether something waits for a device that it would have been woken for.

It is what the device would be sent if it came, with the same marks: what its account has missed since the
last position that the device holds, or was woken for. A page is read at a time; the first reason is enough.
"""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import Connection

from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Database, MissedPage, Mutes, Owners, Waking
from safeum_home.push.muted import is_silent

MOST_PAGES = 20
"""So much of what wakes nobody is read; behind that there may be something that does."""

Read = Callable[[AccountId, int], Awaitable[MissedPage]]


class Waiting:
    """Looks through what devices have missed."""

    def __init__(
        self,
        database: Database,
        owners: Owners,
        mutes: Mutes,
        seconds: Callable[[], float],
        missed: Read,
    ) -> None:
        self._database = database
        self._owners = owners
        self._mutes = mutes
        self._seconds = seconds
        self._missed = missed

    async def behind(self, account: AccountId, position: int) -> bool:
        """Whether there is something behind `position` that the account's devices are woken for."""
        for _ in range(MOST_PAGES):
            page = await self._missed(account, position)
            reasons = [event.wake for event in page.events if event.wake is not None]
            if reasons and await self._is_one_enough(account, reasons):
                return True
            if not page.more:
                return False
            position = page.position
        return True

    async def _is_one_enough(self, account: AccountId, reasons: Sequence[Waking]) -> bool:
        if any(reason.chat is None for reason in reasons):
            return True  # what is of no chat is muted by nobody
        chats = {reason.chat for reason in reasons if reason.chat is not None}

        def read(c: Connection) -> dict[ChatId, int]:
            owner = self._owners.read(c, account)
            return {} if owner is None else self._mutes.muted_until(c, owner, chats)

        muted, now = await self._database.read(read), self._seconds()
        return any(not is_silent(muted, reason, account, now) for reason in reasons)
