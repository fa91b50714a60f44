"""What is passed on of what a program of somebody else says: nothing of who speaks with whom, with an end."""

import re
from collections import deque
from collections.abc import Callable, Iterator

from safeum_home.errors import Problem
from safeum_home.limits import RateLimit

LONGEST = 4096
"""Octets of a line; the rest of a longer one is a line for itself."""
MOST = 200
"""Lines of the start that are kept, and lines that are passed on at once; then one in a second."""
_V4 = r"\d{1,3}(?:\.\d{1,3}){3}"
ADDRESS = re.compile(rf"(?<![\w.:])(?:{_V4}|[0-9A-Fa-f]{{0,4}}(?::[0-9A-Fa-f]{{0,4}}){{2,7}}(?:{_V4})?)")


class ProgramLog:
    """Takes what a program writes, as it comes; what there is to pass on is lines without an address.

    What it says before it serves is of interest only where it does not come to that.
    """

    def __init__(
        self,
        now: Callable[[], float],
        begins: str,
        serves: str,
        telling: "re.Pattern[str]",
    ) -> None:
        """A line with `begins` in it is the last before it serves, and `serves` is said then; of others those
        are passed on in which `telling` is found."""
        self._begins = begins
        self._serves = serves
        self._telling = telling
        self._rest = b""
        self._starting: deque[str] | None = deque(maxlen=MOST)
        self._left_out = 0
        self._limit = RateLimit(1.0, MOST, now)

    def take(self, octets: bytes) -> Iterator[str]:
        """What lines that are complete now come to."""
        *lines, self._rest = (self._rest + octets).split(b"\n")
        while len(self._rest) > LONGEST:
            lines.append(self._rest[:LONGEST])
            self._rest = self._rest[LONGEST:]
        for line in lines:
            if (text := line.decode(errors="replace").strip()) and not self.is_taken(text):
                yield from self._start(text) if self._starting is not None else self._passed(text)

    def is_taken(self, text: str) -> bool:
        """Whether a line is for somebody else than the operator."""
        return False

    def redacted(self, text: str) -> str:
        """A line as it may be read."""
        return ADDRESS.sub("(address)", text)

    def ended(self) -> Iterator[str]:
        """It has ended: all that it has said, if it never served."""
        yield from self._starting or ()

    def _start(self, text: str) -> Iterator[str]:
        assert self._starting is not None
        self._starting.append(text)
        if self._begins in text:
            self._starting = None
            yield self._serves
        else:
            yield from self._passed(text)

    def _passed(self, text: str) -> Iterator[str]:
        if not self._telling.search(text):
            return
        try:
            self._limit.take("")
        except Problem:
            self._left_out += 1
            return
        if self._left_out:
            yield f"({self._left_out} lines were left out)"
            self._left_out = 0
        # Before it serves there is nobody but the operator whom it could name.
        yield text if self._starting is not None else self.redacted(text)
