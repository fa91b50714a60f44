"""Groups: the values that their commands, results and events are made of."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from safeum_home.protocol.types import Account, Chat, GroupRole

GroupName = Annotated[
    str,
    Meta(pattern=r"^(?=.*\S)[^\x00-\x1f\x7f]{1,64}$(?!\n)", max_length=64, description="In one line."),
]
GroupAbout = Annotated[
    str,
    Meta(pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$(?!\n)", max_length=512, description="Lines of text."),
]
SECURE_NAME: Final = "Secure chat"
"""How every secure chat is called in clear; what it is called by its members is sealed."""
GroupLink = Annotated[
    str, Meta(min_length=1, max_length=320, description="A group's link, or the part of it behind `#`.")
]
GroupState = Literal["invited", "member", "left", "removed"]
"""`left` is also said of who declined, `removed` of whose invitation was taken back."""
Invited = Annotated[
    tuple[Account, ...], Meta(max_length=100, description="Accounts whose contacts the caller is among.")
]


class GroupMember(Struct, frozen=True):
    """An entry of a group's roster. `display_name` and `address` are what members see of each other."""

    account: Account
    address: str
    display_name: str
    role: GroupRole
    state: GroupState


class Invitation(Struct, frozen=True):
    """An invitation into a group: what is told of the group before it is accepted."""

    chat: Chat
    name: str
    about: str
    by: Account
    address: str
    """Of who invited; so is `display_name`."""
    display_name: str
    members: Annotated[int, Meta(ge=0)]
    secure: bool = False
    pair: bool = False


class NotInvited(Struct, frozen=True):
    """An account that was not invited, and the error's code."""

    account: Account
    code: str
