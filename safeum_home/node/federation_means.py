"""What federation stands on, and the way of its requests to other nodes."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred

from federation.destinations import Sign
from federation.event_verifier import InThread
from safeum_home.config import Config, FederationSection
from safeum_home.outgoing.http import Answer as HttpAnswer
from safeum_home.outgoing.streams import Streamed
from safeum_home.ports import Database
from safeum_home.sealing.vault import Vault


class WayOut(Protocol):
    """Requests to other nodes: `federation.destinations.Destinations`."""

    def request(
        self, node: str, method: str, path: str, body: bytes = b"", most: int | None = None
    ) -> "Deferred[HttpAnswer]": ...
    def stream(self, node: str, path: str, body: bytes) -> "Deferred[Streamed]": ...
    def fetch_keys(self, node: str) -> "Deferred[bytes]": ...
    def close(self) -> "Deferred[None]": ...


MakeWayOut = Callable[[FederationSection, Callable[[str], bool], Sign], Awaitable[WayOut]]


class Means(NamedTuple):
    """What federation stands on."""

    config: Config
    clock: Any
    """Provides IReactorTime."""
    database: Database
    vault: Vault
    in_thread: InThread

    def milliseconds(self) -> int:
        return int(self.clock.seconds() * 1000)
