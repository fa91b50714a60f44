"""The commands of groups as typed methods."""

from collections.abc import Awaitable, Iterable

from safeum_home.client.methods.client_ids import new_client_id
from safeum_home.client.methods.methods import Methods, cleaned
from safeum_home.protocol import commands as c
from safeum_home.protocol.commands.conferences import ConferenceGet, ConferenceState
from safeum_home.protocol.types import GroupRole


class GroupMethods(Methods):
    """What a client does with groups: docs/groups.md says who may do what."""

    def create_group(
        self,
        name: str,
        invite: Iterable[str] = (),
        about: str = "",
        earlier: bool = False,
        client_id: str | None = None,
        *,
        secure: bool = False,
        pair: bool = False,
    ) -> Awaitable[c.GroupCreated]:
        """Make a group and invite accounts that are contacts; to try again, pass the first `client_id`.

        For `secure` ones, and a `pair` of two, use `SecureChats.start`.
        """
        known = client_id or new_client_id(self._milliseconds())
        params = c.GroupCreate(known, name, about, earlier, tuple(invite), secure, pair)
        return self._ask(params, c.GroupCreated)

    def invite_to_group(self, chat: str, accounts: Iterable[str]) -> Awaitable[c.GroupInvited]:
        """Invite contacts; the answer names those who were not invited, and why."""
        return self._ask(c.GroupInvite(chat, tuple(accounts)), c.GroupInvited)

    def invitations(self) -> Awaitable[c.InvitationList]:
        """The groups that this account is invited into; `state.groups.invitations` holds them then."""
        return self._ask(c.GroupInvitations(), c.InvitationList)

    def accept_invitation(self, chat: str) -> Awaitable[c.Done]:
        """Join a group that one is invited into."""
        return self._ask(c.GroupAccept(chat), c.Done)

    def decline_invitation(self, chat: str) -> Awaitable[c.Done]:
        """Drop an invitation."""
        return self._ask(c.GroupDecline(chat), c.Done)

    def leave_group(self, chat: str) -> Awaitable[c.Done]:
        """Be a member no more; with the last one the group is erased."""
        return self._ask(c.GroupLeave(chat), c.Done)

    def remove_from_group(self, chat: str, account: str) -> Awaitable[c.Done]:
        """Remove a member, or take back an invitation."""
        return self._ask(c.GroupRemove(chat, account), c.Done)

    def set_role(self, chat: str, account: str, role: GroupRole) -> Awaitable[c.Done]:
        """Give a member another role; `owner` passes the group on."""
        return self._ask(c.GroupSetRole(chat, account, role), c.Done)

    def members(
        self,
        chat: str,
        after: str | None = None,
        limit: int = 50,
        accounts: Iterable[str] | None = None,
    ) -> Awaitable[c.GroupMemberList]:
        """A page of a group's roster, or what `accounts` are in it."""
        alone = None if accounts is None else tuple(accounts)
        return self._ask(c.GroupMembers(chat, after, limit, alone), c.GroupMemberList)

    def readers(self, chat: str, upto: str, after: str | None = None) -> Awaitable[c.GroupReaderList]:
        """A page of the members who have read a group up to a message."""
        return self._ask(c.GroupReaders(chat, upto, after), c.GroupReaderList)

    def set_group(
        self,
        chat: str,
        name: str | None = None,
        about: str | None = None,
        earlier: bool | None = None,
    ) -> Awaitable[c.Done]:
        """Change what a group says of itself; what is not given stays."""
        return self._ask(c.GroupSet(chat, name, about, earlier), c.Done)

    def set_group_avatar(self, chat: str, data: bytes) -> Awaitable[c.GroupPicture]:
        """Replace a group's picture, as `set_avatar` does one's own."""
        picture = cleaned(data)
        return self._ask(c.GroupAvatarSet(chat, picture.type, picture.data), c.GroupPicture)

    def remove_group_avatar(self, chat: str) -> Awaitable[c.Done]:
        """Let a group have no picture."""
        return self._ask(c.GroupAvatarRemove(chat), c.Done)

    def group_avatar(self, chat: str, avatar: str) -> Awaitable[c.GroupAvatar]:
        """The picture that a group's `chat.updated` names."""
        return self._ask(c.GroupAvatarGet(chat, avatar), c.GroupAvatar)

    def group_link(self, chat: str) -> Awaitable[c.GroupLinked]:
        """The link by which anybody who has it may join; None where there is none."""
        return self._ask(c.GroupGetLink(chat), c.GroupLinked)

    def reset_group_link(self, chat: str) -> Awaitable[c.GroupLinked]:
        """Make a link, or another one."""
        return self._ask(c.GroupLinkReset(chat), c.GroupLinked)

    def revoke_group_link(self, chat: str) -> Awaitable[c.Done]:
        """Have no link."""
        return self._ask(c.GroupLinkRevoke(chat), c.Done)

    def preview_group(self, link: str) -> Awaitable[c.GroupPreviewed]:
        """Which group a link is of."""
        return self._ask(c.GroupPreview(link), c.GroupPreviewed)

    def join_group(self, link: str) -> Awaitable[c.GroupJoined]:
        """Join by a link."""
        return self._ask(c.GroupJoin(link), c.GroupJoined)

    def conference_of(self, chat: str) -> Awaitable[ConferenceState]:
        """Which conference goes on in a group, and who is in it."""
        return self._ask(ConferenceGet(chat), ConferenceState)
