"""Start coroutines that nobody waits for, without losing what goes wrong in them."""

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.errors import Code, Problem

_log = Logger()

AWAY = frozenset((Code.STORAGE_UNAVAILABLE, Code.BUSY))
"""What `ports.Database` refuses with where nothing is wrong with what it was asked: it may succeed soon."""


def spawn(coroutine: Coroutine[Deferred[Any], Any, Any], what: str) -> Deferred[None]:
    """Run `coroutine`; a failure is logged as a failure of `what`. The Deferred never fails.

    What is not to be lost where the database is away is for `safeum_home.jobs`: here a line tells of it.
    """

    def done(_result: object) -> None:
        return None

    def failed(failure: Failure) -> None:
        code = failure.value.code if isinstance(failure.value, Problem) else None
        if code in AWAY:
            _log.warn("{what} was not done: {code}.", what=what, code=code.code)
        elif code is not Code.SHUTTING_DOWN and failure.check(CancelledError) is None:
            _log.failure("{what} failed", failure=failure, what=what)

    return Deferred.fromCoroutine(coroutine).addCallbacks(done, failed)
