"""Contacts with accounts of other nodes: what is done here, and what their nodes tell.

Each node keeps its own account's side, and what it was told of the other one. `foreign_relation` is what
follows of what; here it is stored, noted for the other node, and told to the account's devices.
"""

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.accounts import foreign_relation
from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.foreign_notes import RELATION, ForeignNotes
from safeum_home.accounts.foreign_pairs import ForeignPairs, Known
from safeum_home.accounts.foreign_relation import OPEN, Pair, Told
from safeum_home.accounts.relation import ACCEPTED, INCOMING, NONE, REMOVED, STATES, Action
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Bus, Caller, Committed, Consent, Database, RelationWatch
from safeum_home.ports.federation import Applied
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.commands import Done
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.people import RelationContent, address_of, content
from safeum_home.protocol.types import Contact, ContactState
from safeum_home.storage import contacts


class ForeignContacts:
    """The commands `contact.*` for accounts of other nodes, and `ports.SharedKind` `contact`."""

    type = RELATION
    may_wait = True

    def __init__(
        self,
        node: str,
        database: Database,
        directory: AccountDirectory,
        side: ContactSide,
        pairs: ForeignPairs,
        notes: ForeignNotes,
        consent: Consent,
        bus: Bus,
        requests: RateLimit,
        now: Callable[[], int],
        watch: RelationWatch,
    ) -> None:
        """`requests` bounds how often each other node may ask; `now` is in milliseconds."""
        self._node = node
        self._database = database
        self._directory = directory
        self._side = side
        self._pairs = pairs
        self._notes = notes
        self._consent = consent
        self._bus = bus
        self._requests = requests
        self._now = now
        self._watch = watch

    async def act(
        self, action: Action, caller: Caller, account: AccountId, address: str | None
    ) -> Committed[Done]:
        """Let the caller do `action` to an account of another node, which may be away, or not exist."""
        if action in (Action.REQUEST, Action.ACCEPT) and not self._notes.reaches(account):
            raise Problem(Code.FEDERATION_REFUSED)
        mine = await self._directory.need(caller.account)
        chat = ids.direct_chat_id(mine.account, account)
        found_chat = self._consent.direct(mine.account, account)
        position = self._database.next_position()

        def change(c: Connection) -> tuple[Contact | None, bool]:
            """How the caller sees it now, and whether both have accepted each other."""
            self._directory.must_be_there(c, mine)
            known = self._pairs.read(c, mine, account)
            pair = foreign_relation.acted(known.pair, action, self._now())
            if known.pair.mine is NONE and not self._side.has_room(c, mine):
                raise Problem(Code.LIMIT_REACHED, "contacts")
            if pair.mine is ACCEPTED:
                found_chat(c)
            called = address or (account if known.entry is None else known.entry.address)
            contact = self._pairs.write(c, mine, account, known, pair, called, position)
            return contact or self._shown(c, mine, account), _is_mutual(pair)

        self._consent.changing(chat)
        try:
            contact, agreed = await self._database.transact(change)
        finally:
            self._consent.changed(chat)
        self._watch.related(mine.account, account, agreed)
        self._notes.wake(self._notes.nodes([account]))

        def publish() -> None:
            if contact is not None:
                self._bus.publish(mine.account, self._side.event(contact, position))

        return Committed(Done(), publish)

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        """How an account of this node stands to one of another, as that one may know it."""
        owner = self._directory.behind(c, pointer[:BLIND])
        row = None if owner is None else contacts.contact(c, owner.blind, pointer[BLIND:])
        if owner is None or row is None:
            return None  # closed; or of so long ago that it was forgotten
        mine = owner
        for entry in undamaged([row], lambda row: self._side.open(mine, row), "contacts"):
            told = self._pairs.read(c, mine, entry.account).pair.told
            alias = ids.public_address(mine.username, mine.account, self._node)
            said = {"peer": entry.account, "state": told.state.value}
            numbers = {name: number for name, number in (("asked", told.asked), ("of", told.of)) if number}
            called = {"address": alias} if told.state in OPEN else {}
            return new_event(self.type, mine.account, self._now(), {**said, **numbers, **called})
        return None

    async def apply(self, node: str, event: Event) -> Applied:
        """What another node says of an account of its own, and one of this."""
        if node_of(event.sender) != node:
            raise Problem(Code.WRONG_SENDER_NODE)
        told = content(event, RelationContent)
        state = ContactState(told.state)
        peer, account = AccountId(event.sender), AccountId(told.peer)
        address = address_of(event, told.address) if state in OPEN else None
        if state in OPEN and not told.asked:
            raise Problem(Code.MALFORMED_EVENT)
        # Whether there is such an account here is not told: a request to nobody is one that is not answered.
        mine = None if self._notes.is_foreign(account) else await self._directory.get(account)
        if mine is None:
            return Applied(_nothing, _nothing_told, _nothing_told)
        said = Told(state, told.asked, told.of)
        return self._changing(mine, peer, address, lambda c, known: self._heard(c, mine, peer, known, said))

    async def untold(self, node: str, pointer: bytes) -> Applied:
        """A node will never be told of a relation: it is gone, or has refused for good to hear it.

        So nobody there has been asked, or has the answer: one's own side is over.
        """

        def find(c: Connection) -> tuple[OpenAccount, AccountId] | None:
            owner = self._directory.behind(c, pointer[:BLIND])
            row = None if owner is None else contacts.contact(c, owner.blind, pointer[BLIND:])
            if owner is None or row is None:
                return None
            mine = owner
            entries = undamaged([row], lambda row: self._side.open(mine, row), "contacts")
            return (mine, entries[0].account) if entries else None

        if (found := await self._database.read(find)) is None:
            return Applied(_nothing, _nothing_told, _nothing_told)
        return self._changing(*found, None, lambda c, known: _over(known.pair))

    def doubted(self, c: Connection, node: str, chat: bytes) -> None:
        """`ports.Founding`: before all that waits, since that would be refused as well."""
        sides = contacts.contacts_of_chat(c, chat)
        if len(sides) != 2 or any(STATES[side.state] is not ACCEPTED for side in sides):
            return
        for side in sides:
            owner = None if side.sealed == contacts.ELSEWHERE else self._directory.behind(c, side.owner)
            if owner is not None:
                for entry in undamaged([side], partial(self._side.open, owner), "contacts"):
                    if node_of(entry.account) == node:
                        self._notes.relation(c, owner.blind, entry.account, urgent=True)

    def _heard(self, c: Connection, mine: OpenAccount, peer: AccountId, known: Known, said: Told) -> Pair:
        pair = foreign_relation.heard(known.pair, said)
        if pair.mine is INCOMING and known.pair.mine is not INCOMING:
            self._let_ask(node_of(peer))
            if known.pair.mine is NONE and not self._side.has_room(c, mine):
                return known.pair  # a full list takes no requests, and whoever asks does not learn that
        if foreign_relation.is_stale(known.pair, said):
            self._pairs.tell(c, mine, peer)
        return pair

    def _changing(
        self,
        mine: OpenAccount,
        peer: AccountId,
        address: str | None,
        become: Callable[[Connection, Known], Pair],
    ) -> Applied:
        chat = ids.direct_chat_id(mine.account, peer)
        found_chat = self._consent.direct(mine.account, peer)
        position = self._database.next_position()
        shown: list[Contact] = []
        agreed: list[bool] = []

        def placed() -> None:
            nonlocal position
            position = self._database.next_position()

        def store(c: Connection) -> None:
            shown.clear()
            self._directory.must_be_there(c, mine)
            known = self._pairs.read(c, mine, peer)
            pair = become(c, known)
            agreed[:] = [_is_mutual(pair)]
            if pair == known.pair:
                return
            if pair.mine is ACCEPTED:
                found_chat(c)
            before = peer if known.entry is None else known.entry.address
            called = before if address is None or pair.mine is not INCOMING else address
            contact = self._pairs.write(c, mine, peer, known, pair, called, position)
            if contact is not None:
                shown.append(contact)

        def publish() -> None:
            self._notes.wake(self._notes.nodes([peer]))
            for each in agreed:
                self._watch.related(mine.account, peer, each)
            for contact in shown:
                self._bus.publish(mine.account, self._side.event(contact, position, by_contact=True))

        self._consent.changing(chat)
        return Applied(store, publish, lambda: self._consent.changed(chat), placed)

    def _let_ask(self, node: str) -> None:
        """It is asked again later, so that nothing is lost of who asks much."""
        try:
            self._requests.take(node)
        except Problem as problem:
            raise Problem(Code.BUSY, retry_after=problem.retry_after) from None

    def _shown(self, c: Connection, mine: OpenAccount, account: AccountId) -> Contact | None:
        entry = self._side.read(c, mine, account)
        return None if entry is None else self._side.show(c, entry)


def _is_mutual(pair: Pair) -> bool:
    return pair.mine is ACCEPTED and pair.theirs is ACCEPTED


def _over(pair: Pair) -> Pair:
    if pair.mine is ACCEPTED:
        return pair._replace(mine=REMOVED, theirs=NONE)
    return pair._replace(mine=NONE) if pair.mine in OPEN else pair


def _nothing(c: Connection) -> None:
    """Nothing is to be stored."""


def _nothing_told() -> None:
    """Nothing is to be told."""
