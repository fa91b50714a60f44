"""What a client knows of its groups: invitations, and rosters as far as they were asked for."""

from collections.abc import Iterable

from msgspec.structs import replace

from safeum_home.client.state.chat_view import ChatView
from safeum_home.protocol.events import GroupInvitation, MemberChanged
from safeum_home.protocol.group_types import GroupMember, Invitation

MAX_ROSTERS = 50
"""Groups whose rosters are held; one that was not asked for longest makes room."""
MAX_ROSTER = 4_000
"""People who are held of one: twice what a group has. Who was told of longest ago makes room."""
MAX_INVITATIONS = 1_000


class GroupState:
    """`rosters` are what was asked for or told of members, by account; kept current by events."""

    def __init__(self) -> None:
        self.invitations: dict[str, Invitation] = {}
        """By chat; the newest is the last."""
        self._newer: set[str] | None = None  # while invitations are being asked for
        self.rosters: dict[str, dict[str, GroupMember]] = {}

    def begin(self) -> set[str]:
        """Invitations are being asked for; what comes meanwhile is newer than the answer."""
        self._newer = early = set[str]()
        return early

    def build(self, early: set[str], invitations: Iterable[Invitation]) -> None:
        """These are the invitations, the newest first, but for what has come since `begin`."""
        kept = {chat: one for chat, one in self.invitations.items() if chat in early}
        listed = {one.chat: one for one in reversed(list(invitations)) if one.chat not in early}
        self.invitations = {**listed, **kept}
        if self._newer is early:
            self._newer = None
        self._bound()

    def invited(self, event: GroupInvitation) -> None:
        """One is invited, or the group has another name: that changes no order."""
        chat = event.invitation.chat
        if self._newer is not None:
            self._newer.add(chat)
        self.invitations[chat] = event.invitation
        self._bound()

    def answered(self, chat: str) -> None:
        """An invitation is over."""
        if self._newer is not None:
            self._newer.add(chat)
        self.invitations.pop(chat, None)

    def _bound(self) -> None:
        while len(self.invitations) > MAX_INVITATIONS:
            del self.invitations[next(iter(self.invitations))]

    def listed(self, chat: str, members: Iterable[GroupMember]) -> None:
        """A part of a roster has come."""
        held = self.rosters.pop(chat, {})
        self.rosters[chat] = held
        # Whoever left is kept: its messages are still there.
        for member in members:
            held.pop(member.account, None)
            held[member.account] = member
        while len(held) > MAX_ROSTER:
            del held[next(iter(held))]
        while len(self.rosters) > MAX_ROSTERS:
            del self.rosters[next(iter(self.rosters))]

    def member(self, event: MemberChanged, view: ChatView | None) -> None:
        """Somebody's place in a group is another now; `view` is the chat, where it is known."""
        self.listed(event.chat, [event.member])
        if view is not None and view.group is not None:
            view.group = replace(view.group, members=event.members)

    def drop(self, chat: str) -> None:
        """The account is not in that group any more."""
        self.answered(chat)
        self.rosters.pop(chat, None)

    def anywhere(self, account: str) -> GroupMember | None:
        """What is known of an account in any group."""
        rosters = (roster for roster in self.rosters.values() if account in roster)
        return next((roster[account] for roster in rosters), None)

    def known(self, chat: str, account: str) -> GroupMember | None:
        """What is known of an account in a group."""
        return self.rosters.get(chat, {}).get(account)
