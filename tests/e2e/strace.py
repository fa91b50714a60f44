"""What a process hands to the kernel, as strace sees it: every octet that is written, and where to."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.e2e import needs

_WRITES = ("write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg")
_MOVES = ("sendfile", "copy_file_range", "splice", "vmsplice", "tee", "process_vm_writev", "io_uring_enter")
"""Calls whose octets strace does not show: none of them is expected."""
_OPENS = ("open", "openat", "openat2", "creat")

_STRING = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_CALL = re.compile(rb"^(\w+)\((?:(\d+)<((?:\\x[0-9a-f]{2})*)>)?")
_RETURNED = re.compile(rb" = (\d+)<((?:\\x[0-9a-f]{2})*)>$")


def command(folder: Path, program: list[str]) -> list[str]:
    """Run `program` with its traces in `folder`; its process is the one that is started, not strace's."""
    folder.mkdir()
    calls = ",".join((*_WRITES, *_MOVES, *_OPENS, "connect"))
    options = ["-D", "-f", "-ff", "--seccomp-bpf", "-xx", "-y", "-s", "1000000", "-e", f"trace={calls}"]
    return [needs.tool("strace"), *options, "-o", str(folder / "trace"), *program]


@dataclass
class Trace:
    """What was seen. Paths are as the kernel names them; pipes and the like have names in brackets."""

    written: dict[str, bytes]
    """Octets for each descriptor that is not a socket, by its path."""
    to_write: set[str]
    """Files that were opened for writing."""
    connected: set[bytes]
    """What `connect` was called with."""
    moved: list[str]
    """Calls that move octets out of strace's sight."""


def _decoded(text: bytes) -> bytes:
    return bytes.fromhex(text.replace(rb"\x", b"").decode())


def _lines(folder: Path) -> Iterator[bytes]:
    for path in folder.iterdir():
        with path.open("rb") as file:
            yield from (line.rstrip(b"\n") for line in file)


def read(folder: Path) -> Trace:
    """The traces of all threads."""
    written: dict[str, bytearray] = defaultdict(bytearray)
    trace = Trace({}, set(), set(), [])
    for line in _lines(folder):
        called = _CALL.match(line)
        if called is None:
            continue
        name, target = called[1].decode(), _decoded(called[3] or b"").decode()
        if name in _MOVES:
            trace.moved.append(line[:200].decode())
        elif name in _OPENS:
            returned = _RETURNED.search(line)
            if returned is not None and re.search(rb"O_WRONLY|O_RDWR|^creat", line):
                trace.to_write.add(_decoded(returned[2]).decode())
        elif name == "connect":
            trace.connected.add(b" ".join(_decoded(one[1]) for one in _STRING.finditer(line)) or line)
        elif not target.startswith("socket:"):
            for one in _STRING.finditer(line, called.end()):
                assert not one[2], "strace cut a string short"
                written[target] += _decoded(one[1])
    trace.written = {path: bytes(octets) for path, octets in written.items()}
    return trace
