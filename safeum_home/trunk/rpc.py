"""Asking Kamailio for something: JSON-RPC 2.0 in datagrams, at a socket that its user and root alone open."""

import socket
from pathlib import Path

import msgspec
from msgspec import Struct

PATIENCE = 2.0
"""Seconds."""
_LARGEST = 65_536


class _Error(Struct, frozen=True):
    code: int = 0


class _Answer(Struct, frozen=True):
    error: _Error | None = None


class NoAnswer(Exception):
    """Kamailio does not answer now."""


def ask(path: Path, method: str, *params: int | str) -> bool:
    """Whether it was done: not where there is nothing (any more) that it could be done with.

    Raises `NoAnswer`.
    """
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.settimeout(PATIENCE)
            # An address of the kernel's choice, which is in no file system.
            connection.bind("")
            connection.connect(str(path))
            connection.send(msgspec.json.encode(request))
            answer = msgspec.json.decode(connection.recv(_LARGEST), type=_Answer)
    except (OSError, msgspec.DecodeError) as error:
        raise NoAnswer(str(error)) from None
    return answer.error is None
