"""Messages that are pinned in a chat, for all its members."""

from collections.abc import Callable, Iterable

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.across.posts.posts import Posts
from safeum_home.chats.across.telling import Telling
from safeum_home.chats.changes.altering import Altering
from safeum_home.chats.changes.reacted import with_own
from safeum_home.chats.contents import Chat, ChatContents, ChatKind
from safeum_home.chats.record import ChatRecord, PinsRecord, keep_record
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed import decode, open_encoded, open_message
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Caller, Committed, Cursors, Database
from safeum_home.protocol import MAX_FRAME
from safeum_home.protocol.commands import Acted, ChatPin, ChatUnpin, ListPinned, PinnedList
from safeum_home.protocol.federation.chats import MOST_PINS
from safeum_home.protocol.federation.group_posts import Act
from safeum_home.protocol.message_types import Deleted
from safeum_home.storage import events
from safeum_home.storage.rows import EventRow
from safeum_home.storage.trial import tried

_BUDGET = MAX_FRAME - 4096


def rewritten(c: Connection, chat: ChatContents, record: ChatRecord, position: int) -> ChatContents:
    """As `keep_record`: how the chat is then."""
    keep_record(c, chat.key, chat.blind, record, position)
    return chat._replace(record=record, changed=position)


def without_pin(c: Connection, chat: ChatContents, target: int, position: int) -> ChatContents | None:
    """Pin a message no longer, inside a transaction; None where it was not pinned."""
    pinned = chat.record.pinned
    if target not in pinned:
        return None
    left = tuple(each for each in pinned if each != target)
    return rewritten(c, chat, structs.replace(chat.record, pinned=left), position)


