"""The vault of an account, kept up to date: what was pinned, verified and seen outlives the program."""

from collections.abc import Set
from typing import Protocol

from msgspec import structs
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime

from safeum_home.client.errors import ClientError, RemoteProblem
from safeum_home.client.methods.methods import Methods
from safeum_home.client.secure import vault_content
from safeum_home.client.secure.chat_memory import ChatMemory
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault import Vault
from safeum_home.client.secure.vault_content import Content
from safeum_home.client.unlocked import vault_store
from safeum_home.client.unlocked.events import VaultRefused
from safeum_home.client.unlocked.vault_store import Kept
from safeum_home.client.unlocked.vault_writing import Core, new_writing
from safeum_home.errors import Code
from safeum_home.spawn import spawn

TRIES = 5
"""How often it is merged with what others have written meanwhile."""


class Owner(Protocol):
    """Whose memory it is."""

    def remembered(self, kept: Content) -> Content:
        """What is to be kept, with what is `kept` of what is not at hand; `previous` is of that."""

    def restore(self, content: Content) -> None:
        """What is to be known from now on."""

    def vault_refused(self, refused: VaultRefused) -> None:
        """What the node shows is not taken, or what is to be put does not fit."""


class VaultKeeper:
    """`changed` is said of each change; `newer` where another program has written.

    `refused` is why nothing is written now: its user has to be asked, who says `accept`, or `replace`.
    """

    def __init__(self, client: Methods, clock: IReactorTime, own: UniqueKey, owner: Owner) -> None:
        self._client = client
        self._clock = clock
        self._owner = owner
        self._vault = Vault(own)
        self._kept = Content(self._vault.previous)
        """What it held last: also of chats that are not open here."""
        self._closed = self._full = self._fetching = self._unread = False
        self.is_read = False
        """Whether the node has told what it has: nobody's keys are taken before."""
        self._said = 0
        """The newest one that others have said that they had, and that was asked for."""
        self._asking = DeferredLock()
        self._core = Core(clock, self._begin)
        self._writing = new_writing(self._core)
        self.refused: VaultRefused | None = None

    @property
    def version(self) -> int:
        return self._vault.version

    @property
    def chats(self) -> Set[str]:
        """Those of which something is kept: they are secure, whatever a node says."""
        return self._kept.chats.keys()

    def memory(self, chat: str) -> ChatMemory | None:
        """What is kept of a chat."""
        return self._kept.chats.get(chat)

    # --- what the node has

    async def load(self) -> bool:
        """Take what the node has, and merge it with what is known here. False where it is refused.

        Raises `ClientError`.
        """
        try:
            kept = await vault_store.get(self._client)
        except RemoteProblem as error:
            if not error.of(Code.NOT_FOUND):
                raise
            self.is_read = True
            return self._refuse(Reason.DAMAGED, 0)
        self.is_read = True
        try:
            if kept.n == 0:
                self._vault.none()
            elif not self._closed:
                self._merge(self._vault.take(*kept))
        except Refused as refused:
            return self._refuse(refused.reason, kept.n)
        self._trust()
        return True

    async def known(self) -> None:
        """Once it is known what the node has, or that it is refused. Raises `ClientError`.

        Of many that wait for that one asks.
        """
        await self._asking.acquire()
        try:
            if not self.is_read:
                await self.load()
        finally:
            self._asking.release()

    def _merge(self, content: Content) -> None:
        self._kept = vault_content.merge(self._content(), content)
        self._owner.restore(self._kept)

    def _refuse(self, reason: Reason, version: int) -> bool:
        refused = VaultRefused(reason, version)
        if refused != self.refused and not self._closed:
            self.refused = refused
            self._tell(refused)
        self._writing.hold()
        return False

    def _tell(self, refused: VaultRefused) -> None:
        self._owner.vault_refused(refused)

    def _trust(self) -> None:
        self.refused = None
        self._writing.release()

    def newer(self, version: int) -> None:
        """Another program has put that one, as it says itself: none before is good any more."""
        if version > max(self.version, self._said):
            self._said = version
            self._vault.expect(version)
            self._fetch()

    def told(self) -> None:
        """Another program has put one, as the node says: it may be beside the one that was there."""
        self._fetch()

    def look(self) -> None:
        """There is a connection again: another program may have put one meanwhile, or the node lost one."""
        spawn(self._look(), "looking for the vault")

    async def _look(self) -> None:
        try:
            version = await vault_store.version(self._client)
        except ClientError:
            return  # there is no connection again
        if version != self.version:
            self._fetch()

    def _fetch(self) -> None:
        self._unread = True
        if not self._fetching:
            self._fetching = True
            spawn(self._read(), "reading the vault")

    async def _read(self) -> None:
        try:
            while self._unread:
                self._unread = False
                await self.load()
        except ClientError:
            self._said = 0  # it is read with the next conflict, or where it is said again
        finally:
            self._fetching = False

    # --- what its user says of one that is refused

    async def accept(self) -> None:
        """Take what the node has though it is older, or beside: with all that is known here, as a new one.

        Raises `Refused` where it cannot be read, and `ClientError`.
        """
        kept = await vault_store.get(self._client)
        if kept.n == 0:
            self._vault.instead(0)
        else:
            self._merge(self._vault.accept(*kept))
        await self._resume()

    async def replace(self) -> None:
        """Put what is known here in place of what the node has and this program does not take.

        Raises `ClientError`.
        """
        if not await self.load():  # it may be good by now
            self._vault.instead(await vault_store.version(self._client))
        await self._resume()

    async def _resume(self) -> None:
        self._trust()
        self._writing.urgent()
        await self._core.wait()

    # --- what is to be kept

    def changed(self, urgent: bool = False) -> None:
        """Write it, in a while; what is `urgent` at once, since it must not be lost."""
        if urgent:
            self._writing.urgent()
        else:
            self._writing.changed()

    @property
    def has_news(self) -> bool:
        """Whether there is something that is not written, and could be."""
        return not self._core.resting

    def flush(self) -> "Deferred[None]":
        """Write now what is not written; until that is done, or has failed."""
        self._writing.press()
        return self._core.wait()

    def _begin(self) -> None:
        spawn(self._write(), "writing the vault")

    async def _write(self) -> None:
        try:
            for _ in range(TRIES):
                if self._closed or await self._put():
                    self._writing.written()
                    return
                if not await self.load():
                    return
        except Refused as refused:  # it does not fit: another change may make it smaller
            if not self._full:
                self._owner.vault_refused(VaultRefused(refused.reason, self.version))
            self._full = True
            self._writing.written()
            return
        except ClientError:
            pass  # it is tried again
        except Exception:
            self._writing.failed()
            raise
        self._writing.failed()

    async def _put(self) -> bool:
        """False where another one is there."""
        version, after, data = self._vault.put(self._content())
        try:
            await vault_store.put(self._client, Kept(version, data), after)
        except RemoteProblem as error:
            if error.of(Code.VAULT_CONFLICT):
                return False
            raise
        if not self._closed and version > self.version:  # else what has followed on it was faster
            self._kept = self._vault.take(version, data)
        self._full, self.is_read = False, True
        return True

    def _content(self) -> Content:
        return self._owner.remembered(structs.replace(self._kept, previous=self._vault.previous))

    def close(self) -> None:
        """What was not written is gone."""
        self._closed = True
        self._writing.stop()
