"""How far members of other nodes have read a group: their nodes tell its hub, which says who has read what.

Nobody else is told: see docs/groups.md, "Receipts".
"""

from collections.abc import Callable

from msgspec import to_builtins
from sqlalchemy import Connection

from safeum_home.chats.across.groups.references import GroupReferences
from safeum_home.chats.across.places import Places
from safeum_home.chats.groups.roster import RosterState, open_entry
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed import open_message
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Database
from safeum_home.ports.federation import Applied
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.groups import READ, SharedRead
from safeum_home.protocol.federation.people import content
from safeum_home.storage import chats, events, roster
from safeum_home.storage.rows import Marker


class ReadKind:
    """`ports.SharedKind`: `group.read`; the pointer is of the indexes of group and account."""

    type = READ
    together = True
    """Many may be stored in one transaction."""

    def __init__(
        self,
        node: str,
        database: Database,
        blinder: Blinder,
        now: Callable[[], int],
        registry: ChatRegistry,
        opener: ChatOpener,
        references: GroupReferences,
    ) -> None:
        """`now` is in milliseconds."""
        self._node = node
        self._database = database
        self._blinder = blinder
        self._now = now
        self._registry = registry
        self._opener = opener
        self._references = references

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        blind, account = pointer[:BLIND], pointer[BLIND:]
        try:
            chat, member = self._opener.group(c, blind), chats.member(c, blind, account)
            entry = roster.entry(c, blind, account)
            row = None if member is None else events.event(c, blind, member.read)
            if chat is None or entry is None or entry.state != RosterState.MEMBER or row is None:
                return None
            sender, message = open_entry(chat.key, entry).account, open_message(c, chat, row)
        except Tampered:
            return None
        if node_of(sender) != self._node:
            return None
        told = SharedRead(self._references.of(chat, message))
        return new_event(READ, sender, self._now(), to_builtins(told), chat.id)

    async def apply(self, node: str, event: Event) -> Applied:
        told, sender = content(event, SharedRead), AccountId(event.sender)
        if node_of(sender) != node:
            raise Problem(Code.WRONG_SENDER_NODE)
        if event.chat is None:
            raise Problem(Code.MALFORMED_EVENT)
        chat = await self._registry.load(ChatId(event.chat))
        if chat is None or node not in chat.nodes or chat.hub is not None or sender not in chat.writers:
            raise Problem(Code.NOT_A_CONTACT)
        places, account = Places(self._database, chat), self._blinder.account(sender)

        def store(c: Connection) -> None:
            position = self._references.find(c, chat, told.upto)
            if position is None:
                raise Problem(Code.MESSAGE_GONE)
            chats.put_markers(c, [Marker(chat.blind, account, position, position, places.both[0])])

        return Applied(store, _nothing, _nothing, places.take)


def _nothing() -> None:
    """Nobody is told."""
