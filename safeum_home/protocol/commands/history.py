"""Switching the history of a chat off and on, and the receipt for what was erased."""

from safeum_home.protocol.command import Params, Result, command
from safeum_home.protocol.erasure import Erasure
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.types import Chat


class HistorySet(Result, frozen=True):
    """How it is now. The past of the chat can be opened by nobody once this is answered."""

    history: bool
    receipt: Erasure | None = None
    """Where the history is off: the node's receipt for what was erased by that. None in a group of another
    node that has not told this one yet; `chat.updated` does when it has."""
    pending: tuple[str, ...] = ()
    """Other nodes that have not confirmed yet that they have erased it as well: `chat.updated` tells when
    they have. While there are any, asking once more tells them once more."""
    confirmed: list[Event] = []
    """What other nodes have signed: their receipts, events `chat.erased`, of groups `group.erased`
    (docs/federation.md); of many the last 20."""


@command("chat.history.set", HistorySet, cost=5)
class ChatHistorySet(Params, frozen=True):
    """Switch the history of a chat off, which erases all of it for all members, or on.

    Either side of a direct chat may do so, and the owner of a group. Where it is so already nothing is done.
    """

    chat: Chat
    enabled: bool


class HistoryReceipt(Result, frozen=True):
    """The receipt of the last time that the chat was erased."""

    receipt: Erasure
    pending: tuple[str, ...] = ()
    confirmed: list[Event] = []


@command("chat.history.receipt", HistoryReceipt, cost=5)
class ChatHistoryReceipt(Params, frozen=True):
    """The node's receipt for having erased the past of a chat; any member may have it."""

    chat: Chat
