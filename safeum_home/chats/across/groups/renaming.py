"""How members are called, across nodes: a member's node tells the hubs of its groups, and a hub all copies.

An account's name is its own matter: nothing but the name changes with it, and nothing is noted in the group.
"""

from collections.abc import Callable, Iterator

from msgspec import to_builtins
from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.chats.across.groups.names import CalledElsewhere, is_its_own
from safeum_home.chats.across.groups.telling import EntryPointer, node_name
from safeum_home.chats.groups.events import GroupEvents
from safeum_home.chats.groups.roster import RosterState, open_entry, seal_entry
from safeum_home.chats.record import ChatRecord
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Directory, Key
from safeum_home.ports.federation import Applied, Noted, Peers
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.groups import CALLED, ENTRY, Called, SharedName
from safeum_home.protocol.federation.people import content
from safeum_home.storage import group_nodes, roster
from safeum_home.storage.rows import RosterRow

_ALL = 2**31


class GroupRenaming:
    """`ports.SharedKind`: `group.called`; and what is noted where an account here has another name."""

    type = CALLED

    def __init__(
        self,
        node: str,
        blinder: Blinder,
        now: Callable[[], int],
        directory: Directory,
        events: GroupEvents,
        peers: Peers,
        called: CalledElsewhere,
        limit: RateLimit,
    ) -> None:
        """`now` is in milliseconds. `limit` is for each account of another node."""
        self._node = node
        self._blinder = blinder
        self._now = now
        self._directory = directory
        self._events = events
        self._peers = peers
        self._called = called
        self._limit = limit

    def note(self, c: Connection, account: bytes) -> set[str]:
        """An account (a blind index) has another name: in that transaction; which nodes to wake."""
        noted: dict[Noted, None] = {}
        for row, record, key in self._groups(c, account):
            hub = "" if record.group is None else record.group.hub
            if hub == self._node:
                noted.update(dict.fromkeys(self._entries(c, row, key)))
            elif row.state == RosterState.MEMBER:
                noted[Noted(hub, CALLED, row.account + row.chat)] = None
        self._peers.note(c, list(noted))
        return {each.node for each in noted}

    def wake(self, nodes: set[str]) -> None:
        """It is committed."""
        self._peers.wake(nodes)

    def _groups(self, c: Connection, account: bytes) -> Iterator[tuple[RosterRow, ChatRecord, Key]]:
        for row in roster.own_since(c, account, 0, _ALL):
            for record, key in undamaged([row], lambda row: self._events.open_group(c, row.chat), "groups"):
                yield row, record, key

    def _entries(self, c: Connection, row: RosterRow, key: Key) -> list[Noted]:
        """The entry of an account, for all that hold copies of the group."""
        copies = undamaged(
            group_nodes.names(c, row.chat), lambda each: (each[0], node_name(key, row.chat, *each)), "nodes"
        )
        place = row.chat, row.account, row.position
        return [Noted(name, ENTRY, EntryPointer(*place, life).octets()) for life, name in copies]

    # --- told to hubs, and heard there

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        """How an account is called that is a member of a group there."""
        row = roster.entry(c, pointer[16:32], pointer[:16])
        if row is None or row.state != RosterState.MEMBER:
            return None
        try:
            _, key = self._events.open_group(c, row.chat)
            account = open_entry(key, row).account
        except Tampered:
            return None
        known = self._directory.people(c, {account}).get(account)
        if known is None or node_of(account) != self._node:
            return None
        address = ids.public_address(known.username, account, self._node)
        return new_event(CALLED, account, self._now(), to_builtins(SharedName(address, known.display_name)))

    async def apply(self, node: str, event: Event) -> Applied:
        if node_of(event.sender) != node:
            raise Problem(Code.WRONG_SENDER_NODE)
        told, account = content(event, SharedName), AccountId(event.sender)
        if not is_its_own(Called(account, told.address, told.display_name)):
            raise Problem(Code.MALFORMED_EVENT)
        self._limit.take(account)
        blind, nodes = self._blinder.account(account), set[str]()

        def store(c: Connection) -> None:
            nodes.clear()
            for row, record, key in self._groups(c, blind):
                if record.group is not None and record.group.hub == self._node:
                    nodes.update(self._rename(c, row, key, told))

        def publish() -> None:
            self._called.note(Called(account, told.address, told.display_name))
            self._peers.wake(nodes)

        return Applied(store, publish, _nothing)

    def _rename(self, c: Connection, row: RosterRow, key: Key, told: SharedName) -> set[str]:
        try:
            record = open_entry(key, row)
        except Tampered:
            return set()
        if (record.address, record.name) == (told.address, told.display_name):
            return set()
        renamed = record.renamed(told.address, told.display_name)
        state = RosterState(row.state)
        roster.put_entries(c, [seal_entry(key, row.chat, row.account, row.position, state, renamed)])
        noted = [each for each in self._entries(c, row, key) if each.node != node_of(record.account)]
        self._peers.note(c, noted)
        return {each.node for each in noted}


def _nothing() -> None:
    """Nothing was begun."""
