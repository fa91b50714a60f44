"""Running coturn: in the foreground, for as long as it goes on, with the node's secrets of the day.

Its configuration is in a sealed memfd, its secrets and its key are in a directory in memory: nothing of
them is on a disk, in an argument or in the environment.
"""

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safeum_home.config_turn import TurnSection
from safeum_home.daemon import becoming, owner_of, program, sealed
from safeum_home.errors import Code, Problem
from safeum_home.grants.turn import NotGranted, RelayGrant
from safeum_home.sealing.sources import read_safe_file
from safeum_home.turn.coturn import PACKAGE, PROGRAM, configuration, realm
from safeum_home.turn.keeping import Kept, directory
from safeum_home.turn.log import RelayLog

LONGEST_KEY = 64 * 1024
SOON = 60.0
"""Seconds after which a node that does not answer is asked again."""
OFTEN = 3600.0
"""It is asked at least so often: the certificate may be another one."""

Ask = Callable[[], RelayGrant]
"""Asks the node; raises `NotGranted`."""


class Relay:
    """coturn, as it runs, and what it is given."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", kept: Kept, ask: Ask, say: Callable[[str], None]
    ) -> None:
        self._process = process
        self._kept = kept
        self._ask = ask
        self._say = say
        self._told_to_end = False
        self._due = 0.0

    def serve(self, grant: RelayGrant) -> int:
        """Go on until coturn ends: its exit code, 0 where it was told to."""
        self._plan(grant.seconds)
        log = RelayLog(time.monotonic)
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector, self._signals() as signals:
            output = self._process.stdout.fileno()
            selector.register(output, selectors.EVENT_READ)
            selector.register(signals, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(max(0.0, self._due - time.monotonic())):
                    octets = os.read(key.fd, 65536)
                    if key.fd == output:
                        if not octets:
                            return self._ended(log)
                        for line in log.take(octets):
                            self._say(line)
                if self._due <= time.monotonic():
                    self._renew()

    def _renew(self) -> None:
        try:
            grant = self._ask()
            if self._kept.take(grant):
                self._process.send_signal(signal.SIGUSR2)
        except (NotGranted, Problem, OSError) as error:
            # It goes on with what it has: the secret of the next period is among it.
            self._say(f"The relay's secrets could not be renewed: {error}")
            self._plan(SOON)
        else:
            self._plan(grant.seconds)

    def _plan(self, seconds: float) -> None:
        self._due = time.monotonic() + min(max(seconds, 1.0), OFTEN)

    def _ended(self, log: RelayLog) -> int:
        code = self._process.wait()
        if self._told_to_end:
            return 0
        for line in log.ended():
            self._say(line)
        self._say(f"coturn has ended by itself: {code if code >= 0 else signal.Signals(-code).name}")
        return code if code > 0 else 1

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """SIGTERM and SIGINT end coturn, SIGHUP asks the node anew; a descriptor that wakes who waits."""

        def end(*_: Any) -> None:
            self._told_to_end = True
            self._process.terminate()

        def renew(*_: Any) -> None:
            self._due = 0.0

        waking, woken = socket.socketpair()
        with waking, woken:
            waking.setblocking(False)
            handlers = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: renew}
            former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
            descriptor = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
            try:
                yield woken.fileno()
            finally:
                signal.set_wakeup_fd(descriptor)
                for number, handler in former.items():
                    signal.signal(number, handler)


def run(section: TurnSection, node: str, ask: Ask, say: Callable[[str], None]) -> int:
    """Run the relay of `node` until it ends; its exit code. `say` takes lines for the operator.

    Raises `NotGranted`, `unsafe_source`, `not_found` where there is no coturn, and OSError.
    """
    path = program(PROGRAM, PACKAGE)
    owner = owner_of(section.user, "turn.user")
    if not section.certificate and any(url.startswith("turns:") for url in section.urls):
        say("turn.urls has turns:, but there is no turn.certificate: it has to be served by something else.")
    grant = ask()
    _check_free(section)
    with directory(owner, os.environ) as folder:
        tls = (lambda given: _tls(section, given)) if section.certificate else None
        kept = Kept(folder, owner, realm(section, node), tls)
        kept.take(grant)
        descriptor = sealed("turnserver.conf", configuration(section, node, kept.database, kept.tls), owner)
        front = becoming(owner, low_ports=min(section.port, section.tls_port) < 1024)
        command = [*front, path, "-c", f"/proc/self/fd/{descriptor}"]
        with subprocess.Popen(
            command,
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={},
            cwd="/",
        ) as process:
            os.close(descriptor)
            try:
                return Relay(process, kept, ask, say).serve(grant)
            finally:
                process.kill()


def _check_free(section: TurnSection) -> None:
    """Raises OSError where somebody else is served at a port: coturn would share it, or try for ever."""
    for address in section.listen or ("0.0.0.0",):  # noqa: S104 - to see whether it is taken anywhere
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for port in (section.port, *([section.tls_port] if section.certificate else [])):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(family, kind) as probe:
                    if kind is socket.SOCK_STREAM:
                        # Connections that were closed just now do not count.
                        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        probe.bind((address, port))
                    except OSError as error:
                        raise OSError(error.errno, error.strerror, f"turn.port, {address}:{port}") from None


def _tls(section: TurnSection, given: bytes | None) -> tuple[bytes, bytes]:
    kind, _, name = section.key.partition(":")
    if kind == "file":
        key = read_safe_file(Path(name), LONGEST_KEY)
    elif given is None:
        raise Problem(Code.WRONG_STATE, "the node does not give the key: turn.key of its configuration")
    else:
        key = given
    return Path(section.certificate).read_bytes(), key
