"""Which node, and whose word is taken that it is the one."""

from dataclasses import dataclass
from typing import Any

from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates

from safeum_home.client.errors import ClientError
from safeum_home.ids import node_name
from safeum_home.protocol import WEBSOCKET_PATH

DEFAULT_PORT = 8443
_SCHEME = "wss://"
_END = b"-----END CERTIFICATE-----"


class BadCertificate(ClientError):
    """What was given as a certificate is none."""


@dataclass(frozen=True, slots=True)
class Node:
    """Where a node listens for clients."""

    host: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def node_text(text: str) -> str:
    """`HOST[:PORT]` of what somebody gave as a node: that, or the address of its WebSocket (`wss://…`)."""
    text = text.strip()
    if not text.lower().startswith(_SCHEME):
        return text
    return text[len(_SCHEME) :].removesuffix(WEBSOCKET_PATH).removesuffix("/")


def node_at(text: str) -> Node:
    """`HOST[:PORT]`, also as `wss://HOST[:PORT]`, as a node; raises `Problem(invalid_node_name)`."""
    host, _, port = node_name(node_text(text)).partition(":")
    return Node(host, int(port) if port else DEFAULT_PORT)


def tls_for(node: Node, ca: bytes | None) -> Any:
    """Client TLS for a node: the name is checked always (RFC 9525), the chain against `ca` where it is given.

    `ca` is PEM: one or several authorities, or the node's own self-signed certificate, which pins it.
    Raises `BadCertificate` for what holds no certificate.
    """
    if ca is None:
        return optionsForClientTLS(node.host, acceptableProtocols=[b"http/1.1"])
    try:
        certificates = [Certificate.loadPEM(pem + _END + b"\n") for pem in ca.split(_END)[:-1]]
    except Exception as error:
        raise BadCertificate(
            "What is to be trusted holds a certificate that cannot be read (PEM)."
        ) from error
    if not certificates:
        raise BadCertificate("What is to be trusted holds no certificate (PEM).")
    roots = trustRootFromCertificates(certificates)
    return optionsForClientTLS(node.host, roots, acceptableProtocols=[b"http/1.1"])
