"""What nodes tell each other of direct chats: the content of their events. docs/federation.md narrates it."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from safeum_home.protocol.federation.signed import NodeName
from safeum_home.protocol.message_types import MOST_MENTIONS, Emoji, Forwarded, Origin
from safeum_home.protocol.scalars import Account, Milliseconds

MESSAGE = "chat.message"
DELETION = "chat.deletion"
MARKER = "chat.marker"
REACTION = "chat.reaction"
PINS = "chat.pins"
MOST_PINS = 20


class Reference(Struct, frozen=True, forbid_unknown_fields=True):
    """A message, by the node of its sender and the id that it has there."""

    node: NodeName
    id: Origin


class SharedMessage(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`chat.message`: what a message is now; its id at the sender's node is that of the event.

    The body is that of `chat.send`, or the stub of a message that was deleted. `reply_to` is left out where
    what was answered is there no more.
    """

    sent: Milliseconds
    body: dict[str, Any]
    reply_to: Reference | None = None
    mentions: Annotated[list[Account], Meta(max_length=MOST_MENTIONS)] = []
    forwarded: Forwarded | None = None
    edited: Milliseconds | None = None


class SharedDeletion(Struct, frozen=True, forbid_unknown_fields=True):
    """`chat.deletion`: a message was deleted, at the time of the event. It overtakes what else waits.

    Who has never heard of the message does nothing: its stub comes in its place, as a `chat.message`.
    """


class SharedMarker(Struct, frozen=True, forbid_unknown_fields=True):
    """`chat.marker`: how far the sender holds and has read what the other one wrote; null: nothing yet."""

    delivered: Reference | None
    read: Reference | None


class SharedReaction(Struct, frozen=True, forbid_unknown_fields=True):
    """`chat.reaction`: with what the sender reacts to a message; null: with nothing any more."""

    message: Reference
    emoji: Emoji | None


class SharedPins(Struct, frozen=True, forbid_unknown_fields=True):
    """`chat.pins`: what is pinned in the chat, by the sender and at the time of the event."""

    pinned: Annotated[list[Reference], Meta(max_length=MOST_PINS)]
