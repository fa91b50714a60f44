"""Chats: lists, messages, history, receipts and typing."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.protocol.command import Done, Params, Result, command
from safeum_home.protocol.message_types import ForwardFrom, Mentions
from safeum_home.protocol.types import (
    Account,
    Body,
    Chat,
    ChatSummary,
    ClientId,
    CursorText,
    Message,
    Milliseconds,
    PageSize,
)


class Named(Struct, frozen=True):
    """What somebody in a group is called, be it a contact or not."""

    account: Account
    address: str
    display_name: str


class ChatList(Result, frozen=True):
    """Chats, newest first.

    `people` are of the groups among them: who wrote last, and all members of groups of five or fewer.
    """

    chats: list[ChatSummary]
    next: CursorText | None = None
    """Where to go on (`before`); null at the end."""
    people: list[Named] = []


@command("chat.list", ChatList, cost=10, activity=False)
class ListChats(Params, frozen=True):
    """The chats that hold a message, newest first, a page at a time.

    A group, and a chat whose history was erased, is there without one too.
    """

    before: CursorText | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 25


class Sent(Result, frozen=True, omit_defaults=True):
    """The message is on disk. The same `client_id` sent again gets the same answer.

    `erased`: it was, with all the history of its chat, before it was sent again, or the account is not in the
    chat any more; it is not to be shown.
    `before`: it is gone, since all devices hold it, before it was sent again; this is the next message of
    the chat that the node has, and stands behind it. `waiting`: it waits for another node, which orders the
    group, and has no place in the chat yet: the `chat.message` that tells of it has this id as its `origin`.
    """

    id: CursorText
    at: Milliseconds
    erased: bool = False
    before: CursorText | None = None
    waiting: bool = False


@command("chat.send", Sent)
class ChatSend(Params, frozen=True, omit_defaults=True):
    """Write into a chat. Idempotent: for each device and `client_id` there is one message.

    The body is a `text`; a `file` that was uploaded for this chat or that the account can see in another
    one; or of a kind that the node does not know, which it carries as it is; other kinds are the node's own.
    Or there is none, and the node copies the message that `forward` names.
    """

    chat: Chat
    client_id: ClientId
    body: Body | None = None
    reply_to: CursorText | None = None
    """A message of the same chat; one that was deleted, or that all devices hold and the node no more, is as
    good."""
    mentions: Mentions = ()
    forward: ForwardFrom | None = None


class History(Result, frozen=True, omit_defaults=True):
    """Messages, oldest first.

    `waiting`, with the newest ones: what this account has written, in its order, and waits for the node that
    orders the group.
    """

    messages: list[Message]
    more: bool
    """Whether there are older ones."""
    waiting: list[Message] = []


@command("chat.history", History, cost=2)
class ChatHistory(Params, frozen=True):
    """The messages before `before` (or the newest)."""

    chat: Chat
    before: CursorText | None = None
    limit: PageSize = 50


@command("chat.read", Done)
class ChatRead(Params, frozen=True):
    """Everything up to the message `upto` was read here."""

    chat: Chat
    upto: CursorText


@command("chat.typing", Done)
class ChatTyping(Params, frozen=True):
    """Typing started or stopped; forgotten after 6 seconds. Best sent as a notification."""

    chat: Chat
    active: bool = True
