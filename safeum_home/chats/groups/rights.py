"""Who may do what in a group: one table."""

from enum import Enum

from safeum_home.chats.groups.roster import Role

MEMBER, ADMIN, OWNER = Role.MEMBER, Role.ADMIN, Role.OWNER
_NOBODY: frozenset[Role] = frozenset()


class Action(Enum):
    """What is done to a group, or to somebody in it. What concerns oneself alone (to leave) is no matter
    of rights."""

    INVITE = "invite"
    WITHDRAW = "withdraw"
    """Take back an invitation, whoever gave it."""
    REMOVE = "remove"
    PROMOTE = "promote"
    """Make somebody an admin."""
    DEMOTE = "demote"
    """Make an admin a member."""
    HAND_OVER = "hand over"
    """Make somebody the owner."""
    DESCRIBE = "describe"
    """Name, description, picture."""
    LINK = "link"
    MODERATE = "moderate"
    """Pin messages, and delete those of others."""
    SHOW_EARLIER = "show earlier"
    """Say whether those who join see what was written before."""
    HISTORY = "history"
    """Disable the history, which erases it for all, or have messages kept again."""


_ALONE: dict[Action, frozenset[Role]] = {
    Action.INVITE: frozenset((ADMIN, OWNER)),
    Action.WITHDRAW: frozenset((ADMIN, OWNER)),
    Action.DESCRIBE: frozenset((ADMIN, OWNER)),
    Action.LINK: frozenset((ADMIN, OWNER)),
    Action.MODERATE: frozenset((ADMIN, OWNER)),
    Action.SHOW_EARLIER: frozenset((OWNER,)),
    Action.HISTORY: frozenset((OWNER,)),
}
"""What is done to the group: by whom."""
_TO_SOMEBODY: dict[Action, dict[Role, frozenset[Role]]] = {
    Action.REMOVE: {ADMIN: frozenset((MEMBER,)), OWNER: frozenset((MEMBER, ADMIN))},
    Action.PROMOTE: {OWNER: frozenset((MEMBER,))},
    Action.DEMOTE: {OWNER: frozenset((ADMIN,))},
    Action.HAND_OVER: {OWNER: frozenset((MEMBER, ADMIN))},
}
"""What is done to another member: by whom, and to whom."""


def may(role: Role, action: Action, target: Role | None = None) -> bool:
    """Whether a member of this role may do that; `target` is the role of the member it is done to."""
    if target is None:
        return role in _ALONE.get(action, _NOBODY)
    return target in _TO_SOMEBODY.get(action, {}).get(role, _NOBODY)


def changing_role(before: Role, after: Role) -> Action | None:
    """What it is to give a member another role; None where it is the same one."""
    if before is after:
        return None
    if after is OWNER:
        return Action.HAND_OVER
    return Action.PROMOTE if after is ADMIN and before is MEMBER else Action.DEMOTE
