"""Answers read with a cap, and failures told without quoting anything."""

from http.cookiejar import DefaultCookiePolicy
from typing import Any

from OpenSSL import SSL
from service_identity import VerificationError
from treq.cookies import IndexableCookieJar
from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import RequestTransmissionFailed, ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse


class NoAnswer(Exception):
    """A request without an answer; `reason` quotes nothing of it.

    It may have been received all the same, unless `handed_over` is False.
    """

    def __init__(self, reason: str, handed_over: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.handed_over = handed_over


TLS_FAILED = "TLS failed"
GIVEN_UP = "the request was given up"
BROKE_OFF = "the connection broke off"
UNREADABLE = "the answer cannot be read"
TOO_LONG = "the answer is too long"
IN_TIME = "there was no answer in time"
TOO_MANY = "too many requests are waiting"

_REASONS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((CancelledError, error.ConnectingCancelledError), GIVEN_UP),
    ((error.DNSLookupError, error.UnknownHostError), "the name is not known"),
    ((error.ConnectionRefusedError,), "the connection is refused"),
    ((error.TimeoutError, error.TCPTimedOutError), "there is no connection in time"),
    ((SSL.Error, VerificationError), TLS_FAILED),
    ((error.ConnectError, OSError), "there is no connection"),
    ((error.ConnectionDone, error.ConnectionLost, error.ConnectionAborted), BROKE_OFF),
)

_WRAPPERS = (RequestTransmissionFailed, ResponseFailed)
"""ResponseNeverReceived is one of the second."""


def reason_of(failure: Failure) -> str:
    """What a failure of a request means, in words that are always the same."""
    if isinstance(failure.value, _WRAPPERS) and failure.value.reasons:
        # The first is what happened; what follows is that the connection was lost by it.
        reasons = [reason_of(one) for one in failure.value.reasons if isinstance(one, Failure)]
        return TLS_FAILED if TLS_FAILED in reasons else next(iter(reasons), UNREADABLE)
    if isinstance(failure.value, NoAnswer):
        return failure.value.reason
    return next((words for kinds, words in _REASONS if failure.check(*kinds)), UNREADABLE)


_BEFORE_A_CONNECTION = (
    error.DNSLookupError,
    error.UnknownHostError,
    error.ConnectError,
    error.ConnectingCancelledError,
    error.TimeoutError,
)
_NOT_TRUSTED = "certificate verify failed"


def no_answer(failure: Failure) -> NoAnswer:
    """The failure of a request as one that quotes nothing, and says whether anything can have been sent."""
    if isinstance(failure.value, NoAnswer):
        return NoAnswer(failure.value.reason, failure.value.handed_over)
    return NoAnswer(reason_of(failure), not _is_before_sending(failure))


def _is_before_sending(failure: Failure) -> bool:
    """There was no connection, or the provider did not prove who it is: requests wait for that."""
    if isinstance(failure.value, _WRAPPERS):
        reasons = [one for one in failure.value.reasons or () if isinstance(one, Failure)]
        return any(map(_is_distrust, reasons))
    return failure.check(*_BEFORE_A_CONNECTION) is not None or _is_distrust(failure)


def _is_distrust(failure: Failure) -> bool:
    if isinstance(failure.value, _WRAPPERS):
        return _is_before_sending(failure)
    if isinstance(failure.value, SSL.Error):
        return _NOT_TRUSTED in str(failure.value)
    return isinstance(failure.value, VerificationError)


def no_cookies() -> IndexableCookieJar:
    """A jar that stays empty."""
    return IndexableCookieJar(DefaultCookiePolicy(allowed_domains=[]))


def read_body(response: IResponse, most: int) -> "Deferred[bytes]":
    """The body, of at most `most` octets; fails with `NoAnswer`. Cancelling it cuts the connection."""
    reader = _Reader(most)
    response.deliverBody(reader)
    return reader.done


class _Reader(Protocol):
    transport: Any

    def __init__(self, most: int) -> None:
        self._left = most
        self._parts: list[bytes] = []
        self.done: Deferred[bytes] = Deferred(lambda _: self._cut())

    def dataReceived(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left >= 0:
            self._parts.append(data)
        elif not self.done.called:
            self.done.errback(NoAnswer(TOO_LONG))
            self._cut()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.done.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(b"".join(self._parts))
        else:
            self.done.errback(NoAnswer("the answer broke off"))

    def _cut(self) -> None:
        if self.transport is None:
            return
        # The response has a stand-in for its transport that can only lose the connection: over TLS that
        # waits for the peer, who is the one that does not stop.
        real = getattr(self.transport, "_producer", None)
        getattr(real, "abortConnection", self.transport.loseConnection)()
