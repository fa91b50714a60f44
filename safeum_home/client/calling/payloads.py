"""What two devices say to each other in a call, sealed: to be read by each other alone."""

from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from safeum_home.protocol.scalars import Signature

MOST_SDP = 15_000
"""Characters of a description: with the rest it fits the largest size to which a signal is filled."""
MOST_EPOCHS = 10_000

Epoch = Annotated[int, Meta(ge=0, lt=MOST_EPOCHS, description="Counts the ways that a call was tried on.")]
LINE_PATTERN = r"^[ -~]{0,512}$(?!\n)"
Line = Annotated[str, Meta(pattern=LINE_PATTERN, max_length=512)]


class DescriptionKind(Enum):
    """Who begins, and who answers it (RFC 8829, section 3.2)."""

    OFFER = "offer"
    ANSWER = "answer"


class _Payload(Struct, frozen=True, tag_field="is"):
    pass


class _Tag(Struct):
    is_: str = msgspec.field(name="is")


class Description(_Payload, frozen=True, tag="description"):
    """SDP (RFC 8866), signed by the launch key: see `description_octets`."""

    kind: DescriptionKind
    epoch: Epoch
    sdp: Annotated[str, Meta(min_length=1, max_length=MOST_SDP)]
    signature: Signature


class Candidate(_Payload, frozen=True, tag="candidate"):
    """One more address (RFC 8839, section 5.1), or an empty line: there are no more."""

    epoch: Epoch
    line: Line


class Control(_Payload, frozen=True, tag="control"):
    """What its sender sends now."""

    muted: bool = False
    video: bool = False


class Again(_Payload, frozen=True, tag="again"):
    """The responder has no connection on the way of this epoch (any more): it is to be tried anew."""

    epoch: Epoch


class Bye(_Payload, frozen=True, tag="bye"):
    """The call is over. `failed`: since no way was found."""

    failed: bool = False


Payload = Description | Candidate | Control | Again | Bye

_TAG = b"safeum call description v1\0"
_encoder = msgspec.json.Encoder(order="sorted")
_decoder: "msgspec.json.Decoder[Payload]" = msgspec.json.Decoder(Payload)
_tags: "msgspec.json.Decoder[_Tag]" = msgspec.json.Decoder(_Tag)
_KNOWN = {"description", "candidate", "control", "again", "bye"}


def encode(payload: Payload) -> bytes:
    return msgspec.json.encode(payload)


def decode(octets: bytes) -> Payload | None:
    """None of what only later versions know, as are members that this one does not.

    Raises `msgspec.DecodeError` and what else there is to say of octets that are none.
    """
    if _tags.decode(octets).is_ not in _KNOWN:
        return None
    return _decoder.decode(octets)


def description_octets(transcript: str, kind: DescriptionKind, epoch: int, sdp_hash: str) -> bytes:
    """What is signed of a description: in which call it is, and its SHA-256. Both hashes are base64url.

    The kind tells whose it is: only an initiator offers, only a responder answers.
    """
    return _TAG + _encoder.encode(
        {"epoch": epoch, "kind": kind.value, "sdp": sdp_hash, "transcript": transcript}
    )
