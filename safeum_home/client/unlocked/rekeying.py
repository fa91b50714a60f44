"""Another passphrase.

It takes these steps, each of which does no harm where it is done twice: the vault is sealed for the new keys,
with the word of those before; the directory has them in place of those before; all chats are told. Whoever
enters the new passphrase goes on where it ended.
"""

from collections.abc import Awaitable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from safeum_home.client.errors import ClientError, RemoteProblem, local
from safeum_home.client.secure import succession
from safeum_home.client.secure.epochs import GRACE
from safeum_home.client.secure.moving import Boxes, moved
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.telling import Telling
from safeum_home.errors import Code
from safeum_home.protocol.signing import encode_octets
from safeum_home.spawn import spawn

AGAIN = 3.0
"""Seconds until keys are published again, where there is no connection."""


class Rekeying(Telling):
    """A part of `SecureChats`."""

    _changing: "Deferred[Any] | None" = None

    def _end_rekeying(self) -> None:
        if self._changing is not None:
            self._changing.cancel()

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
        boxes = {each: Boxes(each, new) for each in (*self.former, own)}
        for each, theirs in boxes.items():
            memories = [chat.memory() for chat in self.chats.values() if chat.own is each]
            await theirs.prepare(memories, self._pause)
        await self._vault.rekey(
            new,
            lambda content: moved(content, own, boxes[own], line, now),
            lambda content: boxes[own].prepare(content.chats.values(), self._pause),
        )
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
        self._follow(new, line, boxes)

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

    def _pause(self) -> Awaitable[object]:
        return deferLater(self.clock, 0.0)

    def _follow(self, new: UniqueKey, line: succession.Line, boxes: dict[UniqueKey, Boxes]) -> None:
        """They are in force."""
        own, self.own, self._boxes = self.own, new, boxes
        self.former.append(own)
        self.people.follow(new.account, line.keys, self._now())
        self.line.begin(line)
        self._vault.settle(new)
        self.left.clear()  # the vault has it, sealed to the new ones
        self.keys.taken()
        self._forget_later(own, GRACE / 1000)
        self._tell_followed()
        spawn(self._tell_all(), "telling chats of other keys")
