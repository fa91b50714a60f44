"""The secure chats of an account, from the moment that its unique key was entered until it is closed."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from msgspec import Struct
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from safeum_home.client.errors import ClientError
from safeum_home.client.events import Heard, Link, LinkChanged
from safeum_home.client.files.file_transfer import FileTransfer
from safeum_home.client.secret import Wiped
from safeum_home.client.secure.people import People
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.state.state import State
from safeum_home.client.unlocked.beginning import Beginning
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.directory import Directory
from safeum_home.client.unlocked.events import NotAsKept
from safeum_home.client.unlocked.sealed_bodies import told_of
from safeum_home.protocol.events import ChatUpdated, KeysChanged, MemberChanged, VaultChanged
from safeum_home.protocol.types import Message
from safeum_home.spawn import spawn

T = TypeVar("T")
TICK = 20.0
"""Seconds."""
WORD = 1.5
"""Seconds from when other keys are in force until the word of those before has come, as a rule."""
ASK_AGAIN = 3
"""After so many ticks keys that are missing are asked for again."""


class SecureChats(Beginning):
    """`chats` are those that are open here, by their id."""

    def __init__(
        self,
        client: FileTransfer,
        state: State,
        clock: IReactorTime,
        own: UniqueKey,
        tell: Callable[[Struct], None],
        awaitable: Callable[["Deferred[Any]"], Awaitable[Any]],
        sealed: Callable[[Iterable[str]], None],
    ) -> None:
        self.client = client
        self.clock = clock
        self.own = own
        self.tell = tell
        self.sealed = sealed
        self._awaitable = awaitable
        self.people = People()
        self.chats: dict[str, Conversation] = {}
        self._entering = set()
        self._shown: dict[str, NotAsKept] = {}
        self._directory = Directory(client, self._keys_told)
        self._state = state
        self._opening = DeferredLock()
        self._all_opened = False
        self._behind: set[str] = set()
        """Chats of which events were lost."""
        self._ticks = 0
        self._timer: IDelayedCall | None = clock.callLater(TICK, self._tick)
        self._soon: dict[str, IDelayedCall] = {}
        self._begin_publishing()
        self._begin_telling()
        self._begin_remembering(client)
        self.people.own(own.account, own.public, self._now())

    def awaitable(self, coroutine: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """What a program waits for. Raises `wrong_state` where it is locked, or was locked meanwhile."""
        return self._awaitable(Deferred.fromCoroutine(self._while_open(coroutine)))

    async def _while_open(self, coroutine: Coroutine[Any, Any, T]) -> T:
        try:
            self._check_open()
        except ClientError:
            coroutine.close()
            raise
        try:
            return await coroutine
        except Wiped:
            self._check_open()
            raise

    # --- opening and closing

    async def open(self) -> None:
        """Publish this account's keys, and open the secure chats that are known."""
        try:
            await self._vault.known()
        except ClientError:
            self._vault.changed()  # it is read before it is written, and before anything is opened
        await self._publish()
        await self._open_once()

    async def _open_once(self) -> None:
        if self._vault.is_read and not self._all_opened:
            self._all_opened = True
            await self._open_all()

    def close(self) -> None:
        """Wipe all keys. What waits is gone; nothing of it was ever stored."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for call in self._soon.values():
            call.cancel()
        self._directory.close()
        self._end_rekeying()
        self._end_telling()
        self._end_remembering()
        for conversation in self.chats.values():
            conversation.close()
        self.chats.clear()
        self.own.wipe()

    # --- what the node tells

    def take(self, event: Heard) -> None:
        """An event of the client."""
        match event:
            case Message():
                self._message(event)
            case MemberChanged(chat=chat, member=member):
                if member.account == self.own.account and member.state != "member":
                    self._drop(chat)
                elif chat in self.chats:
                    self._look_at_member(chat, member)
                    self.chats[chat].member(member)
                    if member.state == "member":
                        self._directory.came(member.account)
            case ChatUpdated(cursor=cursor, chat=info):
                self._look_at(info.chat)
                if info.chat in self.chats and info.erased == cursor:
                    self.chats[info.chat].erased()
                if info.group is not None and info.group.secure and info.chat not in self.chats:
                    spawn(self._open(info.chat), "opening a secure chat")
            case VaultChanged():
                self._vault.told()
            case KeysChanged(account=account):
                if account == self.own.account:
                    spawn(self._publish(), "publishing keys")
                elif self.people.get(account) is not None:
                    self._need_soon(account)
            case LinkChanged(link=Link.ONLINE, reset=reset):
                self._behind.update(self.chats if reset else ())
                if reset and self._all_opened:
                    spawn(self._open_all(), "opening secure chats")
                spawn(self._catch_up(), "reading what secure chats have missed")
                spawn(self._publish(), "publishing keys")
                spawn(self._tell_all(), "telling chats of other keys")
                self._directory.again()
                self._vault.look()

    async def _catch_up(self) -> None:
        for chat in sorted(self._behind):
            try:
                if chat in self.chats:
                    await self.chats[chat].catch_up()
            except ClientError:
                return  # with the next connection
            self._behind.discard(chat)

    def _message(self, message: Message) -> None:
        conversation = self.chats.get(message.chat)
        if conversation is not None:
            conversation.take(message)
        elif told_of(message) is not None:
            spawn(self._open(message.chat), "opening a secure chat")

    def _need_soon(self, account: str) -> None:
        """Keys that those before have named are told of in chats: where that has come they are no news."""

        if account not in self._soon:
            self._soon[account] = self.clock.callLater(WORD, self._need_now, account)

    def _need_now(self, account: str) -> None:
        del self._soon[account]
        self.need([account])

    def need(self, accounts: Iterable[str]) -> None:
        self._directory.need(accounts)

    def _keys_told(self, account: str, keys: PublicKeys) -> None:
        concerned = [each for each in self.chats.values() if each.concerns(account)]
        if not concerned:
            self.people.told(account, keys, self._now())
        for conversation in concerned:
            conversation.keys_told(account, keys)
        for conversation in self.chats.values():
            if conversation not in concerned:
                conversation.look_again()
        self.changed()

    def _tick(self) -> None:
        self._timer = self.clock.callLater(TICK, self._tick)
        self._ticks += 1
        if self._ticks % ASK_AGAIN == 0:
            self._directory.again()
        spawn(self._open_once(), "opening secure chats")
        for conversation in list(self.chats.values()):
            conversation.tick()
