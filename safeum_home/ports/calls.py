"""What the parts of calls ask of each other."""

from collections.abc import Collection
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId, ChatId
from safeum_home.protocol.federation.calls import Word


class CallTimes(Protocol):
    """Keeps when accounts of this node have spoken, and for how long. Times are in milliseconds.

    For the reactor's thread; nothing of it fails or has to be waited for: what cannot be stored is stored
    later, or is lost with the node.
    """

    def begun(self, account: AccountId, call: str, at: int) -> None:
        """It was answered. The same again goes on with the entry of that call, also after a restart."""

    def alive(self, account: AccountId, call: str, now: int) -> None:
        """It goes on: were the node to end now, its entry would end then."""

    def over(self, account: AccountId, call: str, until: int) -> None:
        """Its entry is complete."""


class Engagements(Protocol):
    """What accounts are busy with in the network's own calls."""

    def engaged(self, account: AccountId) -> int:
        """In how many calls one is: those that only ring for it do not count."""


class Line(Protocol):
    """The way from one half of a call to the other: within the node, to another one, or to a carrier."""

    def say(self, sender: AccountId, word: Word) -> bool:
        """Say it to `word.to`: soon, in order, or not at all. False: it is known that it will not arrive."""


class Group(NamedTuple):
    """A group as this node has it now. `hub` is the node that orders it; None: this one."""

    chat: ChatId
    members: Collection[AccountId]
    hub: str | None


class Groups(Protocol):
    """The groups that accounts of this node are in."""

    def group(self, chat: ChatId) -> "Deferred[Group | None]":
        """None where there is none, or it is a chat of another kind."""
