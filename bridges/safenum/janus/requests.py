"""What Janus is asked: requests of its WebSocket API, and of its SIP plugin. None shows what is in it."""

import msgspec
from msgspec import Struct

PLUGIN = "janus.plugin.sip"
OFFER, ANSWER = "offer", "answer"


class Said(Struct, frozen=True, omit_defaults=True):
    """Something for Janus, with numbers, descriptions or secrets in it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Jsep(Said, frozen=True):
    """A description of WebRTC (RFC 8829): `type` is `OFFER` or `ANSWER`."""

    type: str
    sdp: str


class Body(Said, frozen=True, tag_field="request"):
    """What the SIP plugin is asked."""


class Register(Body, frozen=True, tag="register"):
    """Register at the edge: for the first time, or with `refresh` on the same handle once more."""

    username: str
    authuser: str
    secret: str
    proxy: str
    outbound_proxy: str
    register_ttl: int
    incoming_header_prefixes: tuple[str, ...] = ()
    refresh: bool = False


class Help(Body, frozen=True, tag="register"):
    """Share a registration."""

    username: str
    master_id: int
    type: str


class Dial(Body, frozen=True, tag="call"):
    uri: str
    call_id: str
    headers: dict[str, str]


class Accept(Body, frozen=True, tag="accept"):
    pass


class Decline(Body, frozen=True, tag="decline"):
    code: int


class HangUp(Body, frozen=True, tag="hangup"):
    pass


class Press(Body, frozen=True, tag="dtmf_info"):
    """A key, for so many milliseconds."""

    digit: str
    duration: int


class Request(Said, frozen=True):
    """`janus` is its kind. `transaction` and what follows are added where it is written."""

    janus: str
    session_id: int = 0
    handle_id: int = 0
    plugin: str = ""
    body: Body | None = None
    jsep: Jsep | None = None
    transaction: str = ""
    apisecret: str = ""
    token: str = ""


_encoder = msgspec.json.Encoder()


def written(request: Request) -> bytes:
    return _encoder.encode(request)
