"""The commands that change messages: edit, delete for all, react; and who has reacted."""

from collections.abc import Callable, Sequence

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.across.posts.posts import Posts
from safeum_home.chats.across.telling import DELETED, EDITED, REACTED
from safeum_home.chats.changes.altering import Altered, Altering
from safeum_home.chats.changes.emoji import one_emoji
from safeum_home.chats.changes.finding import Place
from safeum_home.chats.changes.pins import without_pin
from safeum_home.chats.changes.reacted import ReactionRecord, open_reaction, seal_reaction
from safeum_home.chats.contents import ChatKind
from safeum_home.chats.secure import check_unsealed, is_pair
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Caller, Committed, Cursors, Database
from safeum_home.protocol.commands import (
    AccountReaction,
    Acted,
    MessageDelete,
    MessageEdit,
    MessageReact,
    MessageReactions,
    ReactionList,
)
from safeum_home.protocol.events import Reacted
from safeum_home.protocol.files import File
from safeum_home.protocol.message_types import MOST_REACTIONS, Deleted, Reaction, Unknown
from safeum_home.protocol.types import Body, Message, Text
from safeum_home.storage import reactions

ErasedWith = Callable[[Connection, bytes, int], None]
"""Drops what belongs to the message of a chat (a blind index) at a position, when that is deleted."""


def _text(old: Text, new: Body) -> Body | None:
    return new if type(new) is Text else None


def _carried(old: Unknown, new: Body) -> Body | None:
    return new if type(new) is Unknown and new.kind == old.kind else None


def _file(old: File, new: Body) -> Body | None:
    """What is said of it, as a text or with all the rest of the body: the file itself stays."""
    if type(new) is Text:
        return structs.replace(old, caption=new.text)
    return new if type(new) is File and structs.replace(new, caption=old.caption) == old else None


_EDITS: dict[type, Callable[..., Body | None]] = {Text: _text, File: _file, Unknown: _carried}
"""What becomes of a body of a kind when it is to be changed to another one; None where it cannot be."""


