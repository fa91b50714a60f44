"""One side of a relation: its row, what is sealed in it, and how its owner sees it."""

from typing import NamedTuple

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.records import ContactRecord, seal, unseal
from safeum_home.accounts.relation import STATES
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, direct_chat_id
from safeum_home.ports import Blinder, Cursors, Database, Published
from safeum_home.protocol import frames
from safeum_home.protocol.events import ContactChanged
from safeum_home.protocol.types import Contact, ContactState
from safeum_home.storage import contacts
from safeum_home.storage.rows import ContactRow


class Entry(NamedTuple):
    """What a contact row says, opened."""

    account: AccountId
    address: str
    chat: ChatId
    state: ContactState
    position: int


class ContactSide:
    """Reads and writes contact rows for their owner."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        directory: AccountDirectory,
        limit: int,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._directory = directory
        self._limit = limit

    def read(self, c: Connection, owner: OpenAccount, peer: AccountId) -> Entry | None:
        row = contacts.contact(c, owner.blind, self._blinder.account(peer))
        return None if row is None else self._open(owner, row)

    def write(self, c: Connection, owner: OpenAccount, entry: Entry) -> None:
        peer = self._blinder.account(entry.account)
        sealed = seal(owner.key, ContactRecord(entry.account, entry.address), owner.blind, peer)
        state = STATES.index(entry.state)
        chat = self._blinder.chat(entry.chat)
        contacts.put_contact(c, ContactRow(owner.blind, peer, chat, state, entry.position, sealed))

    def check_room(self, c: Connection, owner: OpenAccount, before: Entry | None) -> None:
        """Raise `limit_reached` where a new entry would be one too many."""
        if before is None and contacts.count(c, owner.blind) >= self._limit:
            raise Problem(Code.LIMIT_REACHED, "contacts")

    async def page(self, owner: OpenAccount, after: AccountId | None, limit: int) -> tuple[list[Entry], bool]:
        """Entries behind `after`, and whether there are more."""
        start = None if after is None else self._blinder.account(after)
        rows = await self._database.read(lambda c: contacts.contacts_of(c, owner.blind, start, limit + 1))
        return [self._open(owner, row) for row in rows[:limit]], len(rows) > limit

    async def shown(self, entry: Entry) -> Contact:
        """The contact as its owner sees it."""
        return as_contact(entry, await self.name_of(entry.account))

    async def name_of(self, account: AccountId) -> str:
        """The display name of an account, empty where there is none."""
        known = await self._directory.known(account)
        return "" if known is None else known.display_name

    def event(self, entry: Entry, display_name: str) -> Published:
        """`contact.changed` for the owner's sessions."""
        event = ContactChanged(self._cursors.encode(entry.position), as_contact(entry, display_name))
        return Published(frames.text_frame(frames.encode_event(event)), entry.position)

    def since(self, account: AccountId, after: int, limit: int) -> "Deferred[list[Published]]":
        """`ports.Source` of contact changes."""
        return Deferred.fromCoroutine(self._since(account, after, limit))

    async def _since(self, account: AccountId, after: int, limit: int) -> list[Published]:
        owner = await self._directory.need(account)
        rows = await self._database.read(lambda c: contacts.contacts_since(c, owner.blind, after, limit))
        entries = [self._open(owner, row) for row in rows]
        return [self.event(entry, await self.name_of(entry.account)) for entry in entries]

    def _open(self, owner: OpenAccount, row: ContactRow) -> Entry:
        record = unseal(owner.key, ContactRecord, row.sealed, row.owner, row.peer)
        peer = AccountId(record.account)
        chat = direct_chat_id(owner.account, peer)
        return Entry(peer, record.address, chat, STATES[row.state], row.position)


def as_contact(entry: Entry, display_name: str) -> Contact:
    """What an owner is shown: another's name only where both agreed."""
    name = display_name if entry.state is ContactState.ACCEPTED else ""
    return Contact(entry.account, entry.address, entry.chat, entry.state, name)
