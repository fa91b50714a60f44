"""Leaving groups of other nodes: at once where one is, and told to the hub if it is away.

What is told has the time since which the account was a member: who has come back meanwhile stays.
"""

from collections.abc import Callable
from functools import partial

import msgspec
from msgspec import Struct, to_builtins
from sqlalchemy import Connection

from safeum_home.chats.across.groups.copies import Copy, Fresh, GroupCopies
from safeum_home.chats.groups.changes import GroupChanges
from safeum_home.chats.groups.departures import DEPARTING, GroupLeaving
from safeum_home.chats.groups.draft import Draft, Entry
from safeum_home.chats.groups.roster import Role, RosterState
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Cursors, Database, Key
from safeum_home.ports.federation import Applied, Noted, Peers
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.groups import LEFT, SharedLeave
from safeum_home.protocol.federation.people import content
from safeum_home.storage import group_nodes

_LEFT = b"group left"


class _Left(Struct, frozen=True, array_like=True):
    """Who has left which group, without the node's own name; `since` as its hub calls it."""

    account: str
    chat: str
    since: str


class CopyLeaving:
    """Lets accounts of this node leave groups of others."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        registry: ChatRegistry,
        copies: GroupCopies,
        peers: Peers,
        key: Key,
        erased: Callable[[], object],
    ) -> None:
        """`key` seals what is told of accounts that have left, of which there may be nothing else.

        `erased` sees to it that nothing of a copy can be opened.
        """
        self._database = database
        self._blinder = blinder
        self._registry = registry
        self._copies = copies
        self._peers = peers
        self._key = key
        self._erased = erased

    async def leave(
        self, chat: ChatId, account: AccountId, *, tell: bool, invited: bool = False
    ) -> Callable[[], None]:
        """Let an account be in a copy no more, or be `invited` no more; what tells of it.

        `tell`: the hub does not know it yet. Raises `not_found` where that was nothing to leave.
        """
        hub = await self._hub(chat)
        position = self._database.next_position()

        def store(c: Connection) -> Copy | None:
            copy = self._copies.read(c, hub, chat)
            entry = None if copy is None else self._copies.entry(copy, account)
            state = RosterState.INVITED if invited else RosterState.MEMBER
            if copy is None or entry is None or entry.state is not state:
                return None
            group_nodes.over(c, copy.blind, self._blinder.account(account))
            if tell:
                sealed = self._sealed(account, chat, "" if invited else entry.told)
                self._peers.note(c, [Noted(hub, LEFT, sealed)])
            self._part(copy, entry, position, fresh)
            return copy

        self._registry.changing(chat)
        fresh = self._copies.fresh(hub, chat)
        try:
            copy = await self._database.transact(store)
        finally:
            self._registry.changed(chat)
        if copy is None and tell:
            raise Problem(Code.NOT_FOUND)
        return partial(self._told, copy, hub if tell else None)

    def _part(self, copy: Copy, entry: Entry, position: int, fresh: Fresh) -> None:
        """Let an account have left, inside a transaction."""
        left = entry._replace(state=RosterState.LEFT, role=Role.MEMBER, position=position, by=None)
        self._copies.put(copy, left)
        self._copies.tell_entry(copy, left)
        self._copies.drop_if_over(copy, fresh, position)

    async def closed(self, chat: ChatId, account: AccountId) -> None:
        """The account was closed: it is in the copy no more. Its hub is told of that by itself."""
        hub = await self._hub(chat)
        position = self._database.next_position()

        def store(c: Connection) -> Copy | None:
            copy = self._copies.read(c, hub, chat)
            entry = None if copy is None else self._copies.entry(copy, account)
            if copy is None or entry is None:
                return None
            self._part(copy, entry, position, fresh)
            return copy

        self._registry.changing(chat)
        fresh = self._copies.fresh(hub, chat)
        try:
            copy = await self._database.transact(store)
        finally:
            self._registry.changed(chat)
        self._told(copy, None)

    async def _hub(self, chat: ChatId) -> str:
        loaded = await self._registry.load(chat)
        if loaded is None or loaded.hub is None:
            raise Problem(Code.NOT_FOUND)
        return loaded.hub

    def _told(self, copy: Copy | None, hub: str | None) -> None:
        if copy is not None:
            copy.publish(self._erased)
        if hub is not None:
            self._peers.wake([hub])

    def _sealed(self, account: AccountId, chat: ChatId, since: str) -> bytes:
        left = _Left(account.partition(":")[0], chat, since)
        return self._key.seal(msgspec.msgpack.encode(left), _LEFT)

    def opened(self, pointer: bytes) -> tuple[str, ChatId, str]:
        """Who has left (without its node) which group, and since when it was in it; raises `Tampered`."""
        left = msgspec.msgpack.decode(self._key.open(pointer, _LEFT), type=_Left)
        return left.account, ChatId(left.chat), left.since


class LeftKind:
    """`ports.SharedKind`: `group.left`."""

    type = LEFT

    def __init__(
        self,
        node: str,
        now: Callable[[], int],
        cursors: Cursors,
        copies: CopyLeaving,
        changes: GroupChanges,
        leaving: GroupLeaving,
        erased: Callable[[], object],
    ) -> None:
        """`now` is in milliseconds. `erased` is called where a group was erased with that."""
        self._node = node
        self._now = now
        self._cursors = cursors
        self._copies = copies
        self._changes = changes
        self._leaving = leaving
        self._erased = erased

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        try:
            local, chat, since = self._copies.opened(pointer)
        except Tampered:
            return None
        plain = to_builtins(SharedLeave(since or None))
        return new_event(LEFT, AccountId(f"{local}:{self._node}"), self._now(), plain, chat)

    async def apply(self, node: str, event: Event) -> Applied:
        """An account of another node has left a group of this one, unless it has come back since then."""
        if node_of(event.sender) != node:
            raise Problem(Code.WRONG_SENDER_NODE)
        if event.chat is None:
            raise Problem(Code.MALFORMED_EVENT)
        left, account = content(event, SharedLeave), AccountId(event.sender)

        def work(draft: Draft) -> bool:
            entry = draft.stored(account)
            if entry is not None and entry.state is RosterState.MEMBER and left.since is not None:
                if self._cursors.encode(entry.since) == left.since:
                    return self._leaving.depart(draft, entry)
            elif entry is not None and entry.state is RosterState.INVITED and left.since is None:
                draft.part(entry, RosterState.LEFT)
            return False

        try:
            change = await self._changes.change(ChatId(event.chat), [account], DEPARTING, work)
        except Problem as problem:
            if problem.code is not Code.NOT_FOUND:
                raise  # else the group is over
        else:
            change.publish()
            if change.result:
                self._erased()
        return Applied(_nothing_stored, _nothing, _nothing)


def _nothing_stored(c: Connection) -> None:
    """It is stored already: what changes a group has a transaction to itself."""


def _nothing() -> None:
    """Nobody is told."""
