"""The command `sync.start`: what a client that holds nothing shows first, in one answer."""

from sqlalchemy import Connection

from safeum_home.chats.listing import ChatListing, Listed, tell_held, within
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.settled import settled
from safeum_home.ids import AccountId
from safeum_home.ports import Caller, Database, Introductions, Receipts
from safeum_home.protocol import MAX_FRAME, frames
from safeum_home.protocol.commands import ContactList, ProfileResult, Start, SyncStart

BUDGET = MAX_FRAME - 4096
"""Octets of one answer. Of what one's own profile leaves, chats get three quarters, and contacts the rest."""


class Starting:
    """Puts it together, of one snapshot."""

    def __init__(
        self,
        database: Database,
        introductions: Introductions,
        listing: ChatListing,
        registry: ChatRegistry,
        receipts: Receipts,
    ) -> None:
        self._database = database
        self._introductions = introductions
        self._listing = listing
        self._registry = registry
        self._receipts = receipts

    async def start(self, caller: Caller, params: SyncStart) -> Start:
        introduce = await self._introductions.of(caller.account)

        def read(c: Connection) -> tuple[ProfileResult, ContactList, Listed, int]:
            own, contacts = introduce(c, params.contacts)
            room = BUDGET - len(frames.encode_params(own))
            listed = self._listing.read(c, caller.account, None, params.chats, room * 3 // 4)
            return own, contacts, listed, room

        own, contacts, listed, room = await settled(self._database, read, lambda: self._registry.erasures)
        size = len(frames.encode_params(listed.list))
        self_chat = self._registry.self_chat(caller.account)
        if size > room:  # the only one is too long
            return Start(own, self_chat, None, _fitting(contacts, room))
        tell_held(self._receipts, caller.account, listed)
        return Start(own, self_chat, listed.list, _fitting(contacts, room - size))


def _fitting(contacts: ContactList, room: int) -> ContactList | None:
    """As many contacts as there is room for; None where that is none of them."""
    count = within([len(frames.encode_params(contact)) + 1 for contact in contacts.contacts], room)
    if count == len(contacts.contacts):
        return contacts
    shown = contacts.contacts[:count]
    return ContactList(shown, AccountId(shown[-1].account)) if shown else None
