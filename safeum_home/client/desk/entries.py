"""What the open chat of a desk holds, in the order in which it is shown."""

from typing import TYPE_CHECKING

from safeum_home.client.desk import waiting_posts
from safeum_home.client.desk.notices import Notice, Outgoing
from safeum_home.protocol.types import Message

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk
    from safeum_home.client.state.chat_view import ChatView

Entry = Message | Notice | Outgoing


def entries(desk: "Desk") -> list[Entry]:
    """In the order of the node; what it does not know stands where it came up."""
    view = desk.chat
    notices = [notice for notice in desk.notices if notice.chat == desk.current]
    if view is None:
        return list(notices)
    items = [*(item for item in desk.outbox.items if item.chat == view.chat), *desk.secure.unsent(view)]
    behind: dict[str | None, list[Notice | Outgoing]] = {}
    own: list[Notice | Outgoing] = [*notices, *(item for item in items if item.error)]
    whole = desk.state.held(view.chat) or view
    for each in sorted(own, key=lambda each: each.at):
        behind.setdefault(_place(whole, each), []).append(each)
    shown: list[Entry] = [*behind.get(None, ())]
    read = {message.id: message for message in view.messages}
    for message in whole.messages:  # of a secure chat not all of them are shown
        if message.id in read:
            shown.append(read[message.id])
        shown += behind.get(message.id, ())
    shown += waiting_posts.shown(view)
    return [*shown, *(item for item in items if not item.error)]


def _place(view: "ChatView", each: Notice | Outgoing) -> str | None:
    """The message behind which it stands; None: before all of them.

    Where the one that was the last then is not held any more, it is the last one of those that are older.
    """
    if view.place(each.after) >= 0:
        return each.after
    return next((message.id for message in reversed(view.messages) if message.at <= each.at), None)
