"""What Janus says: its WebSocket API, and that of its SIP plugin.

Of its frames we name what we act on, and bound that; the rest of them is passed over. What the other side of
a call writes is bounded by the frame alone: nobody is to keep us from hearing that a call has ended.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

MOST_FRAME = 64 * 1024
"""Octets of a message, either way."""
ANSWERS = frozenset({"ack", "success", "error"})
"""Kinds of frames that answer a request. All else is an event."""

Word = Annotated[str, Meta(max_length=64)]
Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
CallIdText = Annotated[str, Meta(max_length=256)]


class Made(Struct, frozen=True):
    """A session or a handle that was made."""

    id: Id = 0


class Refusal(Struct, frozen=True):
    """Why Janus itself does not do something."""

    code: int = 0


class Jsep(Struct, frozen=True):
    """A description of WebRTC."""

    sdp: str = ""


class Result(Struct, frozen=True):
    """What the SIP plugin tells of."""

    event: Word
    code: int = 0
    """A SIP status code (RFC 3261)."""
    master_id: Id = 0
    headers: dict[str, str] = {}
    """Those whose names begin as was asked for."""
    type: str = ""
    content: str = ""
    """Of SIP INFO (RFC 6086)."""
    reason_header_protocol: str = ""
    reason_header_cause: str = ""
    """Of the Reason header (RFC 3326) of BYE and CANCEL."""


class PluginEvent(Struct, frozen=True):
    """An event of the SIP plugin, or why it does not do something."""

    result: Result | None = None
    error_code: int = 0
    error: str = ""
    call_id: CallIdText = ""


class PluginData(Struct, frozen=True):
    data: PluginEvent


class Frame(Struct, frozen=True):
    """A message of Janus; `janus` is its kind."""

    janus: Word
    session_id: Id = 0
    sender: Id = 0
    """The handle that an event is of."""
    transaction: Word = ""
    data: Made | None = None
    error: Refusal | None = None
    plugindata: PluginData | None = None
    jsep: Jsep | None = None
    receiving: bool = True
    """Of a `media` event: whether anything comes from the app."""


_decoder = msgspec.json.Decoder(Frame)


def read(payload: bytes) -> Frame | None:
    """None for what is no frame of Janus, or has something in it that is out of bounds."""
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
