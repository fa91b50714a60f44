"""What other nodes are answered: JSON, or problem details (RFC 9457) where something is refused."""

from typing import Any

import msgspec
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.errors import Code, Problem
from safeum_home.protocol.frames import problem_details

_JSON, _PROBLEM = b"application/json", b"application/problem+json"
_log = Logger()


def problem_of(failure: Failure) -> Problem:
    if isinstance(failure.value, Problem):
        return failure.value
    _log.failure("A request of a node failed.", failure=failure)
    return Problem(Code.INTERNAL)


def retry(problem: Problem) -> list[tuple[str, str]]:
    if problem.retry_after is None:
        return []
    return [("Retry-After", str(max(1, round(problem.retry_after))))]


def write(request: Any, outcome: "bytes | Problem") -> bytes:
    if not isinstance(outcome, Problem):
        request.setHeader(b"Content-Type", _JSON)
        return outcome
    request.setResponseCode(outcome.code.value.status)
    request.setHeader(b"Content-Type", _PROBLEM)
    for name, value in retry(outcome):
        request.setHeader(name.encode(), value.encode())
    return msgspec.json.encode(problem_details(outcome))
