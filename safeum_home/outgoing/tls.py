"""TLS towards places: the certificate is verified against the roots, and for the very name."""

from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import VerificationError
from service_identity.hazmat import DNS_ID, IPAddress_ID, ServiceID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer


class Trust:
    """Makes connections that trust the same roots. They share one context: each would hold all the roots."""

    def __init__(self, roots: Any, protocol: bytes = b"http/1.1") -> None:
        """`roots` as `outgoing.http.roots` reads them; `protocol` is what is proposed (ALPN, RFC 7301)."""
        self._context = CertificateOptions(trustRoot=roots, raiseMinimumTo=TLSVersion.TLSv1_2).getContext()
        self._protocol = protocol

    def towards(self, host: str) -> "Towards":
        """For connections to `host`: a DNS name in ASCII, or an IP address."""
        return Towards(self._context, host, self._protocol)


@implementer(IOpenSSLClientConnectionCreator)
class Towards:
    """The client's side of TLS with one host."""

    def __init__(self, context: SSL.Context, host: str, protocol: bytes) -> None:
        self._context = context
        self._protocol = protocol
        self._name: bytes | None = None
        self._wanted: ServiceID
        if isIPAddress(host) or isIPv6Address(host):
            self._wanted = IPAddress_ID(host)
        else:
            self._wanted = DNS_ID(host)
            self._name = host.encode("ascii")

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        connection.set_app_data(tlsProtocol)
        connection.set_alpn_protos([self._protocol])
        if self._name is not None:
            connection.set_tlsext_host_name(self._name)
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._verified)
        return connection

    def _verified(
        self, _connection: SSL.Connection, certificate: X509, _error: int, depth: int, so_far: int
    ) -> bool:
        """What OpenSSL asks for each certificate of the chain, the root first. What is raised is a no."""
        if depth or not so_far:
            return bool(so_far)
        try:
            verify_service_identity(extract_patterns(certificate), [self._wanted], [])
        except VerificationError:
            return False
        except Exception:
            return False
        return True
