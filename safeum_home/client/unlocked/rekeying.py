"""Other keys: of somebody else, of this account by another passphrase, and of its programs elsewhere.

Another passphrase takes these steps, each of which does no harm where it is done twice: the vault is sealed
for the new keys, with the word of those before; the directory has them in place of those before; all chats
are told. Whoever enters the new passphrase goes on where it ended.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater

from safeum_home.client.errors import ClientError, RemoteProblem, local
from safeum_home.client.file_transfer import FileTransfer
from safeum_home.client.secure import succession
from safeum_home.client.secure.chat_memory import ChatMemory
from safeum_home.client.secure.epochs import GRACE
from safeum_home.client.secure.moving import moved, sealed_to
from safeum_home.client.secure.people import MOST_FORMER
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.state import State
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.events import KeysFollowed, KeysMismatch
from safeum_home.client.unlocked.own_keys import OwnKeys
from safeum_home.client.unlocked.remembering import Remembering
from safeum_home.errors import Code
from safeum_home.protocol.signing import decode_octets, encode_octets
from safeum_home.spawn import spawn

T = TypeVar("T")
AGAIN = 3.0
"""Seconds until keys are published again, where there is no connection."""


class Rekeying(Remembering):
    """A part of `SecureChats`."""

    client: FileTransfer
    _state: State
    keys: OwnKeys
    former: list[UniqueKey]
    """Keys of before, for ten minutes: to open what is under way."""
    _changing: "Deferred[Any] | None"
    _forgetting: dict[UniqueKey, IDelayedCall]
    _putting: UniqueKey | None
    """Those that the directory was asked to put in force, as long as it has not answered."""
    _telling: set[str]
    in_force: Callable[[], None] = staticmethod(lambda: None)
    """Called each time that the directory has the keys of this program."""

    def _begin_rekeying(self) -> None:
        self.keys = OwnKeys(self.client, self._now, self._mismatched, self._are_in_force)
        self.former, self._changing, self._forgetting, self._telling = [], None, {}, set()
        self._putting = None

    def _end_rekeying(self) -> None:
        if self._changing is not None:
            self._changing.cancel()
        for timer in self._forgetting.values():
            timer.cancel()
        self._forgetting.clear()
        for key in self.former:
            key.wipe()
        self.former.clear()

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
        await self.keys.publish(self.own, None if before is None else encode_octets(before))
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

    # --- another passphrase

    def change_key(self, new: UniqueKey) -> Awaitable[None]:
        """Other keys, of another passphrase, take the place of these; `new` is this program's to wipe.

        Fires once they are in force. Then all chats are told, which `KeysFollowed` counts down, and whoever
        has compared those before has to do so again. Without a connection it is waited for.

        Raises, and all is as it was: `wrong_state` for keys of another account, the same, or where it is
        locked; `Refused`: OLD_KEYS where these are not in force, or the new ones were once, and why the
        vault is not taken;
        `ClientError` where the node refuses it.
        """
        if self.closed:
            new.wipe()
        return self.awaitable(self._change_key(new))

    async def _change_key(self, new: UniqueKey) -> None:
        try:
            self._check_change(new)
        except BaseException:
            new.wipe()
            raise
        try:
            self._changing = Deferred.fromCoroutine(self._change(new))
            await self._changing
        except BaseException:
            if self.own is not new:
                new.wipe()
            raise
        finally:
            self._changing = None

    def _check_change(self, new: UniqueKey) -> None:
        if self._changing is not None or new.account != self.own.account or new.hash == self.own.hash:
            raise local(Code.WRONG_STATE)
        if not self.may_say or self.people.was_own(new.account, new.hash):
            raise Refused(Reason.OLD_KEYS)

    async def _change(self, new: UniqueKey) -> None:
        own, now = self.own, self._now()
        line = succession.name(own, new.public, now, self.line.line)
        person = self._person(own.account)
        before = (person.keys, person.trust, list(person.former))
        await self._vault.rekey(new, lambda content: moved(content, own, new, line, now))
        self._putting = new
        try:
            await self._put_in_force(new, encode_octets(own.hash))
        except RemoteProblem:
            # Of all else it is not known what has come: the vault stays for the new ones.
            person = self._person(own.account)
            person.keys, person.trust, person.former = before
            self.people.revision += 1
            self._vault.back(own)
            self._putting = None
            await self._publish()  # there may have been another connection meanwhile
            raise
        finally:
            self._putting = None
        self._follow(new, line)

    async def _put_in_force(self, new: UniqueKey, before: str) -> None:
        while True:
            wait = AGAIN
            try:
                await self.client.publish_keys(new.identity(self._now()), before)
                return
            except RemoteProblem as error:
                if not error.passing:
                    raise
                wait = max(wait, error.retry_after or 0.0)
            except ClientError:
                if self.closed:
                    raise
            await deferLater(self.clock, wait)

    def _follow(self, new: UniqueKey, line: succession.Line) -> None:
        """They are in force."""
        own, self.own = self.own, new
        self.former.append(own)
        self.people.follow(new.account, line.keys, self._now())
        self.line.begin(line)
        self._vault.settle(new)
        self.keys.taken()
        self._forget_later(own, GRACE / 1000)
        self._tell_followed()
        for conversation in list(self.chats.values()):
            self.owed(conversation)

    def _forget_later(self, own: UniqueKey, seconds: float) -> None:
        self._forgetting[own] = self.clock.callLater(seconds, self._forget, own)

    def _forget(self, own: UniqueKey) -> None:
        if any(each.own is own for each in self.chats.values()):
            self._forget_later(own, AGAIN)  # a chat that could not be told is sealed to them alone
            return
        del self._forgetting[own]
        self.former.remove(own)
        own.wipe()

    def memory_of(self, conversation: Conversation) -> ChatMemory:
        """Of a chat that was not told yet as well: what it has is sealed to the keys before."""
        memory, own = conversation.memory(), conversation.own
        return memory if own.hash == self.own.hash else sealed_to(memory, own, self.own)

    # --- telling chats

    @property
    def untold(self) -> tuple[str, ...]:
        """Secure chats that are known and were not told yet that the keys of this account are others."""
        known = {view.chat for view in self._state.chats if view.group is not None and view.group.secure}
        return tuple(sorted(chat for chat in known | self.chats.keys() if self.line.owes(chat)))

    def loaded(self, chat: str) -> None:
        """A chat is open: it is told, if it was not yet, before anything else is said in it."""
        if chat in self.chats:
            self.owed(self.chats[chat])

    def owed(self, conversation: Conversation) -> None:
        """Tell a chat that was not told yet."""
        if self.may_say and self.line.owes(conversation.id) and conversation.id not in self._telling:
            self._telling.add(conversation.id)
            spawn(self._tell(conversation), "telling a chat of other keys")

    async def _tell(self, conversation: Conversation) -> None:
        line = self.line.line
        try:
            if line is not None:
                await conversation.succeed(self.own, line)
        except (ClientError, Refused):
            return  # it is told when it is opened again, or there is another connection
        finally:
            self._telling.discard(conversation.id)
        if line is self.line.line:
            self.line.told(conversation.id)
            self.changed()
            self._tell_followed()
        else:
            self.owed(conversation)

    def _tell_followed(self) -> None:
        if self.line.line is not None:
            last = self.line.line
            self.tell(KeysFollowed(last.before.hash, last.last.hash, len(self.untold)))

    # --- of others

    def accept_keys(self, account: str) -> None:
        """Use the other keys that an account has now: its user was asked.

        Raises `Refused(NO_KEYS)`, `wrong_state`.
        """
        self._check_open()
        person = self._person(account)
        if person.offered is None or not self.people.accept(account, person.offered.hash, self._now()):
            raise Refused(Reason.NO_KEYS)
        for conversation in self.chats.values():
            conversation.look_again()
            conversation.rekey(account)
        self.changed(urgent=True)
