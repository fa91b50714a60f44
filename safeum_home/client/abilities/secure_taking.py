"""A client whose owner has entered a unique key, and so has secure chats."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from msgspec import UNSET, structs
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from safeum_home.client.abilities.call_taking import _as_it_is
from safeum_home.client.abilities.clear_text import says_in_clear
from safeum_home.client.abilities.telephone_taking import TelephoneTaking
from safeum_home.client.calling.calling import Options
from safeum_home.client.calling.media import MediaSource
from safeum_home.client.entry.own_passphrase import entered
from safeum_home.client.errors import local
from safeum_home.client.files.file_transfer import FileTransfer, Uploaded
from safeum_home.client.secret import Wiped
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.state.group_ids import may_be_open
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.errors import Code
from safeum_home.protocol import commands as c
from safeum_home.protocol.message_types import ChatSettings


class SecureTaking(TelephoneTaking, FileTransfer):
    """Without `unlock` it opens nothing that is sealed, and publishes no keys."""

    _secure: SecureChats | None = None
    _sealed: frozenset[str] = frozenset()
    """Secure chats that were known while it was unlocked."""
    _locking: SecureChats | None = None
    """What is being closed."""
    _lock_waits: "tuple[Deferred[None], ...]" = ()
    _secure_listens: Callable[[], None] = staticmethod(lambda: None)

    def unlock(self, passphrase: str) -> "Deferred[SecureChats]":
        """Derive the unique key, which takes a second or two in a thread, and open the secure chats with it.

        Raises `Refused(WEAK_PASSPHRASE)`, but of one that the account has, and as `unlock_with`. Other keys
        than the account has are told as `unlocked.events.KeysMismatch`. For what is generated:
        `secure.passphrase.words`.
        """
        return Deferred.fromCoroutine(self._unlock(passphrase))

    async def _unlock(self, passphrase: str) -> SecureChats:
        account = self._account()
        reactor: Any = self._clock

        def derive(account: str, known: str | None) -> "Deferred[UniqueKey]":
            pool = reactor.getThreadPool()
            return deferToThreadPool(reactor, pool, UniqueKey.of, account, passphrase, known)

        return await self.unlock_with(await entered(self, account, derive))

    def change_passphrase(self, passphrase: str) -> "Deferred[None]":
        """Derive the keys of another passphrase, in a thread, and put them in the place of those of now.

        Raises `Refused(WEAK_PASSPHRASE)`, `wrong_state` while it is locked, and as `SecureChats.change_key`.
        """
        return Deferred.fromCoroutine(self._change_passphrase(passphrase))

    async def _change_passphrase(self, passphrase: str) -> None:
        reactor: Any = self._clock
        account = self._account()
        key = await deferToThreadPool(reactor, reactor.getThreadPool(), UniqueKey.of, account, passphrase)
        if self.secure is None:
            key.wipe()
            raise local(Code.WRONG_STATE)
        await self.secure.change_key(key)

    def unlock_with(self, key: UniqueKey) -> "Deferred[SecureChats]":
        """The same with a key that was derived already; it is this client's to wipe from then on.

        Raises `wrong_state` where it is unlocked, is locked meanwhile, or the key is another account's, which
        wipes it, too.
        """
        return Deferred.fromCoroutine(self._unlock_with(key, _as_it_is))

    async def _unlock_with(
        self, key: UniqueKey, awaitable: Callable[["Deferred[Any]"], Awaitable[Any]]
    ) -> SecureChats:
        try:
            await self._until_locked()
            right = self._account() == key.account and self.secure is None and self._calls.ended is None
        except BaseException:
            key.wipe()
            raise
        if not right:
            key.wipe()
            raise local(Code.WRONG_STATE)
        secure = self._secure = SecureChats(
            self, self._inbox.state, self._clock, key, self._inbox.tell, awaitable, self._is_secure
        )
        secure.in_force = self._rebind_calls
        self._secure_listens = self._inbox.listen(secure.take)
        with suppress(Wiped):  # it was locked meanwhile
            await secure.open()
        if self._secure is not secure:
            raise local(Code.WRONG_STATE, "it was locked meanwhile")
        return secure

    def lock(self) -> "Deferred[None]":
        """Write what the vault lacks, then wipe the unique key and all that was opened with it.

        Writing has five seconds; where there is no connection, or nothing to write, it is wiped at once.
        Fires when all is wiped. Twice is harmless.
        """
        secure, self._secure = self._secure, None
        if secure is not None:
            self._secure_listens()
            self._locking = secure
            secure.shut(self._calls.open).addCallback(self._is_locked)
        return self._until_locked()

    async def _sleep(self) -> None:
        """What is to be written would wake it a moment later."""
        if self._secure is not None and self._calls.open:
            await self._secure.saved()
        await super()._sleep()

    def _is_locked(self, _: object) -> None:
        self._locking, waiting, self._lock_waits = None, self._lock_waits, ()
        for each in waiting:
            each.callback(None)

    def _until_locked(self) -> "Deferred[None]":
        waiting: Deferred[None] = Deferred()
        if self._locking is None:
            waiting.callback(None)
        else:
            self._lock_waits += (waiting,)
        return waiting

    def _wipe(self) -> None:
        """It is over: nothing is written any more."""
        self.lock()
        if self._locking is not None:
            self._locking.close()

    # --- calls

    def _take_calls(
        self, media: MediaSource, options: Options, awaitable: Callable[["Deferred[Any]"], Awaitable[Any]]
    ) -> None:
        """Where the program signs no launch keys the unique key does; who was verified is pinned."""
        given = options.pins

        def pins(account: str) -> str | None:
            return (None if given is None else given(account)) or self._pin(account)

        own = Options(options.sign or self._sign_launch, pins, options.relay_only)
        super()._take_calls(media, own, awaitable)

    def _sign_launch(self, octets: bytes) -> bytes | None:
        secure = self._secure
        return None if secure is None or not secure.may_say else secure.own.signing.sign(octets)

    def _pin(self, account: str) -> str | None:
        """The signing key of who was verified: whoever answers with another one is refused."""
        person = None if self._secure is None else self._secure.people.get(account)
        return person.keys.texts()[0] if person is not None and person.trust is Trust.VERIFIED else None

    # --- what is never said in clear

    def is_sealed(self, chat: str) -> bool:
        """Whether a chat takes nothing but what is sealed for its members, whatever the node says now.

        While it is locked that is known of chats that were open in this run; of others the node says it, and
        their ids say where it does not.
        """
        view = self._inbox.state.held(chat)
        return chat in self._sealed or (view is not None and view.group is not None and view.group.secure)

    def _is_secure(self, chats: Iterable[str]) -> None:
        """These are, for ever: that is known while it is locked, too."""
        self._sealed |= frozenset(chats)

    def _check_clear(self, chat: str) -> None:
        """Raises `secure_only` where something would be said in clear that is not for the node."""
        view = self._inbox.state.held(chat)
        if self.is_sealed(chat):
            raise local(Code.SECURE_ONLY)
        if view is not None and not may_be_open(view, self._account()):
            raise local(Code.SECURE_ONLY, "its id says that it is not what the node says")

    async def _upload(self, chat: str, *about: Any) -> Uploaded:
        self._check_clear(chat)
        return await super()._upload(chat, *about)

    def _kept_here(self, params: c.Params) -> "Deferred[Any] | None":
        """The answer to what is not for the node; None for all else. Raises `secure_only`."""
        if (chat := says_in_clear(params)) is not None:
            self._check_clear(chat)
        if not isinstance(params, c.ChatSettingsSet) or params.draft is UNSET:
            return None
        if self.is_sealed(params.chat):
            return Deferred.fromCoroutine(self._keep_draft(params))
        if params.draft is not None:
            self._check_clear(params.chat)
        return None

    async def _keep_draft(self, params: c.ChatSettingsSet) -> c.SettingsKept:
        """A draft of a secure chat is for the vault, and the rest for the node.

        Raises `secure_only` while it is locked, and `Refused` as `KeptDrafts.set`.
        """
        if self._secure is None:
            raise local(Code.SECURE_ONLY, "it is locked: a draft of a secure chat is in the vault alone")
        assert params.draft is not UNSET
        self._secure.keep_draft(params.chat, params.draft)
        draft, rest = self._secure.draft_of(params.chat), structs.replace(params, draft=UNSET)
        view = self._inbox.state.held(params.chat)
        settings = ChatSettings() if view is None else view.settings
        if rest != c.ChatSettingsSet(params.chat):
            settings = (await self._ask(rest, c.SettingsKept)).settings
        return c.SettingsKept(structs.replace(settings, draft=draft))

    @property
    def secure(self) -> SecureChats | None:
        """What `unlock` has opened."""
        return self._secure

    def _account(self) -> str:
        if self.opened is None:
            raise local(Code.NOT_AUTHENTICATED)
        return self.opened.account
