"""Who is told that an account has other keys: everybody who is in a chat with it, and itself."""

from collections.abc import Iterable

from sqlalchemy import Connection

from safeum_home.ids import AccountId
from safeum_home.keys.log import Entry, KeyLog
from safeum_home.ports import Blinder, Bus, Cursors, Interlocutors, Missed, Published
from safeum_home.ports.federation import Noted, Peers
from safeum_home.protocol import frames
from safeum_home.protocol.events import KeysChanged
from safeum_home.protocol.federation.account_keys import KEY_CHANGED
from safeum_home.protocol.federation.events import node_of
from safeum_home.storage import key_log


class Audience:
    """Those who are in a chat with an account. `found` is who was, when that was read last."""

    def __init__(
        self, people: Interlocutors, account: AccountId, blind: bytes, found: dict[bytes, AccountId]
    ) -> None:
        self._people = people
        self._account = account
        self._blind = blind
        self._found = found

    def now(self, c: Connection) -> set[AccountId]:
        """Who is, in a transaction: names are looked up there only of who has come since."""
        there = key_log.interlocutors(c, self._blind)
        if not there <= self._found.keys():
            self._found = self._people.of(c, self._account)
        return {self._found[blind] for blind in there if blind in self._found}


class KeyTelling:
    """Tells devices, notes what other nodes are told, and is the `ports.Source` of `keys.changed`."""

    def __init__(
        self,
        node: str,
        blinder: Blinder,
        cursors: Cursors,
        bus: Bus,
        peers: Peers,
        log: KeyLog,
        people: Interlocutors,
    ) -> None:
        self._node = node
        self._blinder = blinder
        self._cursors = cursors
        self._bus = bus
        self._peers = peers
        self._log = log
        self._people = people

    def audience(self, c: Connection, account: AccountId) -> Audience:
        """Read it outside of the transaction of the change: chats are opened for it."""
        return Audience(self._people, account, self._blinder.account(account), self._people.of(c, account))

    def unread(self, account: AccountId) -> Audience:
        """The same where there is nothing to tell, most likely."""
        return Audience(self._people, account, self._blinder.account(account), {})

    def here(self, accounts: Iterable[AccountId]) -> list[AccountId]:
        """Those of this node."""
        return [account for account in accounts if node_of(account) == self._node]

    def note(self, c: Connection, entry: Entry, accounts: Iterable[AccountId]) -> set[str]:
        """In the transaction of a change: it is told to the nodes of these; which to `wake` then.

        Before all that waits. Each change is told for itself, whatever else has changed since.
        """
        nodes = {node for node in map(node_of, accounts) if node != self._node and self._peers.reaches(node)}
        pointer = self._blinder.account(entry.account) + entry.number.to_bytes(8, "big")
        self._peers.note(c, [Noted(node, KEY_CHANGED, pointer, urgent=True) for node in sorted(nodes)])
        return nodes

    def wake(self, nodes: set[str]) -> None:
        """It is committed."""
        self._peers.wake(nodes)

    def tell(self, entry: Entry, accounts: Iterable[AccountId]) -> None:
        """Tell the devices of accounts of this node."""
        told = self._event(entry)
        for account in accounts:
            self._bus.publish(account, told)

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of changed keys."""
        entries, upto = self._log.since(c, account, after, limit)
        return Missed([self._event(entry) for entry in entries], upto)

    def _event(self, entry: Entry) -> Published:
        cursor = self._cursors.encode(entry.position)
        event = KeysChanged(cursor, entry.account, entry.before, entry.hash, entry.at)
        return Published(frames.text_frame(frames.encode_event(event)), entry.position)
