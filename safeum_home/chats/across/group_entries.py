"""What an account is in a group, across nodes: its hub tells, and the nodes of those who are in it keep that.

A hub alone makes nobody a member: an account of this node is one where it has agreed to that here, and is
invited only by who is in its list.
"""

from collections.abc import Callable
from functools import partial

from msgspec import to_builtins
from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.chats.across.arrivals import content
from safeum_home.chats.across.group_copies import Copy, Fresh, GroupCopies, check_hub
from safeum_home.chats.across.group_records import shared_group
from safeum_home.chats.across.group_telling import EntryPointer
from safeum_home.chats.group_changes import GroupChanges
from safeum_home.chats.group_departures import DEPARTING, GroupLeaving
from safeum_home.chats.group_draft import Draft, Entry
from safeum_home.chats.group_entrance import GroupEntrance
from safeum_home.chats.group_events import GroupEvents
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.receipts import Receipts
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.roster import Role, RosterState
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Cursors, Database
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.groups import ENTRY, Called, SharedEntry
from safeum_home.protocol.group_types import GroupState
from safeum_home.storage import accounts, chats, events, group_nodes, roster
from safeum_home.storage.roster import INVITED, MEMBER
from safeum_home.storage.rows import Marker

MOST_MEMBERS = MOST_INVITED = 2_000
"""How many a copy holds, and open invitations: as many as there can be, and more."""
_STATES: dict[str, RosterState] = {
    "invited": RosterState.INVITED,
    "member": RosterState.MEMBER,
    "left": RosterState.LEFT,
    "removed": RosterState.REMOVED,
}
_WORDS: dict[RosterState, GroupState] = {
    RosterState.INVITED: "invited",
    RosterState.MEMBER: "member",
    RosterState.LEFT: "left",
    RosterState.REMOVED: "removed",
}
_ROLES = {role.word: role for role in Role}
PLACES = 3
"""Positions that it takes to join a copy."""


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
        entrance: GroupEntrance,
        changes: GroupChanges,
        leaving: GroupLeaving,
        infos: ChatInfos,
        receipts: Receipts,
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
        self._entrance = entrance
        self._changes = changes
        self._leaving = leaving
        self._infos = infos
        self._receipts = receipts
        self._erased = erased

    # --- telling

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        """An entry; None where it has changed again, or is none of that node's business any more."""
        place = EntryPointer.of(pointer)
        row = roster.entry(c, place.chat, place.account)
        if row is None or row.position != place.position:
            return None
        try:
            record, key = self._events.open_group(c, place.chat)
            entry = self._events.entry(c, key, row)
            if not self._is_for(c, place, entry):
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
        if self._blinder.node(node_of(entry.account)) == place.node:
            return True
        return group_nodes.visible(c, place.chat, place.node) is not None

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
        told, chat = content(event, SharedEntry), check_hub(node, event)
        _check_called(told.who)
        if told.by is not None:
            _check_called(told.by)
        if told.state == "member" and told.since is None:
            raise Problem(Code.MALFORMED_EVENT)
        fresh: list[Fresh] = []
        outcome: list[Copy] = []
        places: list[int] = []
        self._registry.changing(chat)

        def placed() -> None:
            places[:] = [self._database.next_position() for _ in range(PLACES)]
            own = node_of(told.who.account) == self._node
            if own and told.state == "invited" and told.group is not None:
                fresh[:] = [self._copies.fresh(node, chat, told.group)]

        def store(c: Connection) -> None:
            outcome.clear()
            if (copy := self._store(c, node, chat, told, list(places), fresh)) is not None:
                outcome.append(copy)

        def publish() -> None:
            for copy in outcome:
                for tell in copy.told:
                    tell()
                if copy.gone:
                    self._erased()

        return Applied(store, publish, lambda: self._registry.changed(chat), placed)

    def _store(
        self,
        c: Connection,
        node: str,
        chat: ChatId,
        told: SharedEntry,
        places: list[int],
        fresh: list[Fresh],
    ) -> Copy | None:
        account, state = AccountId(told.who.account), _STATES[told.state]
        own, over = node_of(account) == self._node, state > RosterState.MEMBER
        try:
            copy = self._copies.read(c, node, chat)
        except Problem as problem:
            if problem.code is Code.BUSY and over:
                return None  # it is being erased
            raise
        before = None if copy is None else self._copies.entry(copy, account)
        if own and not over:
            self._check(c, chat, told, before)
        if copy is None:
            if not own or over:
                return None
            if not fresh:
                raise Problem(Code.NOT_A_CONTACT)
            copy = self._copies.insert(c, fresh[0])
        entry = _entry(told, before, places[1])
        if before is not None and entry._replace(since=before.since, position=before.position) == before:
            return None
        if before is None and over:
            return None
        self._write(copy, entry, before, told, places)
        if own and over:
            self._copies.drop_if_over(copy)
        return copy

    def _check(self, c: Connection, chat: ChatId, told: SharedEntry, before: Entry | None) -> None:
        """Whether an account of this node wants that; raises `not_a_contact`, `limit_reached`."""
        account = AccountId(told.who.account)
        blind = self._blinder.account(account)
        if not accounts.exists(c, blind):
            raise Problem(Code.NOT_FOUND)
        section = self._entrance.limits.section
        if told.state == "invited":
            if before is not None and before.state is RosterState.INVITED:
                return
            if told.by is None:
                raise Problem(Code.MALFORMED_EVENT)
            self._entrance.check_consent(c, account, AccountId(told.by.account))
            if roster.count_own(c, blind, INVITED) >= section.invitations:
                raise Problem(Code.LIMIT_REACHED)
        elif not _is_same(before, told):
            if not group_nodes.over(c, self._blinder.chat(chat), blind):
                raise Problem(Code.NOT_A_CONTACT)
            if roster.count_own(c, blind, MEMBER) >= section.groups:
                raise Problem(Code.LIMIT_REACHED)

    def _write(
        self, copy: Copy, entry: Entry, before: Entry | None, told: SharedEntry, places: list[int]
    ) -> None:
        c, own = copy.c, node_of(entry.account) == self._node
        was = before is not None and before.state is RosterState.MEMBER
        same = entry.state is RosterState.MEMBER and _is_same(before, told)
        if was and not same:
            # It came back since it was one: that is another time.
            chats.remove_member(c, copy.blind, self._blinder.account(entry.account))
        if same and before is not None:
            entry = entry._replace(since=before.since)
        elif entry.state is RosterState.MEMBER:
            self._check_room(copy)
            entry = entry._replace(since=places[0])
        elif entry.state is RosterState.INVITED and roster.count_invited(c, copy.blind) >= MOST_INVITED:
            raise Problem(Code.LIMIT_REACHED)
        self._copies.put(copy, entry)
        if entry.state is RosterState.MEMBER and not same:
            if own:
                self._join(copy, entry, told.earlier, places)
            else:
                self._copies.add(copy, entry.account)
        self._copies.tell_entry(copy, entry)

    def _check_room(self, copy: Copy) -> None:
        if chats.count_members(copy.c, copy.blind) >= MOST_MEMBERS:
            raise Problem(Code.LIMIT_REACHED)

    def _join(self, copy: Copy, entry: Entry, earlier: bool, places: list[int]) -> None:
        """Let an account of this node be in: what is there it has read, and sees, or does not."""
        self._copies.keep(copy, copy.group, places[0])
        newest = events.events_before(copy.c, copy.blind, None, 1) if earlier else []
        read = newest[0].position if newest else 0
        visible = 0 if earlier else places[0]
        self._copies.add(copy, entry.account, read, places[2] if read else 0, visible)
        people = chats.count_members(copy.c, copy.blind)
        self._copies.tell(copy, [entry.account], self._infos.updated_to(copy.record, people, places[0]))
        if read:
            marker = Marker(copy.blind, self._blinder.account(entry.account), read, read, places[2])
            tell = partial(self._receipts.tell_own, marker, copy.record.id, entry.account)
            copy.told.append(tell)


def _check_called(called: Called) -> None:
    """Raises `malformed_event` where an account is called what nobody of its node can be."""
    account = AccountId(called.account)
    try:
        alias, node = ids.address(called.address, node_of(account))
    except Problem:
        raise Problem(Code.MALFORMED_EVENT) from None
    if node != node_of(account) or ids.is_number(alias) or (ids.is_account(alias) and alias != account):
        raise Problem(Code.MALFORMED_EVENT)


def _is_same(before: Entry | None, told: SharedEntry) -> bool:
    """Whether somebody is told to be a member that has been one all the time."""
    return before is not None and before.state is RosterState.MEMBER and before.told == told.since


def _entry(told: SharedEntry, before: Entry | None, position: int) -> Entry:
    since = before.since if before is not None and told.state != "member" else 0
    return Entry(
        AccountId(told.who.account),
        _STATES[told.state],
        _ROLES[told.role],
        None if told.by is None else AccountId(told.by.account),
        since,
        position,
        told.who.address,
        told.who.display_name,
        told.since or "",
    )


def _nothing_stored(c: Connection) -> None:
    """Nothing is stored."""


def _nothing() -> None:
    """Nobody is told."""
