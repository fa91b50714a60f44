"""The PDUs of SMPP 3.4 that a transceiver needs, strict: sections 3.2 and 4 of the specification."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct

HEADER = Struct(">IIII")
_LENGTH_SIZE = 4
LONGEST = 8192
"""Octets of a PDU that is taken; a message of the longest kind is far shorter."""
RESPONSE = 0x80000000
"""The bit that tells a response from its request."""
LAST_SEQUENCE = 0x7FFFFFFF


class Command(IntEnum):
    """Table 5-1."""

    GENERIC_NACK = 0x80000000
    SUBMIT_SM = 0x00000004
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM = 0x00000005
    DELIVER_SM_RESP = 0x80000005
    UNBIND = 0x00000006
    UNBIND_RESP = 0x80000006
    BIND_TRANSCEIVER = 0x00000009
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK = 0x00000015
    ENQUIRE_LINK_RESP = 0x80000015


class Status(IntEnum):
    """Of table 5-2, those that mean something to us."""

    OK = 0x00
    INVALID_COMMAND_LENGTH = 0x02
    INVALID_COMMAND = 0x03
    SYSTEM_ERROR = 0x08
    INVALID_DESTINATION = 0x0B
    BIND_FAILED = 0x0D
    INVALID_PASSWORD = 0x0E
    INVALID_SYSTEM_ID = 0x0F
    QUEUE_FULL = 0x14
    SUBMIT_FAILED = 0x45
    THROTTLED = 0x58
    TEMPORARY_ERROR = 0x64
    PERMANENT_ERROR = 0x65
    DELIVERY_FAILED = 0xFE


class Tag(IntEnum):
    """Of table 5-7, the optional parameters in use."""

    RECEIPTED_MESSAGE_ID = 0x001E
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class BadPdu(Exception):
    """Not SMPP 3.4; says nothing of what it was."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """A PDU with its body as octets: it may name people, and is shown to nobody."""

    command: int
    sequence: int
    status: int = 0
    body: bytes = field(default=b"", repr=False)

    def encode(self) -> bytes:
        length = HEADER.size + len(self.body)
        return HEADER.pack(length, self.command, self.status, self.sequence) + self.body

    def answer(self, status: int = 0, body: bytes = b"") -> "Pdu":
        """The response to this request."""
        return Pdu(self.command | RESPONSE, self.sequence, status, body)


class Splitter:
    """Makes PDUs of the octets of a connection."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Pdu]:
        """The PDUs that are complete now; raises `BadPdu` where the next cannot be one."""
        held = self._held
        held += data
        while len(held) >= _LENGTH_SIZE:
            # Looked at before the rest is there: waiting for what is none would be silence.
            length = int.from_bytes(held[:_LENGTH_SIZE], "big")
            if not HEADER.size <= length <= LONGEST:
                raise BadPdu
            if len(held) < length:
                return
            _, command, status, sequence = HEADER.unpack_from(held)
            body = bytes(held[HEADER.size : length])
            del held[:length]
            yield Pdu(command, sequence, status, body)


class Reader:
    """Reads the fields of a body; each raises `BadPdu` where it is not there."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def text(self, longest: int) -> bytes:
        """A C-octet string of at most so many octets, its NUL counted (section 3.1)."""
        end = self._body.find(b"\0", self._at, self._at + longest)
        if end < 0:
            raise BadPdu
        found = self._body[self._at : end]
        self._at = end + 1
        return found

    def octets(self, count: int) -> bytes:
        found = self._body[self._at : self._at + count]
        if len(found) < count:
            raise BadPdu
        self._at += count
        return found

    def octet(self) -> int:
        return self.octets(1)[0]

    def options(self) -> dict[int, bytes]:
        """What is left, as optional parameters (section 5.3); of two with a tag the first counts."""
        found: dict[int, bytes] = {}
        while self._at < len(self._body):
            tag = int.from_bytes(self.octets(2), "big")
            found.setdefault(tag, self.octets(int.from_bytes(self.octets(2), "big")))
        return found


def c_text(text: bytes, longest: int) -> bytes:
    """A C-octet string; raises `BadPdu` where it does not fit, or has a NUL in it."""
    if len(text) >= longest or b"\0" in text:
        raise BadPdu
    return text + b"\0"


def option(tag: Tag, value: bytes) -> bytes:
    return tag.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
