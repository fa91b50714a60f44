"""Where a bridge may connect to: HTTPS, or HTTP to this machine itself."""

import ipaddress
from urllib.parse import urlsplit


def base_url(text: str, plain_http: bool) -> str:
    """A provider's address, without a slash at its end; `plain_http` allows HTTP to other machines too.

    Raises ValueError, in words that do not quote it.
    """
    if not text.isascii() or any(
        not character.isprintable() or character in ' "<>\\^`{|}' for character in text
    ):
        raise ValueError("not a URL")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not a URL") from None
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("not an https: URL")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL must hold no credentials")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("a URL without query and fragment is wanted")
    if parts.scheme == "http" and not plain_http and not _is_loopback(host):
        raise ValueError("http: is for this machine alone, or else set plain_http")
    return text.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
