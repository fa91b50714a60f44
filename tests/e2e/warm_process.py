"""A process that has loaded a node's modules, and becomes nodes and commands: see `tests.e2e.warm`.

It forks for each, before which it has done nothing but to import: no reactor is there, and no thread.
"""

import gc
import importlib
import os
import signal
import socket
import sys
from contextlib import suppress
from fcntl import F_DUPFD, fcntl

import msgspec
from msgspec import Struct

PROGRAMS = {
    "twistd": "twisted.scripts.twistd:run",
    "safeum-home": "safeum_home.operator:main",
    "safeum": "safeum_home.client.cli:main",
    "development-node": "tests.e2e.development_node:main",
}
"""What the commands of the virtual environment call, and one of the tests."""
_LOADED = (
    "safeum_home.tap",
    "safeum_home.admin.offline",
    "safeum_home.sealing.root",
    "safeum_home.sealing.vault",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "twisted.protocols.haproxy._wrapper",
)
MOST = 65_536
"""Octets of a request; it has at most 16 descriptors."""
_ABOVE = 500
"""Descriptors are moved above this one on their way to their places."""


class Start(Struct, tag=True):
    """Start a program with descriptors at these places, which come with the request in their order."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    places: list[int]


class Ended(Struct, tag=True):
    """How a process has ended, which has."""

    pid: int


_requests = msgspec.json.Decoder(Start | Ended)


def main() -> object:
    """What the program returns that this process has become; None where it has only made others."""
    wire = socket.socket(fileno=int(sys.argv[1]))
    for place in (*PROGRAMS.values(), *_LOADED):
        importlib.import_module(place.partition(":")[0])
    assert "twisted.internet.reactor" not in sys.modules
    gc.collect()
    gc.freeze()
    children: set[int] = set()
    while True:
        octets, descriptors, _, _ = socket.recv_fds(wire, MOST, 16)
        if not octets:
            break
        request = _requests.decode(octets)
        if isinstance(request, Ended):
            _, status = os.waitpid(request.pid, 0)
            children.discard(request.pid)
            wire.send(msgspec.json.encode(os.waitstatus_to_exitcode(status)))
            continue
        pid = os.fork()
        if pid == 0:
            wire.detach()
            return _become(request, descriptors)
        children.add(pid)
        for descriptor in descriptors:
            os.close(descriptor)
        wire.send(msgspec.json.encode(pid))
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return None


def _become(request: Start, descriptors: list[int]) -> object:
    """Run a program as if this process had been started for it."""
    above = [fcntl(descriptor, F_DUPFD, _ABOVE) for descriptor in descriptors]
    os.closerange(3, _ABOVE)
    for descriptor, place in zip(above, request.places, strict=True):
        os.dup2(descriptor, place)
    os.closerange(_ABOVE, _ABOVE + 100)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.argv = request.arguments
    module, _, function = PROGRAMS[os.path.basename(request.arguments[0])].partition(":")
    return getattr(sys.modules[module], function)()


if __name__ == "__main__":
    sys.exit(main())  # type: ignore[arg-type]  # as the commands do