class Pins:
    """`chat.pin`, `chat.unpin` and `chat.pinned`."""

    def __init__(
        self,
        altering: Altering,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        telling: Telling,
        posts: Posts,
        now: Callable[[], int],
    ) -> None:
        """`now` is in milliseconds."""
        self._altering = altering
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
        self._telling = telling
        self._posts = posts
        self._now = now

    async def pin(self, caller: Caller, params: ChatPin) -> Committed[Acted]:
        return await self._change(caller, params.chat, self._cursors.decode(params.message), True)

    async def unpin(self, caller: Caller, params: ChatUnpin) -> Committed[Acted]:
        return await self._change(caller, params.chat, self._cursors.decode(params.message), False)

    def _pinned(
        self, c: Connection, chat: ChatContents, account: AccountId, target: int, position: int
    ) -> ChatContents | None:
        place = self._altering.finder.find(c, chat.blind, account, target)
        pinned = chat.record.pinned
        if type(place.message.body) is Deleted:
            raise Problem(Code.MESSAGE_GONE)
        if target in pinned:
            return None
        if not chat.record.history or target <= chat.record.kept:
            raise Problem(Code.MESSAGE_NOT_KEPT)  # soon nobody would know what is pinned
        if len(pinned) >= MOST_PINS:
            raise Problem(Code.TOO_MANY_PINS)
        return rewritten(c, chat, structs.replace(chat.record, pinned=(*pinned, target)), position)

    async def pinned(self, caller: Caller, params: ListPinned) -> PinnedList:
        chat = await self._altering.chat_of(caller, params.chat)
        after = None if params.after is None else self._cursors.decode(params.after)

        def read(c: Connection) -> list[tuple[int, bytes]]:
            contents, visible = self._altering.finder.contents(c, chat.blind, caller.account)
            pinned = contents.record.pinned
            if after in pinned:
                pinned = pinned[pinned.index(after) + 1 :]
            found = [events.event(c, chat.blind, each) for each in pinned if each > visible]
            rows = [row for row in found if row is not None]
            opened = undamaged(rows, lambda row: (row, open_encoded(c, contents, row)), "messages")
            filled = with_own(c, contents, self._blinder.account(caller.account), opened)
            return [(row.position, encoded) for (row, _), encoded in zip(opened, filled, strict=True)]

        found = await self._database.read(read)
        if chat.stale:  # it may have been erased since it was read
            return await self.pinned(caller, params)
        octets, shown = 0, 0
        for _, encoded in found:
            octets += len(encoded) + 1
            if shown and octets > _BUDGET:
                break
            shown += 1
        more = self._cursors.encode(found[shown - 1][0]) if shown < len(found) else None
        return PinnedList([decode(encoded) for _, encoded in found[:shown]], more)

    async def _change(self, caller: Caller, chat_id: str, target: int, pinned: bool) -> Committed[Acted]:
        """Change a chat's record: whoever wants to know the chat meanwhile waits."""
        chat, account = await self._altering.chat_of(caller, chat_id), caller.account
        self._altering.charge(chat, account, 0)
        if chat.hub is not None:
            return await self._post(chat, caller, target, pinned)
        position = self._database.next_position()

        def store(c: Connection) -> ChatContents | None:
            return self.store(c, chat, account, target, pinned, position)

        self._registry.changing(chat.id)
        try:
            updated = await self._database.transact(store)
        finally:
            self._registry.changed(chat.id)
        if updated is None:
            return Committed(Acted(), lambda: None)

        def publish() -> None:
            self._altering.tell_record(chat, updated, position)
            if chat.nodes:
                self._telling.wake(chat.nodes)

        return Committed(Acted(), publish)

    async def _post(self, chat: Chat, caller: Caller, target: int, pinned: bool) -> Committed[Acted]:
        """Have the group's node asked for it, where it would be a change here."""

        def make(c: Connection, contents: ChatContents) -> Act | None:
            if tried(c, lambda c: self.store(c, chat, caller.account, target, pinned, 0)) is None:
                return None
            row = events.event(c, chat.blind, target)
            if row is None:
                return None
            return self._posts.acts.pinned(contents, open_message(c, contents, row), pinned)

        return await self._posts.change(chat, caller, target, make)

    def store(
        self, c: Connection, chat: Chat, account: AccountId, target: int, pinned: bool, position: int
    ) -> ChatContents | None:
        """Let `account` pin a message, or no longer, inside a transaction; None where it stays as it is.

        Raises `Problem`.
        """
        contents, _ = self._altering.finder.contents(c, chat.blind, account)
        self._check(c, contents, account)
        if pinned:
            changed = self._pinned(c, contents, account, target, position)
        else:
            changed = without_pin(c, contents, target, position)
        if changed is None or not chat.nodes:
            return changed
        self._telling.pins(c, chat, position)
        last = contents.record.pins
        at = self._now() if last is None else max(self._now(), last.at + 1)
        record = structs.replace(changed.record, pins=PinsRecord(at, account, position))
        return rewritten(c, changed, record, position)

    def told_in_group(
        self, c: Connection, chat: ChatContents, targets: Iterable[int], position: int
    ) -> ChatContents | None:
        """What a group's node says is pinned, inside a transaction; None where that is known already."""
        pinned = tuple(dict.fromkeys(targets))[-MOST_PINS:]
        if pinned == chat.record.pinned:
            return None
        return rewritten(c, chat, structs.replace(chat.record, pinned=pinned), position)

    def told(
        self, c: Connection, chat: ChatContents, targets: Iterable[int], pins: PinsRecord, position: int
    ) -> ChatContents | None:
        """What another node says is pinned, inside a transaction; None where that is known already."""
        last = chat.record.pins
        if last is not None and (pins.at, pins.by) <= (last.at, last.by):
            return None
        rows = [events.event(c, chat.blind, target) for target in targets]
        alive = undamaged(
            [row for row in rows if row is not None], lambda row: _alive(c, chat, row), "messages"
        )
        pinned = tuple(dict.fromkeys(target for target in alive if target))[-MOST_PINS:]
        return rewritten(c, chat, structs.replace(chat.record, pinned=pinned, pins=pins), position)

    def _check(self, c: Connection, chat: ChatContents, account: AccountId) -> None:
        if chat.kind is ChatKind.GROUP:
            if not self._altering.finder.moderates(chat):
                raise Problem(Code.NOT_PERMITTED)
        else:
            self._altering.finder.check_writer(c, chat, account)


def _alive(c: Connection, chat: ChatContents, row: EventRow) -> int:
    """The position of a message; 0 where it was deleted."""
    return 0 if isinstance(open_message(c, chat, row).body, Deleted) else row.position
