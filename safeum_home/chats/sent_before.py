"""A message that is sent again, since its answer got lost: the first answer once more."""

from collections.abc import Callable

from msgspec import structs
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.sealed import open_message
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import DeviceId
from safeum_home.ports import Blinder, Committed, Cursors, Database
from safeum_home.protocol.commands import Sent
from safeum_home.storage import events


class SentBefore:
    """Answers in place of storing; nobody is told again.

    Of a message that was erased, or is gone since everybody holds it, only its place is known: the answer
    names that, what stands behind it, and the present time. `busy` where the chat has changed since it was
    loaded.
    """

    def __init__(
        self, database: Database, blinder: Blinder, cursors: Cursors, now: Callable[[], int]
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._now = now

    def at(self, chat: Chat, position: int) -> "Deferred[Committed[Sent]]":
        """The answer to what was stored at `position`, where the node has recognised it."""

        def answer(sent: Sent | None) -> Committed[Sent]:
            if sent is None:
                raise Problem(Code.INVALID_PARAMS, "this client_id was used in another chat")
            return Committed(sent, _nobody)

        return self._database.read(lambda c: self._sent(c, chat, position)).addCallback(answer)

    def or_refused(
        self, chat: Chat, device: DeviceId, client_id: str, refusal: Problem | None = None
    ) -> "Deferred[Committed[Sent]]":
        """Refuse who may not write now, or this, but for a message that was delivered before that."""
        recognised = self._blinder.client_id(device, client_id)

        def read(c: Connection) -> Sent | None:
            position = events.recognised(c, recognised)
            return None if position is None else self._sent(c, chat, position)

        def answer(sent: Sent | None) -> Committed[Sent]:
            if sent is None:
                closed = chat.kind is ChatKind.SUPPORT
                raise refusal or Problem(Code.SUPPORT_CLOSED if closed else Code.NOT_A_CONTACT)
            return Committed(sent, _nobody)

        return self._database.read(read).addCallback(answer)

    def _sent(self, c: Connection, chat: Chat, position: int) -> Sent | None:
        """Of the message at `position`; None where it is one of another chat."""
        row = events.event(c, chat.blind, position)
        if row is None and not events.is_gone(c, position):
            return None
        sent = Sent(self._cursors.encode(position), self._now())
        if position <= chat.record.erased:
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


def _nobody() -> None:
    """Nothing is to be published."""
