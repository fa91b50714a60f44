"""One side of a relation: its row, what is sealed in it, and how its owner sees it."""

from collections.abc import Set
from typing import NamedTuple

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.records import ContactRecord, seal, unseal
from safeum_home.accounts.relation import STATES
from safeum_home.damage import undamaged
from safeum_home.errors import Tampered
from safeum_home.ids import AccountId, ChatId, direct_chat_id
from safeum_home.ports import WAKING, Blinder, Cursors, Database, Missed, Published
from safeum_home.protocol import frames
from safeum_home.protocol.events import ContactChanged
from safeum_home.protocol.types import Contact, ContactState
from safeum_home.storage import contacts
from safeum_home.storage.erasure import chats_of
from safeum_home.storage.rows import ContactRow

_BATCH = 500
_NEWS = (ContactState.INCOMING, ContactState.ACCEPTED)


class Entry(NamedTuple):
    """What a contact row says, opened. `asked` and `heard` are as in `foreign_relation.Pair`."""

    account: AccountId
    address: str
    chat: ChatId
    state: ContactState
    position: int
    asked: int = 0
    heard: int = 0


class Page(NamedTuple):
    """Part of a contact list. Contacts that cannot be opened are left out of `contacts`."""

    contacts: list[Contact]
    more: bool

    @property
    def next(self) -> AccountId | None:
        """Where the next page begins; None where there is none."""
        return AccountId(self.contacts[-1].account) if self.more else None


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
        self.limit = limit
        """How many an account may have."""

    def read(self, c: Connection, owner: OpenAccount, peer: AccountId) -> Entry | None:
        row = contacts.contact(c, owner.blind, self._blinder.account(peer))
        if row is None:
            return None
        try:
            return self.open(owner, row)
        except Tampered:
            # The state still counts, and what the owner does to the contact makes the row whole again.
            return Entry(peer, peer, direct_chat_id(owner.account, peer), STATES[row.state], row.position)

    def write(self, c: Connection, owner: OpenAccount, entry: Entry) -> None:
        peer = self._blinder.account(entry.account)
        sealed = seal(
            owner.key,
            ContactRecord(entry.account, entry.address, entry.asked, entry.heard),
            owner.blind,
            peer,
        )
        state = STATES.index(entry.state)
        chat = self._blinder.chat(entry.chat)
        contacts.put_contact(c, ContactRow(owner.blind, peer, chat, state, entry.position, sealed))
        if entry.state is ContactState.NONE:
            contacts.forget_gone(c, owner.blind, self.limit)

    def has_room(self, c: Connection, owner: OpenAccount) -> bool:
        """Whether there may be one more in the list."""
        return contacts.count(c, owner.blind) < self.limit

    def page(self, owner: OpenAccount, after: AccountId | None, limit: int) -> "Deferred[Page]":
        """Entries behind `after`, in the order of their rows."""
        return self._database.read(lambda c: self.read_page(c, owner, after, limit))

    def read_page(self, c: Connection, owner: OpenAccount, after: AccountId | None, limit: int) -> Page:
        """The same in a snapshot that there is already."""
        start = None if after is None else self._blinder.account(after)
        rows, entries = self._entries(c, owner, start, limit + 1)
        while not entries[:limit] and len(rows) > limit:
            rows, entries = self._entries(c, owner, rows[-2].peer, limit + 1)
        page = entries[:limit]
        agreed = [entry.account for entry in page if entry.state is ContactState.ACCEPTED]
        names = self._directory.names(c, agreed)
        shown = [
            Contact(
                entry.account,
                entry.address,
                entry.chat,
                entry.state,
                # Another's name only where both agreed.
                names.get(self._blinder.account(entry.account), "")
                if entry.state is ContactState.ACCEPTED
                else "",
            )
            for entry in page
        ]
        return Page(shown, len(rows) > limit)

    def accepted(self, owner: OpenAccount) -> "Deferred[set[AccountId]]":
        """All accounts that `owner` is in contact with."""

        def read(c: Connection) -> set[AccountId]:
            found: set[AccountId] = set()
            rows, entries = self._entries(c, owner, None, _BATCH)
            while rows:
                found |= {entry.account for entry in entries if entry.state is ContactState.ACCEPTED}
                rows, entries = self._entries(c, owner, rows[-1].peer, _BATCH)
            return found

        return self._database.read(read)

    def _entries(
        self, c: Connection, owner: OpenAccount, after: bytes | None, limit: int
    ) -> tuple[list[ContactRow], list[Entry]]:
        rows = contacts.contacts_of(c, owner.blind, after, limit)
        return rows, undamaged(rows, lambda row: self.open(owner, row), "contacts")

    def rows(self, c: Connection, owner: OpenAccount) -> list[tuple[ContactRow, Entry]]:
        """All that the list has, those that are gone among them: some 10 us each."""
        rows = contacts.contacts_since(c, owner.blind, -1, 2**31)
        return undamaged(rows, lambda row: (row, self.open(owner, row)), "contacts")

    def all_behind(self, c: Connection, account: AccountId, among: Set[bytes]) -> dict[bytes, AccountId]:
        """Whose some blind indexes are, of people that `account` has to do with.

        As far as it is known of accounts, profiles, and its list, without a look at any chat.
        """
        found = self._directory.all_behind(c, among)
        owner = self._directory.behind(c, self._blinder.account(account))
        if owner is not None and not among <= found.keys():
            found |= {row.peer: entry.account for row, entry in self.rows(c, owner) if row.peer in among}
        return found

    def changed(self, c: Connection, owner: OpenAccount, after: int, limit: int) -> list[Entry]:
        """Entries that changed behind position `after`, in that order."""
        rows = contacts.contacts_since(c, owner.blind, after, limit)
        return undamaged(rows, lambda row: self.open(owner, row), "contacts")

    def show(self, c: Connection, entry: Entry) -> Contact:
        """The contact as its owner sees it: another's name only where both agreed."""
        agreed = entry.state is ContactState.ACCEPTED
        name = self._directory.display_name(c, entry.account) if agreed else ""
        return Contact(entry.account, entry.address, entry.chat, entry.state, name)

    def close(self, c: Connection, account: bytes, position: int) -> list[tuple[AccountId, Contact]]:
        """An account is being closed: what its contacts see from `position` on, and who is to be told.

        Call it before its rows are erased, and tell them of it by `farewell`. Whoever had a chat with it sees
        that it is closed or, where it is in the list no more, that the chat is gone; a request of its own is
        withdrawn. Other relations tell nothing of it, and stay.
        """
        founded = chats_of(c, account)
        changed = []
        for row in contacts.facing(c, account):
            if row.sealed == contacts.ELSEWHERE:
                contacts.delete_contact(c, row.owner, row.peer)  # nobody's here: its node is told
                continue
            before = STATES[row.state]
            if row.chat in founded:
                state = before if before is ContactState.NONE else ContactState.CLOSED
            elif before is ContactState.INCOMING:
                state = ContactState.NONE
            else:
                continue
            changed.append(row._replace(state=STATES.index(state), position=position))
        contacts.put_contacts(c, changed)

        def tell(row: ContactRow) -> tuple[AccountId, Contact]:
            if (owner := self._directory.behind(c, row.owner)) is None:
                raise Tampered
            return owner.account, self.show(c, self.open(owner, row))

        return undamaged(changed, tell, "contacts")

    def event(
        self, contact: Contact, position: int, erased: bool = False, by_contact: bool = False
    ) -> Published:
        """`contact.changed` for the owner's sessions. `erased`: there is no chat with it any more.

        `by_contact`: it may be the contact who did something, who has asked or accepted.
        """
        event = ContactChanged(self._cursors.encode(position), contact, erased)
        wake = WAKING if by_contact and contact.state in _NEWS else None
        return Published(frames.text_frame(frames.encode_event(event)), position, wake=wake)

    def farewell(self, contact: Contact, position: int) -> Published:
        """The same, of a contact that has closed the account."""
        return self.event(contact, position, erased=contact.state is ContactState.NONE)

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of contact changes."""
        if (owner := self._directory.read(c, account)) is None:
            return Missed([], None)
        rows = contacts.contacts_since(c, owner.blind, after, limit)
        # That a chat is gone is told with its contact's last state, also where that was removed since.
        gone = [row.chat for row in rows if row.state == contacts.GONE]
        kept = contacts.with_chat(c, gone)

        def tell(row: ContactRow) -> Published:
            erased = row.state == contacts.GONE and row.chat not in kept
            return self.event(self.show(c, self.open(owner, row)), row.position, erased, True)

        return Missed(undamaged(rows, tell, "contacts"), rows[-1].position if len(rows) == limit else None)

    def open(self, owner: OpenAccount, row: ContactRow) -> Entry:
        record = unseal(owner.key, ContactRecord, row.sealed, row.owner, row.peer)
        peer = AccountId(record.account)
        chat = direct_chat_id(owner.account, peer)
        return Entry(peer, record.address, chat, STATES[row.state], row.position, record.asked, record.heard)
