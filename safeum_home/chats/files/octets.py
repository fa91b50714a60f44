"""The octets of a file at rest: chunks of 64 KiB, each sealed for its place.

A chunk is bound to its blob, to its number, and to being the last one or not. So chunks can be read in any
order, and none can be left out, moved, or cut off at the end without that being seen (the construction of
age and of STREAM, Hoang et al. 2015, with random nonces of 192 bits instead of counted ones).
"""

from safeum_home.errors import Tampered
from safeum_home.ports import Key
from safeum_home.ports.files import CHUNK as CHUNK

OVERHEAD = 41
"""By how many octets a sealed chunk is longer (`sealing.keys`)."""
SEALED = CHUNK + OVERHEAD


def chunks(size: int) -> int:
    """How many chunks a file of `size` octets has: an empty one has an empty chunk."""
    return max(1, -(-size // CHUNK))


def sealed_size(size: int) -> int:
    """Octets in the store."""
    return size + chunks(size) * OVERHEAD


def seal_chunks(key: Key, blob: bytes, first: int, count: int, data: bytes) -> bytes:
    """`data` as chunks from number `first` on, of a file that has `count` of them. Blocks: for a thread."""
    starts = range(0, max(1, len(data)), CHUNK)
    return b"".join(
        key.seal(data[start : start + CHUNK], _place(blob, first + each, count))
        for each, start in enumerate(starts)
    )


def open_chunks(key: Key, blob: bytes, first: int, count: int, sealed: bytes) -> bytes:
    """The octets of whole chunks from number `first` on; raises `Tampered`. Blocks: for a thread."""
    starts = range(0, len(sealed), SEALED)
    return b"".join(
        key.open(sealed[start : start + SEALED], _place(blob, first + each, count))
        for each, start in enumerate(starts)
    )


def seal_tail(key: Key, blob: bytes, received: int, tail: bytes) -> bytes:
    """The octets behind the last whole chunk, of a file of which `received` octets are there."""
    return key.seal(tail, _tail(blob, received)) if tail else b""


def open_tail(key: Key, blob: bytes, received: int, sealed: bytes) -> bytes:
    """What `seal_tail` has sealed; raises `Tampered`, also where it is not as long as it has to be."""
    tail = key.open(sealed, _tail(blob, received)) if sealed else b""
    if len(tail) != received % CHUNK:
        raise Tampered
    return tail


def _place(blob: bytes, number: int, count: int) -> bytes:
    last = b"\1" if number == count - 1 else b"\0"
    return b"file chunk" + blob + number.to_bytes(8, "big") + last


def _tail(blob: bytes, received: int) -> bytes:
    return b"file tail" + blob + received.to_bytes(8, "big")
