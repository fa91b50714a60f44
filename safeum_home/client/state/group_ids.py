"""What the id of a chat says of it: so a node cannot show a secure chat as another one."""

from safeum_home.client.state.chat_view import UNKNOWN, ChatView
from safeum_home.ids import AccountId, direct_chat_id, group_id
from safeum_home.protocol.federation.groups import seed_kind
from safeum_home.protocol.types import GroupInfo


def is_kind(chat: str, group: GroupInfo) -> bool:
    """Whether this is the id of a group of this hub that is as secure as the node says: no more and no less.

    The id is a hash of the hub and a seed, and how the seed begins says what the group is from its beginning.
    """
    kind, dot, _ = group.seed.rpartition(".")
    right = group_id(group.hub, group.seed) == chat
    return right and kind + dot == seed_kind(group.secure, group.pair)


def may_be_open(view: ChatView, own: str) -> bool:
    """Whether a chat can be what the node says to account `own`, and something can be said in clear there."""
    if view.kind == "group":
        return view.group is not None and not view.group.secure and is_kind(view.chat, view.group)
    if view.kind == "direct":
        return direct_chat_id(AccountId(own), AccountId(view.peer)) == view.chat
    return view.kind != UNKNOWN
