"""One connection's way to its client."""

from typing import Protocol

from twisted.internet.defer import Deferred

from safeum_home.client.errors import Closing


class Owner(Protocol):
    """Who uses the connection."""

    def received(self, payload: bytes) -> None: ...
    def closed(self, closing: Closing) -> None: ...


class Line:
    """One connection's way to its client; cut off, nothing of it is heard any more."""

    def __init__(self, owner: Owner) -> None:
        self._owner: Owner | None = owner
        self.gone: Deferred[None] = Deferred()

    def cut(self) -> None:
        self._owner = None

    def received(self, payload: bytes) -> None:
        if self._owner is not None:
            self._owner.received(payload)

    def closed(self, closing: Closing) -> None:
        self.gone.callback(None)
        if self._owner is not None:
            self._owner.closed(closing)
