"""A file that an operator sends in parts: one at a time, in memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from safeum_home.admin.wire import Done, PartParams
from safeum_home.errors import Code, Problem


class InParts:
    """Who begins another one has the sender of the first begin anew. `what` is one, in words."""

    def __init__(self, what: str, largest: int) -> None:
        self._what = what
        self._largest = largest
        self._octets = bytearray()
        self._busy = False

    def add(self, params: PartParams) -> Done:
        """Raises `wrong_offset` and `too_large`."""
        if params.offset == 0:
            self._octets = bytearray()
        if params.offset != len(self._octets):
            raise self.another()
        if len(self._octets) + len(params.data) > self._largest:
            self._octets = bytearray()
            raise Problem(Code.TOO_LARGE, f"{self._what} has up to {self._largest} octets")
        self._octets += params.data
        return Done()

    @contextmanager
    def whole(self, size: int) -> Iterator[bytes]:
        """The file, while nobody else works on one; raises `wrong_offset` and `busy`."""
        if size != len(self._octets):
            raise self.another()
        if self._busy:
            raise Problem(Code.BUSY, f"another one is being looked at: {self._what}")
        octets, self._octets, self._busy = bytes(self._octets), bytearray(), True
        try:
            yield octets
        finally:
            self._busy = False

    def another(self) -> Problem:
        """Of what was sent nothing is there any more."""
        return Problem(Code.WRONG_OFFSET, f"another one came in between, begin anew: {self._what}")
