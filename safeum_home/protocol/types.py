"""The values that commands, results and events are made of."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from safeum_home.protocol.files import AnyFile, File, SealedFile
from safeum_home.protocol.message_types import (
    ChatSettings,
    Deleted,
    Forwarded,
    Mentions,
    Origin,
    Reaction,
    Unknown,
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
from safeum_home.protocol.scalars import PUBLIC_KEY_PATTERN as PUBLIC_KEY_PATTERN
from safeum_home.protocol.scalars import SIGNATURE_PATTERN as SIGNATURE_PATTERN
from safeum_home.protocol.scalars import TIME_ZONE_PATTERN as TIME_ZONE_PATTERN
from safeum_home.protocol.scalars import Account as Account
from safeum_home.protocol.scalars import Address as Address
from safeum_home.protocol.scalars import Alias as Alias
from safeum_home.protocol.scalars import Chat as Chat
from safeum_home.protocol.scalars import ClientId as ClientId
from safeum_home.protocol.scalars import ContactPageSize as ContactPageSize
from safeum_home.protocol.scalars import CursorText as CursorText
from safeum_home.protocol.scalars import Device as Device
from safeum_home.protocol.scalars import Milliseconds as Milliseconds
from safeum_home.protocol.scalars import PageSize as PageSize
from safeum_home.protocol.scalars import Password as Password
from safeum_home.protocol.scalars import Pin as Pin
from safeum_home.protocol.scalars import PublicKey as PublicKey
from safeum_home.protocol.scalars import ShortLine as ShortLine
from safeum_home.protocol.scalars import ShortText as ShortText
from safeum_home.protocol.scalars import Signature as Signature
from safeum_home.protocol.scalars import TimeZone as TimeZone
from safeum_home.protocol.scalars import Token as Token
from safeum_home.protocol.scalars import Username as Username
from safeum_home.protocol.voicemail_types import Voicemail as Voicemail

MAX_SECURE = 54_614
"""Characters of the data of a `Secure`: 40,960 octets."""


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


class Secure(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="secure"
):
    """What passes in a secure chat (docs/secure-chats.md): sealed and signed by its sender's client.

    `quiet`: nobody is woken for it, and it does not count as unread. `file` is the one that it tells of, so
    that the node lets members have that: by the id that it has for them here.
    """

    data: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_-]+$(?!\n)",
            min_length=1,
            max_length=MAX_SECURE,
            description="An envelope, in base64url without padding (RFC 4648 section 5).",
        ),
    ]
    quiet: bool = False
    file: SealedFile | None = None


KnownBody = Text | LoginAlert | NumberClaim | Notice | Deleted | File | Voicemail | Secure
if TYPE_CHECKING:
    Body = KnownBody | Unknown
else:
    # Decoders take the known ones in one pass; what they refuse gets a second look in `protocol.carried`.
    Body = KnownBody
"""What a message can hold."""


def file_in(body: Body) -> AnyFile | None:
    """The file that a message has, if it has one."""
    return body.file if isinstance(body, Secure) else body if isinstance(body, File) else None


class Message(Struct, frozen=True, omit_defaults=True):
    """A message as it is delivered and as it is kept, sealed. `id` is also its cursor.

    What the node's own contacts write has a `signature` by its key (`protocol.signing`); nothing else has.
    A member that is not there stands for nothing of the kind.
    """

    id: CursorText
    chat: Chat
    sender: Account
    at: Milliseconds
    body: Body
    signature: Signature | None = None
    reply_to: CursorText | None = None
    """The message of the same chat that this one answers."""
    mentions: Mentions = ()
    forwarded: Forwarded | None = None
    """The node has copied this from another message."""
    edited: Milliseconds | None = None
    """When its author changed it last."""
    reactions: tuple[Reaction, ...] = ()
    mine: str | None = None
    """With what the account that is told this has reacted; not in what is told live: see `chat.changed`."""
    origin: Origin | None = None
    """Which id it has at the node of its sender, where that is another node than this one."""


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


ChatType = Literal["direct", "system", "support", "group", "self", "voicemail"]


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
    secure: bool = False
    """It takes what is sealed for its members, and nothing in clear: from its beginning and for ever."""
    pair: bool = False
    """A secure chat of two: nobody else can be invited."""
    seed: str = ""
    """The chat's id is a hash of it and of the hub. It begins with `secure.` or `pair.` where it is one."""


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
    pending: tuple[str, ...] = ()
    """Other nodes that are asked to erase it as well, and have not confirmed that yet."""


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
    settings: ChatSettings | None = None
    """What this account has set for the chat; null where nothing."""
    pending: tuple[str, ...] = ()
