"""The connection of a session: one at a time, and nothing is heard of those before it."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.client.connection.connection import Dial
from safeum_home.client.connection.line import Line, Owner
from safeum_home.client.connection.requests import Wire
from safeum_home.client.errors import Closing, Disconnected

_log = Logger()


class Plug:
    """Dials, and lets go. What arrives, and the end of the connection, is told to `owner`."""

    def __init__(self, dial: Dial, owner: Owner) -> None:
        self._dial = dial
        self._owner = owner
        self._line: Line | None = None
        self._wire: Wire | None = None

    @property
    def connected(self) -> bool:
        return self._wire is not None

    @property
    def gone(self) -> "Deferred[None] | None":
        """Fires when the connection, or the try for one, is over; None where there is none."""
        return None if self._line is None else self._line.gone

    async def open(self, ended: Callable[[], Exception | None]) -> Wire:
        """Connect; raises `Disconnected`, or what `ended` says where the session was closed meanwhile."""
        line = Line(self._owner)
        wire = await self._dial(line)
        if (end := ended()) is not None:
            line.cut()
            wire.close()
            raise end
        self._line, self._wire = line, wire
        return wire

    def dial(self, connected: Callable[[Wire], None], failed: Callable[[Closing], None]) -> None:
        """Connect, and call one of these, unless `hang_up` was called before."""
        line = Line(self._owner)
        self._line = line

        def answered(wire: Wire) -> None:
            if self._line is not line:  # closed meanwhile
                wire.close()
                return
            self._wire = wire
            connected(wire)

        def refused(failure: Failure) -> None:
            line.gone.callback(None)
            if self._line is line:
                self._line = None
                error = failure.value
                failed(error.closing if isinstance(error, Disconnected) else Closing(1006, str(error)))

        self._dial(line).addCallbacks(answered, refused).addErrback(
            lambda f: _log.failure("Dialling failed", f)
        )

    def lost(self) -> None:
        """The connection is over."""
        self._line = self._wire = None

    def hang_up(self) -> None:
        line, wire = self._line, self._wire
        self.lost()
        if line is not None:
            line.cut()
        if wire is not None:
            wire.close()
