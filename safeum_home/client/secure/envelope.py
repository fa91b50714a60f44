"""What goes through a node in a secure chat: octets that are signed, numbered and chained.

    kind       1   0x11 epoch, 0x12 message, 0x13 roster, 0x14 succession: the first digit is the version
    flags      1   0x01: quiet, nobody is woken and nothing is counted; all but messages are
    stream    16   when it began, in milliseconds (8), and 8 random octets
    number     8   of this envelope in its stream, from 1
    previous  32   hash of the envelope before it in its stream; zeros before the first
    content        as the kind has it
    signature 64   Ed25519 of a tag, the chat, the sender's account, and all octets before

Chat and account are not in it: the node tells them, and nothing that is signed fits others.
"""

from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from safeum_home.client.secret import Signing
from safeum_home.client.secure.octets import HASH, digest, malformed
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.protocol.federation.signed import SIGNATURE_SIZE, is_signed_by
from safeum_home.protocol.signing import decode_octets, encode_octets

MOST = 40_960
"""Octets of an envelope: in base64url it fits a frame, and a page of history."""
STREAM = 16
_HEAD = Struct(f">BB{STREAM}sQ{HASH}s")
NONE = bytes(HASH)
"""Instead of a hash where there is nothing before."""
QUIET = 1
_TAG = b"safeum secure envelope v1\0"
_PERSON = b"safeum envelope"


class Kind(IntEnum):
    """What an envelope is."""

    EPOCH = 0x11
    MESSAGE = 0x12
    ROSTER = 0x13
    SUCCESSION = 0x14


_KINDS = {kind.value: kind for kind in Kind}


class Place:
    """Whose envelope it is, and in which chat."""

    __slots__ = ("_where",)

    def __init__(self, chat: str, account: str) -> None:
        self._where = b"%b\0%b\0" % (chat.encode(), account.encode())

    def about(self, tag: bytes) -> bytes:
        """What is signed, or authenticated, before the octets themselves."""
        return tag + self._where


class Head(NamedTuple):
    """The beginning of an envelope."""

    kind: Kind
    quiet: bool
    stream: bytes
    number: int
    previous: bytes

    def octets(self) -> bytes:
        return _HEAD.pack(self.kind, QUIET if self.quiet else 0, self.stream, self.number, self.previous)

    @property
    def began(self) -> int:
        """When its stream began, by its sender's clock: milliseconds."""
        return int.from_bytes(self.stream[:8], "big")


class Envelope(NamedTuple):
    """An envelope as a whole. `octets` are all of it, `content` those between head and signature."""

    head: Head
    content: bytes
    octets: bytes
    hash: bytes
    """That of all octets: what names it."""

    @property
    def data(self) -> str:
        """What a body of the kind `secure` has as `data`."""
        return encode_octets(self.octets)

    def is_signed(self, place: Place, sign: bytes) -> bool:
        """Whether it is of this account, with this key, in this chat. About 50 us."""
        signed, signature = self.octets[:-SIGNATURE_SIZE], self.octets[-SIGNATURE_SIZE:]
        return is_signed_by(sign, place.about(_TAG) + signed, signature)


def seal(head: Head, content: bytes, place: Place, signing: Signing) -> Envelope:
    """A new envelope; raises `Refused(TOO_LARGE)`."""
    signed = head.octets() + content
    if len(signed) + SIGNATURE_SIZE > MOST:
        raise Refused(Reason.TOO_LARGE)
    octets = signed + signing.sign(place.about(_TAG) + signed)
    return Envelope(head, content, octets, digest(octets, _PERSON))


def read(data: str) -> Envelope:
    """An envelope of what came as `data`; raises `Refused(MALFORMED)`. Nothing of it is believed yet."""
    if len(data) > (MOST * 4 + 2) // 3 or not data.isascii():
        raise malformed()
    octets = decode_octets(data, len(data) * 3 // 4)
    if octets is None or len(octets) < _HEAD.size + SIGNATURE_SIZE:
        raise malformed()
    kind, flags, stream, number, previous = _HEAD.unpack_from(octets)
    if kind not in _KINDS or flags > QUIET or not (flags or kind == Kind.MESSAGE):
        raise malformed()
    head = Head(_KINDS[kind], flags == QUIET, stream, number, previous)
    if not 1 <= number < 2**53 or (number == 1) != (previous == NONE) or head.began >= 2**53:
        raise malformed()
    return Envelope(head, octets[_HEAD.size : -SIGNATURE_SIZE], octets, digest(octets, _PERSON))
