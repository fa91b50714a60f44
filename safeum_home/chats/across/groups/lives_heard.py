"""What a group's own node tells of its history, in the copies: what it has erased is erased here.

That node alone numbers the lives, so there is nothing to agree upon: of an earlier one nothing comes any
more, and a later one, of which this node has not heard, is heard of by what was written in it.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.across.groups.copies import check_hub
from safeum_home.chats.across.groups.receipts import GroupReceipts
from safeum_home.chats.across.posts.box import PostBox
from safeum_home.chats.across.posts.records import HOUR, MOST_REFUSED, PostKeys, Settled
from safeum_home.chats.contents import Chat
from safeum_home.chats.groups import lives as group_lives
from safeum_home.chats.history_changes import Change, HistoryChanges, Switched
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import keep_record
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, system_account
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Bus, Database
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.groups import SharedHistory
from safeum_home.spawn import spawn
from safeum_home.storage import owed

Finish = Callable[[AccountId, bool], Coroutine[Any, Any, None]]


class GroupLives:
    """Hears of them."""

    def __init__(
        self,
        node: str,
        database: Database,
        registry: ChatRegistry,
        opener: ChatOpener,
        infos: ChatInfos,
        bus: Bus,
        changes: HistoryChanges,
        blinder: Blinder,
        posts: PostBox,
        post_keys: PostKeys,
        gone: GroupReceipts,
        finish: Finish,
        limit: RateLimit,
    ) -> None:
        """`finish` turns the keyring, where anything was erased for an account, and gives receipts.

        `limit` is how often each hub may have each of its groups erased.
        """
        self._node = node
        self._database = database
        self._registry = registry
        self._opener = opener
        self._infos = infos
        self._bus = bus
        self._changes = changes
        self._blinder = blinder
        self._posts = posts
        self._post_keys = post_keys
        self._gone = gone
        self._finish = finish
        self._limit = limit

    async def copy_of(self, node: str, event: Event, life: int, fleeting: bool = False) -> Chat:
        """The copy of a group that `node` tells of, in `life` or a later one.

        Go on in the turn of the answer. Where this node has not heard of that life, since it was put back
        from a backup, it erases first. Raises `not_a_contact`, `rate_limited`.
        """
        chat_id = check_hub(node, event)
        chat = await self._registry.load(chat_id)
        if chat is None or chat.hub != node:
            raise Problem(Code.NOT_A_CONTACT)
        if life <= group_lives.life_of(chat.record):
            return chat
        heard = self.hear(node, chat_id, SharedHistory(life, not fleeting, [self._node]))
        try:
            heard.placed()
            await self._database.transact(heard.store)
            heard.publish()
        finally:
            heard.ended()
        chat = await self._registry.load(chat_id)
        if chat is None or chat.hub != node:
            raise Problem(Code.NOT_A_CONTACT)
        return chat

    @staticmethod
    def is_past(chat: Chat, life: int) -> bool:
        """Whether what was told of a copy, which is not changing, was erased while it was on its way."""
        return life < group_lives.life_of(chat.record)

    def hear(self, hub: str, chat: ChatId, told: SharedHistory) -> Applied:
        """What comes of it that a group's own node tells how its history is."""
        change: Change | None = None
        places: list[int] = []
        done: list[Switched] = []
        erased: list[bool] = []
        settled: list[Settled] = []
        none: list[bool] = []
        told_of: list[Chat] = []
        system = system_account(hub)
        self._registry.changing(chat)

        def placed() -> None:
            nonlocal change
            places[:] = [self._database.next_position() for _ in range(MOST_REFUSED)]
            change = self._changes.take(self._blinder.chat(chat))

        def give(c: Connection) -> None:
            if self._node in told.pending:
                self._gone.owe(c, hub, chat, told.life)
                none.append(True)

        def store(c: Connection) -> None:
            for each in (done, erased, settled, none, told_of):
                each.clear()
            opened = self._opener.read(c, chat)
            if opened is None:
                give(c)
                return
            if opened.hub != hub or change is None:
                raise Problem(Code.NOT_A_CONTACT)
            record, own = opened.record, group_lives.life_of(opened.record)
            if told.life < own:
                return
            if told.life > own:
                self._limit.take((hub, chat))
                off = group_lives.told_off(record, told.life, change.at, told.pending)
                before = opened.key
                done.append(self._changes.erase(c, opened, system, change, kept=told.kept, across=off))
                self._posts.forget(c, hub, opened.blind, change.position)
                settled.extend(self._post_keys.erase(c, opened, before, places, change.at // HOUR))
            else:
                across = group_lives.with_awaited(record, told.pending) or record.across
                if told.kept and not record.history:
                    done.append(self._changes.keep(c, opened, system, change, across))
                elif across != record.across:
                    opened.record = structs.replace(record, across=across)
                    keep_record(c, opened.key, opened.blind, opened.record, change.position)
                    told_of.append(opened)
            if self._node not in told.pending:
                return
            if opened.record.erasure is None:
                give(c)  # what it asks for was in a copy that is gone
            else:
                # Also where it was known: who asks again has not got the receipt.
                owed.owe(c, opened.blind)
                erased.append(told.life > own)

        def publish() -> None:
            assert change is not None
            for each in done:
                self._changes.tell(each, change)
            for opened in told_of:
                now = self._infos.updated(opened, change.position)
                for member in opened.members:
                    self._bus.publish(member, now)

            for post in settled:
                self._posts.settle(post)
            if erased:
                spawn(self._finish(system, erased[0]), "what a group's node has erased")
            if none:
                self._gone.give(hub)

        return Applied(store, publish, lambda: self._registry.changed(chat), placed)
