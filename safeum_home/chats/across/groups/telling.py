"""What a group's hub tells other nodes of a change: noted in its commit, in the order of the change itself.

To the node of a member that is the first one there all is told: the group, its entries, and what the member
sees of before; then its own entry, by which it is in. So there is a place for each message when it comes, and
nobody is told live what is old.

Pointers: of a group its blind index and where it changed, and where a copy begins the life of that; of an
entry the indexes of group and account, where it changed, and the life of the copy or, for the account's own
node, the index of that: what has changed once more is told in its own place.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from secrets import token_bytes
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.chats.across.groups.notes import GroupNotes
from safeum_home.chats.contents import Chat
from safeum_home.chats.groups.draft import Draft, Entry, Joined
from safeum_home.chats.groups.roster import RosterState
from safeum_home.errors import Code, Problem
from safeum_home.ids import ChatId
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Key
from safeum_home.ports.federation import Noted, Peers
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.groups import ENTRY, GROUP, OVER
from safeum_home.storage import events, group_nodes, roster

EARLIER = 10_000
"""So many messages of before it came are told to a node whose member sees them."""
ANEW, ANEW_BURST = 100.0, 50_000
"""How much a node is told of before its first members came: objects in a second, and at once."""
_OVER = b"group over"
_Rows = list[tuple[int, Noted]]


class EntryPointer(NamedTuple):
    """Blind indexes of a group and an account, where the entry changed, and for which copy or node it is."""

    chat: bytes
    account: bytes
    position: int
    told: bytes

    def octets(self) -> bytes:
        return self.chat + self.account + self.position.to_bytes(8, "big") + self.told

    @classmethod
    def of(cls, octets: bytes) -> "EntryPointer":
        at = 2 * BLIND
        place = int.from_bytes(octets[at : at + 8], "big")
        return cls(octets[:BLIND], octets[BLIND:at], place, octets[at + 8 :])


class GroupTelling:
    """Notes what has become of groups of this node, where somebody of another one is concerned."""

    def __init__(
        self, peers: Peers, blinder: Blinder, key: Key, messages: GroupNotes, now: Callable[[], float]
    ) -> None:
        """`key` seals what is to be told of groups of which nothing else is left; `now` is in seconds."""
        self._peers = peers
        self._blinder = blinder
        self._key = key
        self._messages = messages
        self._anew = RateLimit(ANEW, ANEW_BURST, now)

    def note(self, c: Connection, draft: Draft, after: Chat) -> set[str]:
        """In the transaction of a change, which led to `after`; which nodes to `wake` afterwards.

        Raises `busy` and `rate_limited` where nobody of another node can come in as the first one now.
        """
        hub = draft.group.hub
        concerned = {node_of(entry.account) for entry in (*draft.entries, *draft.invited)} - {hub}
        nodes = {*draft.chat.nodes, *after.nodes, *concerned}
        if not nodes:
            return nodes
        if draft.erased:
            self._peers.note(c, [Noted(n, OVER, self._over(draft.chat.id), True) for n in sorted(nodes)])
            return nodes
        rows: _Rows = []
        self._leaving(c, draft, after.nodes)
        for joined in draft.joined:
            node = node_of(joined.account)
            if node != hub and node not in draft.chat.nodes:
                rows += self._first(c, draft, joined, node)
        lives = self._messages.lives(c, after.nodes, draft.chat.blind)
        for entry in draft.entries:
            told = {*after.nodes, node_of(entry.account)} - {hub}
            rows += [(entry.position, self._entry(draft, entry, node, lives)) for node in sorted(told)]
        if draft.updated:
            told = {*after.nodes, *(node_of(entry.account) for entry in draft.invited)} - {hub}
            rows += [(draft.updated, _group(draft, draft.updated, node)) for node in sorted(told)]
        for position, _ in draft.notices:
            noted = self._messages.rows(lives, draft.chat.blind, position)
            rows += [(position, row) for row in noted]
        self._peers.note(c, [row for _, row in sorted(rows, key=itemgetter(0))])
        return nodes

    def wake(self, nodes: Iterable[str]) -> None:
        """It is committed."""
        self._peers.wake(nodes)

    def _first(self, c: Connection, draft: Draft, joined: Joined, node: str) -> _Rows:
        """All that a node is told before the entry of its first member.

        It may leave and come back as often as it likes, and take nothing.
        """
        if self._peers.room(c, node) <= 0:
            raise Problem(Code.BUSY)
        place, chat = joined.position, draft.chat.blind
        life, own = token_bytes(BLIND), self._blinder.account(joined.account)
        sealed = draft.chat.key.seal(node.encode(), _node_context(chat, life))
        group_nodes.put_node(c, chat, self._blinder.node(node), life, joined.visible, sealed)
        rows = [_group(draft, place, node, life)]
        rows += [
            Noted(node, ENTRY, EntryPointer(chat, row.account, row.position, life).octets())
            for row in roster.entries(c, chat)
            if row.state <= RosterState.MEMBER and row.account != own
        ]
        if joined.visible < place:
            before = events.events_before(c, chat, place, EARLIER, joined.visible)
            rows += [r for each in before for r in self._messages.rows({node: life}, chat, each.position)]
            if before:
                rows += self._messages.about(c, draft.record, chat, before[0].position, node, life)
        self._anew.take(node, min(len(rows), self._anew.burst))
        return [(place, row) for row in rows]

    def _leaving(self, c: Connection, draft: Draft, nodes: tuple[str, ...]) -> None:
        for node in {node_of(account) for account in draft.gone} - {draft.group.hub, *nodes}:
            group_nodes.delete_node(c, draft.chat.blind, self._blinder.node(node))
            self._messages.forget(c, [node], draft.chat.blind)

    def _entry(self, draft: Draft, entry: Entry, node: str, lives: Mapping[str, bytes]) -> Noted:
        chat, account = draft.chat.blind, self._blinder.account(entry.account)
        own = node == node_of(entry.account) or node not in lives
        told = self._blinder.node(node) if own else lives[node]
        pointer = EntryPointer(chat, account, entry.position, told)
        return Noted(node, ENTRY, pointer.octets())

    def _over(self, chat: ChatId) -> bytes:
        return self._key.seal(chat.encode(), _OVER)

    def over(self, pointer: bytes) -> ChatId:
        """Which group was erased; raises `Tampered`."""
        return ChatId(self._key.open(pointer, _OVER).decode())


def _group(draft: Draft, position: int, node: str, life: bytes = b"") -> Noted:
    return Noted(node, GROUP, draft.chat.blind + position.to_bytes(8, "big") + life)


def node_name(key: Key, chat: bytes, life: bytes, sealed: bytes) -> str:
    """The node of a copy; raises `Tampered`."""
    return key.open(sealed, _node_context(chat, life)).decode()


def _node_context(chat: bytes, life: bytes) -> bytes:
    return b"group node" + chat + life
