"""Chats out of their rows, and rows for new ones: what needs a key, and no memory."""

from collections.abc import Callable, Collection, Iterable, Sequence

from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.chats.contents import OF_NODE, Chat, ChatContents, ChatKind
from safeum_home.chats.groups.roster import RosterRecord, RosterState, open_entry
from safeum_home.chats.record import ChatRecord, open_record, seal_record
from safeum_home.damage import undamaged
from safeum_home.errors import Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Key, Keyring
from safeum_home.protocol.federation.events import node_of
from safeum_home.storage import chats, contacts, roster
from safeum_home.storage.contacts import ACCEPTED
from safeum_home.storage.rows import ChatRow, ContactRow, RosterRow


class ChatOpener:
    """Opens the rows of chats, in any thread; makes new chats."""

    def __init__(
        self,
        keyring: Keyring,
        fleeting: Keyring,
        blinder: Blinder,
        system: AccountId,
        support: AccountId,
        support_open: bool = True,
    ) -> None:
        """`system` and `support` are the node's; while `support_open` accounts write to the latter.

        `keyring` has the chats' keys, `fleeting` those of messages that have one of their own.
        """
        self._keyring = keyring
        self._fleeting = fleeting
        self._blinder = blinder
        self._system = system
        self.node = node_of(system)
        self.support = support
        self.support_open = support_open

    def system_chat(self, account: AccountId) -> ChatId:
        """The id of the chat in which the node writes to an account."""
        return ids.direct_chat_id(account, self._system)

    def support_chat(self, account: AccountId) -> ChatId:
        """The id of the chat in which an account writes to the staff; it exists from its first message on."""
        return ids.direct_chat_id(account, self.support)

    def voicemail_chat(self, account: AccountId) -> ChatId:
        """The id of the chat in which callers' messages are; it exists from the first one on."""
        return ids.direct_chat_id(account, ids.voicemail_account(self.node))

    def read(self, c: Connection, chat: ChatId) -> Chat | None:
        """The chat as it is now, on a reading connection; None where there is none. Raises `Tampered`."""
        if (row := chats.chat(c, self._blinder.chat(chat))) is None:
            return None
        key = self._keyring.unwrap(row.chat, row.key)
        record = open_record(key, row.chat, row.sealed)
        if record.id != chat:
            raise Tampered
        kind, members = ChatKind(row.kind), record.members
        if kind is ChatKind.GROUP:
            members = self._group_members(c, key, row.chat)
        writers = self._writers(c, kind, row.chat, members)
        opened = Chat(chat, row.chat, kind, key, members, writers, record, self._fleeting)
        if kind is ChatKind.DIRECT:
            opened.nodes = self.other_nodes(members)
        elif record.group is not None:
            opened.hub = self.hub(record)
            opened.nodes = () if opened.hub else self.other_nodes(members)
        return opened

    def is_here(self, account: AccountId) -> bool:
        """Whether an account is of this node."""
        return node_of(account) == self.node

    def hub(self, record: ChatRecord) -> str | None:
        """The node that orders a group, where that is another one."""
        return None if record.group is None or record.group.hub == self.node else record.group.hub

    def other_nodes(self, members: Iterable[AccountId]) -> tuple[str, ...]:
        """The nodes of some accounts, without this one."""
        return tuple(sorted({node_of(member) for member in members} - {self.node}))

    def direct(self, c: Connection, chat: bytes) -> ChatContents | None:
        """A direct chat that is found by an index, for the node itself; None where there is none.

        On a reading connection and in its thread. Raises `Tampered`.
        """
        return self._found(c, chat, ChatKind.DIRECT)

    def group(self, c: Connection, chat: bytes) -> ChatContents | None:
        """The same for a group: nobody is among its `members` here."""
        return self._found(c, chat, ChatKind.GROUP)

    def _found(self, c: Connection, chat: bytes, kind: ChatKind) -> ChatContents | None:
        found = chats.chats_among(c, [chat])  # many are asked for, one after the other: this is quick
        return self._whole(found[0]) if found and found[0].kind == kind else None

    def directs(self, c: Connection, among: Collection[bytes]) -> dict[bytes, ChatContents]:
        """As `direct`, all of them at once; those that are not there, or are damaged, are left out."""
        rows = [row for row in chats.chats_among(c, among) if row.kind == ChatKind.DIRECT]
        return {chat.blind: chat for chat in undamaged(rows, self._whole, "chats")}

    def _whole(self, row: ChatRow) -> ChatContents:
        key = self._keyring.unwrap(row.chat, row.key)
        record, kind = open_record(key, row.chat, row.sealed), ChatKind(row.kind)
        return ChatContents(
            record.id, row.chat, kind, key, record.members, record, row.changed, self._fleeting
        )

    def contents(self, c: Connection, row: ChatRow, account: AccountId) -> ChatContents:
        """The chat in a row, for a member; raises `Tampered` where what is sealed does not say it is one."""
        key = self._keyring.unwrap(row.chat, row.key)
        record, kind = open_record(key, row.chat, row.sealed), ChatKind(row.kind)
        members, entry = record.members, None
        if kind is ChatKind.GROUP:
            entry = self._entry(c, key, row.chat, account)
            members = (account,)
        elif account not in members:
            raise Tampered
        return ChatContents(
            record.id, row.chat, kind, key, members, record, row.changed, self._fleeting, entry
        )

    def opener(
        self, c: Connection, account: AccountId, expected: Iterable[bytes] = ()
    ) -> Callable[[bytes], ChatContents]:
        """Opens chats of `account` found by an index, on a reading connection and in its thread; each once.

        The rows of those that are `expected` are read together, which costs much less. Raises `Tampered`,
        also where only the index says that the account is in the chat.
        """
        opened: dict[bytes, ChatContents] = {}
        rows = {row.chat: row for row in chats.chats_among(c, set(expected))}

        def open_chat(blind: bytes) -> ChatContents:
            if blind not in opened:
                row = rows[blind] if blind in rows else chats.chat(c, blind)
                if row is None:
                    raise Tampered
                opened[blind] = self.contents(c, row, account)
            return opened[blind]

        return open_chat

    def writers(self, c: Connection, chat: ChatContents) -> frozenset[AccountId]:
        """Who may write into a chat; of a group, which of `members`."""
        return self._writers(c, chat.kind, chat.blind, chat.members)

    def make(
        self, kind: ChatKind, record: ChatRecord, members: Sequence[AccountId] | None = None
    ) -> tuple[Chat, Callable[[Connection], None]]:
        """A new chat, and what stores it: in a transaction of the same turn. `members` are the record's."""
        blind = self._blinder.chat(record.id)
        key, wrapped = self._keyring.new_key(blind)
        row = ChatRow(blind, kind, seal_record(key, blind, record), wrapped)
        people = record.members if members is None else tuple(members)
        blinds = [self._blinder.account(member) for member in people]

        def insert(c: Connection) -> None:
            chats.insert_chat(c, row, blinds)

        writers = frozenset((self._system,) if kind in OF_NODE else people)
        return Chat(record.id, blind, kind, key, people, writers, record, self._fleeting), insert

    def in_roster(self, chat: ChatContents, rows: Sequence[RosterRow]) -> tuple[AccountId, ...]:
        """Whom entries of a group's roster name as members."""
        return _members(chat.key, rows)

    def people(self, c: Connection, row: ChatRow) -> tuple[AccountId, ...]:
        """All members of the chat in a row; raises `Tampered`."""
        key = self._keyring.unwrap(row.chat, row.key)
        try:
            if row.kind == ChatKind.GROUP:
                return self._group_members(c, key, row.chat)
            return open_record(key, row.chat, row.sealed).members
        finally:
            key.wipe()

    def _group_members(self, c: Connection, key: Key, chat: bytes) -> tuple[AccountId, ...]:
        return _members(key, roster.member_entries(c, chat))

    def _entry(self, c: Connection, key: Key, chat: bytes, account: AccountId) -> RosterRecord:
        """The entry of an account that is said to be a member; raises `Tampered` where it is none."""
        row = roster.entry(c, chat, self._blinder.account(account))
        if row is None or row.state != RosterState.MEMBER:
            raise Tampered
        entry = open_entry(key, row)
        if entry.account != account:
            raise Tampered
        return entry

    def _writers(
        self, c: Connection, kind: ChatKind, chat: bytes, members: tuple[AccountId, ...]
    ) -> frozenset[AccountId]:
        """An account may write where the other one has it in its list; in a group, where it is a member."""
        if kind in OF_NODE:
            return frozenset((self._system,))
        if kind is ChatKind.SUPPORT:
            return frozenset(members if self.support_open else (self.support,))
        if kind is not ChatKind.DIRECT:
            return frozenset(members)
        sides: list[ContactRow] = contacts.contacts_of_chat(c, chat)
        consenting = {side.owner for side in sides if side.state == ACCEPTED}
        first, second = members
        pairs = ((first, second), (second, first))
        return frozenset(writer for writer, reader in pairs if self._blinder.account(reader) in consenting)


def _members(key: Key, rows: Sequence[RosterRow]) -> tuple[AccountId, ...]:
    entries = [row for row in rows if row.state == RosterState.MEMBER]
    return tuple(entry.account for entry in undamaged(entries, lambda row: open_entry(key, row), "members"))
