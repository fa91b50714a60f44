"""How events go from one node to another: in transactions, one after another, each numbered."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from safeum_home.errors import Code, Problem

FEDERATION_PATH = "/_safeum/federation/v1/"
TRANSACTIONS_PATH = "/_safeum/federation/v1/transactions/"
"""Behind it: the stream, `/`, and the number: `PUT`."""
ASK_PATH = "/_safeum/federation/v1/ask/"
"""Behind it: the name of the question (`questions.QUESTIONS`): `POST`."""
HELLO_PATH = "/_safeum/federation/v1/hello"
"""`POST {}`: this node is there again."""
MOST_EVENTS = 500
MOST_OCTETS = 1024 * 1024
"""Of the body of a transaction."""
MOST_DETAIL = 200
"""Of what is said of a refused event."""
STREAM = r"[A-Za-z0-9_-]{22}"
"""What the name of a stream is, as a pattern: 128 random bits, base64url, without padding."""


class Transaction(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a transaction."""

    events: Annotated[list[Raw], Meta(max_length=MOST_EVENTS)]


class RefusedEvent(Struct, frozen=True, omit_defaults=True):
    """An event that was set aside; the others were taken."""

    index: Annotated[int, Meta(ge=0, lt=MOST_EVENTS)]
    code: Annotated[str, Meta(pattern=r"^[a-z_]{1,64}$(?!\n)", max_length=64)]
    retry_after: Annotated[int, Meta(ge=1, le=86_400)] | None = None
    """Seconds after which it can be told again, where it cannot be taken now."""
    detail: Annotated[str, Meta(pattern=r"^[ -~]{0,200}$(?!\n)", max_length=MOST_DETAIL)] = ""
    """What is wrong with it, in words, for who writes nodes; in ASCII, as an operator is shown it."""


class Received(Struct, frozen=True):
    """A transaction was taken, now or before."""

    received: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    """Its number."""
    refused: Annotated[list[RefusedEvent], Meta(max_length=MOST_EVENTS)] = []


class Hello(Struct, frozen=True, forbid_unknown_fields=True):
    """Says nothing but that it was said."""


_transaction = msgspec.json.Decoder(Transaction)
_received = msgspec.json.Decoder(Received)
_BEGIN, _END = b'{"events":[', b"]}"
FRAME = len(_BEGIN) + len(_END)
"""Octets of a body besides its events, and a comma behind each but the last."""


def body_of(events: Sequence[bytes]) -> bytes:
    """The body that brings these events."""
    return b"%b%b%b" % (_BEGIN, b",".join(events), _END)


def events_in(body: bytes) -> list[bytes]:
    """The events of a body, octet for octet; raises `Problem(bad_request)`."""
    try:
        return [bytes(event) for event in _transaction.decode(body).events]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise Problem(Code.BAD_REQUEST, "this is not a transaction") from None


def received_in(body: bytes) -> Received | None:
    """What a node answers to a transaction; None where that makes no sense."""
    try:
        return _received.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def stream_name(stream: bytes) -> str:
    """A stream (16 octets) as it stands in paths."""
    return urlsafe_b64encode(stream).rstrip(b"=").decode("ascii")
