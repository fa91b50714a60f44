"""A store of files in memory, which keeps what was synced apart from what was only written."""

from safeum_home.ports.files import BlobLost


class MemoryStore:
    """`ports.files.BlobStore`. `crash` forgets what was not synced; while `failing`, nothing works."""

    batch = 128 * 1024

    def __init__(self) -> None:
        self.written: dict[bytes, bytearray] = {}
        self.synced: dict[bytes, bytes] = {}
        self.failing = False
        self.most_read = 0
        """The most octets that were asked for at once."""

    def crash(self) -> None:
        self.written = {blob: bytearray(octets) for blob, octets in self.synced.items()}

    def append(self, blob: bytes, offset: int, data: bytes) -> None:
        self._check()
        if offset == 0:
            self.written[blob] = bytearray()
        held = self._held(blob)
        assert len(held) == offset, "a blob grows at its end"
        held += data

    def sync(self, blob: bytes) -> None:
        self._check()
        self.synced[blob] = bytes(self._held(blob))

    def truncate(self, blob: bytes, size: int) -> None:
        self._check()
        held = self._held(blob)
        if len(held) < size:
            raise BlobLost
        del held[size:]

    def read(self, blob: bytes, offset: int, size: int) -> bytes:
        self._check()
        self.most_read = max(self.most_read, size)
        octets = bytes(self._held(blob)[offset : offset + size])
        if len(octets) < size:
            raise BlobLost
        return octets

    def delete(self, blob: bytes) -> None:
        self._check()
        self.written.pop(blob, None)
        self.synced.pop(blob, None)

    def blobs(self, after: bytes, limit: int) -> list[bytes]:
        self._check()
        return sorted(blob for blob in self.written if blob > after)[:limit]

    def _held(self, blob: bytes) -> bytearray:
        if blob not in self.written:
            raise BlobLost
        return self.written[blob]

    def _check(self) -> None:
        if self.failing:
            raise OSError("the store fails")
