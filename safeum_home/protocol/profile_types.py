"""What an account says of itself, and pictures: values of commands, results and events."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from safeum_home.ids import AVATAR_PATTERN

DisplayName = Annotated[str, Meta(max_length=64)]
StatusText = Annotated[str, Meta(max_length=256)]
AboutText = Annotated[str, Meta(max_length=2048)]


class ShownField(Struct, frozen=True):
    """Something that an account says of itself: `Birthday`, `10 December`."""

    label: str
    value: str


class ProfileField(ShownField, frozen=True, forbid_unknown_fields=True):
    """The same as it is set, within its bounds."""

    label: Annotated[str, Meta(min_length=1, max_length=32)]
    value: Annotated[str, Meta(min_length=1, max_length=256)]


ProfileFields = Annotated[tuple[ProfileField, ...], Meta(max_length=8)]
AvatarId = Annotated[
    str,
    Meta(
        pattern=AVATAR_PATTERN,
        max_length=27,
        description="A picture: the same picture of the same account has the same id.",
    ),
]
AvatarType = Literal["image/jpeg", "image/png", "image/webp"]
MAX_AVATAR = 40 * 1024
"""Octets: in base64 they fit a frame."""
MAX_AVATAR_SIDE = 512
"""Pixels."""
AvatarData = Annotated[bytes, Meta(min_length=1, max_length=MAX_AVATAR)]


class OwnProfile(Struct, frozen=True, forbid_unknown_fields=True):
    """What an account's owner says of it. The picture and the number are set by other means."""

    display_name: DisplayName = ""
    status: StatusText = ""
    about: AboutText = ""
    fields: ProfileFields = ()
    show_safenum: bool = False
    """Whether contacts are shown the account's SafeNUM."""


class Profile(Struct, frozen=True):
    """A profile as it is shown: to contacts, and to its owner.

    Two members depend on who looks. `safenum` is null for contacts unless the owner shows it, and the
    owner always sees it; `show_safenum` is null for contacts.
    """

    display_name: str = ""
    status: str = ""
    about: str = ""
    fields: tuple[ShownField, ...] = ()
    avatar: AvatarId | None = None
    safenum: str | None = None
    """The account's SafeNUM; null also where it has none."""
    show_safenum: bool | None = None
