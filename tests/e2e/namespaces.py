"""Network namespaces of a test's own, and wires between them: what they leave behind is gone with them."""

import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.needs import missing

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def needs_namespaces() -> None:
    """That this machine lets root have them."""
    done = subprocess.run(
        ["unshare", "--net", "ip", "link", "add", "one", "type", "veth", "peer", "name", "other"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        missing(f"namespaces are not permitted here: {done.stderr.decode().strip()}")


class Namespace:
    """A namespace with its loopback. It is there until its `cat` hears that we have ended."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        while os.readlink("/proc/self/ns/net") == os.readlink(self._path):
            pass
        self.inside = ("nsenter", f"--net={self._path}", "--")
        """What a command begins with that is to run here."""
        self.run("ip", "link", "set", "lo", "up")

    @property
    def _path(self) -> str:
        return f"/proc/{self._holder.pid}/ns/net"

    def run(self, *command: str) -> None:
        run(*self.inside, *command)

    def popen(self, command: Sequence[str | Path], **options: object) -> "subprocess.Popen[bytes]":
        """Start something in here."""
        return subprocess.Popen([*self.inside, *map(str, command)], **options)  # type: ignore[call-overload, no-any-return]  # the options are Popen's

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread makes meanwhile are in here, and stay so."""
        ours = os.open(f"/proc/self/task/{_thread()}/ns/net", os.O_RDONLY)
        theirs = os.open(self._path, os.O_RDONLY)
        try:
            enter(theirs)
            try:
                yield
            finally:
                enter(ours)
        finally:
            os.close(theirs)
            os.close(ours)

    def close(self) -> None:
        assert self._holder.stdin is not None
        self._holder.stdin.close()
        self._holder.wait(10)


def wire(one: Namespace | None, name: str, address: str, other: Namespace, peer: str, at: str) -> None:
    """A wire between two namespaces, None being ours, with an address (as 198.18.0.1/24) at each end."""
    run("ip", "link", "add", name, "type", "veth", "peer", "name", peer, "netns", str(other._holder.pid))
    if one is not None:
        run("ip", "link", "set", name, "netns", str(one._holder.pid))
    inside = () if one is None else one.inside
    for front, interface, own in ((inside, name, address), (other.inside, peer, at)):
        run(*front, "ip", "address", "add", own, "dev", interface)
        run(*front, "ip", "link", "set", interface, "up")


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def _thread() -> int:
    return int(_libc.gettid())


def enter(descriptor: int) -> None:
    """This thread is in a namespace from now on: that of a descriptor of /proc/PID/ns/net."""
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
