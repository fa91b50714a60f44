"""What the members of a group are called who are no contacts: asked for where they are seen."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from safeum_home.client.desk.mentions import present
from safeum_home.client.errors import ClientError
from safeum_home.protocol.types import Message, Notice

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk
    from safeum_home.client.state.chat_view import ChatView

MOST = 50
"""Accounts that are asked for at once."""
SMALL = 200
"""Members of a group that is asked for as a whole when it is opened: four pages."""


def named_in(messages: Iterable[Message]) -> list[str]:
    """The accounts that messages are of, or tell of, the newest first."""
    found: dict[str, None] = {}
    for message in reversed(list(messages)):
        body = message.body
        accounts = (body.who, body.by) if isinstance(body, Notice) else (message.sender,)
        found.update(dict.fromkeys(account for account in accounts if account is not None))
    return list(found)


def stranger(desk: "Desk", chat: str, account: str) -> bool:
    """Whether somebody of a group is not known here by any name."""
    state = desk.state
    known = account == state.account or account in state.contacts
    return not known and state.groups.known(chat, account) is None


async def learn(desk: "Desk", view: "ChatView", whole: bool = False, also: Iterable[str] = ()) -> None:
    """Ask who those are that a group's messages name, or `also`, and nobody knows here.

    `whole`: of a small group ask for everybody, so that they can be mentioned.
    """
    if view.kind != "group":
        return
    state = desk.state
    members = 0 if view.group is None else view.group.members
    if whole and len(present(desk, view)) < members <= SMALL:
        with suppress(ClientError):
            await everybody(desk, view)
            desk.refresh()
    named = dict.fromkeys([*also, *named_in(view.messages)])
    strangers = [account for account in named if stranger(desk, view.chat, account)]
    if not strangers:
        return
    with suppress(ClientError):  # then their ids are shown
        page = await desk.client.members(view.chat, accounts=strangers[:MOST])
        state.groups.listed(view.chat, page.members)
        desk.names.forget()
        desk.refresh()


async def everybody(desk: "Desk", view: "ChatView") -> None:
    """Ask for all of a group's roster. Raises `ClientError`."""
    after: str | None = None
    while True:
        page = await desk.client.members(view.chat, after)
        desk.state.groups.listed(view.chat, page.members)
        after = page.next
        if after is None:
            break
    desk.names.forget()


async def named_by_members(desk: "Desk") -> None:
    """Ask who is in the secure chats that nobody has opened here yet: they are called by who is in them."""
    for view in desk.state.chats:
        small = view.group is not None and view.group.members <= SMALL
        if view.secure and small and not present(desk, view):
            with suppress(ClientError):  # it is asked again when it is opened
                await everybody(desk, view)
                desk.refresh()
