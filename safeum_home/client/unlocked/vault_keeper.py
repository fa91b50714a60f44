"""The vault of an account, kept up to date: what was pinned, verified and seen outlives the program."""

from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from safeum_home.client.errors import ClientError, RemoteProblem
from safeum_home.client.methods import Methods
from safeum_home.client.secure import vault_content
from safeum_home.client.secure.chat_memory import ChatMemory
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault import Vault
from safeum_home.client.secure.vault_content import Content
from safeum_home.client.unlocked import vault_store
from safeum_home.client.unlocked.vault_store import Kept
from safeum_home.errors import Code
from safeum_home.spawn import spawn

PAUSE = 10.0
"""Seconds from a change until it is written: several go together."""
TRIES = 5
"""How often it is merged with what others have written meanwhile."""


class Owner(Protocol):
    """Whose memory it is."""

    def pinned(self) -> dict[str, vault_content.Pinned]:
        """What is known of keys."""

    def memories(self) -> dict[str, ChatMemory]:
        """Of the chats that are open."""

    def restore(self, content: Content) -> None:
        """What is to be known from now on."""

    def vault_refused(self, reason: Reason) -> None:
        """What the node shows is not taken: it was rolled back, or is of another passphrase."""


class VaultKeeper:
    """`changed` is said of each change; `newer` where another program has written."""

    def __init__(self, client: Methods, clock: IReactorTime, own: UniqueKey, owner: Owner) -> None:
        self._client = client
        self._clock = clock
        self._owner = owner
        self._vault = Vault(own)
        self._kept = Content(self._vault.previous)
        """What it held last: also of chats that are not open here."""
        self._timer: IDelayedCall | None = None
        self._busy = self._closed = self._again = False
        self._foreign = 0
        """The version of one that this passphrase does not open."""

    @property
    def version(self) -> int:
        return self._vault.version

    def memory(self, chat: str) -> ChatMemory | None:
        """What is kept of a chat."""
        return self._kept.chats.get(chat)

    async def load(self) -> None:
        """Take what the node has, and merge it with what is known here. Raises `ClientError`."""
        kept = await vault_store.get(self._client)
        if self._closed:
            return
        known = self.version
        try:
            if kept.n == 0:
                self._vault.none()
                return
            content = self._vault.take(*kept)
        except Refused as refused:
            if refused.reason is Reason.UNDECRYPTABLE and not known:
                self._foreign = kept.n
            self._owner.vault_refused(refused.reason)
            return
        self._kept = vault_content.merge(self._content(), content)
        self._owner.restore(self._kept)

    def replace(self) -> None:
        """The passphrase is another one for good: what was kept with the one before goes."""
        self._vault.version, self._foreign = max(self.version, self._foreign), 0
        self.changed()

    def newer(self, version: int) -> None:
        """Another program has put that one."""
        if version > self.version and not self._foreign:
            self._vault.expect(version)
            spawn(self._fetch(), "reading the vault")

    async def _fetch(self) -> None:
        try:
            await self.load()
        except ClientError:
            return  # it is read with the next conflict

    def changed(self) -> None:
        """Write it, in a while."""
        if self._busy:
            self._again = True
        elif self._timer is None and not self._closed:
            self._timer = self._clock.callLater(PAUSE, self._due)

    def _due(self) -> None:
        self._timer = None
        if not self._foreign:
            spawn(self._write(), "writing the vault")

    async def _write(self) -> None:
        self._busy = True
        try:
            for _ in range(TRIES):
                if self._closed or await self._put():
                    return
                await self.load()
        except ClientError:
            self._again = True
        finally:
            self._busy = False
            again, self._again = self._again, False
            if again:
                self.changed()

    async def _put(self) -> bool:
        """False where another one is there."""
        content = self._content()
        version, _, data = self._vault.put(content)
        try:
            await vault_store.put(self._client, Kept(version, data))
        except RemoteProblem as error:
            if error.of(Code.VAULT_CONFLICT):
                return False
            raise
        if not self._closed:
            self._kept = self._vault.take(version, data)
        return True

    def _content(self) -> Content:
        kept = self._kept
        people = {**kept.people, **self._owner.pinned()}
        chats = {**kept.chats, **self._owner.memories()}
        return Content(self._vault.previous, people, kept.drafts, kept.settings, chats)

    def close(self) -> None:
        """What was not written is gone."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
