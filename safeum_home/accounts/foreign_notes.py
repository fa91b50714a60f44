"""What other nodes are to be told of accounts of this one: noted in the transaction of the change."""

from collections.abc import Iterable

from sqlalchemy import Connection

from safeum_home.ids import AccountId
from safeum_home.ports import Blinder
from safeum_home.ports.federation import Noted, Peers
from safeum_home.protocol.federation.events import node_of

RELATION = "contact"
PROFILE = "profile"
CLOSED = "account.closed"


class ForeignNotes:
    """Knows which accounts are of other nodes, and notes what those are told."""

    def __init__(self, node: str, peers: Peers, blinder: Blinder) -> None:
        self._node = node
        self._peers = peers
        self._blinder = blinder

    def is_foreign(self, account: AccountId) -> bool:
        """Whether an account is of another node."""
        return node_of(account) != self._node

    def reaches(self, account: AccountId) -> bool:
        """Whether this node has to do with the one of an account of another node."""
        return self._peers.reaches(node_of(account))

    def nodes(self, accounts: Iterable[AccountId]) -> set[str]:
        """The other nodes that some accounts are of, as far as this one has to do with them."""
        return self.others(map(node_of, accounts))

    def others(self, nodes: Iterable[str]) -> set[str]:
        """Those of some nodes that are others, as far as this one has to do with them."""
        return {node for node in set(nodes) - {self._node} if self._peers.reaches(node)}

    def relation(self, c: Connection, owner: bytes, peer: AccountId, urgent: bool) -> None:
        """An account's side of the relation to `peer` has changed."""
        pointer = owner + self._blinder.account(peer)
        self._note(c, {node_of(peer)}, RELATION, pointer, urgent)

    def profile(self, c: Connection, owner: bytes, nodes: Iterable[str]) -> None:
        """An account's profile is to be told to contacts at some nodes.

        The pointer has the node as well: who has no contact there any more tells it nothing.
        """
        for node in nodes:
            self._note(c, {node}, PROFILE, owner + self._blinder.node(node))

    def closed(self, c: Connection, sealed: bytes, nodes: Iterable[str]) -> None:
        """An account is being closed; `sealed` is which one."""
        self._note(c, nodes, CLOSED, sealed, urgent=True)

    def wake(self, nodes: Iterable[str]) -> None:
        """What was noted is committed."""
        self._peers.wake(nodes)

    def _note(
        self, c: Connection, nodes: Iterable[str], kind: str, pointer: bytes, urgent: bool = False
    ) -> None:
        rows = [Noted(node, kind, pointer, urgent) for node in sorted(nodes) if self._peers.reaches(node)]
        if rows:
            self._peers.note(c, rows)
