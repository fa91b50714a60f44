"""How things stand with those at the other end of a chat, in words."""

from typing import TYPE_CHECKING

from safeum_home.client.state.chat_view import UNKNOWN
from safeum_home.protocol.types import ContactState

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk
    from safeum_home.client.state.chat_view import ChatView

STANDING = {
    None: "not a contact: /add asks them",
    ContactState.NONE: "not a contact: /add asks them",
    ContactState.REQUESTED: "asked, no answer yet",
    ContactState.INCOMING: "asks to be your contact: /accept or /decline",
    ContactState.REMOVED: "not your contact any more: /add asks again",
    ContactState.BLOCKED: "blocked: /unblock lifts it",
    ContactState.CLOSED: "has closed the account: /remove takes the entry away",
}
"""How things stand with those that are no contacts."""


NOT_KNOWN = "your node has not said yet which chat this is: wait a moment"
"""Of a chat that may be with anybody, and have any number of people in it."""


def refusal(desk: "Desk", view: "ChatView") -> str | None:
    """Why nothing can be written into a chat with somebody; None where it can, and in groups."""
    if view.kind == UNKNOWN:
        return NOT_KNOWN
    standing = desk.standing(view)
    closed = view.kind == "direct" and standing is not ContactState.ACCEPTED
    return STANDING[standing] if closed else None
