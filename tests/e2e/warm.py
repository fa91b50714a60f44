"""Nodes and commands that are started without loading their modules: by a process that has them already.

Of a node's start that is more than half. What is started so is a process of its own, with its own arguments,
environment, folder and descriptors, as `subprocess` starts one; only /proc shows the command of who made it.
Tests of the start itself, and of what the system shows of a process, have the command itself run.
"""

import atexit
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import msgspec

from tests.e2e.warm_process import PROGRAMS, Ended, Start

ROOT = Path(__file__).parent.parent.parent
_SECONDS = 60.0
_maker: "_Maker | None" = None
_lock = Lock()


class Process(Protocol):
    """As much of `subprocess.Popen` as tests want."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...


class WarmProcess:
    """A process that was started so."""

    def __init__(self, maker: "_Maker", arguments: Sequence[str], pid: int) -> None:
        self._maker = maker
        self._arguments = arguments
        self.pid = pid
        self.returncode: int | None = None
        self._ended = os.pidfd_open(pid)
        self._reaping = Lock()

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        status = self._look(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self._arguments, timeout or 0)
        return status

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            with suppress(OSError):  # it has ended just now, and another thread has seen it
                signal.pidfd_send_signal(self._ended, sig)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            poll = select.poll()
            poll.register(self._ended, select.POLLIN)
            if poll.poll(None if timeout is None else timeout * 1000):
                self._reap()
        return self.returncode

    def _reap(self) -> None:
        # Several threads may look: how it has ended can be asked for once.
        with self._reaping:
            if self.returncode is None:
                self.returncode = int(self._maker.ask(Ended(self.pid)))
                os.close(self._ended)


class _Maker:
    """The process that makes others: with the one that uses it, it ends, and they with it."""

    def __init__(self) -> None:
        self._wire, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._wire.settimeout(_SECONDS)
        self._lock = Lock()
        with theirs:
            place = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.warm_process", str(place)],
                pass_fds=[place],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *_paths()])},
            )
        atexit.register(self.close)

    def ask(self, request: Start | Ended, descriptors: Sequence[int] = ()) -> Any:
        octets = msgspec.json.encode(request)
        with self._lock:
            if descriptors:
                socket.send_fds(self._wire, [octets], descriptors)
            else:
                self._wire.send(octets)
            answer = self._wire.recv(1000)
        assert answer, "the process that makes others is gone"
        return msgspec.json.decode(answer)

    def close(self) -> None:
        self._wire.close()
        self._process.wait(_SECONDS)


def _paths() -> list[str]:
    return [path for path in [os.environ.get("PYTHONPATH")] if path]


def knows(command: Sequence[str]) -> bool:
    """Whether that is the name of a program, and nothing more."""
    return len(command) == 1 and os.path.basename(command[0]) in PROGRAMS


def start(
    arguments: Sequence[str],
    stdin: int,
    output: int,
    errors: int,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    descriptors: Sequence[int] = (),
    network: Path | None = None,
) -> WarmProcess:
    """Start a program of `PROGRAMS`; it has `descriptors` at the same places as they are here.

    It is in a network namespace of its own where there is a path to that.
    """
    global _maker
    with _lock:
        if _maker is None:
            _maker = _Maker()
    arguments = [str(argument) for argument in arguments]
    assert os.path.basename(arguments[0]) in PROGRAMS
    places = [0, 1, 2, *descriptors]
    given = [stdin, output, errors, *descriptors]
    told = dict(os.environ if environment is None else environment)
    request = Start(arguments, str(folder.absolute()), told, places, network is not None)
    with ExitStack() as stack:
        if network is not None:
            given.append(stack.enter_context(network.open("rb")).fileno())
        return WarmProcess(_maker, arguments, _maker.ask(request, given))


def run(
    arguments: Sequence[Any],
    given: bytes = b"",
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = _SECONDS,
) -> "subprocess.CompletedProcess[bytes]":
    """As `subprocess.run` does that captures the output; what is `given` fits into a pipe."""
    pipes = [os.pipe() for _ in range(3)]
    (stdin, giving), (reading, out), (reading_errors, err) = (
        (os.fdopen(read, "rb"), os.fdopen(write, "wb", buffering=0)) for read, write in pipes
    )
    with stdin, out, err:
        process = start(
            arguments, stdin.fileno(), out.fileno(), err.fileno(), folder or Path.cwd(), environment
        )
    with ThreadPoolExecutor(2) as pool, reading, reading_errors:
        said = [pool.submit(pipe.read) for pipe in (reading, reading_errors)]
        with giving, suppress(BrokenPipeError):
            giving.write(given)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            raise
        output, errors = (each.result() for each in said)
    return subprocess.CompletedProcess([str(each) for each in arguments], status, output, errors)
