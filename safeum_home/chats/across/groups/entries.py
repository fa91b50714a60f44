"""What an account is in a group, across nodes: its hub tells, and nodes of those who are in it keep it."""

from collections.abc import Callable
from functools import partial

from msgspec import to_builtins
from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.chats.across.groups.copies import Copy, Fresh, GroupCopies
from safeum_home.chats.across.groups.descriptions import check_id, check_secrecy
from safeum_home.chats.across.groups.names import is_its_own
from safeum_home.chats.across.groups.places import PLACES, CopyEntries, Places
from safeum_home.chats.across.groups.records import shared_group
from safeum_home.chats.across.groups.telling import EntryPointer
from safeum_home.chats.groups.changes import GroupChanges
from safeum_home.chats.groups.departures import DEPARTING, GroupLeaving
from safeum_home.chats.groups.draft import Draft, Entry
from safeum_home.chats.groups.events import GroupEvents
from safeum_home.chats.groups.roster import Role, RosterState
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Cursors, Database
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.groups import ENTRY, Called, SharedEntry
from safeum_home.protocol.federation.people import content
from safeum_home.protocol.group_types import GroupState
from safeum_home.storage import chats, group_nodes, roster

_WORDS: dict[RosterState, GroupState] = {
    RosterState.INVITED: "invited",
    RosterState.MEMBER: "member",
    RosterState.LEFT: "left",
    RosterState.REMOVED: "removed",
}


class EntryKind:
    """`ports.SharedKind`: `group.entry`."""

    type = ENTRY
    together = False
    """Until it is committed nobody gets to know the group, and what follows may have to."""

    def __init__(
        self,
        node: str,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        now: Callable[[], int],
        registry: ChatRegistry,
        group_events: GroupEvents,
        copies: GroupCopies,
        entries: CopyEntries,
        changes: GroupChanges,
        leaving: GroupLeaving,
        erased: Callable[[], object],
    ) -> None:
        """`now` is in milliseconds. `erased` sees to it that nothing of a copy can be opened."""
        self._node = node
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._now = now
        self._registry = registry
        self._events = group_events
        self._copies = copies
        self._entries = entries
        self._changes = changes
        self._leaving = leaving
        self._erased = erased

    # --- telling

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        """An entry; None where it has changed again, or is none of that node's business any more.

        What a member became is told where it came to be one: there it belongs among the messages.
        """
        place = EntryPointer.of(pointer)
        row = roster.entry(c, place.chat, place.account)
        if row is None:
            return None
        try:
            record, key = self._events.open_group(c, place.chat)
            entry = self._events.entry(c, key, row)
            came = entry.state is RosterState.MEMBER and entry.since <= place.position
            if (row.position != place.position and not came) or not self._is_for(c, place, entry):
                return None
            group = shared_group(c, place.chat, record) if entry.state is RosterState.INVITED else None
        except Tampered:
            return None
        member = chats.member(c, place.chat, place.account)
        since = entry.since if entry.state is RosterState.MEMBER else 0
        told = SharedEntry(
            self._called(c, entry),
            _WORDS[entry.state],
            entry.role.word,
            None if entry.by is None else self._called_by(c, entry.by),
            self._cursors.encode(since) if since else None,
            member is not None and 0 <= member.visible < since,
            group,
        )
        system = ids.system_account(self._node)
        return new_event(ENTRY, system, self._now(), to_builtins(told), record.id)

    def _is_for(self, c: Connection, place: EntryPointer, entry: Entry) -> bool:
        if self._blinder.node(node_of(entry.account)) == place.told:
            return True
        return group_nodes.visible(c, place.chat, place.told) is not None

    def _called(self, c: Connection, entry: Entry) -> Called:
        address, name = self._events.called_as(entry, self._events.called(c, entry.account))
        return Called(entry.account, address, name)

    def _called_by(self, c: Connection, account: AccountId) -> Called:
        return self._called(c, Entry(account, RosterState.MEMBER, Role.MEMBER, None, 0, 0))

    async def untold(self, node: str, pointer: bytes) -> Applied:
        """The node of an account wants nothing of it: then it is not in the group, nor invited into it."""
        place = EntryPointer.of(pointer)

        def find(c: Connection) -> tuple[ChatId, AccountId] | None:
            row = roster.entry(c, place.chat, place.account)
            if row is None or row.position != place.position:
                return None
            try:
                record, key = self._events.open_group(c, place.chat)
                entry = self._events.entry(c, key, row)
            except Tampered:
                return None
            return (record.id, entry.account) if node_of(entry.account) == node else None

        def work(account: AccountId, draft: Draft) -> bool:
            entry = draft.stored(account)
            if entry is None or entry.position != place.position:
                return False
            if entry.state is RosterState.MEMBER:
                return self._leaving.depart(draft, entry)
            if entry.state is RosterState.INVITED:
                draft.part(entry, RosterState.REMOVED)
            return False

        found = await self._database.read(find)
        if found is not None:
            chat, account = found
            try:
                change = await self._changes.change(chat, [account], DEPARTING, partial(work, account))
            except Problem as problem:
                if problem.code is not Code.NOT_FOUND:
                    raise
            else:
                change.publish()
                if change.result:
                    self._erased()
        return Applied(_nothing_stored, _nothing, _nothing)

    # --- hearing

    async def apply(self, node: str, event: Event) -> Applied:
        told, chat = content(event, SharedEntry), self._copies.told_of(node, event)
        if not all(map(is_its_own, [told.who] if told.by is None else [told.who, told.by])):
            raise Problem(Code.MALFORMED_EVENT)
        if told.group is not None:
            check_secrecy(told.group)
            check_id(node, chat, told.group)
        if told.state == "member" and told.since is None:
            raise Problem(Code.MALFORMED_EVENT)
        fresh: list[Fresh] = []
        outcome: list[Copy] = []
        places: list[int] = []
        self._registry.changing(chat)

        def placed() -> None:
            places[:] = [self._database.next_position() for _ in range(PLACES)]
            own = node_of(told.who.account) == self._node
            fresh.clear()
            # For who is invited, or for others that are where the last member leaves.
            if own and (told.group is not None or told.state in ("left", "removed")):
                fresh.append(self._copies.fresh(node, chat, told.group))

        def store(c: Connection) -> None:
            outcome.clear()
            if (copy := self._entries.store(c, node, chat, told, Places(*places), fresh)) is not None:
                outcome.append(copy)

        def publish() -> None:
            for copy in outcome:
                copy.publish(self._erased)

        return Applied(store, publish, lambda: self._registry.changed(chat), placed)


def _nothing_stored(c: Connection) -> None:
    """Nothing is stored."""


def _nothing() -> None:
    """Nobody is told."""
