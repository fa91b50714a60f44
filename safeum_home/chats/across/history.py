"""Histories across nodes: that one was switched, and the receipt for what was erased by that."""

from collections.abc import Sequence

import msgspec
from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats import lives
from safeum_home.chats.across.arrivals import Arrivals
from safeum_home.chats.across.lives import LivesAcross
from safeum_home.chats.across.places import Places
from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.lives import HistoryState
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import AcrossRecord, ChatRecord, ConfirmedRecord, keep_record
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Bus, Database, EpochTurns
from safeum_home.ports.federation import Applied
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.federation.chats import ERASED, HISTORY, SharedErasure, SharedHistory
from safeum_home.protocol.federation.events import AHEAD, Event, event_octets, new_event, node_of
from safeum_home.protocol.federation.people import content


def _own(node: str, chat: ChatContents) -> AccountId:
    """The member of a direct chat that is of this node."""
    return next(member for member in chat.members if node_of(member) == node)


class HistoryKind:
    """`ports.SharedKind`: `chat.history`."""

    type = HISTORY

    def __init__(self, node: str, opener: ChatOpener, arrivals: Arrivals, heard: LivesAcross) -> None:
        self._node = node
        self._opener = opener
        self._arrivals = arrivals
        self._heard = heard

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        try:
            chat = self._opener.direct(c, pointer[:BLIND])
        except Tampered:
            return None
        if chat is None:
            return None
        # Also where nobody has ever switched it: who has heard of more tells that in turn.
        life, kept = lives.state_of(chat.record)
        at = self._arrivals.now() if chat.record.across is None else chat.record.across.at
        plain = msgspec.to_builtins(SharedHistory(list(life), kept))
        return new_event(HISTORY, _own(self._node, chat), at, plain, chat.id)

    async def apply(self, node: str, event: Event) -> Applied:
        shared = content(event, SharedHistory)
        chat = await self._arrivals.chat(node, event)
        _check(chat, shared.life)
        return self._heard.hear(chat, AccountId(event.sender), HistoryState(tuple(shared.life), shared.kept))


class ErasedKind:
    """`ports.SharedKind`: `chat.erased`, which is another node's receipt."""

    type = ERASED

    def __init__(
        self,
        node: str,
        database: Database,
        opener: ChatOpener,
        registry: ChatRegistry,
        infos: ChatInfos,
        bus: Bus,
        turns: EpochTurns,
        arrivals: Arrivals,
    ) -> None:
        self._node = node
        self._database = database
        self._opener = opener
        self._registry = registry
        self._infos = infos
        self._bus = bus
        self._turns = turns
        self._arrivals = arrivals

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        try:
            chat = self._opener.direct(c, pointer[:BLIND])
        except Tampered:
            return None
        past = None if chat is None else chat.record.erasure
        # It is said when it is true. Else it was erased once more since then: that will be told.
        if chat is None or past is None or self._turns.oldest <= past.epoch:
            return None
        plain = msgspec.to_builtins(SharedErasure(list(lives.life_of(chat.record)), past.epoch))
        return new_event(ERASED, _own(self._node, chat), past.at, plain, chat.id)

    async def apply(self, node: str, event: Event) -> Applied:
        shared, sender = content(event, SharedErasure), AccountId(event.sender)
        chat = await self._arrivals.chat(node, event)
        _check(chat, shared.life)
        places, stored = Places(self._database, chat), list[Chat]()
        signed = ConfirmedRecord(node, lives.plain(shared.life), event_octets(event))

        def store(c: Connection) -> None:
            stored.clear()
            opened = self._opener.read(c, chat.id)
            if opened is None or sender not in opened.members:
                raise Problem(Code.NOT_A_CONTACT)
            across = self._confirmed(opened.record, signed, event.at)
            if across is None:
                return
            opened.record = structs.replace(opened.record, across=across)
            keep_record(c, opened.key, opened.blind, opened.record, places.both[0])
            stored.append(opened)

        def publish() -> None:
            for now in stored:
                self._registry.changing(chat.id)
                self._registry.changed(chat.id)
                told = self._infos.updated(now, places.both[0])
                for member in now.members:
                    self._bus.publish(member, told)

        return Applied(store, publish, lambda: None, places.take)

    def _confirmed(self, record: ChatRecord, signed: ConfirmedRecord, at: int) -> AcrossRecord | None:
        """What is kept of a receipt; None where it is nothing new. Raises `receipt_refused`."""
        across = record.across
        own = [place for place, who in enumerate(sorted(record.members)) if node_of(who) == self._node]
        if across is None or not signed.life or at > self._arrivals.now() + AHEAD:
            raise Problem(Code.RECEIPT_REFUSED, "nothing was erased, or not yet")
        for place in own:
            told, asked = signed.life[place], across.life[place]
            if told > asked:
                raise Problem(Code.RECEIPT_REFUSED, "this was not asked")
            if told == asked and told and at < across.asked - AHEAD:
                raise Problem(Code.RECEIPT_REFUSED, "this is of before it was asked")
        before = next((each for each in across.confirmed if each.node == signed.node), None)
        if before is not None and lives.is_known(signed.life, before.life):
            return None
        others = tuple(each for each in across.confirmed if each.node != signed.node)
        return structs.replace(across, confirmed=(*others, signed))


def _check(chat: Chat, life: Sequence[int]) -> None:
    """Raises `malformed_event` where a life is not one of this chat."""
    if life and len(life) != len(chat.members):
        raise Problem(Code.MALFORMED_EVENT)
