"""A group inside the transaction that changes it: what is read and written there, and what it comes to."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.groups.rights import Action, may
from safeum_home.chats.groups.roster import Role, RosterRecord, RosterState, open_entry, seal_entry
from safeum_home.chats.record import ChatRecord, GroupRecord, keep_record, open_record
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Key, Keyring
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.types import Notice
from safeum_home.storage import chats, roster, settings
from safeum_home.storage.rows import MemberRow, RosterRow

LEFT_KEPT = 2_000
"""Entries of those who have left that a group keeps, so that members' devices that were away learn of it.

Those who were removed are kept all: who is forgotten may join by the link again.
"""


StoreNotice = Callable[[Connection, Chat, Key, Notice, int, bool], bytes]
"""Stores a notice at a position, under the chat's key, to be kept or not; its message, encoded."""


class Entry(NamedTuple):
    """An entry of a roster. `position` is where it was last changed; the last three are as the record's."""

    account: AccountId
    state: RosterState
    role: Role
    by: AccountId | None
    since: int
    position: int
    address: str = ""
    name: str = ""
    told: str = ""


class Joined(NamedTuple):
    """A member that is new: at `position` it is told of the chat; `marker` is where it has read up to.

    It sees what is behind `visible`.
    """

    account: AccountId
    position: int
    read: int
    marker: int
    visible: int


CalledElsewhere = Callable[[AccountId], tuple[str, str] | None]
"""Address and name of an account of another node, as that has just told them."""


def _nobody(account: AccountId) -> tuple[str, str] | None:
    return None


