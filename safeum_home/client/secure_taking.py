"""A client whose owner has entered a unique key, and so has secure chats."""

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from safeum_home.client.call_taking import _as_it_is
from safeum_home.client.errors import local
from safeum_home.client.file_transfer import FileTransfer
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.telephone_taking import TelephoneTaking
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.errors import Code


class SecureTaking(TelephoneTaking, FileTransfer):
    """Without `unlock` it opens nothing that is sealed, and publishes no keys."""

    _secure: SecureChats | None = None
    _secure_listens: Callable[[], None] = staticmethod(lambda: None)

    def unlock(self, passphrase: str) -> "Deferred[SecureChats]":
        """Derive the unique key, which takes a second or two in a thread, and open the secure chats with it.

        Raises `Refused(WEAK_PASSPHRASE)`, and as `unlock_with`. Other keys than the account has are told as
        `unlocked.events.KeysMismatch`. For what is generated: `secure.passphrase.words`.
        """
        return Deferred.fromCoroutine(self._unlock(passphrase))

    async def _unlock(self, passphrase: str) -> SecureChats:
        account = self._account()
        reactor: Any = self._clock
        key = await deferToThreadPool(reactor, reactor.getThreadPool(), UniqueKey.of, account, passphrase)
        return await self.unlock_with(key)

    def unlock_with(self, key: UniqueKey) -> "Deferred[SecureChats]":
        """The same with a key that was derived already; it is this client's to wipe from then on.

        Raises `wrong_state` where it is unlocked, or the key is another account's, which wipes it, too.
        """
        return Deferred.fromCoroutine(self._unlock_with(key, _as_it_is))

    async def _unlock_with(
        self, key: UniqueKey, awaitable: Callable[["Deferred[Any]"], Awaitable[Any]]
    ) -> SecureChats:
        try:
            right = self._account() == key.account and self.secure is None and self._calls.ended is None
        except BaseException:
            key.wipe()
            raise
        if not right:
            key.wipe()
            raise local(Code.WRONG_STATE)
        secure = self._secure = SecureChats(
            self, self._inbox.state, self._clock, key, self._inbox.tell, awaitable
        )
        self._secure_listens = self._inbox.listen(secure.take)
        await secure.open()
        return secure

    def lock(self) -> None:
        """Wipe the unique key and all that was opened with it. Twice is harmless."""
        secure, self._secure = self._secure, None
        if secure is not None:
            self._secure_listens()
            secure.close()

    @property
    def secure(self) -> SecureChats | None:
        """What `unlock` has opened."""
        return self._secure

    def _account(self) -> str:
        if self.opened is None:
            raise local(Code.NOT_AUTHENTICATED)
        return self.opened.account

    def _end_calls(self) -> None:
        super()._end_calls()
        self.lock()
