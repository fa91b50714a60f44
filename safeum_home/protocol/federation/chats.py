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
HISTORY = "chat.history"
ERASED = "chat.erased"
MOST_PINS = 20
Life = Annotated[
    # So far below what canonical JSON can hold that one's own next number can be told, whatever was heard.
    list[Annotated[int, Meta(ge=0, le=2**52)]],
    Meta(
        max_length=2,
        description="When each of the two members, in the order of their ids, has switched the history off"
        " last; 0: never. Left out where nobody ever has.",
    ),
]


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
    life: Life = []
    fleeting: bool = False
    """Whether it was written while the history was off: it is not kept."""


class SharedDeletion(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`chat.deletion`: a message was deleted, at the time of the event. It overtakes what else waits.

    Who has never heard of the message does nothing: its stub comes in its place, as a `chat.message`.
    """

    life: Life = []


class SharedMarker(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`chat.marker`: how far the sender holds and has read what the other one wrote; null: nothing yet."""

    delivered: Reference | None
    read: Reference | None
    life: Life = []


class SharedReaction(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`chat.reaction`: with what the sender reacts to a message; null: with nothing any more."""

    message: Reference
    emoji: Emoji | None
    life: Life = []


class SharedPins(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`chat.pins`: what is pinned in the chat, by the sender and at the time of the event."""

    pinned: Annotated[list[Reference], Meta(max_length=MOST_PINS)]
    life: Life = []


class SharedHistory(Struct, frozen=True, forbid_unknown_fields=True):
    """`chat.history`: in which life the history is, and whether messages are kept in it. It overtakes all."""

    life: Life
    kept: bool


class SharedErasure(Struct, frozen=True, forbid_unknown_fields=True):
    """`chat.erased`: the node of the sender has destroyed the key of all that was written before `life`.

    It was kept under epochs of that node's keyring up to `epoch`, whose keys are destroyed; `at` is when the
    history was switched there. Whoever keeps the event has a receipt.
    """

    life: Life
    epoch: Annotated[int, Meta(ge=1, le=2**53 - 1)]
