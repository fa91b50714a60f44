"""Who may sign up: as the configuration says, until the operator says otherwise at run time."""

from enum import Enum

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.ports import Database
from safeum_home.storage import node


class Mode(Enum):
    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


# As the database has them: never renumbered.
_STORED = {1: Mode.OPEN, 2: Mode.INVITE, 3: Mode.CLOSED}
_NUMBERS = {mode: number for number, mode in _STORED.items()}


class Registration:
    """What was set at run time wins over the configuration, and outlives restarts, until it is unset."""

    def __init__(self, database: Database, configured: Mode) -> None:
        self._database = database
        self.configured = configured
        self.set_to: Mode | None = None
        """What was set at run time."""

    @property
    def mode(self) -> Mode:
        return self.set_to or self.configured

    async def load(self) -> None:
        """Learn what was set before the node was started."""
        stored = await self._database.read(node.registration)
        # A number that is not known was set by a newer version: nobody is let in by mistake.
        self.set_to = None if stored is None else _STORED.get(stored, Mode.CLOSED)

    def set(self, mode: Mode | None) -> "Deferred[None]":
        """Remember `mode`, or with None let the configuration decide; it counts once it is on disk."""
        number = None if mode is None else _NUMBERS[mode]

        def store(c: Connection) -> None:
            node.set_registration(c, number)

        def stored(_: None) -> None:
            self.set_to = mode

        return self._database.transact(store).addCallback(stored)
