"""The settings of a carrier of kind `janus`."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from bridges.settings import SecretName, read_table
from safeum_home.grants.trunk import EDGE_DOMAIN, EDGE_USER

_Host = r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}"
Identity = Annotated[str, Meta(pattern=rf"^sip:[A-Za-z0-9._-]{{1,64}}@{_Host}\Z")]
SipUri = Annotated[str, Meta(pattern=r"^sips?:[A-Za-z0-9.:\[\]-]{1,160}(;transport=(udp|tcp|tls))?\Z")]


class JanusSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where Janus is, and as whom it registers at the edge."""

    endpoint: str = "tcp:127.0.0.1:8188"
    """Of Janus' WebSocket: a Twisted endpoint string, `tcp:HOST:PORT`, `tls:HOST:PORT` or `unix:PATH`."""
    calls: Annotated[int, Meta(ge=1, le=2000)] = 30
    """Lines: how many calls there may be at once."""
    identity: Identity = f"sip:{EDGE_USER}@{EDGE_DOMAIN}"
    """Who Janus is to the edge (an address of record, RFC 3261)."""
    registrar: SipUri = "sip:127.0.0.1:5060"
    """The edge, as Janus reaches it."""
    api_secret: SecretName | None = None
    """That of Janus (`api_secret`); without, the one that is derived from the root secret."""
    token: SecretName | None = None
    """What Janus takes signed tokens of (`token_auth_secret`), where it does."""
    password: SecretName | None = None
    """What Janus registers with; without, the one that is derived from the root secret."""
    answer_seconds: Annotated[float, Meta(ge=1, le=60)] = 8.0
    """For Janus to answer a request."""
    keepalive_seconds: Annotated[float, Meta(ge=1, le=55)] = 20.0
    """How often Janus is told that the node lives; it gives a session up after 60 seconds."""
    register_seconds: Annotated[int, Meta(ge=30, le=3600)] = 60
    """For how long a registration at the edge holds: by then it is known where the edge has forgotten it."""
    reconnect_seconds: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    """The most between two attempts to connect, or to register."""
    connect_seconds: Annotated[float, Meta(ge=5, le=120)] = 20.0
    """For an app and Janus to reach each other, from the answer."""
    silence_seconds: Annotated[float, Meta(ge=5, le=600)] = 30.0
    """After which an app that sends nothing at all has vanished."""


def read(name: str, settings: Mapping[str, Any]) -> JanusSettings:
    """Raises `ConfigError`."""
    return read_table(f"safenum.carriers, settings of {name}", settings, JanusSettings)
