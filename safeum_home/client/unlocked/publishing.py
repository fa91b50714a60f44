"""The keys of this account at the directory, and other keys that somebody has there."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable

from safeum_home.client.files.file_transfer import FileTransfer
from safeum_home.client.secure.people import MOST_FORMER
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.events import KeysMismatch
from safeum_home.client.unlocked.own_keys import OwnKeys
from safeum_home.client.unlocked.remembering import Remembering
from safeum_home.protocol.signing import decode_octets, encode_octets


class Publishing(Remembering):
    """A part of `SecureChats`."""

    client: FileTransfer
    keys: OwnKeys
    _putting: UniqueKey | None
    """Those that the directory was asked to put in force, as long as it has not answered."""
    in_force: Callable[[], None] = staticmethod(lambda: None)
    """Called each time that the directory has the keys of this program."""

    def _begin_publishing(self) -> None:
        self.keys = OwnKeys(self.client, self._now, self._mismatched, self._are_in_force)
        self._putting = None

    @abstractmethod
    def owed(self, conversation: Conversation) -> None:
        """Tell a chat of the keys in force that was not told yet."""

    @property
    def may_say(self) -> bool:
        """Whether the keys of this program are those of the account: with others nothing is said."""
        return self.keys.mismatch is None

    def is_own(self, hash: str) -> bool:
        """Whether keys with this hash are those of this program, or put in force by it just now.

        So that they are in force is no alarm (`protocol.events.KeysChanged`).
        """
        octets = decode_octets(hash, 32)
        return octets == self.own.hash or (self._putting is not None and octets == self._putting.hash)

    # --- at the directory

    async def _publish(self) -> None:
        """After each connect. Keys that those in force have named take their place, if they have not yet."""
        if self._putting is not None:
            return  # which of the two are in force is not known before that is answered
        before, could_say = self.line.unpublished, self.may_say
        await self.keys.publish(
            self.own, None if before is None else encode_octets(before), self.line.followed
        )
        if self.keys.mismatch is not None:
            self._learn(self.keys.mismatch.hash)
        elif before is not None and self.keys.published:
            self.line.published()
            self.changed(urgent=True)
        if self.may_say and not could_say:
            self._go_on()

    def _learn(self, hash: str) -> None:
        """What the account has, or had, as its node says: what was sealed for that is no alarm."""
        octets = decode_octets(hash, 32)
        if octets is not None and octets != self.own.hash and len(self.people.lost) < MOST_FORMER:
            self.people.lost.add(octets)  # the first ones stay: the node may name any

    def _are_in_force(self) -> None:
        self.in_force()

    def _mismatched(self, mismatch: KeysMismatch) -> None:
        self.tell(mismatch)

    def followed(self, hash: bytes) -> None:
        """Members have seen that the keys of this program have named others."""
        if self.keys.mismatch is None and hash != self.own.hash:
            self.keys.mismatch = KeysMismatch(encode_octets(hash), encode_octets(hash))
            self._mismatched(self.keys.mismatch)

    def replace_keys(self) -> Awaitable[None]:
        """Put the keys of this passphrase in force, where that of those that the account has is lost.

        Everybody in chats with it is told, and has to accept them. Raises `ClientError`, and
        `Refused(OLD_KEYS)` where they have named those in force themselves.
        """
        return self.awaitable(self._replace_keys())

    async def _replace_keys(self) -> None:
        if self.keys.mismatch is not None:
            person = self.people.get(self.own.account)
            if person is not None and self.own.public in person.former:
                raise Refused(Reason.OLD_KEYS)
            await self.keys.replace(self.own, self.keys.mismatch.hash)
            await self._vault.replace()
            self._go_on()

    def _go_on(self) -> None:
        """The keys of this program are in force: what was to be said is said."""
        for conversation in self.chats.values():
            self.owed(conversation)
            conversation.look_again()

    # --- of others

    def accept_keys(self, account: str, hash: bytes | None = None) -> None:
        """Use the other keys that an account has now: its user was asked.

        Give the `hash` that was shown, where that was not just now: a node may offer others meanwhile. Raises
        `Refused(NO_KEYS)`, also where none with this hash are offered; `wrong_state`.
        """
        self._check_open()
        person = self._person(account)
        if person.offered is not None and hash not in (None, person.offered.hash):
            raise Refused(Reason.NO_KEYS)
        if person.offered is None or not self.people.accept(account, person.offered.hash, self._now()):
            raise Refused(Reason.NO_KEYS)
        for conversation in self.chats.values():
            conversation.look_again()
            conversation.rekey(account)
        self.changed(urgent=True)
