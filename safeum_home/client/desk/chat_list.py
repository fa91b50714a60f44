"""The list of chats of the terminal client: which, and in what order."""

from typing import TYPE_CHECKING

from safeum_home.client.state.chat_view import ChatView
from safeum_home.protocol.types import ContactState

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk


def listed(desk: "Desk") -> list[ChatView]:
    """The node's own, those in which something was written, and groups, the newest first, then contacts.

    What is pinned stands above the others; what is archived is left out.
    """
    state = desk.state
    written = state.chats
    known = {view.chat for view in written}
    shown = [view for view in written if not view.archived(desk.now())]
    shown.sort(key=lambda view: not view.settings.pinned)
    contacts = [each for each in state.contacts.values() if each.state is ContactState.ACCEPTED]
    empty = [view for each in contacts if each.chat not in known and (view := state.chat(each.chat))]
    return [
        *(view for view in shown if view.of_node),
        *(view for view in shown if not view.of_node),
        *sorted(
            (view for view in empty if not view.archived(desk.now())),
            key=lambda view: desk.names.title(view).casefold(),
        ),
    ]