class MessageChanges:
    """`message.*`. `seconds` is how long a message can be edited; `erased_with` each deletion."""

    def __init__(
        self,
        altering: Altering,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        now: Callable[[], int],
        seconds: float,
        posts: Posts,
        erased_with: Sequence[ErasedWith] = (),
    ) -> None:
        self._altering = altering
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._now = now
        self._posts = posts
        self._milliseconds = int(seconds * 1000)
        self._erased_with = (reactions.drop_reactions, *erased_with)

    async def edit(self, caller: Caller, params: MessageEdit) -> Committed[Acted]:
        chat = await self._altering.chat_of(caller, params.chat)
        check_mentions(params.mentions or (), chat.members)

        def change(c: Connection, place: Place) -> Altered | None:
            message = alive(place)
            if message.sender != caller.account:
                raise Problem(Code.NOT_YOURS)
            self._altering.finder.check_writer(c, place.chat, caller.account)
            body = edited_body(message, params.body)
            mentions = message.mentions if params.mentions is None else params.mentions
            if (body, mentions) == (message.body, message.mentions):
                return None
            now = self._now()
            if now - message.at > self._milliseconds:
                raise Problem(Code.EDIT_OVER)
            # Each time another one: by that other nodes know which state is the later one.
            edited = now if message.edited is None else max(now, message.edited + 1)
            changed = structs.replace(message, body=body, mentions=mentions, edited=edited)
            return Altered(changed, told=EDITED)

        return await self._altering.alter(caller, params.chat, params.message, change)

    async def delete(self, caller: Caller, params: MessageDelete) -> Committed[Acted]:
        chat = await self._altering.chat_of(caller, params.chat)
        if chat.hub is not None:
            # It may be one that waits for the group's node, by the id that it has meanwhile.
            target = self._cursors.decode(params.message)
            if (withdrawn := await self._posts.withdraw(chat, caller, target)) is not None:
                return withdrawn

        def change(c: Connection, place: Place) -> Altered | None:
            return self.deleting(c, place, self._now())

        # Whoever is in a chat can withdraw what he has written there, be it from before he left it once.
        return await self._altering.alter(caller, params.chat, params.message, change, own=True)

    def deleting(self, c: Connection, place: Place, at: int) -> Altered | None:
        """A message inside a transaction, which `place.account` deletes; raises `not_yours`."""
        message = place.message
        if type(message.body) is Deleted:
            return None
        own = message.sender == place.account or place.chat.kind is ChatKind.VOICEMAIL
        others = self._altering.finder.moderates(place.chat) and not is_pair(place.chat.record)
        if not own and (message.signature or not others):
            raise Problem(Code.NOT_YOURS)
        return self.deleted(c, place, Deleted(place.account, at))

    def deleted(self, c: Connection, place: Place, stub: Deleted) -> Altered:
        """A message inside a transaction, of which nothing but `stub` is left."""
        message = place.message
        for erase in self._erased_with:
            erase(c, place.row.chat, place.row.position)
        left = Message(message.id, message.chat, message.sender, message.at, stub, origin=message.origin)
        record = without_pin(c, place.chat, place.row.position, place.later)
        return Altered(left, record=record, told=DELETED)

    async def react(self, caller: Caller, params: MessageReact) -> Committed[Acted]:
        emoji = None if params.emoji is None else one_emoji(params.emoji)

        def change(c: Connection, place: Place) -> Altered | None:
            return self.reacted(c, place, emoji)

        return await self._altering.alter(caller, params.chat, params.message, change)

    def reacted(self, c: Connection, place: Place, emoji: str | None) -> Altered | None:
        """A message inside a transaction, to which `place.account` reacts with this."""
        alive(place)
        self._altering.finder.check_writer(c, place.chat, place.account)
        return self.reaction(c, place, emoji)

    def reaction(self, c: Connection, place: Place, emoji: str | None) -> Altered | None:
        """The same, whoever may do so."""
        check_unsealed(place.chat.record)
        message = alive(place)
        before = self._own(c, place)
        if before == emoji:
            return None
        tally = _tally(message, before, emoji)
        chat, target = place.row.chat, place.row.position
        if emoji is None:
            reactions.drop_reaction(c, chat, target, place.blind)
        else:
            record = ReactionRecord(place.account, emoji)
            row = seal_reaction(c, place.chat, target, place.blind, place.position, record)
            reactions.put_reaction(c, row)
        reacted = Reacted(place.account, emoji)
        return Altered(structs.replace(message, reactions=tally), reacted, told=REACTED)

    async def reactions(self, caller: Caller, params: MessageReactions) -> ReactionList:
        target = self._cursors.decode(params.message)
        chat = await self._altering.chat_of(caller, params.chat)
        after = None if params.after is None else self._blinder.account(AccountId(params.after))

        def read(c: Connection) -> tuple[list[ReactionRecord], bool]:
            place = self._altering.finder.find(c, chat.blind, caller.account, target)
            rows = reactions.reactions_to(c, chat.blind, target, after, params.limit + 1)
            page = rows[: params.limit]
            opened = undamaged(page, lambda row: open_reaction(c, place.chat, row), "reactions")
            return opened, len(rows) > params.limit

        page, more = await self._database.read(read)
        if chat.stale:  # it may have been erased since it was read
            return await self.reactions(caller, params)
        listed = [AccountReaction(record.account, record.emoji) for record in page]
        return ReactionList(listed, page[-1].account if more and page else None)

    def _own(self, c: Connection, place: Place) -> str | None:
        row = reactions.reaction(c, place.row.chat, place.row.position, place.blind)
        try:
            return None if row is None else open_reaction(c, place.chat, row).emoji
        except Tampered:
            return None


def check_mentions(mentions: Sequence[str], members: Sequence[AccountId]) -> None:
    """Raises `not_a_member`, or `invalid_params` where somebody is named twice."""
    if len(set(mentions)) < len(mentions):
        raise Problem(Code.INVALID_PARAMS, "somebody is mentioned twice")
    if any(account not in members for account in mentions):
        raise Problem(Code.NOT_A_MEMBER)


def alive(place: Place) -> Message:
    """The message, unless it was deleted."""
    if type(place.message.body) is Deleted:
        raise Problem(Code.MESSAGE_GONE)
    return place.message


def edited_body(message: Message, body: Body) -> Body:
    """What a message holds when it is changed to `body`; raises `not_editable`."""
    edit = _EDITS.get(type(message.body))
    edited = None if edit is None else edit(message.body, body)
    # A copy shows what somebody else has written, and what the node has signed is the node's.
    if edited is None or message.forwarded is not None or message.signature is not None:
        raise Problem(Code.NOT_EDITABLE)
    return edited


def _tally(message: Message, before: str | None, emoji: str | None) -> tuple[Reaction, ...]:
    """The reactions to a message after one of them changed; raises `too_many_reactions`."""
    counts = {each.emoji: each.count for each in message.reactions}
    if before is not None and before in counts:
        counts[before] -= 1
        if counts[before] == 0:
            del counts[before]
    if emoji is not None:
        counts[emoji] = counts.get(emoji, 0) + 1
        if len(counts) > MOST_REACTIONS:
            raise Problem(Code.TOO_MANY_REACTIONS)
    return tuple(Reaction(each, count) for each, count in counts.items())
