"""Filling what a client shows from what the node holds: one answer to begin with, the rest behind it."""

from safeum_home.client.errors import SessionEnded
from safeum_home.client.methods.methods import Methods
from safeum_home.client.state.filling import Filling
from safeum_home.client.state.seeking import Seeking, patiently
from safeum_home.client.state.state import MAX_CHATS, State
from safeum_home.protocol import commands as c
from safeum_home.spawn import spawn

FIRST = 30
"""Chats of the first answer: a screen of them. Fewer are there sooner."""
PAGE = 50


async def load(state: State, client: Methods) -> None:
    """Fill `state` from the node: done when one's own profile and the newest chats are there.

    All contacts and up to `MAX_CHATS` chats follow by themselves.
    """
    state.seek = Seeking(state, client).seek
    filling = state.begin()
    try:
        start = await client.call(c.SyncStart(FIRST, PAGE))
    except BaseException:
        filling.end()
        raise
    state.account, state.address = start.own.account, start.own.address
    state.self_chat = start.self_chat
    rest = _Rest(state, client, filling, start)
    rest.build()
    if rest.more:
        spawn(rest.load(), "loading older chats")
    else:
        filling.end()


class _Rest:
    """What did not fit into the first answer: where to go on, and what was found meanwhile."""

    def __init__(self, state: State, client: Methods, filling: Filling, start: c.Start) -> None:
        self._state = state
        self._client = client
        self._filling = filling
        self._start = start
        self._chats_from = None if start.chats is None else start.chats.next
        self._contacts_from = None if start.contacts is None else start.contacts.next
        self._chats_wanted = start.chats is None or start.chats.next is not None
        self._contacts_wanted = start.contacts is None or start.contacts.next is not None

    def build(self) -> None:
        """Show what the first answer brought."""
        start = self._start
        chats = [] if start.chats is None else start.chats.chats
        contacts = [] if start.contacts is None else start.contacts.contacts
        self._filling.begin(start.own.profile, contacts, chats)
        self._name(start.chats)

    @property
    def more(self) -> bool:
        return self._chats_wanted or self._contacts_wanted or self._filling.overflowed

    async def load(self) -> None:
        """Until nothing is left, a later loading has begun, or the session is over."""
        try:
            while self.more and self._filling.wanted:
                if self._filling.overflowed:
                    # Too much has happened to tell what a page does not know yet.
                    await patiently(self._state, lambda: load(self._state, self._client))
                elif self._contacts_wanted:
                    await self._contacts()
                else:
                    await self._chats()
        except SessionEnded:
            return
        self._filling.end()

    async def _contacts(self) -> None:
        page = await patiently(self._state, lambda: self._client.contacts(self._contacts_from, PAGE))
        self._filling.go_on(page.contacts, [])
        self._contacts_from = page.next
        self._contacts_wanted = page.next is not None

    async def _chats(self) -> None:
        page = await self._page(self._chats_from)
        self._chats_from = page.next
        self._chats_wanted = page.next is not None and len(self._filling.chats) < MAX_CHATS
        # What was written in before its page was asked for stands at the front now. Once more from there,
        # and again for those that went there meanwhile; what is nowhere to be found is gone.
        sought: set[str] = set()
        while not self._chats_wanted and not self._filling.strangers <= sought and self._filling.wanted:
            sought |= self._filling.strangers
            page = await self._page(None)
            while page.next is not None and self._filling.strangers & sought and self._filling.wanted:
                page = await self._page(page.next)

    async def _page(self, before: str | None) -> c.ChatList:
        page = await patiently(self._state, lambda: self._client.chats(before, PAGE))
        self._filling.go_on([], page.chats)
        self._name(page)
        return page

    def _name(self, chats: c.ChatList | None) -> None:
        if chats is not None:
            self._state.people |= {person.account: person for person in chats.people}
