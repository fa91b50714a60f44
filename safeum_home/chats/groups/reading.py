"""Reading a group's roster: who is in it, who has read, and which groups one is invited into."""

from contextlib import suppress
from itertools import accumulate

from msgspec import json
from sqlalchemy import Connection

from safeum_home.chats.contents import ChatContents
from safeum_home.chats.groups.draft import Entry
from safeum_home.chats.groups.events import GroupEvents
from safeum_home.chats.groups.roster import RosterState
from safeum_home.chats.opening import ChatOpener
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Caller, Cursors, Database, Directory, Key
from safeum_home.protocol import MAX_FRAME
from safeum_home.protocol.commands import (
    GroupInvitations,
    GroupMemberList,
    GroupMembers,
    GroupReaderList,
    GroupReaders,
    InvitationList,
)
from safeum_home.protocol.group_types import Invitation
from safeum_home.storage import chats, events, roster
from safeum_home.storage.rows import RosterRow

MOST_INVITATIONS = 50
_BUDGET = MAX_FRAME - 4096
"""Octets of invitations in one answer."""


class GroupRoster:
    """The commands `group.members`, `group.readers` and `group.invitations`."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        opener: ChatOpener,
        directory: Directory,
        shown: GroupEvents,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._opener = opener
        self._directory = directory
        self._events = shown

    async def members(self, caller: Caller, params: GroupMembers) -> GroupMemberList:
        def read(c: Connection) -> GroupMemberList:
            blind, key = self.open(c, caller.account, params.chat)
            if params.accounts is not None:
                found = [roster.entry(c, blind, self._index(account)) for account in params.accounts]
                rows, more = [row for row in found if row is not None], False
            else:
                rows = roster.listed(c, blind, self._start(params.after), params.limit + 1)
                rows, more = rows[: params.limit], len(rows) > params.limit
            entries = undamaged(rows, lambda row: self._events.entry(c, key, row), "members")
            known = self._directory.people(c, {entry.account for entry in entries})
            members = [self._events.shown(entry, known.get(entry.account)) for entry in entries]
            return GroupMemberList(members, members[-1].account if more and members else None)

        return await self._database.read(read)

    async def readers(self, caller: Caller, params: GroupReaders) -> GroupReaderList:
        position = self._cursors.decode(params.upto)

        def read(c: Connection) -> GroupReaderList:
            blind, key = self.open(c, caller.account, params.chat)
            mine = chats.member(c, blind, self._index(caller.account))
            written = events.event(c, blind, position)
            if mine is None or written is None or position <= mine.visible:
                raise Problem(Code.NOT_FOUND)
            rows = roster.readers(c, blind, position, self._start(params.after), params.limit + 1)
            entries: list[Entry] = undamaged(
                rows[: params.limit], lambda row: self._events.entry(c, key, row), "members"
            )
            readers = [
                entry.account
                for entry in entries
                # Who joined later may look at it, but joining has moved the marker.
                if entry.state is RosterState.MEMBER and entry.since < position
            ]
            last = entries[-1].account if len(rows) > params.limit and entries else None
            return GroupReaderList(list(readers), last)

        return await self._database.read(read)

    async def invitations(self, caller: Caller, params: GroupInvitations) -> InvitationList:
        blind = self._blinder.account(caller.account)

        def show(c: Connection, row: RosterRow) -> Invitation:
            record, key = self._events.open_group(c, row.chat)
            entry = self._events.entry(c, key, row)
            by = self._events.called(c, entry.by)
            return self._events.invitation(record, entry, by, chats.count_members(c, row.chat))

        def read(c: Connection) -> InvitationList:
            rows = roster.invitations(c, blind, MOST_INVITATIONS)
            found = undamaged(rows, lambda row: show(c, row), "invitations")
            ends = accumulate(len(json.encode(invitation)) + 1 for invitation in found)
            return InvitationList(found[: sum(end <= _BUDGET for end in ends)])

        return await self._database.read(read)

    def open(self, c: Connection, account: AccountId, chat: str) -> tuple[bytes, Key]:
        """The index and the key of a member's group; raises `not_found`."""
        contents = self.contents(c, account, chat)
        return contents.blind, contents.key

    def contents(self, c: Connection, account: AccountId, chat: str) -> ChatContents:
        """A member's group; raises `not_found`."""
        blind = self._blinder.chat(ChatId(chat))
        row = chats.chat(c, blind)
        if row is None or chats.member(c, blind, self._index(account)) is None:
            raise Problem(Code.NOT_FOUND)
        with suppress(Tampered):
            contents = self._opener.contents(c, row, account)
            if contents.entry is not None:
                return contents
        raise Problem(Code.NOT_FOUND)

    def _index(self, account: str) -> bytes:
        return self._blinder.account(AccountId(account))

    def _start(self, after: str | None) -> bytes | None:
        return None if after is None else self._index(after)
