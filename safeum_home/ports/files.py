"""Files: where their sealed octets lie, and what the edge asks of the domain."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from safeum_home.ids import FileId

BLOB_SIZE = 16
"""Octets of a blob's name, which is random."""
CHUNK = 64 * 1024
"""Octets of a file that are sealed together. What came of an upload behind whole ones is in no store yet."""


class BlobLost(Exception):
    """A store has no such blob, or less of it than was stored. Names nothing."""


class BlobStore(Protocol):
    """Keeps sealed octets under random names (16 octets). All of it blocks and is called in threads.

    A blob grows at its end, by one writer, and is read anywhere. What cannot be done raises OSError; what is
    not there (any more) raises `BlobLost`.
    """

    @property
    def batch(self) -> int:
        """How many octets it likes to be given at once, at the most."""

    def append(self, blob: bytes, offset: int, data: bytes) -> None:
        """Put `data` at `offset`, which is where the blob ends: at 0 it is made.

        Where it was deleted meanwhile, and `offset` is not 0, it raises `BlobLost`. A store that cannot tell
        keeps `data`, and has the blob again: whoever appended deletes it, if no row has it any more.
        """

    def sync(self, blob: bytes) -> None:
        """Return when all that was appended is durable."""

    def truncate(self, blob: bytes, size: int) -> None:
        """Cut a blob to the size that it is known to have had; raises `BlobLost` where it is shorter."""

    def read(self, blob: bytes, offset: int, size: int) -> bytes:
        """Exactly `size` octets; raises `BlobLost` where there are fewer."""

    def delete(self, blob: bytes) -> None:
        """Delete a blob; where there is none nothing happens."""

    def blobs(self, after: bytes, limit: int) -> list[bytes]:
        """Up to `limit` names behind `after`, in their order (b"" begins)."""


class Intake(Protocol):
    """The body of a request on its way in. The reader holds the sender back where it is slower."""

    def take(self, least: int) -> "Deferred[bytes]":
        """At least `least` octets, or fewer at the end; b"" behind the end.

        It never fails: a body that breaks off ends there (`broken` says so then).
        """

    @property
    def broken(self) -> bool:
        """Whether it broke off, instead of having ended as its head said."""

    def stop(self) -> None:
        """Take nothing more: what comes is thrown away, and the connection is closed."""


@dataclass(frozen=True, slots=True)
class UploadState:
    """Where an upload stands. `ends` is when it is thrown away, in seconds since 1970."""

    file: FileId
    size: int
    offset: int
    ends: float


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the body of a request has to hash to; `name` is one of `hashlib`."""

    name: str
    digest: bytes


class Reading(Protocol):
    """A file that is open for a download. Close it, whatever happens."""

    file: FileId
    name: str
    size: int

    def read(self, offset: int, most: int) -> "Deferred[bytes]":
        """Octets from `offset` on, at least one and `most` at the most.

        Fails with `Problem(file_lost)`, or `storage_unavailable`.
        """

    def close(self) -> None:
        """Zero its key, once nothing of it is being read."""


class FileTransfers(Protocol):
    """Uploads and downloads over HTTP, for whoever holds a ticket. All raise `Problem`s."""

    @property
    def largest(self) -> int:
        """Octets of the largest file that is taken."""

    def create(self, ticket: str, size: int, type: str) -> "Coroutine[Any, Any, UploadState]":
        """Begin an upload, in the place of the one that was begun with the same ticket."""

    def state(self, ticket: str, file: str) -> "Coroutine[Any, Any, UploadState]":
        """Where an upload stands. What is still sent for it elsewhere ends before that is told."""

    def receive(
        self, ticket: str, file: str, offset: int, length: int | None, checksum: Checksum | None, body: Intake
    ) -> "Coroutine[Any, Any, UploadState]":
        """Store a body that goes on at `offset`; what is told afterwards is on disk."""

    def terminate(self, ticket: str, file: str) -> "Coroutine[Any, Any, None]":
        """Throw an upload away."""

    def open(self, ticket: str) -> "Coroutine[Any, Any, Reading]":
        """The file that a ticket is for, to be read; raises where its account may not see it now."""


Clocked = Callable[[], float]
"""Tells the time in seconds since 1970."""
