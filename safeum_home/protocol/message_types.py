"""What a message bears besides its body, what stays of a deleted one, and bodies of unknown kinds."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from safeum_home.protocol.scalars import Account, CursorText, Milliseconds

MOST_MENTIONS = 20
MOST_REACTIONS = 20
"""Different ones to one message."""
MAX_EMOJI = 40
"""Octets: the longest emoji has 35."""
MAX_DRAFT = 4096
"""Characters."""

Emoji = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_EMOJI, description="One emoji, of those recommended for interchange."),
]
Mentions = Annotated[tuple[Account, ...], Meta(max_length=MOST_MENTIONS, description="Members of the chat.")]
Origin = Annotated[
    str, Meta(min_length=1, max_length=64, description="The id of a message at the node of its sender.")
]
_encoder = msgspec.json.Encoder(order="sorted")


class Unknown(dict[str, Any]):
    """A body of a kind that is not known here: a JSON object, carried as it is.

    Whoever shows it says that, and shows its `text` where it has one. It comes from a stranger.
    """

    @property
    def kind(self) -> str:
        return self._text("kind")

    @property
    def text(self) -> str:
        """What its sender wants those to see who do not know the kind; empty where there is nothing."""
        return self._text("text")

    @property
    def octets(self) -> bytes:
        """Its canonical JSON (RFC 8785)."""
        return _encoder.encode(dict(self))

    def __hash__(self) -> int:  # type: ignore[override]  # whoever has one leaves it as it is
        return hash(self.octets)

    def _text(self, name: str) -> str:
        value = self.get(name)
        return value if isinstance(value, str) else ""


class Deleted(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="deleted"):
    """What stays of a message that was deleted for all: `by` whom, and when."""

    by: Account
    at: Milliseconds


class Reaction(Struct, frozen=True):
    """An emoji with which members have reacted, and how many of them."""

    emoji: str
    count: Annotated[int, Meta(ge=1)]


class Forwarded(Struct, frozen=True, omit_defaults=True):
    """A message is a copy that the node made of another one, which was written `at` that time.

    `author` wrote it; it is named only where all who can see the copy know that account anyway: it is a
    member of the chat, or the chat is one with oneself.
    """

    at: Milliseconds
    author: Account | None = None


class ForwardFrom(Struct, frozen=True, forbid_unknown_fields=True):
    """A message that is to be forwarded: one that the account can see."""

    chat: Annotated[str, Meta(max_length=27)]
    message: CursorText


class Draft(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What somebody has begun to write into a chat, for all devices of the account."""

    text: Annotated[str, Meta(max_length=MAX_DRAFT)]
    reply_to: CursorText | None = None


class ChatSettings(Struct, frozen=True, omit_defaults=True):
    """What an account has set for a chat; its own devices alone are told.

    `muted_until`: no notice is given before that time; 2^53-1 is for ever. `archived` is the message that
    was the last one when the chat was archived: it is shown as archived for as long as that is its last
    message, and while it is muted. So a new message brings it back, on every device.
    """

    muted_until: Milliseconds | None = None
    archived: CursorText | None = None
    pinned: bool = False
    """Whether it stands above the others in the list of chats."""
    draft: Draft | None = None
