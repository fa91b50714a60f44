"""What has calls of another kind, beside those of two."""

from typing import Protocol

from msgspec import Struct


class Taker(Protocol):
    """It hears all that the node tells."""

    def take(self, event: Struct) -> None:
        """An event has come, of whatever kind."""

    def online(self) -> None:
        """There is a session, on a new connection."""

    def close(self) -> None:
        """The client ends."""
