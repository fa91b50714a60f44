"""Messages become something else: read, changed and written in one transaction, then told to all who see it.

The row of a message holds what it is now. `chat.changed` tells of it: live to all, and to a device that was
away once for each message, however often that has changed.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.chats.across.posts.posts import Posts
from safeum_home.chats.across.telling import Telling, Told
from safeum_home.chats.changes.finding import MessageFinder, Place
from safeum_home.chats.contents import Chat, ChatContents, ChatKind
from safeum_home.chats.fan_out import UNREAD, FanOut
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed import reseal
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Bus, Caller, Committed, Cursors, Database, Published
from safeum_home.protocol import frames
from safeum_home.protocol.commands import Acted
from safeum_home.protocol.events import ChatChanged, Reacted
from safeum_home.protocol.federation.group_posts import Act
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Message
from safeum_home.storage import changes
from safeum_home.storage.rows import EventRow
from safeum_home.storage.trial import tried


class Altered(NamedTuple):
    """What a message is now. `record`: the chat, where its record has changed with it, at `Place.later`.

    `told`: what of it other nodes are to be told, where members are on others.
    """

    message: Message
    reacted: Reacted | None = None
    record: ChatContents | None = None
    told: Told | None = None


class Stored(NamedTuple):
    """A change that `account` has made; those `blind_to` the message do not see it."""

    altered: Altered
    account: AccountId
    position: int
    later: int
    blind_to: frozenset[bytes]


Change = Callable[[Connection, Place], Altered | None]
"""What a message becomes; None where it stays what it is, and then nobody is told. Raises `Problem`."""


class Altering:
    """Carries out changes of messages. A change that is sent again finds it made, and changes nothing."""

    def __init__(
        self,
        database: Database,
        finder: MessageFinder,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        infos: ChatInfos,
        bus: Bus,
        fan_out: FanOut,
        telling: Telling,
        posts: Posts,
    ) -> None:
        self._database = database
        self.finder = finder
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
        self._infos = infos
        self._bus = bus
        self._fan_out = fan_out
        self._telling = telling
        self._posts = posts

    async def chat_of(self, caller: Caller, chat: str) -> Chat:
        """A chat for one of its members; raises `not_found`. Go on in the turn in which this is answered."""
        opened = await self._registry.load(ChatId(chat))
        if opened is None or caller.account not in opened.members:
            raise Problem(Code.NOT_FOUND)
        return opened

    def charge(self, chat: Chat, account: AccountId, octets: int) -> None:
        """Before all members of a group are told of so much; raises `rate_limited`."""
        if chat.kind is ChatKind.GROUP:
            self._fan_out.take(account, len(chat.members), octets)

    def _settle(self, chat: Chat, account: AccountId, octets: int) -> None:
        if chat.kind is ChatKind.GROUP and chat.hub is None:
            self._fan_out.settle(account, len(chat.members), octets)

    async def alter(
        self, caller: Caller, chat_id: str, message: str, change: Change, own: bool = False
    ) -> Committed[Acted]:
        """Change a message, and tell all members who see it, the device that asked for it too.

        `own` is as in `find`.
        """
        target = self._cursors.decode(message)
        chat = await self.chat_of(caller, chat_id)
        self.charge(chat, caller.account, UNREAD)
        if chat.hub is not None:
            return await self._post(chat, caller, target, change, own)
        try:
            places = self.places()
            stored = await self._database.transact(
                lambda c: self.store(c, chat, caller.account, target, places, change, own)
            )
        except Problem:
            self._settle(chat, caller.account, 0)
            raise
        if stored is None:
            self._settle(chat, caller.account, 0)
            return Committed(Acted(), lambda: None)
        if stored.altered.record is not None:
            self.refresh(chat.id)
        return Committed(Acted(), lambda: self.tell(chat, stored))

    async def _post(
        self, chat: Chat, caller: Caller, target: int, change: Change, own: bool
    ) -> Committed[Acted]:
        """Have the group's node asked for a change, where that would be one here."""

        def would_be(c: Connection) -> Altered | None:
            return change(c, self.finder.find(c, chat.blind, caller.account, target, own=own))

        def make(c: Connection, contents: ChatContents) -> Act | None:
            altered = tried(c, would_be)
            if altered is None:
                return None
            return self._posts.acts.changed(c, contents, altered.message, altered.reacted)

        return await self._posts.change(chat, caller, target, make)

    def places(self) -> tuple[int, int]:
        """Where a change is told: for a transaction of this turn."""
        return self._database.next_position(), self._database.next_position()

    def store(
        self,
        c: Connection,
        chat: Chat,
        account: AccountId,
        target: int,
        places: tuple[int, int],
        change: Change,
        own: bool = False,
    ) -> Stored | None:
        """Change a message inside a transaction; None where it stays what it is. Raises `Problem`.

        `own` is as `find` has it.
        """
        return self._change(c, chat, self.finder.find(c, chat.blind, account, target, *places, own), change)

    def store_told(
        self,
        c: Connection,
        chat: Chat,
        account: AccountId,
        target: int,
        places: tuple[int, int],
        change: Change,
    ) -> Stored | None:
        """As `store`, in a copy of a group: it is not for this node to say what `account` may do there."""
        return self._change(c, chat, self.finder.find_told(c, chat.blind, account, target, places), change)

    def _change(self, c: Connection, chat: Chat, place: Place, change: Change) -> Stored | None:
        altered = change(c, place)
        if altered is None:
            return None
        target = place.row.position
        encoded = frames.encode_params(altered.message)
        sealed = reseal(c, place.chat, place.row, encoded)
        erased = type(altered.message.body) is Deleted
        changes.rewrite(c, EventRow(chat.blind, target, sealed), place.position, erased)
        if chat.nodes and altered.told is not None:
            self._telling.note(c, chat, altered.told, place.row.position, place.blind)
        blind_to = changes.not_seeing(c, chat.blind, target)
        return Stored(altered, place.account, place.position, place.later, frozenset(blind_to))

    def refresh(self, chat: ChatId) -> None:
        """A chat's record has changed: what is in memory of it, or being read, is of before."""
        self._registry.changing(chat)
        self._registry.changed(chat)

    def tell(self, chat: Chat, stored: Stored) -> None:
        """Tell all members who see it what a message is, once that is committed."""
        altered, account, position, later, blind_to = stored
        event = ChatChanged(self._cursors.encode(position), altered.message, account, altered.reacted)
        published = Published(frames.text_frame(frames.encode_event(event)), position)
        self._settle(chat, account, len(published.frame))
        if blind_to and chat.blinds is None:
            chat.blinds = tuple(self._blinder.account(member) for member in chat.members)
        for place, member in enumerate(chat.members):
            if not blind_to or chat.blinds is None or chat.blinds[place] not in blind_to:
                self._bus.publish(member, published)
        if altered.record is not None:
            self.tell_record(chat, altered.record, later)
        if chat.nodes and altered.told is not None:
            self._telling.wake(chat.nodes)

    def tell_record(self, chat: Chat, record: ChatContents, position: int) -> None:
        """Tell all members what the chat is now."""
        updated = self._infos.updated(replace(chat, record=record.record), position)
        for member in chat.members:
            self._bus.publish(member, updated)
