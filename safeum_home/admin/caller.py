"""The command line's end of the operator's socket. Blocking: it has nothing else to do."""

import socket
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from safeum_home.admin.wire import MAX_LINE, Params, Request
from safeum_home.protocol.frames import ProblemDetails

TIMEOUT = 60.0
R = TypeVar("R", bound=Struct)


class NoNode(Exception):
    """Nobody answers at the socket; the text says why."""


class Refused(Exception):
    """The node refused: `problem` says why."""

    def __init__(self, problem: ProblemDetails) -> None:
        super().__init__(problem.code)
        self.problem = problem


class _Error(Struct, frozen=True):
    data: ProblemDetails


class _Answer(Struct, frozen=True):
    result: Raw = Raw(b"")
    error: _Error | None = None


def call(path: str, method: str, params: Params, result: type[R], timeout: float | None = TIMEOUT) -> R:
    """Ask the node whose socket is at `path`; raises `NoNode` and `Refused`. `timeout` is in seconds."""
    encode = msgspec.json.encode
    request = encode(Request(jsonrpc="2.0", id=1, method=method, params=Raw(encode(params))))
    try:
        line = _exchange(path, request + b"\n", timeout)
        answer: Any = msgspec.json.decode(line, type=_Answer)
        if answer.error is not None:
            raise Refused(answer.error.data)
        return msgspec.json.decode(answer.result, type=result)
    except OSError as error:
        raise NoNode(f"{path}: {error.strerror or 'no answer in time'}") from None
    except msgspec.DecodeError:
        raise NoNode(f"{path}: what answers there is not a node of this version") from None


def _exchange(path: str, request: bytes, timeout: float | None) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(path)
        connection.sendall(request)
        with connection.makefile("rb") as answers:
            return answers.readline(MAX_LINE)
