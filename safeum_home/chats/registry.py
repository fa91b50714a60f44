"""The chats of this node in RAM: their keys, their members, and who may write. A bounded number."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from safeum_home import ids
from safeum_home.chats.contents import Chat, ChatContents, ChatKind
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import ChatRecord
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Database
from safeum_home.storage import accounts


@dataclass(slots=True)
class _Change:
    """Changes of a chat that are under way. `alone`: there was never more than this one."""

    count: int = 0
    alone: bool = True


@dataclass(slots=True)
class _Loading:
    """Who waits for a chat; one read at a time serves them all."""

    waiters: list["Deferred[Chat | None]"] = field(default_factory=list)
    reading: bool = False
    stale: bool = False
    founder: AccountId | None = None
    """Whose own chat, or chat with support, this is, and wanted now: it is made where it is not there."""


class ChatRegistry:
    """Opens chats, makes new ones, and forgets those that changed. `ports.Consent`."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        opener: ChatOpener,
        size: int = 50_000,
        most_members: int = 500_000,
    ) -> None:
        """At most `size` chats are kept, with `most_members` in all (some 200 octets each)."""
        self._database = database
        self._blinder = blinder
        self._opener = opener
        self._size = size
        self._most_members = most_members
        self._members = 0
        self._open: OrderedDict[ChatId, Chat] = OrderedDict()
        self._loading: dict[ChatId, _Loading] = {}
        self._changing: dict[ChatId, _Change] = {}
        self.erasures = 0
        self._watching: tuple[Callable[[ChatId], None], ...] = ()

    def watch(self, moved: Callable[[ChatId], None]) -> None:
        """Have it called, too, where a chat has changed: somebody may have come into it, or left."""
        self._watching = (*self._watching, moved)

    def get(self, chat: ChatId) -> Chat | None:
        """The chat, if it is in RAM."""
        if (kept := self._open.get(chat)) is not None:
            self._open.move_to_end(chat)
        return kept

    def load(self, chat: ChatId, founder: AccountId | None = None) -> "Deferred[Chat | None]":
        """The chat; None where there is none. Those who wait for one chat get it in their order.

        The chat of `founder` with itself, or with support while that is open, is made where it is not
        there yet.
        """
        if (kept := self._open.get(chat)) is not None:
            self._open.move_to_end(chat)
            return succeed(kept)
        waiting: Deferred[Chat | None] = Deferred()
        loading = self._loading.get(chat)
        if loading is None:
            self._loading[chat] = loading = _Loading()
        if founder is not None and self._founded_by(chat, founder) is not None:
            loading.founder = founder
        loading.waiters.append(waiting)
        if not loading.reading:
            self._read(chat, loading)
        return waiting

    def _read(self, chat: ChatId, loading: "_Loading") -> None:
        if chat in self._changing:
            return  # `changed` reads
        loading.reading, loading.stale = True, False

        def loaded(opened: Chat | None) -> None:
            loading.reading = False
            if loading.stale:
                self._read(chat, loading)
                return
            founder, loading.founder = loading.founder, None
            if opened is None and founder is not None:
                self._found(chat, founder, loading).addErrback(failed)
                return
            if opened is not None:
                self._keep(opened)
            self._tell(chat, loading, opened)

        def failed(failure: Failure) -> None:
            del self._loading[chat]
            for waiter in loading.waiters:
                waiter.errback(failure)

        # Opened in the reader's thread: a group's roster may be long.
        self._database.read(lambda c: self._opener.read(c, chat)).addCallback(loaded).addErrback(failed)

    def _found(self, chat: ChatId, account: AccountId, loading: _Loading) -> "Deferred[None]":
        """Make an account's own chat, and read it: another worker may have been faster."""
        loading.reading = True
        kind, members = self._founded_by(chat, account) or (ChatKind.SELF, (account,))
        insert = self._opener.make(kind, ChatRecord(chat, members))[1]
        blind = self._blinder.account(account)

        def found(c: Connection) -> None:
            if accounts.account(c, blind) is not None:  # else it was closed meanwhile
                insert(c)

        def founded(_: object) -> None:
            loading.reading = False
            self._read(chat, loading)

        return self._database.transact(found).addCallback(founded)

    def _founded_by(self, chat: ChatId, account: AccountId) -> tuple[ChatKind, tuple[AccountId, ...]] | None:
        """The kind and members of a chat that `account` makes by writing into it; None for others."""
        if chat == self.self_chat(account):
            return ChatKind.SELF, (account,)
        if chat == self.support_chat(account) and self._opener.support_open:
            return ChatKind.SUPPORT, (account, self._opener.support)
        return None

    def direct(self, first: AccountId, second: AccountId) -> Callable[[Connection], None]:
        chat = ids.direct_chat_id(first, second)
        return self._opener.make(ChatKind.DIRECT, ChatRecord(chat, (first, second)))[1]

    def found_system(self, account: AccountId) -> Callable[[Connection], None]:
        """What makes the system chat of a new account exist, inside a transaction."""
        record = ChatRecord(self.system_chat(account), (account,))
        chat, insert = self._opener.make(ChatKind.SYSTEM, record)
        self._keep(chat)
        return insert

    def system_chat(self, account: AccountId) -> ChatId:
        """The id of the chat in which the node writes to an account."""
        return self._opener.system_chat(account)

    def support_chat(self, account: AccountId) -> ChatId:
        """The id of the chat in which an account writes to the staff; it exists from its first message on."""
        return self._opener.support_chat(account)

    def voicemail_chat(self, account: AccountId) -> ChatId:
        """The id of the chat in which callers' messages are; it exists from the first one on."""
        return self._opener.voicemail_chat(account)

    def self_chat(self, account: AccountId) -> ChatId:
        """The id of the chat of an account with itself; it exists from its first message on."""
        return ids.direct_chat_id(account, account)

    def own_chats(self, account: AccountId) -> tuple[ChatId, ...]:
        """Those of an account that it has, or would have, though nothing was written yet."""
        return self.support_chat(account), self.self_chat(account), self.voicemail_chat(account)

    def is_new(self, chat: ChatId, account: AccountId) -> bool:
        """Whether a chat that there is not is one that `account` makes by writing into it."""
        return self._founded_by(chat, account) is not None

    def refusal(self, chat: ChatId, account: AccountId) -> Problem:
        """Why `account` cannot write into a chat that there is not, or not for it."""
        own = chat == self.support_chat(account)
        return Problem(Code.SUPPORT_CLOSED if own else Code.NOT_A_CONTACT)

    def _tell(self, chat: ChatId, loading: "_Loading", opened: Chat | None) -> None:
        """Answer those who wait; if one of them begins to change the chat, the others wait for that."""
        del self._loading[chat]
        waiters, loading.waiters = loading.waiters, []
        for place, waiter in enumerate(waiters):
            if chat in self._changing:
                later = self._loading.setdefault(chat, _Loading())
                later.waiters[:0] = waiters[place:]
                return
            waiter.callback(opened)

    def erased(self) -> None:
        """The past of a chat was erased: who lists chats looks whether `erasures` is still the same."""
        self.erasures += 1

    def changing(self, chat: ChatId) -> None:
        change = self._changing.setdefault(chat, _Change())
        change.count += 1
        change.alone = change.count == 1 and change.alone
        self._let_go(chat)  # nothing more is sealed with the key that it has
        if (loading := self._loading.get(chat)) is not None:
            loading.stale = True  # what is being read may be of before the change

    def begin(self, chat: ChatId) -> Chat | None:
        """As `changing`, and the chat as it is; None, and nothing has begun, where it is not in RAM."""
        if (kept := self._open.get(chat)) is not None:
            self.changing(chat)
        return kept

    def changed(self, chat: ChatId, now: Chat | None = None) -> None:
        """A change is over. `now` is what the chat was made by it, or still is: it need not be read again,
        unless others have changed it meanwhile."""
        change = self._changing[chat]
        change.count -= 1
        if not change.count:
            del self._changing[chat]
            self._is_changed(chat, change, now)
        for moved in self._watching:
            moved(chat)

    def _is_changed(self, chat: ChatId, change: _Change, now: Chat | None) -> None:
        loading = self._loading.get(chat)
        if now is not None and change.alone:
            now.stale = False
            self._keep(now)
            if loading is not None and not loading.reading:
                self._tell(chat, loading, now)
        elif loading is not None and not loading.reading:
            self._read(chat, loading)

    def forget_account(self, account: AccountId) -> None:
        """An account was closed, and its chats are erased.

        Their keys are zeroed with the last command that is still using them.
        """
        for chat in [chat for chat in self._open.values() if account in chat.members]:
            self._let_go(chat.id)
        self._doubt()

    def opener(
        self, c: Connection, account: AccountId, expected: Iterable[bytes] = ()
    ) -> Callable[[bytes], ChatContents]:
        """As `ChatOpener.opener`."""
        return self._opener.opener(c, account, expected)

    def forget(self) -> None:
        """Open chats anew. Their keys stay for those who are using them."""
        for chat in tuple(self._open):
            self._let_go(chat)
        self._doubt()

    def _doubt(self) -> None:
        """What is being read or changed may be of before what has happened now."""
        for loading in self._loading.values():
            loading.stale = True
        for change in self._changing.values():
            change.alone = False

    def wipe(self) -> None:
        """Zero all keys: the node stops."""
        while self._open:
            self._open.popitem()[1].key.wipe()

    def _keep(self, chat: Chat) -> None:
        self._let_go(chat.id)
        chat.stale = False
        self._open[chat.id] = chat
        self._members += len(chat.members)
        while len(self._open) > self._size or (self._members > self._most_members and len(self._open) > 1):
            self._let_go(next(iter(self._open)))

    def _let_go(self, chat: ChatId) -> None:
        """Keep a chat no longer, if it is kept: no change is noted on it from now on."""
        if (kept := self._open.pop(chat, None)) is not None:
            kept.stale = True
            self._members -= len(kept.members)
