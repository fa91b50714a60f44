"""Commands to the functions that carry them out: a table that the composition fills."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from msgspec import Raw, Struct
from twisted.internet.defer import Deferred

from safeum_home.ports import Caller, Committed
from safeum_home.protocol.commands import Params

Answer = Struct | Raw | Committed[Any]
Handler = Callable[[Caller, Any], Any]
"""Takes the caller and the parameters; gives an `Answer`, a Deferred of one, or a coroutine."""

Routes = Mapping[type[Params], Handler]


def start(handler: Handler, caller: Caller, params: Params) -> Any:
    """Carry out a command: its answer, or a Deferred of it where it has to wait."""
    result = handler(caller, params)
    if type(result) is not Deferred and isinstance(result, Coroutine):
        deferred: Deferred[Any] = Deferred.fromCoroutine(result)
        return deferred
    return result
