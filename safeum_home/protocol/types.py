"""The values that commands, results and events are made of."""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from safeum_home.ids import (
    ACCOUNT_PATTERN,
    CHAT_PATTERN,
    CURSOR_PATTERN,
    DEVICE_PATTERN,
)

PUBLIC_KEY_PATTERN = r"^[A-Za-z0-9_-]{43}$(?!\n)"
SIGNATURE_PATTERN = r"^[A-Za-z0-9_-]{86}$(?!\n)"

Account = Annotated[
    str,
    Meta(pattern=ACCOUNT_PATTERN, max_length=283, description="`@<26 base32 characters>:<node>`, for ever."),
]
Device = Annotated[str, Meta(pattern=DEVICE_PATTERN, max_length=17, description="A device of an account.")]
Chat = Annotated[str, Meta(pattern=CHAT_PATTERN, max_length=27, description="A chat.")]
CursorText = Annotated[
    str,
    Meta(
        pattern=CURSOR_PATTERN,
        max_length=22,
        description="Opaque: compare for equality only. The id of a message is the cursor of its place.",
    ),
]
ClientId = Annotated[
    str,
    Meta(min_length=1, max_length=64, description="Chosen by the device, unique among all that it sends."),
]
Username = Annotated[str, Meta(min_length=1, max_length=64, description="The login, without the node.")]
Address = Annotated[str, Meta(min_length=1, max_length=320, description="`login@node`, or `login`.")]
Password = Annotated[str, Meta(min_length=1, max_length=512, description="Any text; hashed with Argon2id.")]
Token = Annotated[str, Meta(min_length=20, max_length=128, description="Proves a device; opaque.")]
Milliseconds = Annotated[int, Meta(ge=0, le=2**53 - 1, description="Milliseconds since 1970-01-01 UTC.")]
PublicKey = Annotated[
    str, Meta(pattern=PUBLIC_KEY_PATTERN, max_length=43, description="An Ed25519 key, base64url, unpadded.")
]
Signature = Annotated[
    str,
    Meta(pattern=SIGNATURE_PATTERN, max_length=86, description="An Ed25519 signature, base64url, unpadded."),
]
ShortText = Annotated[str, Meta(max_length=128)]
PageSize = Annotated[int, Meta(ge=1, le=200, description="How many at the most.")]
# As many as fit a frame at their longest.
ContactPageSize = Annotated[int, Meta(ge=1, le=50, description="How many at the most.")]


class DeviceInfo(Struct, frozen=True, forbid_unknown_fields=True):
    """What a client says of the device it runs on; kept sealed, shown to the account's owner only."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    system: Annotated[str, Meta(min_length=1, max_length=64, description="Operating system, with version.")]


class Text(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="text"):
    """Plain text."""

    text: Annotated[str, Meta(min_length=1, max_length=8192)]


class LoginAlert(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="login_alert"):
    """Written by the node's system contact after each complete login. It names no IP address."""

    device: Device
    name: str
    system: str
    at: Milliseconds


Body = Text | LoginAlert
"""What a message can hold."""


class Message(Struct, frozen=True, omit_defaults=True):
    """A message as it is delivered and as it is kept, sealed. `id` is also its cursor.

    What the node's own contacts write has a `signature` by its key (`protocol.signing`); nothing else has.
    """

    id: CursorText
    chat: Chat
    sender: Account
    at: Milliseconds
    body: Body
    signature: Signature | None = None


class ContactState(StrEnum):
    """Where a contact stands, seen from its owner."""

    REQUESTED = "requested"
    INCOMING = "incoming"
    ACCEPTED = "accepted"
    REMOVED = "removed"
    """The other side ended it, or blocked: the two look the same on purpose."""
    BLOCKED = "blocked"
    NONE = "none"
    """Not in the list (any more): sent once, in `contact.changed`, never listed."""


class Contact(Struct, frozen=True):
    """An entry of a contact list; `chat` is the direct chat with that account."""

    account: Account
    address: str
    chat: Chat
    state: ContactState
    display_name: str = ""


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """What an account shows to its contacts."""

    display_name: Annotated[str, Meta(max_length=64)] = ""
    status: Annotated[str, Meta(max_length=256)] = ""


class DeviceEntry(Struct, frozen=True):
    """A device that holds a token of the account."""

    device: Device
    name: str
    system: str
    created_at: Milliseconds
    current: bool
    connected: bool


class ChatSummary(Struct, frozen=True):
    """A chat as a list shows it. Markers are message ids; null where nothing was yet."""

    chat: Chat
    kind: Literal["direct", "system", "support"]
    peer: Account
    address: str
    display_name: str
    last: Message | None
    unread: Annotated[int, Meta(ge=0, le=100, description="Unread messages; 100 means 100 or more.")]
    read: CursorText | None
    """Up to where this account has read."""
    peer_delivered: CursorText | None
    peer_read: CursorText | None
