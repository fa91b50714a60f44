"""A message of one's own, which is shown when the node has it."""

from safeum_home.client.inbox import Inbox
from safeum_home.client.message_methods import sent_message
from safeum_home.protocol import commands as c
from safeum_home.protocol.types import Message


def show(inbox: Inbox, params: c.ChatSend, sent: c.Sent, account: str) -> None:
    """Show what was sent: the newest, but for one whose first answer was lost, and which is gone since then.

    No event tells its place: the answer does, by what was written behind it.
    """
    own = sent_message(params, sent, account)
    if own is None or not inbox.once.first(Message, own.id):
        return
    before = inbox.state.chat(own.chat)
    unread = 0 if before is None else before.unread
    inbox.state.take(own)
    view = inbox.state.chat(own.chat)
    if view is not None and view.put_before(own.id, sent.before):
        # What was written behind it is as unread as it was.
        view.unread = min(unread, view.news(account, view.place(own.id) + 1))
