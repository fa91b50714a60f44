"""A conference, as the node of its group has it."""

from collections.abc import Collection
from typing import NamedTuple, Protocol

from safeum_home.ids import AccountId, ChatId
from safeum_home.ports.calls import Group
from safeum_home.protocol.call_types import Media
from safeum_home.protocol.commands.conferences import Participant
from safeum_home.protocol.federation.events import node_of


class TellRoster(Protocol):
    """Tells a node, be it this one, how it is with a conference now."""

    def __call__(self, node: str, chat: ChatId, call: str, heard: int, /) -> None: ...


class Lease(NamedTuple):
    """A seat, for as long as its node says that it is taken."""

    chat: ChatId
    call: str
    account: AccountId


def homes(members: Collection[AccountId]) -> frozenset[str]:
    """The nodes of accounts."""
    return frozenset(map(node_of, members))


class Conference:
    """One that goes on."""

    def __init__(self, group: Group, call: str, media: Media, settles: float, rings_until: float) -> None:
        self.chat = group.chat
        self.homes = homes(group.members)
        """The nodes that may hear of it."""
        self.call = call
        self.media = media
        self.settles = settles
        """Until when, by the reactor's clock, it is not known who else is in it."""
        self.rings_until = rings_until
        self.people: dict[AccountId, Participant] = {}
        self.asked: dict[AccountId, int] = {}
        """When the node of each has asked for its seat, by that node's clock."""
        self.reported: dict[str, int] = {}
        self.heard: dict[str, int] = {}
        """When each node has said last who is in it, and when it has said or asked anything."""
        self.version = 0

    def nodes(self) -> set[str]:
        return set(map(node_of, self.people))

    def hear(self, node: str, at: int) -> None:
        self.heard[node] = max(at, self.heard.get(node, 0))
