"""Signing for a secure chat: who is in it, and with which keys, those of this account among them."""

from abc import abstractmethod
from collections.abc import Callable, Iterable

from safeum_home.client.errors import ClientError
from safeum_home.client.secure.chat import Step
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.succession import Line
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.hearing import Hearing
from safeum_home.client.unlocked.signing import Signing
from safeum_home.spawn import spawn


class Vouching(Hearing):
    """A part of `Exchange`."""

    peer: str | None
    _signing: Signing
    _admitted: set[str]
    _was_refused = False
    """The node did not take what was signed for who has come: it is tried again with the next tick."""

    @abstractmethod
    def _flush(self) -> None:
        """Say what was to be said, as soon as that can be."""

    # --- other keys of this account

    async def succeed(self, own: UniqueKey, line: Line) -> None:
        """Go on with these, and tell that, once what was signed has its place. Raises `ClientError`."""
        self.comparisons.stop_all()
        await self._signing.sign(lambda: self._chat.succeed(own, line))
        self._flush()

    # --- members

    async def admit(self, accounts: Iterable[str]) -> None:
        """Vouch for accounts, with the keys that are known of them; before the node is told.

        Raises `Refused(NO_KEYS)`, `ClientError`.
        """
        named = tuple(accounts)
        await self._sign(lambda: self._chat.admit(named))
        self._admitted |= set(named)
        self._home.changed(urgent=True)

    async def dismiss(self, accounts: Iterable[str]) -> None:
        """Say that these, or oneself, are in it no more; before the node is told. Raises `ClientError`."""
        named = tuple(accounts)
        self._admitted -= set(named)
        await self._sign(lambda: self._chat.dismiss(named))
        self._home.changed(urgent=True)

    async def _sign(self, make: Callable[[], Step]) -> None:
        if not self._home.may_say:
            raise Refused(Reason.OLD_KEYS)
        await self._signing.sign(make)

    def rekey(self, account: str) -> None:
        """Keys of somebody were accepted: vouch for them, where it is a member with others."""
        person, vouched = self._home.people.get(account), self._chat.members.get(account)
        if self.peer is None and person is not None and vouched not in (None, person.keys.hash):
            spawn(self.admit([account]), "vouching for other keys")

    @property
    def _has_newcomers(self) -> bool:
        return not self.members.isdisjoint(self._told.newcomers)

    def _welcome(self) -> None:
        """Sign the roster anew for who has come: what was said before it is not told to them."""
        if self._home.may_say and not self._signing.busy and self._has_newcomers and not self._was_refused:
            spawn(self._vouch_anew(), "vouching for who has come")

    async def _vouch_anew(self) -> None:
        try:
            await self._signing.sign(lambda: self._chat.admit(()))
        except (ClientError, Refused):
            self._was_refused = True
            return
        if not self._has_newcomers:
            self._flush()  # what was to be said has waited for that
