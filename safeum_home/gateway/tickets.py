"""What uploads and downloads have in common: who asks, from which page, and how they are answered."""

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request

from safeum_home.errors import Code, Problem
from safeum_home.gateway.resources import respond_problem

_BEARER = b"bearer "
_log = Logger()


def ticket_of(request: Request) -> str:
    """The ticket in the field `Authorization`; raises `bad_ticket`."""
    given = request.getHeader(b"Authorization") or b""
    if not given.lower().startswith(_BEARER):
        raise Problem(Code.BAD_TICKET)
    return given[len(_BEARER) :].strip().decode("ascii", "replace")


class Cors:
    """Cross-origin requests (https://fetch.spec.whatwg.org) from pages of the configured origins."""

    def __init__(self, origins: Iterable[str], methods: str, fields: str, exposed: str) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)
        self._preflight = (
            ("Access-Control-Allow-Methods", methods),
            ("Access-Control-Allow-Headers", fields),
            ("Access-Control-Max-Age", "86400"),
        )
        self._exposed = exposed

    def headers(self, request: Request, preflight: bool = False) -> list[tuple[str, str]]:
        """What lets the page that asks read the answer; nothing where it is of another origin."""
        origin = request.getHeader(b"Origin")
        if origin is None or origin not in self._origins:
            return [("Vary", "Origin")]
        allowed = [("Access-Control-Allow-Origin", origin.decode()), ("Vary", "Origin")]
        return [
            *allowed,
            *(self._preflight if preflight else [("Access-Control-Expose-Headers", self._exposed)]),
        ]


def set_headers(request: Request, headers: Iterable[tuple[str, str]]) -> None:
    """Put fields into an answer."""
    for name, value in headers:
        request.setHeader(name.encode(), value.encode())


def finish(request: Any, body: bytes = b"") -> None:
    """Answer, where somebody is still there to hear it."""
    if request._disconnected or request.finished or request.channel.refused:
        return
    if body:
        request.setHeader(b"Content-Length", b"%d" % len(body))
        request.write(body)
    request.finish()


def answer(request: Any, work: "Deferred[Any]", done: Callable[[Any], bytes]) -> None:
    """Answer a request with what `done` makes of the outcome of `work`, or with the problem it ends in."""

    def failed(failure: Failure) -> bytes:
        return respond_problem(request, problem_of(failure))

    work.addCallback(done).addErrback(failed).addCallback(lambda body: finish(request, body))
    work.addErrback(lambda failure: _log.failure("a request could not be answered", failure))


def problem_of(failure: Failure) -> Problem:
    """The problem that something ended in; what is none is logged."""
    if isinstance(failure.value, Problem):
        return failure.value
    _log.failure("a request failed", failure=failure)
    return Problem(Code.INTERNAL)
