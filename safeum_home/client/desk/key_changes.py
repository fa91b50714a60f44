"""That somebody's public keys are others now, in the chats where it matters."""

from contextlib import suppress
from typing import TYPE_CHECKING

from safeum_home.client.errors import ClientError
from safeum_home.protocol.events import KeysChanged
from safeum_home.protocol.key_types import short_hash
from safeum_home.spawn import spawn

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk
    from safeum_home.client.state.chat_view import ChatView

OF_SOMEBODY = "⚠ The security key of {name} has changed: {before} -> {after}"
ONE_S_OWN = "⚠ Your security key has changed: {before} -> {after}. If nobody of yours has done that: /devices"


def changed(desk: "Desk", event: KeysChanged) -> None:
    """Say it in every chat with the account, of groups as soon as it is known that it is in them."""
    if desk.keys_since.get(event.account) == event.at:
        return  # told again, as the account has come into a chat
    desk.keys_since[event.account] = event.at
    before, after = short_hash(event.before), short_hash(event.after)
    if event.account == desk.state.account:
        secure = desk.secure.chats
        if secure is not None and secure.is_own(event.after):
            return  # this program has put them in force, or has them, too
        desk.tell(ONE_S_OWN.format(before=before, after=after), "error")
        return
    text = OF_SOMEBODY.format(name=desk.names.name(event.account), before=before, after=after)
    # Secure chats that are open have their own word for it, which says what to do.
    direct = {view.chat for view in desk.state.chats if view.peer == event.account}
    if (contact := desk.state.contacts.get(event.account)) is not None:
        direct.add(contact.chat)
    for chat in sorted(direct):
        desk.tell(text, "error", chat)
    if desk.current not in direct:
        desk.banner = text
    spawn(_in_groups(desk, event.account, text), "looking for groups of somebody whose keys have changed")


async def _in_groups(desk: "Desk", account: str, text: str) -> None:
    for view in [view for view in desk.state.chats if view.kind == "group" and desk.secure.of(view) is None]:
        if await _is_member(desk, view, account) and desk.state.held(view.chat) is not None:
            desk.tell(text, "error", view.chat)


async def _is_member(desk: "Desk", view: "ChatView", account: str) -> bool:
    groups = desk.state.groups
    if groups.known(view.chat, account) is None:
        with suppress(ClientError):
            page = await desk.client.members(view.chat, accounts=[account])
            groups.listed(view.chat, page.members)
    member = groups.known(view.chat, account)
    return member is not None and member.state == "member"
