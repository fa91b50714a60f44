"""Files that other nodes ask for: opened, a few of each node at once, and streamed by the edge."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from federation.held import Held
from safeum_home.errors import Code, Problem
from safeum_home.ports.federation import OpenFile
from safeum_home.ports.files import Reading
from safeum_home.protocol.federation.files import FetchFile

MOST, EACH = 128, 16
"""Files that are on their way at once: to all nodes, and to one."""
Send = Callable[[Any, Reading, int], None]
"""Answers a request with a file from an octet on, and closes it, whatever happens."""


@dataclass(frozen=True, slots=True)
class Lent:
    """What a request is answered with: a file, from `start` on."""

    reading: Reading
    start: int


class Lending:
    """Opens files for nodes. `open` says what opens them, once that is known."""

    def __init__(self, open: Callable[[], OpenFile | None], send: Send) -> None:
        self._open = open
        self._held = Held(MOST, EACH)
        self.send = send

    async def lend(self, node: str, asked: FetchFile) -> Lent:
        """Raises what the answer is where it is no file."""
        open_file = self._open()
        if open_file is None:
            raise Problem(Code.NOT_FOUND)
        with ExitStack() as held:
            held.enter_context(self._held.of(node))
            reading = await open_file(node, asked)
            return Lent(_Counted(reading, held.pop_all()), asked.offset)


class _Counted:
    """`ports.files.Reading` that counts for a node until it is closed."""

    def __init__(self, reading: Reading, held: ExitStack) -> None:
        self._reading = reading
        self._held = held
        self.file, self.name, self.size = reading.file, reading.name, reading.size

    def read(self, offset: int, most: int) -> "Deferred[bytes]":
        return self._reading.read(offset, most)

    def close(self) -> None:
        self._reading.close()
        self._held.close()
