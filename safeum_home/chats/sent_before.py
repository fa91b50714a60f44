"""A message that is sent again, since its answer got lost: the first answer once more."""

from collections.abc import Callable

from msgspec import structs
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.contents import Chat
from safeum_home.chats.sealed import open_message
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Caller, Committed, Cursors, Database
from safeum_home.protocol.commands import Sent
from safeum_home.storage import chats, events


class SentBefore:
    """Answers in place of storing; nobody is told again.

    Of a message that was erased, or is gone since everybody holds it, only its place is known: the answer
    names that, what stands behind it, and the present time. Of one that its sender does not see any more,
    who has left the chat since, be it to come again, that alone is told. `busy` where the chat has changed
    since it was loaded.

    Who is outside is told nothing by which the chat of others could be told from one that is not there.
    """

    def __init__(
        self, database: Database, blinder: Blinder, cursors: Cursors, now: Callable[[], int]
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._now = now

    def at(self, chat: Chat, sender: AccountId, position: int) -> "Deferred[Committed[Sent]]":
        """The answer to what was stored at `position`, where the node has recognised it."""

        def answer(sent: Sent | None) -> Committed[Sent]:
            if sent is None:
                raise Problem(Code.INVALID_PARAMS, "this client_id was used in another chat")
            return Committed(sent, _nobody)

        return self._database.read(lambda c: self._sent(c, chat, sender, position)).addCallback(answer)

    def or_refused(
        self, chat: Chat, caller: Caller, client_id: str, refusal: Problem
    ) -> "Deferred[Committed[Sent]]":
        """Refuse who may not write now, or this, but for a message that was delivered before that."""
        recognised = self._blinder.client_id(caller.device, client_id)

        def read(c: Connection) -> Sent | None:
            position = events.recognised(c, recognised)
            return None if position is None else self._sent(c, chat, caller.account, position)

        def answer(sent: Sent | None) -> Committed[Sent]:
            if sent is None:
                raise refusal
            return Committed(sent, _nobody)

        return self._database.read(read).addCallback(answer)

    def _sent(self, c: Connection, chat: Chat, sender: AccountId, position: int) -> Sent | None:
        """Of the message at `position`; None where it is one of another chat."""
        row = events.event(c, chat.blind, position)
        if sender not in chat.members:
            was_here = row is not None or self._was_here(c, chat, position)
            is_erased = not was_here or position <= chat.record.erased
            return None if is_erased else Sent(self._cursors.encode(position), self._now(), erased=True)
        if row is None and not events.is_gone(c, position):
            return None
        sent = Sent(self._cursors.encode(position), self._now())
        if position <= chat.record.erased or not self._is_seen(c, chat, sender, position):
            return structs.replace(sent, erased=True)
        if row is None:
            # What was written behind it waits for the device that asks: it knows its place by that.
            following = events.following(c, chat.blind, position)
            return structs.replace(
                sent, before=None if following is None else self._cursors.encode(following)
            )
        try:
            message = open_message(c, chat, row)
        except Tampered:
            if chat.stale:  # it has another key since it was loaded
                raise Problem(Code.BUSY, retry_after=1.0) from None
            raise
        return Sent(message.id, message.at)

    def _was_here(self, c: Connection, chat: Chat, position: int) -> bool:
        """Whether a message was one of this chat, and was dropped since all devices held it."""
        return events.is_gone_from(c, position, self._blinder.gone(chat.blind, position))

    def _is_seen(self, c: Connection, chat: Chat, sender: AccountId, position: int) -> bool:
        """Whether its sender has not left the chat since, to come again."""
        place = chats.member(c, chat.blind, self._blinder.account(sender))
        return place is not None and position > place.visible


def _nobody() -> None:
    """Nothing is to be published."""
