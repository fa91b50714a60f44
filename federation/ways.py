"""What there is in memory of a node, while there is something to tell it."""

from typing import NamedTuple

from twisted.internet.defer import Deferred

from federation.machine import Core, Destination, new_destination
from federation.making import Arrivals


class Report(NamedTuple):
    """How it is with a destination: the state of its machine, and why it was not told last."""

    state: str
    error: str


class Way:
    """A destination, while there is something to do for it."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.machine: Destination = new_destination(core)
        self.run: Deferred[None] | None = None
        self.error = ""
        self.begun = 0.0
        """When the last transaction began, in seconds since 1970."""
        self.arrivals = Arrivals()
        self.is_woken = False
        """Whether waking it once more would change nothing."""
        self.is_there = False
        """Whether it has shown that it is there since it could not be told."""
