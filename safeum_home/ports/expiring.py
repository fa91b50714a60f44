"""What nodes tell each other that is of use for a moment alone. docs/federation.md, "What passes"."""

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from safeum_home.protocol.federation.events import Event

GATHERED = 0.25
"""Seconds: the `turn` of what is better told together than at once."""
BEHIND = 0.01
"""The same of what is prompt, much, and to hold up nothing that is told at once."""
SayNow = Callable[[str, str, Hashable], object]
"""As `ports.Peers.tell_now`: a node, the type of a kind, and a subject of it."""


class ExpiringKind(Protocol):
    """A kind of what passes: told from memory or not at all, and never after it is of any use.

    Nothing of it reaches the database, on neither side. It may be lost without anybody hearing of it.
    """

    @property
    def type(self) -> str:
        """The type of its events."""

    @property
    def lives(self) -> float:
        """For how many seconds one is of any use, from when it was to be told. What waits longer is lost."""

    @property
    def turn(self) -> float:
        """Seconds for which it is gathered what is to be told to a node; 0: it is told in the next turn.

        Kinds with the same turn go together, and hold up no others. What is of one kind is told in order.
        A node that is left alone is tried again soon for kinds whose turn is 0.
        """

    def build(self, node: str, subjects: Sequence[Hashable]) -> Sequence[Event]:
        """What is to be told to `node` of some subjects, as it is now; not signed yet.

        In the reactor's thread. Of what is to be told no more there is no event, and one may be of several.
        It is asked of one subject at a time where `turn` is 0.
        """

    async def apply(self, node: str, event: Event) -> None:
        """What an event means that `node` has sent and signed: its sender is of that node.

        It is in time, and its `at` is of about now; there may have been a later one before. `Problem` is
        taken as that it means nothing here. Nobody is told.
        """

    def lost(self, node: str) -> None:
        """`node` could not be told: what it has told is of the past, and what it was to be told is lost."""

    def missed(self, node: str, subjects: Sequence[Hashable]) -> None:
        """These are told to nobody, though `node` may be there: they were of no use any more in their turn.

        A kind whose `turn` is 0 hears it of each that is lost: also of what was made and could not be sent,
        as too much was under way at this node. What `build` fails at is lost without that.
        """

    def back(self, node: str) -> None:
        """`node` is there again, and may have been started anew: it may know nothing of what it was told."""
