"""What conferences are given by the client that they are of."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from safeum_home.client.calling.channel import Means, Say
from safeum_home.client.calling.handshake import Pair
from safeum_home.client.calling.link import Link
from safeum_home.client.calling.opening import Opening
from safeum_home.client.errors import ClientError
from safeum_home.protocol.command import Params


class Home(Protocol):
    """`calling.Calling`, as conferences see it."""

    means: Means

    @property
    def account(self) -> str: ...
    @property
    def device(self) -> str: ...
    def link(
        self, pair: Pair, role: Opening | str, say: Say, told: Callable[[Link], None], *, video: bool
    ) -> Link: ...
    def opening(self, seats: int) -> Opening: ...
    def awaitable(self, deferred: "Deferred[Any]") -> Awaitable[Any]: ...
    def ready(self) -> "Deferred[None]": ...
    def ask(self, params: Params, result: type[Any]) -> "Deferred[Any]": ...
    def tell(self, params: Params, failed: Callable[[ClientError], None] | None = None) -> None: ...
