"""What nodes tell each other of groups: the content of their events. docs/federation.md narrates it.

All but `group.left` is told by the group's hub, in the name of its system contact, to the nodes of the others.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from safeum_home.protocol.group_types import GroupAbout, GroupName, GroupState
from safeum_home.protocol.message_types import Origin
from safeum_home.protocol.profile_types import AvatarId, DisplayName
from safeum_home.protocol.scalars import Account, Address, Milliseconds
from safeum_home.protocol.types import GroupRole

GROUP = "group"
ENTRY = "group.entry"
GROUP_MESSAGE = "group.message"
OVER = "group.over"
LEFT = "group.left"
POST = "group.post"
"""The event of an author's own node, which a hub passes on within `group.message`."""


class SharedGroup(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`group`: what a group says of itself now; `members` is how many there are."""

    name: GroupName
    about: GroupAbout = ""
    avatar: AvatarId | None = None
    earlier: bool = False
    members: Annotated[int, Meta(ge=0)] = 0


class Called(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What members see of an account. An empty name is one that nobody knows."""

    account: Account
    address: Address
    display_name: DisplayName = ""


class SharedEntry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`group.entry`: what an account is in a group now.

    `by` has invited or removed it, or made it what it is. `since` names the time for which it is a member: after
    it was none, that is another one. `earlier`: it sees what was written before that. `group` is told with an
    invitation.
    """

    who: Called
    state: GroupState
    role: GroupRole = "member"
    by: Called | None = None
    since: Origin | None = None
    earlier: bool = False
    group: SharedGroup | None = None


class SharedGroupMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """`group.message`: a message of a group is this now; `id` is the one that it has at the hub.

    `event` is the author's own, as its node has signed it: of the type `group.post`, with the content of a
    `chat.message`. Of who is at the hub it is not signed: the event around it is. Messages are named by the
    hub and the id that they have there.
    """

    id: Origin
    at: Milliseconds
    event: dict[str, Any]


class SharedEnd(Struct, frozen=True, forbid_unknown_fields=True):
    """`group.over`: the hub has erased the group."""


class SharedLeave(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`group.left`: the sender has left, or declined, while its node could not ask the hub.

    `since` is that of its entry; null: it was invited.
    """

    since: Origin | None = None
