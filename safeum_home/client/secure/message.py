"""A message: sealed under its sender's key in an epoch.

    epoch      32   id of the epoch
    nonce      24   random
    sealed          XChaCha20-Poly1305 of what is filled up to a bucket (`padding`)

Within, before it is filled up:

    at          8   when it was written, in milliseconds
    vault       8   version of its sender's vault then: an older one that is shown later was rolled back
    count       1   of what its sender has seen since it wrote last, at most 8
    seen            for each: stream (16), number (8), first half of that envelope's hash (16)
    payload         JSON: `payloads`
"""

from typing import NamedTuple

from safeum_home.client.secret import NONCE, TAG, Secret, fresh
from safeum_home.client.secure.envelope import STREAM, Envelope, Head, Place
from safeum_home.client.secure.octets import HASH, Reader, malformed, number
from safeum_home.client.secure.padding import BUCKETS, padded, unpadded
from safeum_home.client.secure.refused import Reason, Refused

MOST_SEEN = 8
HALF = 16
_TAG = b"safeum secure message v1\0"


class Seen(NamedTuple):
    """How far its sender has come in a stream of somebody's."""

    stream: bytes
    number: int
    half: bytes
    """The first 16 octets of the hash of that envelope."""


class Inner(NamedTuple):
    """What is sealed."""

    at: int
    vault: int
    seen: tuple[Seen, ...]
    payload: bytes

    def octets(self) -> bytes:
        seen = b"".join(each.stream + number(each.number) + each.half for each in self.seen)
        return number(self.at) + number(self.vault) + number(len(self.seen), 1) + seen + self.payload


class Sealed(NamedTuple):
    """A message that has not been opened."""

    epoch: bytes
    nonce: bytes
    sealed: bytes


def seal(
    inner: Inner, head: Head, place: Place, epoch: bytes, key: Secret, nonce: bytes | None = None
) -> bytes:
    """The content of an envelope; raises `Refused(TOO_LARGE)`. A nonce is given by vectors alone."""
    nonce = fresh(NONCE) if nonce is None else nonce
    about = place.about(_TAG) + head.octets() + epoch
    return epoch + nonce + key.seal(padded(inner.octets()), about, nonce)


def read(envelope: Envelope) -> Sealed:
    """Raises `Refused(MALFORMED)`."""
    reader = Reader(envelope.content)
    sealed = Sealed(reader.take(HASH), reader.take(NONCE), reader.rest())
    if len(sealed.sealed) - TAG not in BUCKETS:
        raise malformed()
    return sealed


def open(envelope: Envelope, sealed: Sealed, place: Place, key: Secret) -> Inner:
    """What was sealed; raises `Refused`: UNDECRYPTABLE, MALFORMED."""
    about = place.about(_TAG) + envelope.head.octets() + sealed.epoch
    plain = key.open(sealed.sealed, about, sealed.nonce)
    if plain is None:
        raise Refused(Reason.UNDECRYPTABLE)
    reader = Reader(unpadded(plain))
    at, vault, count = reader.number(), reader.number(), reader.number(1)
    if count > MOST_SEEN:
        raise malformed()
    seen = tuple(Seen(reader.take(STREAM), reader.number(), reader.take(HALF)) for _ in range(count))
    return Inner(at, vault, seen, reader.rest())
