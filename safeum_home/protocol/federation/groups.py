"""What nodes tell each other of groups: the content of their events. docs/federation.md narrates it.

All but `group.left` and `group.read` is told by the group's hub, in the name of its system
contact, to other nodes.
"""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.signed import NodeName
from safeum_home.protocol.group_types import GroupAbout, GroupName, GroupState
from safeum_home.protocol.message_types import Origin
from safeum_home.protocol.profile_types import AvatarId, DisplayName
from safeum_home.protocol.scalars import Account, Address
from safeum_home.protocol.types import GroupRole

GROUP = "group"
ENTRY = "group.entry"
OVER = "group.over"
LEFT = "group.left"
READ = "group.read"
CALLED = "group.called"
HISTORY = "group.history"
ERASED = "group.erased"
MOST_PENDING = 1_000
GroupLife = Annotated[
    int,
    Meta(
        ge=0,
        le=2**52,
        description="When the history was switched off last, by the hub; 0: never.",
    ),
]


class SharedHistory(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`group.history`: in which life the history is, and whether messages are kept in it. It overtakes all.

    `pending`: the nodes that have not signed yet that they have erased what was before it.
    """

    life: GroupLife
    kept: bool
    pending: Annotated[list[NodeName], Meta(max_length=MOST_PENDING)] = []


class SharedErasure(Struct, frozen=True, forbid_unknown_fields=True):
    """`group.erased`: this node has destroyed the key of all that its copy held of before `life`.

    It was kept under epochs of that node's keyring up to `epoch`, whose keys are destroyed; `at` is when
    that node has switched its history. Whoever keeps the event has a receipt.
    """

    life: GroupLife
    epoch: Annotated[int, Meta(ge=1, le=2**53 - 1)]


class SharedGroup(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`group`: what a group says of itself now; `members` is how many there are.

    `begins`: the node gets a copy of it, and is told of all that is there. It has another value after nobody
    of that node was in the group. The group's id is made of its hub's name and `seed` (`ids.group_id`).
    `history` is left out where nobody has ever switched it off. `secure` and `pair` are in the seed, too
    (`seed_kind`): they never change, and nothing else is said of such a group.
    """

    name: GroupName
    about: GroupAbout = ""
    avatar: AvatarId | None = None
    earlier: bool = False
    members: Annotated[int, Meta(ge=0)] = 0
    begins: Origin | None = None
    seed: Origin | None = None
    history: SharedHistory | None = None
    secure: bool = False
    pair: bool = False


def seed_kind(secure: bool, pair: bool) -> str:
    """What the seed of a group of this kind begins with. All behind that has no full stop."""
    return "pair." if pair else "secure." if secure else ""


class Called(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What members see of an account. An empty name is one that nobody knows."""

    account: Account
    address: Address
    display_name: DisplayName = ""


class SharedEntry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`group.entry`: what an account is in a group now.

    `by` has invited or removed it, or made it what it is. `since` names the time for which it is a member:
    after it was none, that is another one. `earlier`: it sees what was written before that. `group` is told
    with an invitation.
    """

    who: Called
    state: GroupState
    role: GroupRole = "member"
    by: Called | None = None
    since: Origin | None = None
    earlier: bool = False
    group: SharedGroup | None = None


class SharedEnd(Struct, frozen=True, forbid_unknown_fields=True):
    """`group.over`: the hub has erased the group."""


class SharedLeave(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`group.left`: the sender has left, or declined, while its node could not ask the hub.

    `since` is that of its entry; null: it was invited.
    """

    since: Origin | None = None


class SharedName(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`group.called`: how members of the groups of the node that is told are to call the sender."""

    address: Address
    display_name: DisplayName = ""


class SharedRead(Struct, frozen=True, forbid_unknown_fields=True):
    """`group.read`: up to where the sender has read."""

    upto: Reference
