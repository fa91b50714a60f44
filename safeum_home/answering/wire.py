"""What the node and the process that answers calls say to each other, through two pipes.

Each message is MessagePack behind its length (4 octets, big-endian). Neither side trusts the other: what is
too long, or not of this form, ends the process.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

MOST_SDP = 12 * 1024
MOST_GREETING = 64 * 1024
"""Octets of a greeting, Ogg Opus."""
MOST_SOUND = 32 * 1024
"""Octets of a recording that are handed over at once."""
MOST_SECONDS = 600
LONGEST = 96 * 1024
"""Octets of a message."""

CallNumber = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Milliseconds = Annotated[int, Meta(ge=0, le=2 * MOST_SECONDS * 1000)]
Description = Annotated[str, Meta(max_length=MOST_SDP)]


class Why(Enum):
    """Why a call is over for who has answered it."""

    HANGUP = "hangup"
    """The caller has closed the way of the sound, or the node has said that he has hung up."""
    TIME = "time"
    """It was recorded for as long as may be."""
    SILENCE = "silence"
    KEY = "key"
    """The caller has pressed #."""
    REFUSED = "refused"
    """Its description is none that can be answered."""
    LOST = "lost"
    """No sound gets through, or none any more."""


class Answer(Struct, frozen=True, forbid_unknown_fields=True, tag="answer"):
    """Answer a call: its offer (SDP), and what is played; then record for so long."""

    call: CallNumber
    sdp: Description
    greeting: Annotated[bytes, Meta(max_length=MOST_GREETING)]
    seconds: Annotated[int, Meta(ge=1, le=MOST_SECONDS)]
    silence: Annotated[int, Meta(ge=1, le=MOST_SECONDS)]
    """Seconds of silence after which it ends."""


class Press(Struct, frozen=True, forbid_unknown_fields=True, tag="press"):
    """The caller has pressed keys, which the sound does not tell."""

    call: CallNumber
    digits: Annotated[str, Meta(pattern=r"^[0-9*#A-D]{1,32}$(?!\n)")]


class Stop(Struct, frozen=True, forbid_unknown_fields=True, tag="stop"):
    """The caller has hung up. `Ended` comes back, behind what was still to be handed over."""

    call: CallNumber


class Ready(Struct, frozen=True, forbid_unknown_fields=True, tag="ready"):
    """The process answers from now on. `shut`: what the system keeps it from, for the operator."""

    shut: Annotated[tuple[Annotated[str, Meta(max_length=32)], ...], Meta(max_length=8)]


class Answered(Struct, frozen=True, forbid_unknown_fields=True, tag="answered"):
    """The answer to the offer (SDP), with all candidates."""

    call: CallNumber
    sdp: Description


class Sound(Struct, frozen=True, forbid_unknown_fields=True, tag="sound"):
    """The next octets of the recording, an Ogg Opus file: what there is of it can be played.

    `milliseconds` is how long it is so far, `heard` where something was heard last.
    """

    call: CallNumber
    octets: Annotated[bytes, Meta(max_length=MOST_SOUND)]
    milliseconds: Milliseconds
    heard: Milliseconds


class Ended(Struct, frozen=True, forbid_unknown_fields=True, tag="ended"):
    """The call is over here, and nothing more comes of it."""

    call: CallNumber
    why: Why


ToWorker = Answer | Press | Stop
ToNode = Ready | Answered | Sound | Ended

_encoder = msgspec.msgpack.Encoder()
to_worker: "msgspec.msgpack.Decoder[ToWorker]" = msgspec.msgpack.Decoder(ToWorker)
to_node: "msgspec.msgpack.Decoder[ToNode]" = msgspec.msgpack.Decoder(ToNode)


class Malformed(ValueError):
    """What came is not what the other side says. Names nothing of it."""


def framed(message: Struct) -> bytes:
    """A message as it goes into a pipe."""
    octets = _encoder.encode(message)
    return len(octets).to_bytes(4, "big") + octets


class Unframing:
    """Takes what comes through a pipe, in any pieces."""

    def __init__(self, decoder: "msgspec.msgpack.Decoder[Any]") -> None:
        self._decoder = decoder
        self._rest = bytearray()

    def take(self, octets: bytes) -> Iterator[Any]:
        """The messages that are complete now; raises `Malformed`."""
        rest = self._rest
        rest += octets
        while len(rest) >= 4:
            size = int.from_bytes(rest[:4], "big")
            if size > LONGEST:
                raise Malformed("a message is too long")
            if len(rest) < 4 + size:
                return
            message = bytes(rest[4 : 4 + size])
            del rest[: 4 + size]
            try:
                yield self._decoder.decode(message)
            except (msgspec.DecodeError, msgspec.ValidationError):
                raise Malformed("a message is of another form") from None
