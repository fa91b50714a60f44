"""TLS as the server speaks it, in memory against OpenSSL's own client."""

import contextlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from OpenSSL import SSL
from OpenSSL._util import lib
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.gateway.tls import ServerTls, TlsError, self_signed

CHAIN, KEY = self_signed(["node.example", "127.0.0.1", "::1"])


def handshake(
    server_tls: ServerTls, context: SSL.Context, alpn: list[bytes] | None = None, session: Any = None
) -> Any:
    """A client's connection after its handshake; raises `SSL.Error` where either side gives up."""
    server = server_tls.serverConnectionForTLS(None)  # type: ignore[arg-type]  # it is not asked
    server.set_accept_state()
    client = SSL.Connection(context, None)
    client.set_connect_state()
    if session is not None:
        client.set_session(session)
    if alpn is not None:
        client.set_alpn_protos(alpn)
    for _ in range(4):
        for side, other in ((client, server), (server, client)):
            with contextlib.suppress(SSL.WantReadError):
                side.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                other.bio_write(side.bio_read(65536))
    # TLS 1.3 would offer sessions only now.
    with contextlib.suppress(SSL.WantReadError):
        client.recv(1)
    return client


def client_context(highest: int | None = None, ciphers: bytes = b"DEFAULT") -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(ciphers + b":@SECLEVEL=0")
    context.set_min_proto_version(0)
    if highest is not None:
        context.set_max_proto_version(highest)
    return context


class HandshakeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tls = ServerTls(CHAIN, KEY)

    def test_versions(self) -> None:
        self.assertEqual(handshake(self.tls, client_context()).get_protocol_version_name(), "TLSv1.3")
        client = handshake(self.tls, client_context(SSL.TLS1_2_VERSION))
        self.assertEqual(client.get_protocol_version_name(), "TLSv1.2")
        self.assertRaises(SSL.Error, handshake, self.tls, client_context(SSL.TLS1_1_VERSION))

    def test_ciphers_of_tls_1_2(self) -> None:
        for cipher in (b"ECDHE-ECDSA-AES128-GCM-SHA256", b"ECDHE-ECDSA-CHACHA20-POLY1305"):
            client = handshake(self.tls, client_context(SSL.TLS1_2_VERSION, cipher))
            self.assertEqual(client.get_cipher_name(), cipher.decode())
        for cipher in (b"ECDHE-ECDSA-AES128-SHA", b"ECDHE-ECDSA-AES256-SHA384", b"AES128-GCM-SHA256"):
            context = client_context(SSL.TLS1_2_VERSION, cipher)
            self.assertRaises(SSL.Error, handshake, self.tls, context)

    def test_alpn(self) -> None:
        for offered in ([b"http/1.1"], [b"h2", b"http/1.1"]):
            client = handshake(self.tls, client_context(), offered)
            self.assertEqual(client.get_alpn_proto_negotiated(), b"http/1.1")
        self.assertEqual(handshake(self.tls, client_context()).get_alpn_proto_negotiated(), b"")

    def test_alpn_with_nothing_in_common(self) -> None:
        self.assertRaises(SSL.Error, handshake, self.tls, client_context(), [b"h2"])

    def test_nothing_is_resumed(self) -> None:
        for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            context = client_context(version)
            # Kept: OpenSSL never resumes a session whose connection was dropped without a shutdown.
            first = handshake(self.tls, context)
            again = handshake(self.tls, context, session=first.get_session())
            self.assertFalse(lib.SSL_session_reused(again._ssl))

    def test_replace_is_for_new_connections(self) -> None:
        before = handshake(self.tls, client_context())
        self.tls.replace(*self_signed(["other.example"]))
        after = handshake(self.tls, client_context())
        names = [client.get_peer_certificate().get_subject().CN for client in (before, after)]
        self.assertEqual(names, ["node.example", "other.example"])

    def test_replace_by_what_is_no_good_keeps_the_old(self) -> None:
        other = self_signed(["other.example"])
        for chain, key in ((CHAIN, other[1]), (b"", KEY), (CHAIN, b"no key"), (KEY, CHAIN)):
            error = self.assertRaises(TlsError, self.tls.replace, chain, key)
            self.assertNotIn("BEGIN", str(error))
        client = handshake(self.tls, client_context())
        self.assertEqual(client.get_peer_certificate().get_subject().CN, "node.example")


class SelfSignedTests(SynchronousTestCase):
    def test_names_and_time(self) -> None:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        certificate = x509.load_pem_x509_certificate(self_signed(["a.example", "::1"], now)[0])
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["a.example"])
        self.assertEqual(names.get_values_for_type(x509.IPAddress), [ip_address("::1")])
        self.assertEqual(certificate.not_valid_after_utc, now + timedelta(days=30))
