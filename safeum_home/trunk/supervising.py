"""A program of somebody else in the foreground: it ends with whoever runs it, and what it has begun too."""

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PATIENCE = 5.0
"""Seconds in which it has to end when it is told to."""


class Supervised:
    """A program, as it runs. `take` is given what it prints, as it comes, and must not wait for anything."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", take: Callable[[bytes], None]) -> None:
        self.name = name
        self._process = process
        self._take = take
        self._told_to_end = False
        self._deadline = 0.0

    def serve(self, say: Callable[[str], None]) -> int:
        """Go on until it ends: its exit code, 0 where it was told to."""
        assert self._process.stdout is not None
        ended = os.pidfd_open(self._process.pid)
        output = self._process.stdout.fileno()
        os.set_blocking(output, False)
        try:
            with selectors.DefaultSelector() as selector, self._signals() as signals:
                for descriptor in (output, ended, signals):
                    selector.register(descriptor, selectors.EVENT_READ)
                while True:
                    ready = {key.fd for key, _ in selector.select(PATIENCE)}
                    if self._told_to_end and time.monotonic() > self._deadline:
                        self.end_group()
                    if signals in ready:
                        os.read(signals, 4096)
                    if output in ready and not self._drain(output):
                        selector.unregister(output)
                    if ended in ready:
                        return self._ended(say)
        finally:
            os.close(ended)

    def _drain(self, output: int) -> bool:
        """Whether more may come."""
        try:
            octets = os.read(output, 65536)
        except BlockingIOError:
            return True
        self._take(octets)
        return bool(octets)

    def _ended(self, say: Callable[[str], None]) -> int:
        code = self._process.wait()
        assert self._process.stdout is not None
        # What it has said last; children that it has left behind may hold the other end still.
        self.end_group()
        while self._drain(self._process.stdout.fileno()):
            if not selectable(self._process.stdout.fileno()):
                break
        if self._told_to_end:
            return 0
        say(f"{self.name} has ended by itself: {code if code >= 0 else signal.Signals(-code).name}")
        return code if code > 0 else 1

    def end_group(self) -> None:
        """Nothing that it has begun is left."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """SIGTERM and SIGINT end it; a descriptor that wakes who waits."""

        def end(*_: Any) -> None:
            self._told_to_end = True
            self._deadline = time.monotonic() + PATIENCE
            self._process.terminate()

        waking, woken = socket.socketpair()
        with waking, woken:
            waking.setblocking(False)
            former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
            descriptor = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
            try:
                yield woken.fileno()
            finally:
                signal.set_wakeup_fd(descriptor)
                for number, handler in former.items():
                    signal.signal(number, handler)


def selectable(descriptor: int) -> bool:
    """Whether there is something to be read now."""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(0))


@contextmanager
def running(
    name: str, command: Sequence[str | Path], descriptors: Sequence[int], take: Callable[[bytes], None]
) -> Iterator[Supervised]:
    """Start a program without an environment, in a session of its own, with these descriptors."""
    with subprocess.Popen(
        command,
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={},
        cwd="/",
        start_new_session=True,
    ) as process:
        for descriptor in descriptors:
            os.close(descriptor)
        supervised = Supervised(name, process, take)
        try:
            yield supervised
        finally:
            supervised.end_group()