@dataclass
class Draft:
    """A group that is being changed. `positions` were taken for it, in the turn of its transaction."""

    c: Connection
    chat: Chat
    key: Key
    record: ChatRecord
    blinder: Blinder
    positions: list[int]
    store_notice: StoreNotice
    changed: int = 0
    """Where members were last told what the group is."""
    entries: list[Entry] = field(default_factory=list)
    joined: list[Joined] = field(default_factory=list)
    gone: list[AccountId] = field(default_factory=list)
    notices: list[tuple[int, bytes]] = field(default_factory=list)
    updated: int = 0
    """Where all members are told what the group is now; 0: they are not."""
    invited: list[Entry] = field(default_factory=list)
    """Those who are told then, too, since they are invited into what it was."""
    erased: bool = False
    called: CalledElsewhere = _nobody

    # --- reading ---------------------------------------------------------------------------------

    @property
    def group(self) -> GroupRecord:
        assert self.record.group is not None
        return self.record.group

    def entry(self, account: AccountId) -> Entry | None:
        """What the roster says of an account; one that is called a member, and is none, has left."""
        found = self.stored(account)
        if found is not None and found.state is RosterState.MEMBER:
            blind = self.blinder.account(account)
            if chats.member(self.c, self.chat.blind, blind) is None:
                return found._replace(state=RosterState.LEFT)
        return found

    def stored(self, account: AccountId) -> Entry | None:
        """The same, as the roster alone has it; whose entry does not open is in the group no more."""
        if (row := roster.entry(self.c, self.chat.blind, self.blinder.account(account))) is None:
            return None
        with suppress(Tampered):
            if (found := opened(self.key, row)).account == account:
                return found
        state = RosterState.REMOVED if row.state == RosterState.REMOVED else RosterState.LEFT
        return Entry(account, state, Role.MEMBER, None, 0, row.position)

    def member(self, account: AccountId) -> Entry:
        """The entry of a member; raises `not_found` for others: to them there is no such group."""
        found = self.entry(account)
        if found is None or found.state is not RosterState.MEMBER:
            raise Problem(Code.NOT_FOUND)
        return found

    def allowed(self, account: AccountId, action: Action) -> Entry:
        """The entry of a member that may do that to the group; raises `not_permitted`."""
        found = self.member(account)
        if not may(found.role, action):
            raise Problem(Code.NOT_PERMITTED)
        return found

    def people(self) -> int:
        """How many members there are now."""
        return chats.count_members(self.c, self.chat.blind)

    def oldest(self) -> Entry | None:
        """Who follows an owner: of the admins, else of the members, the one who came first."""
        rows = roster.member_entries(self.c, self.chat.blind)
        rows = [row for row in rows if row.state == RosterState.MEMBER]
        members = undamaged(rows, lambda row: opened(self.key, row), "members")
        return min(members, key=lambda one: (-one.role, one.since), default=None)

    # --- writing ---------------------------------------------------------------------------------

    def position(self) -> int:
        return self.positions.pop(0)

    def put(
        self,
        account: AccountId,
        state: RosterState,
        role: Role = Role.MEMBER,
        by: AccountId | None = None,
        since: int = 0,
    ) -> Entry:
        """Let an account's entry be this from now on."""
        position = self.position()
        blind = self.blinder.account(account)
        address, name = self._called(account)
        record = RosterRecord(account, role, by, since, address, name)
        sealed = seal_entry(self.key, self.chat.blind, blind, position, state, record)
        roster.put_entries(self.c, [sealed])
        entry = Entry(account, state, role, by, since, position, address, name)
        self.entries.append(entry)
        return entry

    def _called(self, account: AccountId) -> tuple[str, str]:
        """What is known of how an account of another node is called; nothing of one of this node."""
        if node_of(account) == self.group.hub:
            return "", ""
        if (called := self.called(account)) is not None:
            return called
        before = self.stored(account)
        return ("", "") if before is None else (before.address, before.name)

    def join(self, account: AccountId, by: AccountId | None, role: Role = Role.MEMBER) -> None:
        """Let an account be a member. `by` has invited it."""
        told = self.changed = self.position()
        self.keep(self.group)
        self.put(account, RosterState.MEMBER, role, by, told)
        created = not self.chat.members
        notice = self.notice("created", by=account) if created else self.notice("joined", account, by)
        marker = self.position()
        # Nobody gets what was written while there was no history, and others are still waited for with.
        shown = created or (self.group.earlier and self.record.history)
        visible = max(self.record.erased, self.record.kept) if shown else told
        row = MemberRow(self.chat.blind, self.blinder.account(account), notice, notice, marker, visible)
        chats.add_members(self.c, [row])
        self.joined.append(Joined(account, told, notice, marker, visible))

    def part(self, entry: Entry, state: RosterState, by: AccountId | None = None) -> None:
        """Let an account be no member, and not invited, any more."""
        self.put(entry.account, state, Role.MEMBER, by, entry.since)
        if entry.state is RosterState.MEMBER:
            blind = self.blinder.account(entry.account)
            chats.remove_member(self.c, self.chat.blind, blind)
            settings.drop_settings(self.c, blind, self.chat.blind)
            self.gone.append(entry.account)
        roster.forget_left(self.c, self.chat.blind, LEFT_KEPT)

    def notice(
        self,
        action: str,
        who: AccountId | None = None,
        by: AccountId | None = None,
        text: str | None = None,
    ) -> int:
        """Write into the group what has become of it; the position of that message."""
        position = self.position()
        told, kept = Notice(action, who, by, text), self.record.history
        encoded = self.store_notice(self.c, self.chat, self.key, told, position, kept)
        self.notices.append((position, encoded))
        return position

    def keep(self, group: GroupRecord) -> None:
        """Let this be what is sealed of the group; nobody is told."""
        self.record = replace(self.record, group=group)
        keep_record(self.c, self.key, self.chat.blind, self.record, self.changed)

    def describe(self, group: GroupRecord) -> None:
        """Let this be what is sealed of the group; all members are told, and who is invited what it shows."""
        self.updated = self.changed = self.position()
        if (group.name, group.about) != (self.group.name, self.group.about):
            rows = roster.invited(self.c, self.chat.blind)
            invited = undamaged(rows, lambda row: opened(self.key, row), "members")
            self.invited = [entry._replace(position=self.updated) for entry in invited]
        self.keep(group)

    # --- what it comes to ------------------------------------------------------------------------

    def after(self) -> Chat:
        """The chat as it is once this is committed."""
        gone = set(self.gone)
        members = tuple(member for member in self.chat.members if member not in gone)
        members += tuple(joined.account for joined in self.joined)
        after = Chat(
            self.chat.id,
            self.chat.blind,
            self.chat.kind,
            self.chat.key,
            members,
            frozenset(members),
            self.record,
            self.chat.fleeting,
        )
        hub, after.nodes = self.group.hub, self.chat.nodes
        moved = (*self.gone, *(joined.account for joined in self.joined))
        if any(node_of(account) != hub for account in moved):
            after.nodes = tuple(sorted({node_of(member) for member in members} - {hub}))
        return after


def open_draft(
    c: Connection,
    chat: Chat,
    keyring: Keyring,
    blinder: Blinder,
    positions: Sequence[int],
    store_notice: StoreNotice,
    called: CalledElsewhere = _nobody,
) -> Draft:
    """The group as the database has it now. Raises `not_found` where it was erased, or is no group."""
    row = chats.chat(c, chat.blind)
    if row is None or row.kind != ChatKind.GROUP:
        raise Problem(Code.NOT_FOUND)
    key = keyring.unwrap(row.chat, row.key)
    record = open_record(key, row.chat, row.sealed)
    if record.id != chat.id or record.group is None:
        raise Tampered
    draft = Draft(c, chat, key, record, blinder, list(positions), store_notice, row.changed)
    draft.called = called
    return draft


def opened(key: Key, row: RosterRow) -> Entry:
    """The entry in a row; raises `Tampered`."""
    record = open_entry(key, row)
    state = RosterState(row.state)
    about = record.address, record.name, record.told
    return Entry(record.account, state, record.role, record.by, record.since, row.position, *about)
