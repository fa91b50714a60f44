"""What members of other nodes write into a group, and how its node answers. docs/federation.md narrates it.

The event of a post is signed by the author's node, and a group's node passes it on as it is. Messages are
named by the node of their author, and the id that they have there.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from safeum_home.protocol.federation.chats import MOST_PINS, Reference
from safeum_home.protocol.federation.groups import GroupLife
from safeum_home.protocol.message_types import MOST_MENTIONS, Emoji, Forwarded, Origin
from safeum_home.protocol.scalars import Account, Milliseconds

POST = "group.post"
POSTED = "group.posted"
MESSAGE = "group.message"
CHANGE = "group.change"
REACTION = "group.reaction"
PINS = "group.pins"
PASSED_ON = frozenset((MESSAGE, CHANGE, REACTION))
"""What holds an event of its author's node."""


class Written(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="act", tag="message"
):
    """A message, whose id at the author's node is that of the event.

    `edited` with `message`: that message of the author is this now, and the id of the event is another one.
    """

    sent: Milliseconds
    body: dict[str, Any]
    reply_to: Reference | None = None
    mentions: Annotated[list[Account], Meta(max_length=MOST_MENTIONS)] = []
    forwarded: Forwarded | None = None
    edited: Milliseconds | None = None
    message: Reference | None = None
    life: GroupLife = 0


class Removed(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="act", tag="deletion"
):
    """A message is deleted, at the time of the event: the author's own, or by who may do so in the group."""

    message: Reference
    life: GroupLife = 0


class Reacting(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="act", tag="reaction"
):
    """With what the sender reacts to a message; null: with nothing any more."""

    message: Reference
    emoji: Emoji | None
    life: GroupLife = 0


class Pinning(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="act", tag="pin"
):
    """A message is to be pinned in the group, or is to be no longer."""

    message: Reference
    pinned: bool
    life: GroupLife = 0


Act = Written | Removed | Reacting | Pinning
"""`group.post`. `life` is that of the group's history in which it was written."""


class Left(Struct, frozen=True, forbid_unknown_fields=True):
    """Which message was deleted: its author, and when that wrote it."""

    message: Reference
    sender: Account
    sent: Milliseconds


class PassedOn(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`group.message`, `group.change` and `group.reaction`: the author's own event, `group.post`, as it is.

    `at` is when the group's node has it that this was written, or deleted. An event of an account at that
    very node has no signature: the one around it is of the same node. `left` is there with a deletion.
    """

    at: Milliseconds
    event: dict[str, Any]
    left: Left | None = None
    life: GroupLife = 0
    fleeting: bool = False
    """Whether it was written while the history was off: it is not kept."""


class Posted(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`group.posted`: a post was taken, and what came of it is told already; or it was refused: `code`."""

    post: Origin
    code: Annotated[str, Meta(pattern=r"^[a-z_]{1,40}$(?!\n)", max_length=40)] | None = None


class GroupPins(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`group.pins`: what is pinned, the last one at the end."""

    pinned: Annotated[list[Reference], Meta(max_length=MOST_PINS)]
    life: GroupLife = 0
