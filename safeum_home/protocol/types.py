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
from safeum_home.protocol.profile_types import MAX_AVATAR as MAX_AVATAR
from safeum_home.protocol.profile_types import MAX_AVATAR_SIDE as MAX_AVATAR_SIDE
from safeum_home.protocol.profile_types import AboutText as AboutText
from safeum_home.protocol.profile_types import AvatarData as AvatarData
from safeum_home.protocol.profile_types import AvatarId as AvatarId
from safeum_home.protocol.profile_types import AvatarType as AvatarType
from safeum_home.protocol.profile_types import DisplayName as DisplayName
from safeum_home.protocol.profile_types import OwnProfile as OwnProfile
from safeum_home.protocol.profile_types import Profile as Profile
from safeum_home.protocol.profile_types import ProfileField as ProfileField
from safeum_home.protocol.profile_types import ProfileFields as ProfileFields
from safeum_home.protocol.profile_types import ShownField as ShownField
from safeum_home.protocol.profile_types import StatusText as StatusText

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
Alias = Annotated[
    str,
    Meta(min_length=1, max_length=283, description="The login, the number (E.164), or the account's own id."),
]
Address = Annotated[str, Meta(min_length=1, max_length=320, description="`login@node`, or `login`.")]
Password = Annotated[str, Meta(min_length=1, max_length=512, description="Any text; hashed with Argon2id.")]
Pin = Annotated[
    str, Meta(pattern=r"^[0-9]{6,12}$(?!\n)", max_length=12, description="Digits that close the account.")
]
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


# Without control characters, which take six octets each, a list of devices fits a frame at its longest.
ShortLine = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,32}$(?!\n)", max_length=32)]
TIME_ZONE_PATTERN = r"^(?=.{1,40}$)[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}$(?!\n)"
TimeZone = Annotated[
    str,
    Meta(pattern=TIME_ZONE_PATTERN, max_length=40, description="A name as in IANA's time zone database."),
]


class DeviceType(StrEnum):
    """What kind of thing a device is."""

    PHONE = "phone"
    TABLET = "tablet"
    DESKTOP = "desktop"
    WEB = "web"
    BOT = "bot"
    OTHER = "other"


class DeviceInfo(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a client says of the device it runs on; kept sealed, shown to the account's owner only."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    system: Annotated[str, Meta(min_length=1, max_length=64, description="Operating system, with version.")]
    type: DeviceType | None = None
    model: ShortLine | None = None
    region: ShortLine | None = None
    """Where it is, as far as its owner wants that said: `DE`, `Bavaria`."""
    time_zone: TimeZone | None = None


class Text(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="text"):
    """Plain text."""

    text: Annotated[str, Meta(min_length=1, max_length=8192)]


class LoginAlert(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="login_alert"):
    """Written by the node's system contact after each complete login. It names no IP address."""

    device: Device
    name: str
    system: str
    at: Milliseconds


class NumberClaim(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="number_claim"):
    """Written by the node's system contact when somebody else has proved to hold the account's number.

    `claimed`: the number goes to a new account after `until`, unless this one is used before, or says
    `number.keep`. `moved`: it has gone; from now on the account's own id is what its owner logs in with.
    """

    state: Literal["claimed", "moved"]
    at: Milliseconds
    until: Milliseconds | None = None


class Notice(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="notice"
):
    """Written by the node's system contact into a group: what has become of it.

    `who` it happened to, `by` whom it was done, `text` what it is called now. docs/groups.md has the
    actions; of one that a client does not know it shows the name.
    """

    action: Annotated[str, Meta(pattern=r"^[a-z_]{1,32}$(?!\n)", max_length=32)]
    who: Account | None = None
    by: Account | None = None
    text: str | None = None


Body = Text | LoginAlert | NumberClaim | Notice
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
    CLOSED = "closed"
    """The account was closed for ever: the chat with it is erased on the node, and wiped by clients."""
    NONE = "none"
    """Not in the list (any more): sent once, in `contact.changed`, never listed."""


class Contact(Struct, frozen=True):
    """An entry of a contact list; `chat` is the direct chat with that account."""

    account: Account
    address: str
    chat: Chat
    state: ContactState
    display_name: str = ""


class DeviceEntry(Struct, frozen=True):
    """A device that holds a token of the account."""

    device: Device
    name: str
    system: str
    created_at: Milliseconds
    current: bool
    connected: bool
    type: DeviceType | None = None
    model: str | None = None
    region: str | None = None
    time_zone: str | None = None
    address: str | None = None
    """The IP address of its present connection; null where it is not connected. It is kept nowhere."""


ChatType = Literal["direct", "system", "support", "group", "self"]


class GroupInfo(Struct, frozen=True):
    """What a group says of itself. `earlier`: who joins sees what was written before."""

    hub: str
    """The node that orders its messages."""
    name: str
    about: str
    avatar: AvatarId | None
    earlier: bool
    members: Annotated[int, Meta(ge=0)] = 0
    """How many there are; `group.member` tells of each change."""


GroupRole = Literal["member", "admin", "owner"]


class ChatInfo(Struct, frozen=True):
    """What a chat is now."""

    chat: Chat
    kind: ChatType
    history: bool = True
    """Whether messages are kept; else they live until they were delivered."""
    erased: CursorText | None = None
    """Everything up to here was erased, and is to be wiped; null where nothing was."""
    pinned: tuple[CursorText, ...] = ()
    """Ids of messages, the one pinned last at the end."""
    group: GroupInfo | None = None


class ChatSummary(Struct, frozen=True):
    """A chat as a list shows it. Markers are message ids; null where nothing was yet.

    The members of `ChatInfo` are among its own.
    """

    chat: Chat
    kind: ChatType
    peer: Account | None
    """The account at the other end; null in a group, and in a chat with oneself."""
    address: str
    display_name: str
    last: Message | None
    unread: Annotated[int, Meta(ge=0, le=100, description="Unread ones of the newest 100 messages.")]
    read: CursorText | None
    """Up to where this account has read."""
    peer_delivered: CursorText | None
    peer_read: CursorText | None
    history: bool = True
    erased: CursorText | None = None
    pinned: tuple[CursorText, ...] = ()
    group: GroupInfo | None = None
    role: GroupRole | None = None
    """What this account may do in a group; null in other chats."""
