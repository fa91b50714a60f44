"""Contact lists: finding an address, asking, accepting, parting. A request carries no content."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.accounts import relation
from safeum_home.accounts.contact_rows import ContactSide, Entry
from safeum_home.accounts.directory import AccountDirectory
from safeum_home.accounts.foreign_contacts import ForeignContacts
from safeum_home.accounts.foreign_finding import ForeignFinder
from safeum_home.accounts.relation import Action
from safeum_home.config import LimitSection
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Bus, Caller, Committed, Consent, Database, RelationWatch
from safeum_home.protocol import commands
from safeum_home.protocol.commands import Done
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.types import Contact, ContactState
from safeum_home.storage import accounts


@dataclass(frozen=True, slots=True)
class ContactLimits:
    """How often one account may look for others and ask them."""

    finds: RateLimit
    requests: RateLimit

    @classmethod
    def of(cls, section: LimitSection, now: Callable[[], float]) -> "ContactLimits":
        return cls(
            RateLimit(section.finds_per_account, section.finds_per_account_burst, now),
            RateLimit(section.contact_requests_per_account, section.contact_requests_per_account_burst, now),
        )


class Contacts:
    """The commands `contact.*`. Both sides of a relation change in one commit."""

    def __init__(
        self,
        node: str,
        database: Database,
        directory: AccountDirectory,
        side: ContactSide,
        consent: Consent,
        bus: Bus,
        limits: ContactLimits,
        watch: RelationWatch,
        foreign: ForeignContacts,
        finder: ForeignFinder,
    ) -> None:
        """`foreign` and `finder` are for accounts of other nodes."""
        self._node = node
        self._database = database
        self._directory = directory
        self._side = side
        self._consent = consent
        self._bus = bus
        self._limits = limits
        self._watch = watch
        self._foreign = foreign
        self._finder = finder

    async def find(self, caller: Caller, params: commands.ContactFind) -> commands.ContactFound:
        self._limits.finds.take(caller.account)
        login, node = ids.address(params.address, self._node)
        if ids.is_number(login):
            # Numbers can be counted through: only those who have one in their address book may look for it.
            raise Problem(Code.NOT_FOUND)
        if node != self._node:
            return commands.ContactFound(await self._finder.find(login, node), ids.written(login, node))
        if (found := await self._directory.by_username(login)) is None:
            raise Problem(Code.NOT_FOUND)
        return commands.ContactFound(found.account, ids.written(login, node))

    async def request(self, caller: Caller, params: commands.ContactRequest) -> Committed[Done]:
        login, node = ids.address(params.address, self._node)
        self._limits.requests.take(caller.account)
        return await self._act(Action.REQUEST, caller, params.account, ids.written(login, node))

    async def accept(self, caller: Caller, params: commands.ContactAccept) -> Committed[Done]:
        return await self._act(Action.ACCEPT, caller, params.account)

    async def decline(self, caller: Caller, params: commands.ContactDecline) -> Committed[Done]:
        return await self._act(Action.DECLINE, caller, params.account)

    async def remove(self, caller: Caller, params: commands.ContactRemove) -> Committed[Done]:
        return await self._act(Action.REMOVE, caller, params.account)

    async def block(self, caller: Caller, params: commands.ContactBlock) -> Committed[Done]:
        return await self._act(Action.BLOCK, caller, params.account)

    async def unblock(self, caller: Caller, params: commands.ContactUnblock) -> Committed[Done]:
        return await self._act(Action.UNBLOCK, caller, params.account)

    async def list(self, caller: Caller, params: commands.ListContacts) -> commands.ContactList:
        owner = await self._directory.need(caller.account)
        after = None if params.after is None else AccountId(params.after)
        page = await self._side.page(owner, after, params.limit)
        return commands.ContactList(page.contacts, page.next)

    async def _act(
        self, action: Action, caller: Caller, other: str, address: str | None = None
    ) -> Committed[Done]:
        """Let the caller do `action` to `other`: who need not exist, which the answer does not tell."""
        account = AccountId(other)
        if account == caller.account:
            raise Problem(Code.WRONG_CONTACT_STATE, "this is your own account")
        if (node := node_of(account)) != self._node:
            called = address if address is None or address.endswith(f"@{node}") else account
            return await self._foreign.act(action, caller, account, called)
        mine = await self._directory.need(caller.account)
        known = await self._directory.get(account)
        chat = ids.direct_chat_id(mine.account, account)
        found_chat = self._consent.direct(mine.account, account)
        my_address = ids.public_address(mine.username, mine.account, self._node)
        position = self._database.next_position()

        def change(c: Connection) -> tuple[list[tuple[AccountId, Contact]], bool]:
            """Who is to be told of what, and whether both have accepted each other from now on."""
            self._directory.must_be_there(c, mine)
            theirs = known if known is not None and accounts.exists(c, known.blind) else None
            before = self._side.read(c, mine, account)
            their = None if theirs is None else self._side.read(c, theirs, mine.account)
            new, new_their = relation.after(action, state_of(before), state_of(their))
            if state_of(before) is ContactState.NONE and not self._side.has_room(c, mine):
                raise Problem(Code.LIMIT_REACHED, "contacts")
            called = address or (before.address if before is not None else account)
            entry = Entry(account, called, chat, new, position)
            self._side.write(c, mine, entry)
            changed = [(mine.account, self._side.show(c, entry))]
            agreed = new is new_their is ContactState.ACCEPTED and theirs is not None
            if theirs is None or new_their is state_of(their):
                return changed, agreed  # also where it was so before: a command may come twice
            if new_their is ContactState.INCOMING and not self._side.has_room(c, theirs):
                return changed, False  # a full list takes no requests, and whoever asks does not learn that
            if new_their is ContactState.ACCEPTED:
                found_chat(c)
            reverse = Entry(mine.account, my_address, chat, new_their, position)
            self._side.write(c, theirs, reverse)
            return [*changed, (account, self._side.show(c, reverse))], agreed

        self._consent.changing(chat)
        try:
            changed, agreed = await self._database.transact(change)
        finally:
            self._consent.changed(chat)
        self._watch.related(mine.account, account, agreed)

        def publish() -> None:
            for owner, contact in changed:
                by_contact = owner != mine.account
                self._bus.publish(owner, self._side.event(contact, position, by_contact=by_contact))

        return Committed(Done(), publish)


def state_of(entry: Entry | None) -> ContactState:
    return ContactState.NONE if entry is None else entry.state
