"""Histories of groups across nodes: that one was switched, and the receipts for what was erased by that.

A group's own node tells the first, to all that hold a copy, and gets a receipt of each; those get one of it.
"""

from collections.abc import Callable

from msgspec import structs, to_builtins
from sqlalchemy import Connection

from safeum_home.chats import lives
from safeum_home.chats.across.groups.copies import check_hub
from safeum_home.chats.across.groups.lives_heard import GroupLives
from safeum_home.chats.across.groups.notes import GroupNotes
from safeum_home.chats.across.groups.receipts import GroupReceipts
from safeum_home.chats.across.places import Places
from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.groups import lives as group_lives
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import AcrossRecord, ChatRecord, ConfirmedRecord, keep_record
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import ChatId, system_account
from safeum_home.ports import Bus, Database
from safeum_home.ports.federation import Applied, Peers
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.federation.events import AHEAD, Event, event_octets, new_event
from safeum_home.protocol.federation.groups import (
    ERASED,
    HISTORY,
    MOST_PENDING,
    SharedErasure,
    SharedHistory,
)
from safeum_home.protocol.federation.people import content


def shared_history(record: ChatRecord, node: str) -> SharedHistory | None:
    """How the history of a group of `node`, which is this one, is; None where it was never switched off."""
    if not (life := group_lives.life_of(record)):
        return None
    return SharedHistory(life, record.history, list(lives.pending(record, node)[:MOST_PENDING]))


class GroupHistoryKind:
    """`ports.SharedKind`: `group.history`, from the group's own node; the pointer says to whom, as well."""

    type = HISTORY

    def __init__(
        self, node: str, opener: ChatOpener, lives_heard: GroupLives, now: Callable[[], int]
    ) -> None:
        """`now` is in milliseconds."""
        self._node = node
        self._opener = opener
        self._heard = lives_heard
        self._now = now

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        try:
            chat = self._opener.group(c, pointer[:BLIND])
        except Tampered:
            return None
        told = None if chat is None else shared_history(chat.record, self._node)
        if chat is None or told is None:
            return None
        return new_event(HISTORY, system_account(self._node), self._now(), to_builtins(told), chat.id)

    async def apply(self, node: str, event: Event) -> Applied:
        return self._heard.hear(node, check_hub(node, event), content(event, SharedHistory))


class GroupErasedKind:
    """`ports.SharedKind`: `group.erased`, which is another node's receipt."""

    type = ERASED
    late = frozenset((Code.BUSY.code,))
    """What is not true yet, since the keyring is to turn first."""

    def __init__(
        self,
        node: str,
        database: Database,
        opener: ChatOpener,
        registry: ChatRegistry,
        infos: ChatInfos,
        bus: Bus,
        peers: Peers,
        notes: GroupNotes,
        receipts: GroupReceipts,
        lives_heard: GroupLives,
        now: Callable[[], int],
    ) -> None:
        """`now` is in milliseconds."""
        self._node = node
        self._database = database
        self._opener = opener
        self._registry = registry
        self._infos = infos
        self._bus = bus
        self._peers = peers
        self._notes = notes
        self._receipts = receipts
        self._heard = lives_heard
        self._now = now

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        try:
            receipt = self._receipts.opened(pointer)
        except Tampered:
            return None
        if not self._receipts.is_true(receipt):
            raise Problem(Code.BUSY)
        told = to_builtins(SharedErasure(receipt.life, receipt.epoch))
        return new_event(ERASED, system_account(self._node), receipt.at, told, receipt.chat)

    async def apply(self, node: str, event: Event) -> Applied:
        told = content(event, SharedErasure)
        chat = await self._chat(node, event, told.life)
        places, stored = Places(self._database, chat), list[Chat]()
        signed = ConfirmedRecord(node, (told.life,), event_octets(event))

        def store(c: Connection) -> None:
            stored.clear()
            opened = self._opener.read(c, chat.id)
            if opened is None or opened.hub not in (None, node):
                raise Problem(Code.NOT_A_CONTACT)
            across = self._confirmed(opened, signed, event.at)
            if across is None:
                return
            opened.record = structs.replace(opened.record, across=across)
            keep_record(c, opened.key, opened.blind, opened.record, places.both[0])
            if opened.hub is None:
                self._notes.history(c, opened.nodes, opened.blind)
            stored.append(opened)

        def publish() -> None:
            for now in stored:
                self._registry.changing(chat.id)
                self._registry.changed(chat.id)
                told = self._infos.updated(now, places.both[0])
                for member in now.members:
                    self._bus.publish(member, told)
                self._peers.wake(now.nodes)

        return Applied(store, publish, lambda: None, places.take)

    async def _chat(self, node: str, event: Event, life: int) -> Chat:
        chat_id: ChatId = check_hub(node, event)
        chat = await self._registry.load(chat_id)
        if chat is None or chat.kind is not ChatKind.GROUP or chat.hub not in (None, node):
            raise Problem(Code.NOT_A_CONTACT)
        return chat if chat.hub is None else await self._heard.copy_of(node, event, life)

    def _confirmed(self, chat: Chat, signed: ConfirmedRecord, at: int) -> AcrossRecord | None:
        """What is kept of a receipt; None where it is nothing new. Raises `receipt_refused`."""
        across, [told] = chat.record.across, signed.life
        own = group_lives.life_of(chat.record)
        if across is None or not told or at > self._now() + AHEAD:
            raise Problem(Code.RECEIPT_REFUSED, "nothing was erased, or not yet")
        before = next((each for each in across.confirmed if each.node == signed.node), None)
        if chat.hub is None:
            if told > own:
                raise Problem(Code.RECEIPT_REFUSED, "this was not asked")
            if told == own and at < across.asked - AHEAD:
                raise Problem(Code.RECEIPT_REFUSED, "this is of before it was asked")
            if signed.node not in across.awaited and before is None:
                raise Problem(Code.RECEIPT_REFUSED, "that node was not asked")
        if before is not None and told <= before.life[0]:
            return None
        if signed.node not in across.awaited and chat.hub is None:
            return None
        others = tuple(each for each in across.confirmed if each.node != signed.node)
        awaited = across.awaited
        if chat.hub is None and told == own:
            awaited = tuple(each for each in awaited if each != signed.node)
        return structs.replace(across, confirmed=(*others, signed), awaited=awaited)
