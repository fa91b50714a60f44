"""A certificate authority in memory."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from twisted.internet.ssl import PrivateCertificate


class Authority:
    """Vouches for whomever one wants, for a day."""

    def __init__(self, name: str = "Authority for a day") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._certificate = (
            _certificate(self._name, self._key, timedelta(days=1))
            .issuer_name(self._name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, SHA256())
        )

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return self._certificate.public_bytes(Encoding.PEM)

    def server(self, *names: str, days: float = 1, own: bool = False) -> Any:
        """TLS of a server with a certificate for `names`, which ends in so many days; `own`: self-signed."""
        certificate, private = self.issue(*names, days=days, own=own)
        return PrivateCertificate.loadPEM(certificate + private).options()

    def issue(self, *names: str, days: float = 1, own: bool = False) -> tuple[bytes, bytes]:
        """The certificate of a server, and its key, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(names[0])
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        certificate = (
            _certificate(subject, key, timedelta(days=days))
            .issuer_name(subject if own else self._name)
            .add_extension(alternatives, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(key if own else self._key, SHA256())
        )
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return certificate.public_bytes(Encoding.PEM), private


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + lasts)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
