"""How what a call does reaches the node: commands whose failing is somebody's, or nobody's, business."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.client.errors import ClientError
from safeum_home.protocol import commands as c

T = TypeVar("T")
_log = Logger()


class Asked(Protocol):
    """A client, as far as commands go."""

    def _ask(self, params: c.Params, result: type[Any]) -> Awaitable[Any]: ...


class Asking:
    """`ask` and `tell`, for all that makes calls."""

    def __init__(self, client: Asked, awaitable: Callable[["Deferred[Any]"], Awaitable[Any]]) -> None:
        """`awaitable` makes what a program can wait for."""
        self._asked_client = client
        self._awaitable = awaitable

    def awaitable(self, deferred: "Deferred[T]") -> Awaitable[T]:
        return self._awaitable(deferred)

    def tell(self, params: c.Params, failed: Callable[[ClientError], None] | None = None) -> None:
        """Give a command of which nobody waits for the answer; `failed` hears why it was not done."""

        def not_done(failure: Failure) -> None:
            if not isinstance(failure.value, ClientError):
                _log.failure("A command of a call failed", failure)
            elif failed is not None:
                failed(failure.value)

        self.ask(params, c.Done).addErrback(not_done)

    def ask(self, params: c.Params, result: type[Any]) -> "Deferred[Any]":
        """Give a command; it is written at once, where there is a connection."""
        return Deferred.fromCoroutine(self._asked(params, result))

    async def _asked(self, params: c.Params, result: type[Any]) -> Any:
        return await self._asked_client._ask(params, result)
