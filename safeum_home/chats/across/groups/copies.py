"""Copies of groups of other nodes: the rows of a group, in which nothing stands but what its hub has told.

A copy is there for those who read here. It orders nothing: what the hub tells has a place here when it
comes. With the last account of this node that is in the group, or invited into it, the copy goes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace
from sqlalchemy import Connection

from safeum_home.chats.across.groups.descriptions import beginning
from safeum_home.chats.across.groups.receipts import GroupReceipts
from safeum_home.chats.across.posts.box import PostBox
from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.groups import lives as group_lives
from safeum_home.chats.groups.draft import LEFT_KEPT, Entry, opened
from safeum_home.chats.groups.endings import GroupEndings
from safeum_home.chats.groups.events import GroupEvents
from safeum_home.chats.groups.roster import RosterRecord, RosterState, seal_entry
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import ChatRecord, GroupRecord, keep_record, open_record
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId, system_account
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Bus, EpochTurns, Key, Keyring, Published
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.groups import SharedGroup
from safeum_home.storage import chats, events, group_nodes, owed, roster, settings
from safeum_home.storage.erasure import erase_copy, forget_copy
from safeum_home.storage.rows import MemberRow, RosterRow

KNOWN = 10_000
"""Accounts of which it is remembered who they are."""
Tell = Callable[[], None]
Fresh = tuple[Chat, Callable[[Connection], None]]
"""A chat that is new, and what stores it in a transaction of the same turn."""


def check_hub(node: str, event: Event) -> ChatId:
    """Of which group a hub tells; raises `wrong_sender_node`, `malformed_event`."""
    if event.node != node or event.sender != system_account(node):
        raise Problem(Code.WRONG_SENDER_NODE)
    if event.chat is None:
        raise Problem(Code.MALFORMED_EVENT)
    return ChatId(event.chat)


@dataclass
class Copy:
    """A copy inside a transaction. `told` is what is published once it is committed; `gone`: it was erased,
    not as an invitation alone."""

    c: Connection
    blind: bytes
    key: Key
    record: ChatRecord
    told: list[Tell] = field(default_factory=list)
    gone: bool = False

    @property
    def group(self) -> GroupRecord:
        assert self.record.group is not None
        return self.record.group

    def publish(self, erased: Callable[[], object]) -> None:
        """It is committed; `erased` destroys what was wrapped."""
        for tell in self.told:
            tell()
        if self.gone:
            erased()


class GroupCopies:
    """Reads and writes them."""

    def __init__(
        self,
        keyring: Keyring,
        blinder: Blinder,
        opener: ChatOpener,
        events: GroupEvents,
        endings: GroupEndings,
        turns: EpochTurns,
        bus: Bus,
        receipts: GroupReceipts,
        posts: PostBox,
        limit: RateLimit,
    ) -> None:
        """`limit` is how much each node may have told of its groups."""
        self._receipts = receipts
        self._posts = posts
        self._keyring = keyring
        self._blinder = blinder
        self._opener = opener
        self._events = events
        self._endings = endings
        self._turns = turns
        self._bus = bus
        self._limit = limit
        self._known: dict[bytes, AccountId] = {}
        """Accounts of this node by their indexes, in the writer's thread; of many the first one goes."""

    def told_of(self, node: str, event: Event) -> ChatId:
        """As `check_hub`; raises `rate_limited`, too."""
        chat = check_hub(node, event)
        self._limit.take(node)
        return chat

    # --- a copy as a whole

    def read(self, c: Connection, node: str, chat: ChatId) -> Copy | None:
        """The copy of a group of `node`; None where there is none.

        Raises `not_a_contact` where this is another node's chat.
        """
        blind = self._blinder.chat(chat)
        if (row := chats.chat(c, blind)) is None:
            return None
        try:
            key = self._keyring.unwrap(blind, row.key)
            record = open_record(key, blind, row.sealed)
        except Tampered:
            raise Problem(Code.NOT_A_CONTACT) from None
        if (
            row.kind != ChatKind.GROUP
            or record.id != chat
            or record.group is None
            or record.group.hub != node
        ):
            raise Problem(Code.NOT_A_CONTACT)
        return Copy(c, blind, key, record)

    def fresh(self, node: str, chat: ChatId, told: SharedGroup | None = None) -> Fresh:
        """A copy that is new, for a transaction of this turn."""
        record = ChatRecord(chat, group=GroupRecord(node, ""))
        return self._opener.make(ChatKind.GROUP, record if told is None else beginning(record, told), ())

    def insert(self, c: Connection, fresh: Fresh) -> Copy:
        chat, insert = fresh
        insert(c)
        return Copy(c, chat.blind, chat.key, chat.record)

    def keep(self, copy: Copy, group: GroupRecord, position: int) -> None:
        """Let this be the group; its members here are told at `position`."""
        copy.record = replace(copy.record, group=group)
        keep_record(copy.c, copy.key, copy.blind, copy.record, position)

    def drop_if_over(self, copy: Copy, fresh: Fresh, position: int) -> None:
        """Erase the copy where nobody of this node is in the group any more.

        For those who are invited into it there is a `fresh` one, which says no more than they were told.
        """
        if roster.of_this_node(copy.c, copy.blind) or group_nodes.is_wanted(copy.c, copy.blind):
            return  # who has agreed to be in it is about to be told that it is
        if self.here(copy, invited=True):
            self.begin_anew(copy, fresh, position)
        else:
            self.drop(copy, position)

    def begin_anew(self, copy: Copy, fresh: Fresh, position: int) -> None:
        """Erase a copy but for invitations of accounts of this node."""
        invited = self.here(copy, invited=True)
        held = len(roster.entries(copy.c, copy.blind))
        if held == len(invited) and not events.events_after(copy.c, copy.blind, 0, 1):
            return
        self.drop(copy, position)
        anew = self.insert(copy.c, fresh)
        copy.key, anew.told = anew.key, copy.told
        self.keep(anew, copy.group, 0)
        copy.record = anew.record
        for entry in invited:
            self.put(anew, entry)

    def drop(self, copy: Copy, position: int) -> None:
        """Erase a copy; nothing of it is behind `position`."""
        c, hub, is_owed = copy.c, copy.group.hub, owed.is_owed(copy.c, copy.blind)
        self._posts.forget(c, hub, copy.blind, position)
        # Of an invitation alone nobody wrote anything, and anybody may send many.
        if copy.group.life or events.events_after(c, copy.blind, 0, 1):
            erase_copy(c, copy.blind, position, self._turns.epoch)
            copy.gone = True
        else:
            forget_copy(c, copy.blind)
        if is_owed:
            self._receipts.owe(c, hub, copy.record.id, group_lives.life_of(copy.record))
            copy.told.append(lambda: self._receipts.give(hub))

    # --- its entries

    def entry(self, copy: Copy, account: AccountId) -> Entry | None:
        """What the copy says of an account; one that is called a member, and is none, has left."""
        row = roster.entry(copy.c, copy.blind, self._blinder.account(account))
        if row is None:
            return None
        found = undamaged([row], lambda row: self._events.entry(copy.c, copy.key, row), "members")
        return found[0] if found and found[0].account == account else None

    def put(self, copy: Copy, entry: Entry) -> None:
        """Let this be an account's entry."""
        account = self._blinder.account(entry.account)
        about = entry.address, entry.name, entry.told
        record = RosterRecord(entry.account, entry.role, entry.by, entry.since, *about)
        roster.put_entries(
            copy.c, [seal_entry(copy.key, copy.blind, account, entry.position, entry.state, record)]
        )
        if entry.state is not RosterState.MEMBER:
            chats.remove_member(copy.c, copy.blind, account)
            settings.drop_settings(copy.c, account, copy.blind)
            roster.forget_left(copy.c, copy.blind, LEFT_KEPT)
            roster.forget_removed(copy.c, copy.blind, LEFT_KEPT)
            self._endings.keep(copy.c, copy.record.id, [entry])

    def add(self, copy: Copy, account: AccountId, read: int = 0, marker: int = 0, visible: int = 0) -> None:
        """Let an account be among the members."""
        row = MemberRow(copy.blind, self._blinder.account(account), read, read, marker, visible)
        chats.add_members(copy.c, [row])

    # --- telling

    def here(self, copy: Copy, invited: bool = False) -> list[Entry]:
        """The entries of members that are of this node, or of those who are invited."""
        rows = roster.of_this_node(copy.c, copy.blind, invited)
        return undamaged(rows, lambda row: opened(copy.key, row), "members")

    def _members(self, copy: Copy) -> list[AccountId]:
        """The members that are of this node; of accounts that are known no entry is opened again."""

        def account(row: RosterRow) -> AccountId:
            if (known := self._known.get(row.account)) is None:
                if len(self._known) >= KNOWN:
                    self._known.pop(next(iter(self._known)))
                known = self._known[row.account] = opened(copy.key, row).account
            return known

        return undamaged(roster.of_this_node(copy.c, copy.blind), account, "members")

    def tell(self, copy: Copy, accounts: Sequence[AccountId], event: Published) -> None:
        """Tell some accounts, once it is committed."""

        def tell() -> None:
            for account in accounts:
                self._bus.publish(account, event)

        copy.told.append(tell)

    def tell_entry(self, copy: Copy, entry: Entry) -> None:
        """Tell of an entry that has changed: members here, and whose it is."""
        members = self._members(copy)
        if not members and not self._opener.is_here(entry.account):
            return
        people = chats.count_members(copy.c, copy.blind)
        known = self._events.called(copy.c, entry.account)
        event = self._events.member(copy.record.id, entry, known, people)
        if entry.state is RosterState.INVITED:
            self.tell(copy, members, event)
            if self._opener.is_here(entry.account):
                self.tell_invited(copy, entry)
        else:
            self.tell(copy, list(dict.fromkeys((*members, entry.account))), event)

    def tell_invited(self, copy: Copy, entry: Entry, again: bool = False) -> None:
        """Tell who is invited what it is invited into; `again` where that has changed."""
        people = chats.count_members(copy.c, copy.blind)
        by = self._events.called(copy.c, entry.by)
        self.tell(copy, [entry.account], self._events.invited(copy.record, entry, by, people, again))
