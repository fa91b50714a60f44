"""Problems as whole HTTP responses (RFC 9457), for where there is no request object to answer."""

from collections.abc import Iterable
from http import HTTPStatus

import msgspec

from safeum_home.errors import Problem
from safeum_home.protocol.frames import problem_details

PROBLEM_TYPE = b"application/problem+json"
SECURITY_HEADERS = (
    (b"Strict-Transport-Security", b"max-age=63072000"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Cache-Control", b"no-store"),
)

_STATUSES = frozenset(HTTPStatus)


def problem_body(problem: Problem, status: int | None = None) -> bytes:
    """The JSON document; `status` where it is not the one that goes with the problem's code."""
    details = problem_details(problem)
    if status is not None:
        details = msgspec.structs.replace(details, status=status)
    return msgspec.json.encode(details)


def raw_response(
    problem: Problem, status: int | None = None, headers: Iterable[tuple[str, str]] = ()
) -> bytes:
    """A whole response, after which the connection is closed."""
    status = problem.code.value.status if status is None else status
    body = problem_body(problem, status)
    phrase = HTTPStatus(status).phrase if status in _STATUSES else problem.code.code
    lines = [b"HTTP/1.1 %d %b" % (status, phrase.encode())]
    lines += [b"%b: %b" % (name.encode(), value.encode("latin-1", "replace")) for name, value in headers]
    lines += [b"%b: %b" % header for header in SECURITY_HEADERS]
    lines += [b"Content-Type: %b" % PROBLEM_TYPE, b"Content-Length: %d" % len(body), b"Connection: close"]
    return b"\r\n".join([*lines, b"", body])
