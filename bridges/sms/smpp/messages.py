"""The bodies of the PDUs: binding, submitting a message, and delivery receipts."""

import re
from dataclasses import dataclass, field

from bridges.sms.smpp.pdus import BadPdu, Reader, Tag, c_text, option
from bridges.sms.smpp.texts import encode, fits_one
from safeum_home.ports.sms import SmsState

VERSION = 0x34
_INTERNATIONAL, _NETWORK_SPECIFIC, _ALPHANUMERIC = 1, 3, 5
_ISDN = 1
_RECEIPT_TYPE, _RECEIPT = 0x3C, 0x04
_STATES = {
    1: SmsState.ACCEPTED,
    2: SmsState.DELIVERED,
    3: SmsState.FAILED,
    4: SmsState.FAILED,
    5: SmsState.FAILED,
    6: SmsState.ACCEPTED,
    8: SmsState.FAILED,
}
"""Table 5-6. UNKNOWN (7) tells nothing."""
_WORDS = {
    b"ENROUTE": SmsState.ACCEPTED,
    b"ACCEPTD": SmsState.ACCEPTED,
    b"DELIVRD": SmsState.DELIVERED,
    b"EXPIRED": SmsState.FAILED,
    b"DELETED": SmsState.FAILED,
    b"UNDELIV": SmsState.FAILED,
    b"REJECTD": SmsState.FAILED,
}
"""Appendix B."""
_ID = re.compile(rb"\bid:([!-~]{1,64})", re.I)
_STAT = re.compile(rb"\bstat:([A-Z]{7})\b", re.I)


def bind(system_id: bytes, password: bytes, system_type: bytes, longest_password: int) -> bytes:
    """The body of bind_transceiver (section 4.1.5)."""
    return (
        c_text(system_id, 16)
        + c_text(password, longest_password)
        + c_text(system_type, 13)
        + bytes([VERSION, 0, 0])
        + c_text(b"", 41)
    )


@dataclass(frozen=True, slots=True)
class Submission:
    """How messages are submitted: from whom, valid for how long, and how they are written."""

    sender: bytes
    minutes: int
    receipts: bool
    only_ucs2: bool

    def body(self, number: str, text: str) -> bytes:
        """The body of submit_sm (section 4.4.1) to `number`, E.164 with "+"."""
        coding, octets = encode(text, self.only_ucs2)
        short = octets if fits_one(coding, octets) else b""
        return (
            c_text(b"", 6)
            + self._source()
            + bytes([_INTERNATIONAL, _ISDN])
            + c_text(number.removeprefix("+").encode("ascii"), 21)
            + bytes([0, 0, 0])
            + c_text(b"", 17)
            + c_text(self._validity(), 17)
            + bytes([int(self.receipts), 0, coding, 0, len(short)])
            + short
            # The SMSC cuts what is longer into parts, and telephones put it together (section 5.3.2.32).
            + (b"" if short else option(Tag.MESSAGE_PAYLOAD, octets))
        )

    def _source(self) -> bytes:
        digits = self.sender.removeprefix(b"+")
        if not self.sender:
            kind = (0, 0)
        elif not digits.isdigit():
            kind = (_ALPHANUMERIC, 0)
        elif self.sender.startswith(b"+"):
            kind = (_INTERNATIONAL, _ISDN)
        else:
            kind = (_NETWORK_SPECIFIC, 0)
        return bytes(kind) + c_text(digits, 21)

    def _validity(self) -> bytes:
        """A period, in the relative format of section 7.1.1.2; days are as far as it goes."""
        days, minutes = divmod(self.minutes, 1440)
        return b"0000%02d%02d%02d00000R" % (days, minutes // 60, minutes % 60)


def message_id(body: bytes) -> str:
    """What the SMSC calls the message, from submit_sm_resp (section 4.4.2); "" where it does not say."""
    return Reader(body).text(65).decode("ascii", errors="replace") if body else ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery receipt (section 2.11 and appendix B)."""

    reference: str = field(repr=False)
    state: SmsState


def receipt(body: bytes) -> Receipt | None:
    """The receipt in a deliver_sm (section 4.6.1); None where it is none, or tells nothing.

    Raises `BadPdu`. A message that somebody sent to the node is not read.
    """
    reader = Reader(body)
    reader.text(6)
    for _ in range(2):
        reader.octets(2)
        reader.text(21)
    esm_class = reader.octet()
    reader.octets(2)
    reader.text(17)
    reader.text(17)
    reader.octets(4)
    text = reader.octets(reader.octet())
    options = reader.options()
    if esm_class & _RECEIPT_TYPE != _RECEIPT:
        return None
    state = _state(options.get(Tag.MESSAGE_STATE), text)
    reference = _reference(options.get(Tag.RECEIPTED_MESSAGE_ID), text)
    return None if state is None else Receipt(reference, state)


def _state(value: bytes | None, text: bytes) -> SmsState | None:
    if value is not None:
        if len(value) != 1:
            raise BadPdu
        return _STATES.get(value[0])
    found = _STAT.search(text)
    return None if found is None else _WORDS.get(found[1].upper())


def _reference(value: bytes | None, text: bytes) -> str:
    if value is not None:
        return Reader(value).text(65).decode("ascii", errors="replace")
    found = _ID.search(text)
    return "" if found is None else found[1].decode("ascii")
