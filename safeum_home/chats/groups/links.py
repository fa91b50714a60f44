"""Joining a group by its link: a code of 128 random bits, found by a keyed hash, kept sealed."""

from secrets import token_bytes

from msgspec.structs import replace
from sqlalchemy import Connection

from safeum_home.chats.groups.changes import GroupChanges
from safeum_home.chats.groups.draft import Draft
from safeum_home.chats.groups.entrance import JOINING, GroupEntrance
from safeum_home.chats.groups.events import GroupEvents
from safeum_home.chats.groups.reading import GroupRoster
from safeum_home.chats.groups.rights import Action, may
from safeum_home.chats.groups.roster import RosterState
from safeum_home.chats.record import ChatRecord
from safeum_home.chats.secure import check_unsealed
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import ChatId, RandomBytes
from safeum_home.ports import Blinder, Caller, Committed, Database
from safeum_home.protocol.commands import (
    Done,
    GroupGetLink,
    GroupJoin,
    GroupJoined,
    GroupLinked,
    GroupLinkReset,
    GroupLinkRevoke,
    GroupPreview,
    GroupPreviewed,
)
from safeum_home.protocol.invites import code_in, group_link, new_code, node_in
from safeum_home.storage import chats, group_links, roster


class GroupLinks:
    """The commands `group.link*`, `group.preview` and `group.join`."""

    def __init__(
        self,
        node: str,
        database: Database,
        blinder: Blinder,
        changes: GroupChanges,
        entrance: GroupEntrance,
        events: GroupEvents,
        rosters: GroupRoster,
        random: RandomBytes = token_bytes,
    ) -> None:
        self._node = node
        self._database = database
        self._blinder = blinder
        self._changes = changes
        self._entrance = entrance
        self._events = events
        self._rosters = rosters
        self._random = random

    async def get(self, caller: Caller, params: GroupGetLink) -> GroupLinked:
        def read(c: Connection) -> str | None:
            contents = self._rosters.contents(c, caller.account, params.chat)
            if contents.entry is None or not may(contents.entry.role, Action.LINK):
                raise Problem(Code.NOT_PERMITTED)
            group = contents.record.group
            return None if group is None or group.link is None else group_link(self._node, group.link)

        return GroupLinked(await self._database.read(read))

    async def reset(self, caller: Caller, params: GroupLinkReset) -> Committed[GroupLinked]:
        code = new_code(self._random)
        await self._change(caller, params.chat, code)
        return Committed(GroupLinked(group_link(self._node, code)), _nothing)

    async def revoke(self, caller: Caller, params: GroupLinkRevoke) -> Committed[Done]:
        await self._change(caller, params.chat, None)
        return Committed(Done(), _nothing)

    async def _change(self, caller: Caller, chat: str, code: str | None) -> None:
        self._entrance.limits.changes.take(caller.account)

        def work(draft: Draft) -> None:
            draft.allowed(caller.account, Action.LINK)
            if code is not None:
                check_unsealed(draft.record)  # members answer for each other: who comes is invited by one
            index = None if code is None else self._blinder.link(code)
            group_links.put_link(draft.c, draft.chat.blind, index)
            draft.keep(replace(draft.group, link=code))

        # Nobody is told: who may know the link asks for it.
        await self._changes.change(ChatId(chat), [], 1, work)

    def _code(self, link: str) -> str:
        """The code in a link of this node; raises `node_unreachable` for one of another."""
        if node_in(link) not in (None, self._node):
            raise Problem(Code.NODE_UNREACHABLE)
        return code_in(link)

    async def preview(self, caller: Caller, params: GroupPreview) -> GroupPreviewed:
        self._entrance.limits.changes.take(caller.account)
        code = self._code(params.link)

        def read(c: Connection) -> GroupPreviewed:
            blind, record = self._find(c, code)
            if record.group is None:
                raise Problem(Code.NOT_FOUND)
            mine = roster.entry(c, blind, self._blinder.account(caller.account))
            member = mine is not None and chats.member(c, blind, mine.account) is not None
            people = chats.count_members(c, blind)
            return GroupPreviewed(record.id, record.group.name, record.group.about, people, member)

        return await self._database.read(read)

    async def join(self, caller: Caller, params: GroupJoin) -> Committed[GroupJoined]:
        self._entrance.limits.changes.take(caller.account)
        code = self._code(params.link)
        chat = (await self._database.read(lambda c: self._find(c, code)))[1].id

        def work(draft: Draft) -> None:
            if draft.group.link != code:
                raise Problem(Code.NOT_FOUND)
            found = draft.entry(caller.account)
            if found is not None and found.state is RosterState.MEMBER:
                return
            if found is not None and found.state is RosterState.REMOVED:
                raise Problem(Code.NOT_PERMITTED)
            invited = found is not None and found.state is RosterState.INVITED
            self._entrance.admit(draft, caller.account, found.by if found is not None and invited else None)

        change = await self._changes.change(chat, [caller.account], JOINING, work)
        return Committed(GroupJoined(chat), change.publish)

    def _find(self, c: Connection, code: str) -> tuple[bytes, ChatRecord]:
        """The group of a link; raises `not_found`, also where only the index says that it is one."""
        if (blind := group_links.chat_of(c, self._blinder.link(code))) is None:
            raise Problem(Code.NOT_FOUND)
        try:
            record, _ = self._events.open_group(c, blind)
        except Tampered:
            raise Problem(Code.NOT_FOUND) from None
        if record.group is None or record.group.link != code:
            raise Problem(Code.NOT_FOUND)
        return blind, record


def _nothing() -> None:
    """Nobody is told."""
