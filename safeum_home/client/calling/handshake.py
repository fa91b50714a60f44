"""How two devices agree on keys for a call: the octets. docs/calls.md specifies them.

The initiator commits to its keys, the responder shows its own, the initiator opens its commitment: so nobody
in the middle can look for keys with which both sides would see the same words.

    commitments  0x01 || commitment (32) for each device that it may be opened to
    response     0x02 || sign (32) || ephemeral (32) || nonce (32) || signature (64)
    reveal       0x03 || which of the commitments (1) || sign || ephemeral || nonce || signature

Signed are a tag, a zero octet and canonical JSON (RFC 8785), as of all keys (`protocol.key_types`).
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from safeum_home.client.sas import SIZE
from safeum_home.client.secret import KEY, Secret
from safeum_home.protocol.call_types import MOST_TOGETHER
from safeum_home.protocol.federation.signed import SIGNATURE_SIZE, is_signed_by
from safeum_home.protocol.signing import decode_octets, encode_octets

COMMITMENTS, RESPONSE, REVEAL, SEALED = b"\1", b"\2", b"\3", b"\4"
"""The first octet says what it is."""
SEATS = {"conference": MOST_TOGETHER - 1}
"""Devices that a commitment may be opened to, by the kind of the call; else it is one."""
_SHOWN = 3 * KEY
_RESPONSE_TAG = b"safeum call response v1\0"
_REVEAL_TAG = b"safeum call reveal v1\0"
_COMMITMENT_PERSON = b"safeum call hide"
_TRANSCRIPT_PERSON = b"safeum call"
_KEY_PERSON = b"safeum call key"
_encoder = msgspec.json.Encoder(order="sorted")


class Refused(Exception):
    """There is no connection to the other device. The text says why, for people."""


class Tampered(Refused):
    """What has come is not what the other device has sent: a key, signature, commitment or seal is wrong."""


class Unproven(Refused):
    """It cannot be told now whether it is the other device, or what it means; nobody need have done wrong."""


class TooMany(Refused):
    """So often that somebody in the middle may be looking for words; in `seconds` it may be tried again."""

    def __init__(self, seconds: float) -> None:
        super().__init__("connections to them were begun so often that one has to wait")
        self.seconds = seconds


class Pair(NamedTuple):
    """Two devices in a call. `kind` is `audio`, `video` or `conference`, which alone is of a `chat`."""

    call: str
    kind: str
    initiator: str
    initiator_device: str
    responder: str
    responder_device: str
    chat: str = ""

    def members(self) -> dict[str, str]:
        return {name: value for name, value in self._asdict().items() if value or name != "chat"}


class Shown(NamedTuple):
    """The public half of what a device takes part with: its launch key, a key for this once, and a nonce."""

    sign: bytes
    ephemeral: bytes
    nonce: bytes

    def members(self) -> dict[str, str]:
        return {name: encode_octets(octets) for name, octets in self._asdict().items()}


def octets_of(text: str) -> bytes:
    """What a hello or a signal stands for; raises `Tampered`."""
    octets = decode_octets(text, len(text) * 3 // 4)
    if not octets:
        raise Tampered("no base64url")
    return octets


def commitment(shown: Shown) -> bytes:
    """What says nothing of `shown`, and fits nothing else."""
    return blake2b(b"".join(shown), digest_size=32, person=_COMMITMENT_PERSON).digest()


def commitments(shown: Sequence[Shown]) -> bytes:
    """The initiator's hello."""
    return COMMITMENTS + b"".join(commitment(each) for each in shown)


def is_hello(hello: bytes, kind: str) -> bool:
    """Whether these are commitments, and no more than it takes: each is a try for somebody between."""
    count, rest = divmod(len(hello) - 1, 32)
    return hello[:1] == COMMITMENTS and not rest and 1 <= count <= SEATS.get(kind, 1)


def response_octets(pair: Pair, hello: bytes, shown: Shown) -> bytes:
    """What the responder signs."""
    return _RESPONSE_TAG + _encoder.encode(
        {**pair.members(), **shown.members(), "hello": encode_octets(hello)}
    )


def response(shown: Shown, signature: bytes) -> bytes:
    """The responder's hello."""
    return RESPONSE + b"".join(shown) + signature


def read_response(pair: Pair, hello: bytes, octets: bytes) -> Shown:
    """What a responder has shown; raises `Tampered`."""
    if octets[:1] != RESPONSE or len(octets) != 1 + _SHOWN + SIGNATURE_SIZE:
        raise Tampered("no response")
    shown = _shown(octets[1:])
    if not is_signed_by(shown.sign, response_octets(pair, hello, shown), octets[1 + _SHOWN :]):
        raise Tampered("a response that is not signed")
    return shown


def transcript_octets(pair: Pair, hello: bytes, response: bytes, number: int, shown: Shown) -> bytes:
    """All that was said, with the initiator's keys, as it signs it."""
    said = {"hello": encode_octets(hello), "number": number, "response": encode_octets(response)}
    return _REVEAL_TAG + _encoder.encode({**pair.members(), **shown.members(), **said})


def reveal(number: int, shown: Shown, signature: bytes) -> bytes:
    """The initiator's first signal."""
    return REVEAL + bytes([number]) + b"".join(shown) + signature


def read_reveal(pair: Pair, hello: bytes, response: bytes, octets: bytes) -> tuple[Shown, bytes]:
    """What an initiator has opened, and the octets of the transcript; raises `Tampered`."""
    if octets[:1] != REVEAL or len(octets) != 2 + _SHOWN + SIGNATURE_SIZE:
        raise Tampered("no reveal")
    number, shown = octets[1], _shown(octets[2:])
    if commitment(shown) != hello[1 + 32 * number : 33 + 32 * number]:
        raise Tampered("other keys than were committed to")
    transcript = transcript_octets(pair, hello, response, number, shown)
    if not is_signed_by(shown.sign, transcript, octets[2 + _SHOWN :]):
        raise Tampered("a reveal that is not signed")
    return shown, transcript


def _shown(octets: bytes) -> Shown:
    return Shown(octets[:KEY], octets[KEY : 2 * KEY], octets[2 * KEY : _SHOWN])


class Agreed(NamedTuple):
    """What both have come to. `transcript` is a hash of all that was said."""

    transcript: bytes
    initiators: Secret
    """Seals what the initiator says."""
    responders: Secret
    words: bytes
    """What people compare is made of (`client.sas`)."""

    def wipe(self) -> None:
        self.initiators.wipe()
        self.responders.wipe()


def agree(own: Secret, other: bytes, transcript: bytes) -> Agreed:
    """What follows from one's ephemeral key, the other's, and the transcript; raises `Tampered`."""
    try:
        shared = own.agree(other)
    except ValueError as error:
        raise Tampered(str(error)) from None
    hashed = blake2b(transcript, digest_size=32, person=_TRANSCRIPT_PERSON).digest()
    try:
        return Agreed(
            hashed,
            shared.derive(hashed + b"initiator", _KEY_PERSON),
            shared.derive(hashed + b"responder", _KEY_PERSON),
            shared.digest(hashed + b"words", _KEY_PERSON, SIZE),
        )
    finally:
        shared.wipe()
