"""What a call is given by the client that it is of."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from twisted.internet.defer import Deferred

from safeum_home.client.calling.channel import Means
from safeum_home.client.calling.way import Way
from safeum_home.client.errors import ClientError
from safeum_home.protocol.command import Params

if TYPE_CHECKING:
    from safeum_home.client.calling.call import Call

T = TypeVar("T")


class Home(Protocol):
    """`calling.Calling`, as its calls see it."""

    means: Means

    @property
    def account(self) -> str: ...
    @property
    def device(self) -> str: ...
    def milliseconds(self) -> int: ...
    def way(self, *, video: bool) -> Way: ...
    def awaitable(self, deferred: "Deferred[T]") -> Awaitable[T]: ...

    def tell(self, params: Params, failed: Callable[[ClientError], None] | None = None) -> None:
        """Give a command, whose result does not matter; in order with all others."""

    def changed(self, call: "Call") -> None: ...
    def gone(self, call: "Call") -> None: ...
