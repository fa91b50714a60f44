"""What a message bears besides its text: which one it answers, whom it mentions, what it is a copy of."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.chats.changes.altering import Altering
from safeum_home.chats.changes.changing import check_mentions
from safeum_home.chats.changes.finding import Place
from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.files.sending import Attachment, Attachments
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Cursors, Database
from safeum_home.protocol.commands import ChatSend
from safeum_home.protocol.files import File
from safeum_home.protocol.message_types import Forwarded, ForwardFrom, Mentions, Unknown
from safeum_home.protocol.types import Body, Secure, Text, file_in
from safeum_home.storage import chats, events
from safeum_home.storage.rows import NewEvent

FORWARDED = (Text, File, Unknown)
"""What is copied as it is. What the node writes stays where it is, and so does what is sealed for a chat."""
WRITTEN = (*FORWARDED, Secure)
"""What accounts write."""


class Composed(NamedTuple):
    """A message to be. `check` is called in the transaction that stores it, and raises what is in its way."""

    body: Body
    reply_to: str | None
    mentions: Mentions
    forwarded: Forwarded | None
    check: Callable[[Connection], None]
    attachment: Attachment | None = None
    """The file of it. Wipe it after use."""

    def storing(
        self, chat: Chat, row: NewEvent, append: Callable[[Connection], int | None] | None = None
    ) -> Callable[[Connection], int | None]:
        """What stores it in a transaction of this turn, as `append_events` does, or `append`."""

        def event(c: Connection) -> int | None:
            # What was stored before is recognised first.
            if (earlier := events.recognised(c, row.sent)) is not None:
                return earlier
            self.check(c)
            return events.append_events(c, [row])[0] if append is None else append(c)

        return event if self.attachment is None else self.attachment.storing(chat, row, event)


class Composing:
    """Finds what a message that is more than a text is made of."""

    def __init__(
        self,
        altering: Altering,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        attachments: Attachments,
    ) -> None:
        self._altering = altering
        self._attachments = attachments
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry

    async def find(self, sender: AccountId, chat: Chat, params: ChatSend) -> Composed:
        """Raises `invalid_params`, `not_a_member`, `message_gone`, `not_forwardable`, `not_found`.

        And what `Attachments.find` raises. What this returns may hold a key: see `Composed.attachment`.
        """
        check_mentions(params.mentions, chat.members)
        checks: list[Callable[[Connection], None]] = []
        if params.reply_to is not None:
            checks.append(self._answered(sender, chat, params.reply_to))
        body, forwarded = params.body, None
        if params.forward is not None:
            place = await self._source(sender, params.forward)
            body, forwarded = place.message.body, _mark(place, chat)
            checks.append(lambda c: self._unchanged(c, place))
        if body is None or (chat.kind is ChatKind.SUPPORT and type(body) is not Text):
            raise Problem(Code.INVALID_PARAMS, "support takes texts only")

        def check(c: Connection) -> None:
            for each in checks:
                each(c)

        attachment = None
        if (file := file_in(body)) is not None:
            attachment = await self._attachments.find(sender, chat, file)
        return Composed(body, params.reply_to, params.mentions, forwarded, check, attachment)

    def _answered(self, sender: AccountId, chat: Chat, message: str) -> Callable[[Connection], None]:
        target, blind = self._cursors.decode(message), self._blinder.account(sender)

        def check(c: Connection) -> None:
            # It may have been deleted meanwhile: the answer is none the worse, and shows a stub. Nor is it
            # where it was dropped, since all hold it: it is on their screens.
            member = chats.member(c, chat.blind, blind)
            if member is None or target <= member.visible:
                raise Problem(Code.MESSAGE_GONE)
            if events.event(c, chat.blind, target) is None and not self._altering.finder.was_dropped(
                c, chat.blind, target
            ):
                raise Problem(Code.MESSAGE_GONE)

        return check

    async def _source(self, sender: AccountId, forward: ForwardFrom) -> Place:
        target = self._cursors.decode(forward.message)
        source = await self._registry.load(ChatId(forward.chat))
        if source is None or sender not in source.members:
            raise Problem(Code.NOT_FOUND)
        place = await self._database.read(
            lambda c: self._altering.finder.find(c, source.blind, sender, target)
        )
        if not isinstance(place.message.body, FORWARDED):
            raise Problem(Code.NOT_FORWARDABLE)
        return place

    def _unchanged(self, c: Connection, place: Place) -> None:
        """What was erased, edited or deleted since it was read is not copied as it was, and nor is it for who
        sees it no longer. What became another one is to be asked for again."""
        now = self._altering.finder.find(c, place.chat.blind, place.account, place.row.position)
        if now.message.body != place.message.body:
            raise Problem(Code.BUSY, retry_after=0.1)


def check_form(params: ChatSend) -> None:
    """What is wrong with a message wherever it is to go; raises `invalid_params`."""
    if (params.body is None) == (params.forward is None):
        raise Problem(Code.INVALID_PARAMS, "a message has a body, or is a copy of another one")
    if params.body is not None and not isinstance(params.body, WRITTEN):
        raise Problem(Code.INVALID_PARAMS, "the node alone writes this kind")


def _mark(place: Place, chat: Chat) -> Forwarded:
    """What is told of the original; the mark of a copy is handed on, so that nobody becomes its author."""
    message = place.message
    earlier = message.forwarded
    author = message.sender if earlier is None else earlier.author
    known = chat.kind is ChatKind.SELF or author in chat.members
    return Forwarded(message.at if earlier is None else earlier.at, author if known else None)
