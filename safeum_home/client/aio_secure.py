"""Secure chats for asyncio programs: what they wait for are asyncio's futures."""

from asyncio import AbstractEventLoop, Future

from twisted.internet.defer import Deferred

from safeum_home.client import session
from safeum_home.client.entry.own_passphrase import entered
from safeum_home.client.errors import local
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.errors import Code


class SecureTaking:
    """A part of `aio.Client`."""

    _client: session.Client
    _loop: AbstractEventLoop

    async def unlock(self, passphrase: str) -> SecureChats:
        """See `secure_taking.SecureTaking.unlock`."""
        opened = self._client.opened
        if opened is None:
            raise local(Code.NOT_AUTHENTICATED)

        def derive(account: str, known: str | None) -> "Deferred[UniqueKey]":
            work = self._loop.run_in_executor(None, UniqueKey.of, account, passphrase, known)
            return Deferred.fromFuture(work)

        found = Deferred.fromCoroutine(entered(self._client, opened.account, derive))
        return await self.unlock_with(await found.asFuture(self._loop))

    async def change_passphrase(self, passphrase: str) -> None:
        """See `secure_taking.SecureTaking.change_passphrase`."""
        opened = self._client.opened
        if opened is None:
            raise local(Code.NOT_AUTHENTICATED)
        key = await self._loop.run_in_executor(None, UniqueKey.of, opened.account, passphrase)
        if self.secure is None:
            key.wipe()
            raise local(Code.WRONG_STATE)
        await self.secure.change_key(key)

    async def unlock_with(self, key: UniqueKey) -> SecureChats:
        """See `secure_taking.SecureTaking.unlock_with`."""
        unlocking = self._client._unlock_with(key, lambda deferred: deferred.asFuture(self._loop))
        return await Deferred.fromCoroutine(unlocking).asFuture(self._loop)

    def lock(self) -> "Future[None]":
        """See `secure_taking.SecureTaking.lock`."""
        return self._client.lock().asFuture(self._loop)

    def is_sealed(self, chat: str) -> bool:
        """See `secure_taking.SecureTaking.is_sealed`."""
        return self._client.is_sealed(chat)

    @property
    def secure(self) -> SecureChats | None:
        """What `unlock` has opened."""
        return self._client.secure
