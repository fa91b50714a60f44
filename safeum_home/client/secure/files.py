"""Files and voice notes: encrypted with a random key of their own, which a payload bears.

    header     24   of secretstream_xchacha20poly1305
    chunks          of 65,536 octets, each with 17 more; the last is shorter, and says that it is the last

What is encrypted is the file and zeros up to a size of which there are few (`padding.padme`).
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from nacl import bindings
from nacl._sodium import ffi, lib
from nacl.exceptions import CryptoError

from safeum_home.client.secret import KEY, fresh
from safeum_home.client.secure.octets import HASH, malformed
from safeum_home.client.secure.padding import padme
from safeum_home.client.secure.refused import Reason, Refused

CHUNK = 65_536
HEADER = bindings.crypto_secretstream_xchacha20poly1305_HEADERBYTES
MORE = bindings.crypto_secretstream_xchacha20poly1305_ABYTES
_MESSAGE = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_LAST = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_PERSON = b"safeum file v1"


def sealed_size(size: int) -> int:
    """Octets that lie at the node for a file of `size`."""
    filled = padme(size)
    return HEADER + filled + MORE * max(1, -(-filled // CHUNK))


class _Stream:
    def __init__(self) -> None:
        self._state: Any = bindings.crypto_secretstream_xchacha20poly1305_state()
        self._hash = blake2b(digest_size=HASH, person=_PERSON)
        self._waiting = bytearray()

    def wipe(self) -> None:
        """Zero the key of the stream. Twice is harmless."""
        lib.sodium_memzero(self._state.statebuf, ffi.sizeof(self._state.statebuf))


class FileSealer(_Stream):
    """Encrypts a file of `size` octets, piece by piece: `add` all of it, then what `end` gives.

    What comes of it is to be kept until it is acknowledged: the same octets cannot be made again, and other
    ones of the same file are never to be made with the same key.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.key = fresh(KEY)
        self._size, self._left = size, size
        header = bindings.crypto_secretstream_xchacha20poly1305_init_push(self._state, self.key)
        self._ready = [header]

    def add(self, octets: bytes) -> bytes:
        """Some more of the file; what is to be uploaded of it. Raises ValueError past its size."""
        self._left -= len(octets)
        if self._left < 0:
            raise ValueError("more than the file has")
        self._waiting += octets
        self._seal_all_but_the_last()
        return self._flush()

    @property
    def hash(self) -> bytes:
        """Of all that was to be uploaded so far."""
        return self._hash.digest()

    def end(self) -> Iterator[bytes]:
        """The rest that is to be uploaded, in pieces. Raises ValueError before its size."""
        if self._left:
            raise ValueError("less than the file has")
        filling = padme(self._size) - self._size
        while filling:
            zeros = min(filling, CHUNK)
            self._waiting += bytes(zeros)
            filling -= zeros
            self._seal_all_but_the_last()
            yield self._flush()
        self._push(bytes(self._waiting), _LAST)
        self._waiting.clear()
        self.wipe()
        yield self._flush()

    def _seal_all_but_the_last(self) -> None:
        while len(self._waiting) > CHUNK:
            self._push(bytes(self._waiting[:CHUNK]), _MESSAGE)
            del self._waiting[:CHUNK]

    def _push(self, chunk: bytes, tag: int) -> None:
        push = bindings.crypto_secretstream_xchacha20poly1305_push
        self._ready.append(push(self._state, chunk, tag=tag))

    def _flush(self) -> bytes:
        ready = b"".join(self._ready)
        self._ready.clear()
        self._hash.update(ready)
        return ready


class FileOpener(_Stream):
    """Decrypts what was uploaded, piece by piece. It is the file only once `end` has not raised.

    To go on with what was opened before: `add` the header, and `again` all whole chunks that were opened.
    """

    def __init__(self, key: bytes, size: int, hash: bytes) -> None:
        super().__init__()
        self._key = key
        self._size, self._left, self._filling = size, size, padme(size) - size
        self._expected = hash
        self._begun = self._ended = False

    def add(self, octets: bytes) -> bytes:
        """Some more of what lies at the node; what is in it. Raises `Refused`."""
        self._hash.update(octets)
        self._waiting += octets
        if not self._begun and len(self._waiting) >= HEADER:
            header = bytes(self._waiting[:HEADER])
            bindings.crypto_secretstream_xchacha20poly1305_init_pull(self._state, header, self._key)
            del self._waiting[:HEADER]
            self._begun = True
        opened = []
        while self._begun and len(self._waiting) > CHUNK + MORE:
            opened.append(self._pull(bytes(self._waiting[: CHUNK + MORE]), _MESSAGE))
            del self._waiting[: CHUNK + MORE]
        return b"".join(opened)

    def again(self, chunk: bytes) -> None:
        """A whole chunk of the file that was opened before. If it was not, nothing that follows opens."""
        if not self._begun or self._waiting or len(chunk) != CHUNK or self._left < CHUNK:
            raise ValueError("no chunk that stands here")
        push = bindings.crypto_secretstream_xchacha20poly1305_push
        self._hash.update(push(self._state, chunk, tag=_MESSAGE))  # both ways have the same state
        self._left -= CHUNK

    def end(self) -> bytes:
        """The last of the file. Raises `Refused(UNDECRYPTABLE)` where it is not the one that was sealed."""
        if not self._begun:
            raise malformed()
        last = self._pull(bytes(self._waiting), _LAST)
        self.wipe()
        if self._left or self._filling or self._hash.digest() != self._expected:
            raise Refused(Reason.UNDECRYPTABLE)
        return last

    def _pull(self, sealed: bytes, expected: int) -> bytes:
        try:
            chunk, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(self._state, sealed)
        except (CryptoError, ValueError):
            raise Refused(Reason.UNDECRYPTABLE) from None
        if tag != expected:
            raise Refused(Reason.UNDECRYPTABLE)
        file, filling = chunk[: self._left], chunk[self._left :]
        self._left -= len(file)
        self._filling -= len(filling)
        if self._filling < 0 or filling.strip(b"\0"):
            raise Refused(Reason.UNDECRYPTABLE)
        return file
