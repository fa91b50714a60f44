"""Groups: making them, coming and going, what members may do, and what a group says of itself.

Who may do what is in docs/groups.md; what one's role does not allow fails with `not_permitted`, and to
whoever is no member there is no such group (`not_found`).
"""

from typing import Annotated

from msgspec import Meta

from safeum_home.protocol.command import Done, Params, Result, command
from safeum_home.protocol.group_types import (
    GroupAbout,
    GroupLink,
    GroupMember,
    GroupName,
    Invitation,
    Invited,
    NotInvited,
)
from safeum_home.protocol.types import (
    Account,
    AvatarData,
    AvatarId,
    AvatarType,
    Chat,
    ChatInfo,
    ClientId,
    CursorText,
    GroupRole,
)

# As many as fit a frame at their longest.
MemberPageSize = Annotated[int, Meta(ge=1, le=50, description="How many at the most.")]


class GroupCreated(Result, frozen=True):
    """The group, and who was not invited into it."""

    chat: ChatInfo
    refused: list[NotInvited]


@command("group.create", GroupCreated, cost=5)
class GroupCreate(Params, frozen=True):
    """Make a group, whose owner one is. Idempotent: for each device and `client_id` there is one group.

    `earlier`: who joins sees what was written before. Accounts of `invite` that cannot be invited are
    named in the answer; there is a group without them.

    `secure`: a secure chat, for ever (docs/secure-chats.md). It has the name "Secure chat", nothing about it
    (`secure_only`), and takes premium (`premium_needed`). `pair`: one of two, of which `invite` names the
    other; where that one cannot be invited there is none.
    """

    client_id: ClientId
    name: GroupName
    about: GroupAbout = ""
    earlier: bool = False
    invite: Invited = ()
    secure: bool = False
    pair: bool = False


class GroupInvited(Result, frozen=True):
    """Who is invited now, or was already, is not named."""

    refused: list[NotInvited]


@command("group.invite", GroupInvited, cost=5)
class GroupInvite(Params, frozen=True):
    """Invite accounts that have the caller in their contact list.

    Fails as the first of them does where none could be invited (`not_a_contact`, `limit_reached`, and
    `wrong_member_state` for a member).
    """

    chat: Chat
    accounts: Invited


@command("group.accept", Done)
class GroupAccept(Params, frozen=True):
    """Join a group that one is invited into: consent to the messages of all its members."""

    chat: Chat


@command("group.decline", Done)
class GroupDecline(Params, frozen=True):
    """Drop an invitation."""

    chat: Chat


@command("group.leave", Done)
class GroupLeave(Params, frozen=True):
    """Be a member no more. An owner's place goes to the admin, else the member, of the longest standing.

    With its last member a group is erased.
    """

    chat: Chat


@command("group.remove", Done)
class GroupRemove(Params, frozen=True):
    """Remove a member, or take back an invitation. It takes another invitation to come back."""

    chat: Chat
    account: Account


@command("group.role", Done)
class GroupSetRole(Params, frozen=True):
    """Give a member another role. Who makes somebody the owner is an admin from then on."""

    chat: Chat
    account: Account
    role: GroupRole


@command("group.set", Done)
class GroupSet(Params, frozen=True):
    """Change what a group says of itself; what is left out (null) stays."""

    chat: Chat
    name: GroupName | None = None
    about: GroupAbout | None = None
    earlier: bool | None = None
    """Whether those who join from now on see what was written before."""


class GroupPicture(Result, frozen=True):
    """The picture is kept; `chat.updated` names it."""

    avatar: AvatarId


@command("group.avatar.set", GroupPicture)
class GroupAvatarSet(Params, frozen=True):
    """Replace a group's picture, within the bounds of `profile.avatar.set`."""

    chat: Chat
    type: AvatarType
    data: AvatarData


@command("group.avatar.remove", Done)
class GroupAvatarRemove(Params, frozen=True):
    """Let a group have no picture."""

    chat: Chat


class GroupAvatar(Result, frozen=True):
    """A picture, without metadata."""

    chat: Chat
    avatar: AvatarId
    type: AvatarType
    data: AvatarData


@command("group.avatar.get", GroupAvatar, activity=False)
class GroupAvatarGet(Params, frozen=True):
    """The picture that a group has now; for members alone."""

    chat: Chat
    avatar: AvatarId


class GroupMemberList(Result, frozen=True):
    """Members and those who are invited, in no order that means anything."""

    members: list[GroupMember]
    next: Account | None = None
    """Where to go on (`after`); null at the end."""


@command("group.members", GroupMemberList, cost=2, activity=False)
class GroupMembers(Params, frozen=True):
    """Who is in a group, or invited into it, a page at a time; or only what `accounts` are in it."""

    chat: Chat
    after: Account | None = None
    limit: MemberPageSize = 50
    accounts: Annotated[tuple[Account, ...], Meta(max_length=50)] | None = None
    """Tell of these alone, where they are (or were) in the group."""


class InvitationList(Result, frozen=True):
    """Invitations that wait for an answer, the newest first: as many as fit a frame."""

    invitations: list[Invitation]


@command("group.invitations", InvitationList, cost=2, activity=False)
class GroupInvitations(Params, frozen=True):
    """The invitations of the session's account."""


class GroupLinked(Result, frozen=True):
    """The link; null where there is none."""

    link: str | None


@command("group.link", GroupLinked)
class GroupGetLink(Params, frozen=True):
    """The link by which anybody who has it may join, as it is now."""

    chat: Chat


@command("group.link.reset", GroupLinked)
class GroupLinkReset(Params, frozen=True):
    """Make a link, or another one: the one before is good for nothing then."""

    chat: Chat


@command("group.link.revoke", Done)
class GroupLinkRevoke(Params, frozen=True):
    """Have no link."""

    chat: Chat


class GroupPreviewed(Result, frozen=True):
    """What a link tells of its group."""

    chat: Chat
    name: str
    about: str
    members: int
    member: bool
    """Whether the session's account is one already."""


@command("group.preview", GroupPreviewed, cost=2)
class GroupPreview(Params, frozen=True):
    """Which group a link is of; `not_found` where it is of none (any more)."""

    link: GroupLink


class GroupJoined(Result, frozen=True):
    """The chat that one is in now."""

    chat: Chat


@command("group.join", GroupJoined, cost=2)
class GroupJoin(Params, frozen=True):
    """Join by a link. Whoever was removed cannot (`not_permitted`): that takes an invitation."""

    link: GroupLink


class GroupReaderList(Result, frozen=True):
    """Members who have read, in no order that means anything."""

    readers: list[Account]
    next: Account | None = None
    """Where to go on (`after`); null at the end."""


@command("group.readers", GroupReaderList, cost=2, activity=False)
class GroupReaders(Params, frozen=True):
    """Which members have read a group up to the message `upto` or beyond. Who wrote it is left out."""

    chat: Chat
    upto: CursorText
    after: Account | None = None
    limit: MemberPageSize = 50
