"""Accounts that were closed, across nodes: the nodes of their contacts are told, and erase what they have of
them, as one node does for its own."""

from collections.abc import Callable

from sqlalchemy import Connection

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.foreign_notes import CLOSED, ForeignNotes
from safeum_home.accounts.foreign_pairs import ForeignPairs
from safeum_home.accounts.relation import REQUESTED
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Bus, Database, EpochTurns, Key
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.people import ClosedContent, content
from safeum_home.protocol.types import Contact
from safeum_home.storage import contacts, roster
from safeum_home.storage.erasure import chats_of, erase_account

_PLACE = b"closed account"


class Farewells:
    """What the nodes of its contacts are told where an account of this node is closed.

    Nothing of the account is left when they are: its id is sealed in what waits for them, under a key of the
    node's, and is gone once they were told.
    """

    def __init__(
        self,
        side: ContactSide,
        pairs: ForeignPairs,
        notes: ForeignNotes,
        key: Key,
        hubs: Callable[[Connection, bytes], set[str]],
    ) -> None:
        """`hubs` are the nodes that order the groups which an account is in, or invited into."""
        self._side = side
        self._hubs = hubs
        self._pairs = pairs
        self._notes = notes
        self._key = key

    def note(self, c: Connection, owner: OpenAccount) -> set[str]:
        """Inside the transaction that closes an account, before it is erased; which nodes to `wake` then.

        As on one node, those are told who had a chat with it, and those whom it has asked.
        """
        founded = chats_of(c, owner.blind)
        nodes = self._notes.others(self._hubs(c, owner.blind))
        for row, entry in self._side.rows(c, owner):
            if self._notes.is_foreign(entry.account):
                if row.chat in founded or entry.state is REQUESTED:
                    nodes |= self._notes.nodes([entry.account])
                self._pairs.drop(c, owner.blind, entry.account)
        if nodes:
            local = owner.account.partition(":")[0].encode()
            self._notes.closed(c, self._key.seal(local, _PLACE), nodes)
        return nodes

    def wake(self, nodes: set[str]) -> None:
        """It is committed."""
        if nodes:
            self._notes.wake(nodes)

    def closed(self, node: str, pointer: bytes) -> AccountId:
        """Which account of `node`, which is this one, was closed; raises `Tampered`."""
        return AccountId(f"{self._key.open(pointer, _PLACE).decode()}:{node}")


class ForeignClosing:
    """`ports.SharedKind` `account.closed`."""

    type = CLOSED
    may_wait = True

    def __init__(
        self,
        node: str,
        database: Database,
        blinder: Blinder,
        directory: AccountDirectory,
        side: ContactSide,
        farewells: Farewells,
        turns: EpochTurns,
        bus: Bus,
        now: Callable[[], int],
        forget: Callable[[AccountId], None],
        erased: Callable[[], object],
        limit: RateLimit,
    ) -> None:
        """`forget` drops what is in memory of an account, `erased` has it seen to that nothing can be opened.

        `limit` is how many accounts of each node may be closed: that may turn the keyring, and is told again.
        """
        self._node = node
        self._database = database
        self._blinder = blinder
        self._directory = directory
        self._side = side
        self._farewells = farewells
        self._turns = turns
        self._bus = bus
        self._now = now
        self._forget = forget
        self._erased = erased
        self._limit = limit

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        """That an account was closed."""
        for account in undamaged(
            [pointer], lambda held: self._farewells.closed(self._node, held), "accounts"
        ):
            if self._directory.read(c, account) is None:
                return new_event(self.type, account, self._now(), {})
        return None

    async def apply(self, node: str, event: Event) -> Applied:
        """An account of another node was closed: who had to do with it sees that, its chats are erased."""
        if node_of(event.sender) != node:
            raise Problem(Code.WRONG_SENDER_NODE)
        content(event, ClosedContent)
        account = AccountId(event.sender)
        blind = self._blinder.account(account)
        position = self._database.next_position()
        told: list[tuple[AccountId, Contact]] = []
        erased: list[bool] = []

        def placed() -> None:
            nonlocal position
            position = self._database.next_position()

        def store(c: Connection) -> None:
            told.clear()
            erased[:] = [is_known(c, blind)]
            if erased[0]:
                self._limit.take(node)
                told.extend(self._side.close(c, blind, position))
                erase_account(c, blind, self._turns.epoch, keep_name=False)

        def publish() -> None:
            if erased[0]:
                self._forget(account)
                for contact_of, contact in told:
                    self._bus.publish(contact_of, self._side.farewell(contact, position))
                self._erased()

        return Applied(store, publish, _nothing, placed)


def is_known(c: Connection, foreign: bytes) -> bool:
    """Whether there is anything here of an account of another node: a chat, its side of a relation, or its
    place in a group."""
    if chats_of(c, foreign) or contacts.has_contacts(c, foreign):
        return True
    return any(roster.count_own(c, foreign, state) for state in (roster.INVITED, roster.MEMBER))


def _nothing() -> None:
    """Nothing was begun."""
