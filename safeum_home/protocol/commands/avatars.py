"""Pictures of accounts."""

from safeum_home.protocol.command import Done, Params, Result, command
from safeum_home.protocol.types import Account, AvatarData, AvatarId, AvatarType


class AvatarKept(Result, frozen=True):
    """The picture is kept; contacts find its id in the profile."""

    avatar: AvatarId


@command("profile.avatar.set", AvatarKept)
class AvatarSet(Params, frozen=True):
    """Replace one's picture: at most 40 KiB (`data` is base64) and 512x512 pixels, not animated.

    Metadata is taken out, the pixels are left as they are.
    """

    type: AvatarType
    data: AvatarData


@command("profile.avatar.remove", Done)
class AvatarRemove(Params, frozen=True):
    """Have no picture."""


class AvatarResult(Result, frozen=True):
    """A picture, without metadata."""

    account: Account
    avatar: AvatarId
    type: AvatarType
    data: AvatarData


@command("profile.avatar.get", AvatarResult, activity=False)
class AvatarGet(Params, frozen=True):
    """The picture that a contact's profile names now, or one's own (no `account`)."""

    avatar: AvatarId
    account: Account | None = None
