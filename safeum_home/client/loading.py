"""Filling what a client shows from what the node holds."""

from msgspec import Struct

from safeum_home.client.group_methods import GroupMethods
from safeum_home.client.state import MAX_CHATS, State
from safeum_home.protocol.types import ChatSummary, Contact


async def load(state: State, client: GroupMethods) -> None:
    """Fill `state` from the node: one's own profile, all contacts, and the newest chats."""
    early = state.begin()
    try:
        await _load(state, client, early)
    except BaseException:
        state.abandon(early)
        raise


async def _load(state: State, client: GroupMethods, early: list[Struct]) -> None:
    own = await client.profile()
    state.account, state.address = own.account, own.address
    contacts: list[Contact] = []
    after: str | None = None
    while True:
        listed = await client.contacts(after)
        contacts += listed.contacts
        after = listed.next
        if after is None:
            break
    chats: list[ChatSummary] = []
    before: str | None = None
    while True:
        page = await client.chats(before, 50)
        chats += page.chats
        before = page.next
        if before is None or len(chats) >= MAX_CHATS:
            break
    state.build(early, own.profile, contacts, chats)


async def load_invitations(state: State, client: GroupMethods) -> None:
    """The groups that one is invited into: after `load`, and after a `LinkChanged` with `reset`."""
    early = state.groups.begin()
    listed = await client.invitations()
    state.groups.build(early, listed.invitations)
