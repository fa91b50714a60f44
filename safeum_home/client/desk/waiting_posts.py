"""What was written into a group whose node is away: shown as waiting, and what that one has refused."""

from typing import TYPE_CHECKING

from safeum_home.client.desk.notices import Outgoing
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.words.message_words import body_text
from safeum_home.client.words.text import safe, words
from safeum_home.errors import Code, Problem
from safeum_home.protocol.commands import Acted, Sent
from safeum_home.protocol.events import PostChanged

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk

_CODES = {code.code: code for code in Code}


def hub(view: ChatView) -> str:
    """The node that orders a group, as it is shown."""
    return safe(view.group.hub) if view.group is not None else "the group's node"


def shown(view: ChatView) -> list[Outgoing]:
    """The messages of this account that wait for it, in their order."""
    held = f"Waits for {hub(view)}, which orders this group."
    return [
        Outgoing(view.chat, post, body_text(message), message.at, held=held, reply_to=message.reply_to)
        for post, message in view.waiting.items()
    ]


def refused(desk: "Desk", event: PostChanged) -> None:
    """The group's node has not taken it: a message stays until it is sent again, or dropped."""
    view = desk.state.held(event.chat)
    if event.code is None or view is None or (event.message is None and event.about is None):
        return  # it waits, or its author has withdrawn it
    code = _CODES.get(event.code)
    why = safe(event.code) if code is None else words(Problem(code))
    if event.message is not None:
        desk.outbox.refuse(event.chat, body_text(event.message), f"{hub(view)} has not taken it. {why}")
    else:
        desk.tell(f"{hub(view)} has not done what you wanted with a message. {why}", "error", chat=event.chat)


async def withdraw(desk: "Desk", view: ChatView) -> int:
    """Delete what waits in a chat; how many messages that were."""
    posts = list(view.waiting)
    for post in posts:
        await desk.client.delete(view.chat, post)
    return len(posts)


def noted(desk: "Desk", view: ChatView, done: Acted | Sent) -> None:
    """Say where a command is not carried out yet."""
    if done.waiting:
        desk.note(f"{hub(view)}, which orders this group, is away: it is done when that is back.")
