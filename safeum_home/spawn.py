"""Start coroutines that nobody waits for, without losing what goes wrong in them."""

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

_log = Logger()


def spawn(coroutine: Coroutine[Deferred[Any], Any, Any], what: str) -> Deferred[None]:
    """Run `coroutine`; a failure is logged as a failure of `what`. The Deferred never fails."""

    def done(_result: object) -> None:
        return None

    def failed(failure: Failure) -> None:
        if failure.check(CancelledError) is None:
            _log.failure("{what} failed", failure=failure, what=what)

    return Deferred.fromCoroutine(coroutine).addCallbacks(done, failed)
