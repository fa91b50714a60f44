"""A process that has loaded a node's modules, and becomes nodes and commands: see `tests.e2e.warm`.

It forks for each, before which it has done nothing but to import: no reactor is there, and no thread.
"""

import atexit
import gc
import importlib
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from fcntl import F_DUPFD, fcntl
from typing import NoReturn

import msgspec
from msgspec import Struct

from tests.e2e.namespaces import enter

PROGRAMS = {
    "twistd": "twisted.scripts.twistd:run",
    "safeum-home": "safeum_home.operator:main",
    "safeum": "safeum_home.client.cli:main",
    "development-node": "tests.e2e.development_node:main",
    "number-node": "tests.e2e.development_node:with_numbers_for_logins",
    "telling-node": "tests.e2e.telling_node:main",
}
"""What the commands of the virtual environment call, and some of the tests."""
_LOADED = (
    "safeum_home.tap",
    "safeum_home.node.start",
    "safeum_home.node.startup",
    "safeum_home.node.development",
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
    """Start a program with descriptors at these places, which come with the request in their order.

    `in_network`: behind them there is that of the network namespace that it is to be in.
    """

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    places: list[int]
    in_network: bool = False


class Ended(Struct, tag=True):
    """How a process has ended, which has."""

    pid: int


_requests = msgspec.json.Decoder(Start | Ended)


def main() -> None:
    """Make processes until nobody wants any more."""
    wire = socket.socket(fileno=int(sys.argv[1]))
    gc.disable()
    for place in (*PROGRAMS.values(), *_LOADED):
        importlib.import_module(place.partition(":")[0])
    assert "twisted.internet.reactor" not in sys.modules
    gc.collect()
    gc.freeze()
    gc.enable()
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
            _become(request, descriptors)
        children.add(pid)
        for descriptor in descriptors:
            os.close(descriptor)
        wire.send(msgspec.json.encode(pid))
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _become(request: Start, descriptors: list[int]) -> NoReturn:
    """Run a program as if this process had been started for it."""
    if request.in_network:
        enter(descriptors.pop())
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
    try:
        status = getattr(sys.modules[module], function)()
    except SystemExit as exit:
        status = exit.code
    _end(status)


def _end(status: object) -> NoReturn:
    """End as `sys.exit` does, but leave modules whole: to take them apart would copy all that is shared."""
    if not isinstance(status, int | None):
        print(status, file=sys.stderr)
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]  # as `multiprocessing` ends a process
    atexit._run_exitfuncs()
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)


if __name__ == "__main__":
    main()
