"""TLS as a server speaks it: Mozilla's "intermediate" with certificates in memory."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL
from OpenSSL._util import lib
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    b"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
GROUPS = (b"X25519MLKEM768:X25519:P-256:P-384", b"X25519:P-256:P-384")
"""Key exchange groups in our order; the second where OpenSSL has no ML-KEM (before 3.5)."""
_HTTP_1_1 = b"http/1.1"


class TlsError(Exception):
    """The certificate chain or its key cannot be used; names nothing of them."""


def _select_alpn(_connection: SSL.Connection, offered: list[bytes]) -> bytes:
    if _HTTP_1_1 in offered:
        return _HTTP_1_1
    # RFC 7301 section 3.2: a client that speaks nothing of ours is told so, with an alert.
    raise SSL.Error("no application protocol in common")


def _set_groups(context: SSL.Context) -> None:
    # pyOpenSSL has no method for this.
    if not any(lib.SSL_CTX_set1_curves_list(context._context, groups) == 1 for groups in GROUPS):
        raise TlsError("OpenSSL knows none of the key exchange groups")
    lib.ERR_clear_error()


def server_context(chain_pem: bytes, key_pem: bytes) -> SSL.Context:
    """A context for a certificate chain (leaf first) and its private key; raises `TlsError`."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION | SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_cipher_list(CIPHERS)
    _set_groups(context)
    context.set_alpn_select_callback(_select_alpn)
    try:
        leaf, *rest = x509.load_pem_x509_certificates(chain_pem)
        key = serialization.load_pem_private_key(key_pem, password=None)
        context.use_certificate(leaf)
        for certificate in rest:
            context.add_extra_chain_cert(certificate)
        context.use_privatekey(key)  # type: ignore[arg-type]  # other kinds of key fail in OpenSSL
        context.check_privatekey()
    except (ValueError, TypeError, SSL.Error):
        raise TlsError("the certificate chain and the key cannot be used together") from None
    return context


@implementer(IOpenSSLServerConnectionCreator)
class ServerTls:
    """Makes the TLS side of each connection; `replace` changes what later connections get."""

    def __init__(self, chain_pem: bytes, key_pem: bytes) -> None:
        self._context = server_context(chain_pem, key_pem)

    def replace(self, chain_pem: bytes, key_pem: bytes) -> None:
        """Use another certificate from now on; raises `TlsError` and keeps the old one if it is no good."""
        self._context = server_context(chain_pem, key_pem)

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(self._context, None)


def _subject_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def self_signed(names: Sequence[str], now: datetime | None = None, days: int = 30) -> tuple[bytes, bytes]:
    """A certificate for development, and its key, both PEM: ECDSA P-256, for host names and IP addresses."""
    now = datetime.now(UTC) if now is None else now
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([_subject_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
