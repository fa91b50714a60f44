"""Where requests over HTTP/2 go, and connections to there: over TLS 1.2 or later (RFC 9113, section 9.2)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint

from safeum_home.outgoing.http import roots
from safeum_home.outgoing.tls import Trust


def endpoint_of(
    reactor: Any, base: str, ca: Path | None, seconds: float
) -> tuple[str, IStreamClientEndpoint]:
    """The authority (`HOST[:PORT]`) of a checked https: URL without a path, and what connects to it.

    The certificate is verified for the host, against `ca` as `outgoing.http.roots` takes it; a connection
    may take `seconds`. Blocks while it reads `ca`; raises OSError, and ValueError for another URL, too.
    """
    parts = urlsplit(base)
    if parts.scheme != "https" or not parts.hostname or parts.path:
        raise ValueError("not an https: URL without a path")
    trust = Trust(roots(ca), b"h2").towards(parts.hostname)
    way = HostnameEndpoint(reactor, parts.hostname, parts.port or 443, timeout=seconds)
    return parts.netloc, wrapClientTLS(trust, way, reactor)
