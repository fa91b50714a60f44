"""Connections that stay: begun anew whenever they break, and told of in the bridge's own words."""

from collections.abc import Callable
from random import SystemRandom
from typing import Any

from twisted.application.internet import ClientService
from twisted.internet.defer import CancelledError
from twisted.internet.endpoints import clientFromString
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import ILogObserver, LogEvent, Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from safeum_home.config import ConfigError

_random = SystemRandom()


class BackOff:
    """Seconds between attempts: about 1, 2, 4 and so on, up to `most`.

    Only who uses it knows whether one has come to something: a connection alone is nothing yet.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self.failures = 0
        """In a row."""

    def succeeded(self) -> None:
        self.failures = 0

    def seconds(self, _attempt: int = 0) -> float:
        """Before the next attempt: half of what it could be at the least, so that not all come at once."""
        most = min(self._most, 2.0 ** min(self.failures, 30))
        self.failures += 1
        return most * (0.5 + 0.5 * _random.random())


def client_endpoint(reactor: Any, whose: str, description: str) -> Any:
    """The endpoint of a Twisted endpoint string; raises `ConfigError`, which says `whose` it is."""
    try:
        return clientFromString(reactor, description)
    except (ValueError, TypeError, KeyError, IndexError):
        raise ConfigError(f"{whose}: endpoint: not a Twisted endpoint for clients") from None


def lasting(
    endpoint: Any, factory: Any, back_off: BackOff, failed: Callable[[Failure], None], clock: Any
) -> ClientService:
    """Connects once it is started, and again and again. `failed` is told of attempts that come to nothing.

    `clock` provides IReactorTime.
    """
    return _Service(_Told(endpoint, failed), factory, back_off.seconds, clock=clock)


@implementer(ILogObserver)
def _nobody(event: LogEvent) -> None:
    """Writes nothing down."""


class _Service(ClientService):
    """Its own lines would name neither the provider nor the reason."""

    _log = Logger(observer=_nobody)


@implementer(IStreamClientEndpoint)
class _Told:
    """Tells of connections that do not come about."""

    def __init__(self, endpoint: Any, failed: Callable[[Failure], None]) -> None:
        self._endpoint = endpoint
        self._failed = failed

    def connect(self, factory: Any) -> Any:
        return self._endpoint.connect(factory).addErrback(self._tell)

    def _tell(self, failure: Failure) -> Failure:
        if not failure.check(CancelledError):
            self._failed(failure)
        return failure
