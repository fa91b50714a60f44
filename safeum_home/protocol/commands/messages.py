"""Messages that are there: edited, deleted, reacted to, pinned; and what an account sets for a chat."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from safeum_home.protocol.command import Params, Result, command
from safeum_home.protocol.message_types import ChatSettings, Draft, Emoji, Mentions
from safeum_home.protocol.types import Account, Body, Chat, CursorText, Message, Milliseconds


class Acted(Result, frozen=True, omit_defaults=True):
    """It is done. `waiting`: not yet; it goes to the node that orders the group, and what comes of it is told
    then."""

    waiting: bool = False


@command("message.edit", Acted)
class MessageEdit(Params, frozen=True, omit_defaults=True):
    """Change one's own message, within the node's time for that; reactions to it stay.

    The body is of the message's own kind. For a file's message it is a `text`, which is its new caption, or
    the whole body that it has with another caption, or none. Without `mentions` those stay that it has.
    """

    chat: Chat
    message: CursorText
    body: Body
    mentions: Mentions | None = None


@command("message.delete", Acted)
class MessageDelete(Params, frozen=True):
    """Delete a message for all: one's own, or in a group as its owner or an admin. A stub stays."""

    chat: Chat
    message: CursorText


@command("message.react", Acted)
class MessageReact(Params, frozen=True):
    """React to a message with one emoji, in place of an earlier one; null takes it back."""

    chat: Chat
    message: CursorText
    emoji: Emoji | None


class AccountReaction(Result, frozen=True):
    """Who reacted, and with what."""

    account: Account
    emoji: str


class ReactionList(Result, frozen=True):
    """Reactions in no order that means anything; `next` goes on (`after`), null at the end."""

    reactions: list[AccountReaction]
    next: Account | None = None


@command("message.reactions", ReactionList, cost=2, activity=False)
class MessageReactions(Params, frozen=True):
    """Who has reacted to a message, a page at a time."""

    chat: Chat
    message: CursorText
    after: Account | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


@command("chat.pin", Acted)
class ChatPin(Params, frozen=True):
    """Pin a message for all: both sides of a direct chat can, and owner and admins of a group."""

    chat: Chat
    message: CursorText


@command("chat.unpin", Acted)
class ChatUnpin(Params, frozen=True):
    """Pin it no longer."""

    chat: Chat
    message: CursorText


class PinnedList(Result, frozen=True):
    """Pinned messages, the one pinned last at the end; `next` goes on (`after`), null at the end."""

    messages: list[Message]
    next: CursorText | None = None


@command("chat.pinned", PinnedList, cost=2, activity=False)
class ListPinned(Params, frozen=True):
    """The messages that are pinned in a chat."""

    chat: Chat
    after: CursorText | None = None


class SettingsKept(Result, frozen=True):
    """What is set for the chat now."""

    settings: ChatSettings


@command("chat.settings.set", SettingsKept)
class ChatSettingsSet(Params, frozen=True, omit_defaults=True):
    """Set something for a chat, for all one's own devices. What is left out stays as it is.

    While the history of the chat is off no draft is kept: `draft_not_kept`.
    """

    chat: Chat
    muted_until: Milliseconds | UnsetType | None = UNSET
    archived: bool | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET
    draft: Draft | UnsetType | None = UNSET
