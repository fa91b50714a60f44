"""Accounts that were closed leave their groups: one commit for each group, from where it was, also after a
crash.

Closing an account takes its place in groups away at once: it is no member from then on. What is left is
that its entries say so, that what it owned passes on, and that the others are told.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy import Connection

from safeum_home.chats.groups.changes import GroupChanges
from safeum_home.chats.groups.draft import Draft, Entry
from safeum_home.chats.groups.endings import GroupEndings
from safeum_home.chats.groups.events import GroupEvents
from safeum_home.chats.groups.roster import Role, RosterState, open_entry
from safeum_home.chats.record import ChatRecord
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Database, EpochTurns
from safeum_home.storage import roster
from safeum_home.storage.rows import RosterRow

DEPARTING = 4
"""Positions that it takes to leave: `GroupLeaving.depart`."""


class GroupLeaving:
    """What it means that a member leaves."""

    def __init__(self, endings: GroupEndings, turns: EpochTurns) -> None:
        self._endings = endings
        self._turns = turns

    def depart(self, draft: Draft, entry: Entry) -> bool:
        """Let a member go: what it owned passes on, and with the last one goes the group. Whether it did."""
        draft.part(entry, RosterState.LEFT)
        owned = entry.role is Role.OWNER
        # It takes opening the whole roster to find who follows.
        heir = draft.oldest() if owned and draft.people() else None
        if heir is None and (owned or not draft.people()):
            self._endings.erase(draft, self._turns.epoch)
            return True
        draft.notice("left", entry.account)
        if heir is not None and heir.role is not Role.OWNER:
            draft.put(heir.account, RosterState.MEMBER, Role.OWNER, heir.by, heir.since)
            draft.notice("owner", heir.account)
        return False


class GroupDepartures:
    """Ends what closed accounts have in groups."""

    def __init__(
        self,
        database: Database,
        events: GroupEvents,
        changes: GroupChanges,
        leaving: GroupLeaving,
        is_copy: Callable[[ChatRecord], object],
        leave_copy: Callable[[ChatId, AccountId], Awaitable[None]],
    ) -> None:
        """`leave_copy` takes an account out of a group of another node."""
        self._database = database
        self._is_copy = is_copy
        self._leave_copy = leave_copy
        self._events = events
        self._changes = changes
        self._leaving = leaving

    async def leave(self) -> None:
        """Let all accounts that were closed, and are not swept away yet, leave their groups.

        Where a group is erased with that a turn of the keyring is due. Raises `storage_unavailable`: what is
        left then is done the next time.
        """
        while (found := await self._database.read(self._next)) is not None:
            row, place = found
            if place is None or not await self._leave(*place):
                await self._database.transact(
                    partial(roster.delete_entry, chat=row.chat, account=row.account)
                )

    async def _leave(self, chat: ChatId, account: AccountId, is_copy: bool) -> bool:
        """Let an account leave a group; False where it has gone meanwhile, or cannot be opened."""
        try:
            if is_copy:
                await self._leave_copy(chat, account)
                return True
            change = await self._changes.change(chat, [account], DEPARTING, partial(self._depart, account))
        except Problem as problem:
            if problem.code is not Code.NOT_FOUND:
                raise
            return False
        except Tampered:
            return False
        change.publish()
        return True

    def _depart(self, account: AccountId, draft: Draft) -> None:
        entry = draft.stored(account)
        if entry is not None and entry.state is RosterState.MEMBER:
            self._leaving.depart(draft, entry)
        if entry is not None and entry.state is RosterState.INVITED:
            draft.part(entry, RosterState.LEFT)

    def _next(self, c: Connection) -> tuple[RosterRow, tuple[ChatId, AccountId, bool] | None] | None:
        """An entry of an account that was closed, and what it is of; None where that cannot be opened."""
        if (row := roster.of_closed(c)) is None:
            return None
        try:
            record, key = self._events.open_group(c, row.chat)
            return row, (record.id, open_entry(key, row).account, bool(self._is_copy(record)))
        except Tampered:
            return row, None
