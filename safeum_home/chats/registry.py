"""The chats of this node in RAM: their keys, their members, and who may write. A bounded number."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from safeum_home import ids
from safeum_home.chats.contents import Chat, ChatContents, ChatKind
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Database, Key, Keyring
from safeum_home.storage import accounts, chats, contacts
from safeum_home.storage.contacts import ACCEPTED
from safeum_home.storage.rows import ChatRow, ContactRow


@dataclass(slots=True)
class _Loading:
    """Who waits for a chat; one read at a time serves them all."""

    waiters: list["Deferred[Chat | None]"] = field(default_factory=list)
    reading: bool = False
    stale: bool = False
    founder: AccountId | None = None
    """Whose chat with support this is, and wanted now: it is made where it is not there."""


_encoder = msgspec.msgpack.Encoder()
_members = msgspec.msgpack.Decoder(tuple[str, ...])


class ChatRegistry:
    """Opens chats, makes new ones, and forgets those whose contacts changed. `ports.Consent`."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        blinder: Blinder,
        system: AccountId,
        support: AccountId,
        support_open: bool = True,
        size: int = 50_000,
    ) -> None:
        """`system` and `support` are the node's; while `support_open` accounts write to the latter."""
        self._database = database
        self._keyring = keyring
        self._blinder = blinder
        self._system = system
        self._support = support
        self._support_open = support_open
        self._size = size
        self._open: OrderedDict[ChatId, Chat] = OrderedDict()
        self._loading: dict[ChatId, _Loading] = {}
        self._changing: dict[ChatId, int] = {}

    def get(self, chat: ChatId) -> Chat | None:
        """The chat, if it is in RAM."""
        if (kept := self._open.get(chat)) is not None:
            self._open.move_to_end(chat)
        return kept

    def load(self, chat: ChatId, founder: AccountId | None = None) -> "Deferred[Chat | None]":
        """The chat; None where there is none. Those who wait for one chat get it in their order.

        The chat of `founder` with support is made where it is not there yet, and support is open.
        """
        if (kept := self._open.get(chat)) is not None:
            self._open.move_to_end(chat)
            return succeed(kept)
        waiting: Deferred[Chat | None] = Deferred()
        loading = self._loading.get(chat)
        if loading is None:
            self._loading[chat] = loading = _Loading()
        if founder is not None and chat == self.support_chat(founder):
            loading.founder = founder
        loading.waiters.append(waiting)
        if not loading.reading:
            self._read(chat, loading)
        return waiting

    def _read(self, chat: ChatId, loading: "_Loading") -> None:
        if chat in self._changing:
            return  # `changed` reads
        blind = self._blinder.chat(chat)
        loading.reading, loading.stale = True, False

        def read(c: Connection) -> tuple[ChatRow | None, list[ContactRow]]:
            return chats.chat(c, blind), contacts.contacts_of_chat(c, blind)

        def loaded(rows: tuple[ChatRow | None, list[ContactRow]]) -> None:
            loading.reading = False
            if loading.stale:
                self._read(chat, loading)
                return
            founder, loading.founder = loading.founder, None
            if rows[0] is None and founder is not None and self._support_open:
                self._found_support(chat, founder, loading).addErrback(failed)
                return
            opened = None if rows[0] is None else self._from_rows(chat, rows[0], rows[1])
            if opened is not None:
                self._keep(opened)
            del self._loading[chat]
            for waiter in loading.waiters:
                waiter.callback(opened)

        def failed(failure: Failure) -> None:
            del self._loading[chat]
            for waiter in loading.waiters:
                waiter.errback(failure)

        self._database.read(read).addCallback(loaded).addErrback(failed)

    def _found_support(self, chat: ChatId, account: AccountId, loading: _Loading) -> "Deferred[None]":
        """Make an account's chat with support, and read it: another worker may have been faster."""
        loading.reading = True
        insert = self._inserting(chat, ChatKind.SUPPORT, (account, self._support))[1]
        blind = self._blinder.account(account)

        def found(c: Connection) -> None:
            if accounts.account(c, blind) is not None:  # else it was closed meanwhile
                insert(c)

        def founded(_: object) -> None:
            loading.reading = False
            self._read(chat, loading)

        return self._database.transact(found).addCallback(founded)

    def direct(self, first: AccountId, second: AccountId) -> Callable[[Connection], None]:
        chat = ids.direct_chat_id(first, second)
        return self._inserting(chat, ChatKind.DIRECT, (first, second))[1]

    def found_system(self, account: AccountId) -> Callable[[Connection], None]:
        """What makes the system chat of a new account exist, inside a transaction."""
        chat, insert = self._inserting(self.system_chat(account), ChatKind.SYSTEM, (account,))
        self._keep(chat)
        return insert

    def system_chat(self, account: AccountId) -> ChatId:
        """The id of the chat in which the node writes to an account."""
        return ids.direct_chat_id(account, self._system)

    def support_chat(self, account: AccountId) -> ChatId:
        """The id of the chat in which an account writes to the staff; it exists from its first message on."""
        return ids.direct_chat_id(account, self._support)

    def is_new_support(self, chat: ChatId, account: AccountId) -> bool:
        """Whether a chat that there is not is the one in which `account` may write to support."""
        return self._support_open and chat == self.support_chat(account)

    def refusal(self, chat: ChatId, account: AccountId) -> Problem:
        """Why `account` cannot write into a chat that there is not, or not for it."""
        own = chat == self.support_chat(account)
        return Problem(Code.SUPPORT_CLOSED if own else Code.NOT_A_CONTACT)

    def changing(self, chat: ChatId) -> None:
        self._changing[chat] = self._changing.get(chat, 0) + 1
        self._open.pop(chat, None)
        if (loading := self._loading.get(chat)) is not None:
            loading.stale = True  # what is being read may be of before the change

    def changed(self, chat: ChatId) -> None:
        self._changing[chat] -= 1
        if self._changing[chat] == 0:
            del self._changing[chat]
            loading = self._loading.get(chat)
            if loading is not None and not loading.reading:
                self._read(chat, loading)

    def forget_account(self, account: AccountId) -> None:
        """An account was closed, and its chats are erased.

        Their keys are zeroed with the last command that is still using them.
        """
        for chat in [chat for chat in self._open.values() if account in chat.members]:
            del self._open[chat.id]
        for loading in self._loading.values():
            loading.stale = True  # what is being read may be of before that

    def opener(self, c: Connection, account: AccountId) -> Callable[[bytes], "ChatContents"]:
        """Opens chats of `account` found by an index, on a reading connection and in its thread; each once.

        Raises `Tampered`, also where only the index says that the account is in the chat.
        """
        opened: dict[bytes, ChatContents] = {}

        def open_chat(blind: bytes) -> ChatContents:
            if blind not in opened:
                if (row := chats.chat(c, blind)) is None:
                    raise Tampered
                opened[blind] = self.contents(row, account)
            return opened[blind]

        return open_chat

    def contents(self, row: ChatRow, account: AccountId) -> "ChatContents":
        """The chat in a row; raises `Tampered`, also where `account` is not among the sealed members."""
        key, members = self._open_row(row)
        if account not in members:
            raise Tampered
        kind = ChatKind(row.kind)
        system = kind is ChatKind.SYSTEM
        chat = self.system_chat(members[0]) if system else ids.direct_chat_id(members[0], members[1])
        return ChatContents(chat, row.chat, kind, key, members)

    def writers(self, c: Connection, chat: ChatContents) -> frozenset[AccountId]:
        """Who may write into a chat, on a reading connection."""
        return self._writers(chat.kind, chat.members, contacts.contacts_of_chat(c, chat.blind))

    def forget(self) -> None:
        """Open chats anew. Their keys stay for those who are using them."""
        self._open.clear()
        for loading in self._loading.values():
            loading.stale = True

    def wipe(self) -> None:
        """Zero all keys: the node stops."""
        while self._open:
            self._open.popitem()[1].key.wipe()

    def _open_row(self, row: ChatRow) -> tuple[Key, tuple[AccountId, ...]]:
        key = self._keyring.unwrap(row.chat, row.key)
        members = _members.decode(key.open(row.sealed, b"members" + row.chat))
        return key, tuple(AccountId(member) for member in members)

    def _from_rows(self, chat: ChatId, row: ChatRow, sides: list[ContactRow]) -> Chat:
        key, members = self._open_row(row)
        kind = ChatKind(row.kind)
        return Chat(chat, row.chat, kind, key, members, self._writers(kind, members, sides))

    def _writers(
        self, kind: ChatKind, members: tuple[AccountId, ...], sides: list[ContactRow]
    ) -> frozenset[AccountId]:
        """An account may write where the other one has it in its list."""
        if kind is ChatKind.SYSTEM:
            return frozenset((self._system,))
        if kind is ChatKind.SUPPORT:
            return frozenset(members if self._support_open else (self._support,))
        consenting = {side.owner for side in sides if side.state == ACCEPTED}
        first, second = members
        pairs = ((first, second), (second, first))
        return frozenset(writer for writer, reader in pairs if self._blinder.account(reader) in consenting)

    def _inserting(
        self, chat: ChatId, kind: ChatKind, members: tuple[AccountId, ...]
    ) -> tuple[Chat, Callable[[Connection], None]]:
        blind = self._blinder.chat(chat)
        key, wrapped = self._keyring.new_key(blind)
        row = ChatRow(blind, kind, key.seal(_encoder.encode(members), b"members" + blind), wrapped)
        blinds = [self._blinder.account(member) for member in members]

        def insert(c: Connection) -> None:
            chats.insert_chat(c, row, blinds)

        return Chat(chat, blind, kind, key, members, self._writers(kind, members, [])), insert

    def _keep(self, chat: Chat) -> None:
        self._open[chat.id] = chat
        if len(self._open) > self._size:
            self._open.popitem(last=False)
