"""Who gets into a group, and who may be asked to: consent, and bounds."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from safeum_home.chats.groups.draft import Draft
from safeum_home.chats.groups.roster import Role, RosterState
from safeum_home.config import LimitSection
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder
from safeum_home.protocol.federation.events import node_of
from safeum_home.storage import accounts, chats, contacts, roster
from safeum_home.storage.contacts import ACCEPTED

JOINING = 4
"""Positions that it takes to join: `Draft.join`."""


@dataclass(slots=True)
class GroupLimits:
    """How large groups are, and how much one account does. `descriptions`: of what a group says."""

    section: LimitSection
    invitations: RateLimit
    changes: RateLimit
    descriptions: RateLimit

    @classmethod
    def of(cls, section: LimitSection, now: Callable[[], float]) -> "GroupLimits":
        rate, burst = section.group_invitations_per_account, section.group_invitations_per_account_burst
        changes = RateLimit(section.group_changes_per_account, section.group_changes_per_account_burst, now)
        descriptions = RateLimit(
            section.group_descriptions_per_account, section.group_descriptions_per_account_burst, now
        )
        return cls(section, RateLimit(rate, burst, now), changes, descriptions)


class GroupEntrance:
    """Whether somebody may be invited, or join: inside a transaction."""

    def __init__(
        self, node: str, blinder: Blinder, limits: GroupLimits, reaches: Callable[[str], bool]
    ) -> None:
        """`reaches`: whether this node has to do with another one."""
        self._node = node
        self._blinder = blinder
        self._reaches = reaches
        self.limits = limits

    def is_here(self, account: AccountId) -> bool:
        """Whether an account is of this node."""
        return node_of(account) == self._node

    def check_across(self, account: AccountId) -> None:
        """Whether somebody of another node can be in a group; raises `not_a_contact`."""
        if not self.is_here(account) and not self._reaches(node_of(account)):
            raise Problem(Code.NOT_A_CONTACT)

    def check_room(self, c: Connection, account: AccountId) -> None:
        """Whether an account may be in one more group; raises `not_found` where it was closed.

        Of an account of another node it is looked at the groups that are known here.
        """
        blind = self._blinder.account(account)
        if self.is_here(account) and not accounts.exists(c, blind):
            raise Problem(Code.NOT_FOUND)
        if roster.count_own(c, blind, RosterState.MEMBER) >= self.limits.section.groups:
            raise Problem(Code.LIMIT_REACHED, "groups")

    def check_consent(self, c: Connection, account: AccountId, by: AccountId) -> None:
        """Whether `by` may invite an account; raises `not_a_contact`."""
        blind = self._blinder.account(account)
        side = contacts.contact(c, blind, self._blinder.account(by))
        # Who was blocked, and who never was a contact, is in no list either.
        if side is None or side.state != ACCEPTED:
            raise Problem(Code.NOT_A_CONTACT)
        if self.is_here(account) and not accounts.exists(c, blind):
            raise Problem(Code.NOT_A_CONTACT)

    def admit(self, draft: Draft, account: AccountId, by: AccountId | None) -> None:
        """Let an account join; raises `group_full` and `limit_reached`."""
        self.check_across(account)
        self.check_room(draft.c, account)
        if draft.people() >= self.limits.section.group_members:
            raise Problem(Code.GROUP_FULL)
        # Of a pair both are owners: neither removes the other, and each can have the history erased.
        draft.join(account, by, Role.OWNER if draft.group.pair else Role.MEMBER)

    def invite(self, draft: Draft, account: AccountId, by: AccountId) -> None:
        """Let `by` invite an account: again is the same.

        Raises `wrong_member_state` for a member, `not_a_contact` and `limit_reached`. Where both are of other
        nodes that of the one who is invited knows whether they are in contact: it refuses the invitation.
        """
        found = draft.entry(account)
        if found is not None and found.state is RosterState.MEMBER:
            raise Problem(Code.WRONG_MEMBER_STATE)
        if found is not None and found.state is RosterState.INVITED:
            return
        blind = self._blinder.account(account)
        self.check_across(account)
        if self.is_here(account) or self.is_here(by):
            self.check_consent(draft.c, account, by)
        section = self.limits.section
        if roster.count_invited(draft.c, draft.chat.blind) >= section.group_open_invitations:
            raise Problem(Code.LIMIT_REACHED, "invitations of this group")
        if roster.count_own(draft.c, blind, RosterState.INVITED) >= section.invitations:
            raise Problem(Code.LIMIT_REACHED, "invitations of that account")
        # There still is one where its entry could not be opened.
        chats.remove_member(draft.c, draft.chat.blind, blind)
        draft.put(account, RosterState.INVITED, by=by)
