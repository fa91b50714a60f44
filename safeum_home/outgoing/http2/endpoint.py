"""Where requests over HTTP/2 go, and connections to there: over TLS 1.2 or later (RFC 9113, section 9.2)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint

from safeum_home.outgoing.http import roots
from safeum_home.outgoing.tls import Trust


def is_origin(base: str) -> bool:
    """Whether a checked URL is https: and without a path."""
    parts = urlsplit(base)
    return parts.scheme == "https" and bool(parts.hostname) and not parts.path


def endpoint_of(
    reactor: Any, base: str, ca: Path | None, seconds: float
) -> tuple[str, IStreamClientEndpoint]:
    """The authority (`HOST[:PORT]`) of a URL that `is_origin`, and what connects to it within `seconds`.

    The certificate is verified for the host, against `ca` as `outgoing.http.roots` takes it. Blocks while
    it reads that; raises OSError and ValueError.
    """
    parts = urlsplit(base)
    host = parts.hostname or ""
    trust = Trust(roots(ca), b"h2").towards(host)
    way = HostnameEndpoint(reactor, host, parts.port or 443, timeout=seconds)
    return parts.netloc, wrapClientTLS(trust, way, reactor)
