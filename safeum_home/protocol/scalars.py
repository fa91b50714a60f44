"""The plain values that commands, results and events are made of: ids, times, keys, and texts with bounds."""

from typing import Annotated

from msgspec import Meta

from safeum_home.ids import ACCOUNT_PATTERN, CHAT_PATTERN, CURSOR_PATTERN, DEVICE_PATTERN

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
