"""Entries of copies: what comes of an entry that a group's hub has told, inside a transaction.

A hub alone makes nobody a member: an account of this node is one where it has agreed to that here, and is
invited only by who is in its list.
"""

from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.chats.across.groups.coming import Coming
from safeum_home.chats.across.groups.copies import Copy, Fresh, GroupCopies
from safeum_home.chats.groups.draft import Entry
from safeum_home.chats.groups.entrance import GroupEntrance
from safeum_home.chats.groups.roster import Role, RosterState
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.receipts import Receipts
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.groups import SharedEntry
from safeum_home.storage import accounts, chats, events, group_nodes, roster
from safeum_home.storage.roster import INVITED, MEMBER
from safeum_home.storage.rows import Marker

MOST_MEMBERS = MOST_INVITED = 2_000
"""How many a copy holds, and open invitations: as many as there can be, and more."""
PLACES = 4
"""Positions that it takes to join a copy: see `Places`."""
_STATES: dict[str, RosterState] = {
    "invited": RosterState.INVITED,
    "member": RosterState.MEMBER,
    "left": RosterState.LEFT,
    "removed": RosterState.REMOVED,
}
_ROLES = {role.word: role for role in Role}


class Places(NamedTuple):
    """Where what was before is over, where the copy is told of, the entry itself, and the marker."""

    over: int
    chat: int
    entry: int
    marker: int


class CopyEntries:
    """Writes them."""

    def __init__(
        self,
        node: str,
        blinder: Blinder,
        copies: GroupCopies,
        entrance: GroupEntrance,
        infos: ChatInfos,
        receipts: Receipts,
        coming: Coming,
    ) -> None:
        self._node = node
        self._blinder = blinder
        self._copies = copies
        self._entrance = entrance
        self._infos = infos
        self._receipts = receipts
        self._coming = coming

    def store(
        self,
        c: Connection,
        node: str,
        chat: ChatId,
        told: SharedEntry,
        places: Places,
        fresh: list[Fresh],
    ) -> Copy | None:
        """What comes of an entry; None where nothing does. Raises `Problem` where it is refused.

        `fresh` has a new copy, where the account is of this node and no member.
        """
        account, state = AccountId(told.who.account), _STATES[told.state]
        own, over = node_of(account) == self._node, state > RosterState.MEMBER
        copy = self._copies.read(c, node, chat)
        before = None if copy is None else self._copies.entry(copy, account)
        if own and not over:
            self._check(c, chat, told, before)
        if copy is None:
            if not own or over:
                return None
            if not fresh:
                raise Problem(Code.NOT_A_CONTACT)
            copy = self._copies.insert(c, fresh[0])
        entry = _entry(told, before, places.entry)
        if before is not None and entry._replace(since=before.since, position=before.position) == before:
            return None
        if before is None and over:
            return None
        self._write(copy, entry, before, told, places)
        if own and state is not RosterState.MEMBER and fresh:
            self._copies.drop_if_over(copy, fresh[0], places.marker)
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
        self, copy: Copy, entry: Entry, before: Entry | None, told: SharedEntry, places: Places
    ) -> None:
        c, own = copy.c, node_of(entry.account) == self._node
        was = before is not None and before.state is RosterState.MEMBER
        same = entry.state is RosterState.MEMBER and _is_same(before, told)
        if was and before is not None and not same and entry.state <= RosterState.MEMBER:
            # It was none meanwhile, which nobody has told: its devices drop what they have.
            gone = before._replace(state=RosterState.LEFT, role=Role.MEMBER, by=None, position=places.over)
            self._copies.put(copy, gone)
            if own:
                self._copies.tell_entry(copy, gone)
        if same and before is not None:
            entry = entry._replace(since=before.since)
        elif entry.state is RosterState.MEMBER:
            self._check_room(copy)
            entry = entry._replace(since=places.chat)
        elif entry.state is RosterState.INVITED and roster.count_invited(c, copy.blind) >= MOST_INVITED:
            raise Problem(Code.LIMIT_REACHED)
        self._copies.put(copy, entry)
        if entry.state is RosterState.MEMBER and not same:
            if own:
                self._join(copy, entry, told.earlier, places)
            else:
                # Files of accounts of this node are for those who see the messages.
                self._copies.add(copy, entry.account, visible=0 if told.earlier else places.chat)
        self._copies.tell_entry(copy, entry)

    def _check_room(self, copy: Copy) -> None:
        if chats.count_members(copy.c, copy.blind) >= MOST_MEMBERS:
            raise Problem(Code.LIMIT_REACHED)

    def _join(self, copy: Copy, entry: Entry, earlier: bool, places: Places) -> None:
        """Let an account of this node be in: what is there it has read, and sees, or does not."""
        self._copies.keep(copy, copy.group, places.chat)
        newest = events.events_before(copy.c, copy.blind, None, 1) if earlier else []
        read = newest[0].position if newest else 0
        visible = 0 if earlier else places.chat
        self._copies.add(copy, entry.account, read, places.marker if read else 0, visible)
        people = chats.count_members(copy.c, copy.blind)
        self._copies.tell(copy, [entry.account], self._infos.updated_to(copy.record, people, places.chat))
        copy.told.append(partial(self._coming.came, entry.account, copy.record.id))
        if read:
            marker = Marker(copy.blind, self._blinder.account(entry.account), read, read, places.marker)
            tell = partial(self._receipts.tell_own, marker, copy.record.id, entry.account)
            copy.told.append(tell)


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
