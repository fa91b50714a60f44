"""A file on its way into a secure chat: encrypted as it is sent, and no octet of it is stored here."""

from collections.abc import Awaitable, Callable, Iterator
from errno import EIO
from typing import BinaryIO

from safeum_home.client.connection.web import Web
from safeum_home.client.errors import BadAnswer
from safeum_home.client.files.upload import Upload
from safeum_home.client.secure.files import CHUNK, FileSealer, sealed_size
from safeum_home.protocol.commands import UploadTicket
from safeum_home.protocol.files import OCTETS_TYPE

PIECE = 8 * 1024**2
"""Octets that are sent before the node has to acknowledge them, and are kept in memory until then."""


class SealedSource:
    """What is sent of a file, made as it is read; what the node has not acknowledged is there again.

    Nothing is encrypted twice with the same key: a file that is written to meanwhile would give its nonces
    to two different texts. So what was made is kept, and what was let go begins anew, with another key.
    """

    def __init__(self, file: BinaryIO, plain: int) -> None:
        """`plain` are the octets that the file has."""
        self.size = sealed_size(plain)
        self._file = file
        self._plain = plain
        self.begin()

    def begin(self) -> None:
        """From the front, with another key."""
        self._sealer = FileSealer(self._plain)
        self._octets = self._sealed()
        self._kept = bytearray()
        self._first = self._at = 0
        self._file.seek(0)

    @property
    def key(self) -> bytes:
        return self._sealer.key

    @property
    def hash(self) -> bytes:
        """Of all of it, once all was made."""
        return self._sealer.hash

    def acknowledged(self, octets: int) -> None:
        """The node has so many of the first. Raises `BadAnswer` where these are not within what is kept."""
        if not 0 <= octets - self._first <= len(self._kept):
            raise BadAnswer("The node has less of the file than it had, or more than was sent.")
        del self._kept[: octets - self._first]
        self._first = octets

    def seek(self, offset: int, /) -> int:
        self._at = offset
        return offset

    def read(self, size: int, /) -> bytes:
        """Raises OSError, also where the file is shorter than it was."""
        start = self._at - self._first
        if start < 0:
            raise BadAnswer("The node asks for what it has acknowledged.")
        while len(self._kept) < start + size and (made := next(self._octets, None)) is not None:
            self._kept += made
        read = bytes(self._kept[start : start + size])
        self._at += len(read)
        return read

    def wipe(self) -> None:
        """Nothing more is read."""
        self._sealer.wipe()
        self._kept.clear()

    def _sealed(self) -> Iterator[bytes]:
        left = self._plain
        while left:
            plain = self._file.read(min(CHUNK, left))
            if not plain:
                raise OSError(EIO, "The file has become shorter while it was sent")
            left -= len(plain)
            yield self._sealer.add(plain)
        yield from self._sealer.end()


class SealedUpload(Upload):
    """The upload of a `SealedSource`."""

    piece = PIECE

    def __init__(
        self,
        web: Web,
        ticket: Callable[[str | None], Awaitable[UploadTicket]],
        source: SealedSource,
        progress: Callable[[int, int], object] | None,
    ) -> None:
        super().__init__(web, ticket, source, source.size, OCTETS_TYPE, progress)
        self._sealed = source

    def _begun(self) -> None:
        self._sealed.begin()

    def _acknowledged(self) -> None:
        self._sealed.acknowledged(self.offset)
