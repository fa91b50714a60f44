"""HTTP/2 over real connections: whom it trusts, what it agrees on, and peers that say nothing."""

import tempfile
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import CertificateOptions, ContextFactory, PrivateCertificate, TLSVersion
from twisted.internet.task import deferLater
from twisted.internet.tcp import Client
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.http2.client import Http2
from safeum_home.outgoing.http2.endpoint import endpoint_of, is_origin
from safeum_home.outgoing.http2.limits import Http2Limits
from tests.certificates import Authority

reactor: Any = installed_reactor


class Peer(Protocol):
    """Says nothing, or what its factory has to every request, and keeps what comes."""

    factory: "Peers"
    transport: Any

    def connectionMade(self) -> None:
        self.factory.connections += 1

    def dataReceived(self, data: bytes) -> None:
        self.factory.came += data
        self.transport.write(self.factory.says)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.factory.gone.called:
            self.factory.gone.callback(None)


class Peers(Factory[Peer]):
    protocol = Peer
    noisy = False

    def __init__(self, says: bytes = b"") -> None:
        self.says = says
        self.came = b""
        self.connections = 0
        self.gone: Deferred[None] = Deferred()


class Plain(ContextFactory):
    """OpenSSL's own defaults, and a certificate."""

    def __init__(self, certificate: PrivateCertificate) -> None:
        self._context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self._context.use_certificate(certificate.original)
        self._context.use_privatekey(certificate.privateKey.original)

    def getContext(self) -> SSL.Context:
        return self._context


class NetworkTests(TestCase):
    timeout = 60

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.authority = Authority()
        self.ca = Path(folder.name) / "ca.pem"
        self.ca.write_bytes(self.authority.pem)

    def listen(self, peers: Peers, *names: str, tls: Any = None) -> str:
        """A peer with a certificate for `names`; its URL."""
        options = tls or self.authority.server(*(names or ("localhost",)))
        port = reactor.listenSSL(0, peers, options, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return f"https://localhost:{port.getHost().port}"

    def older(self) -> CertificateOptions:
        """TLS of a server that has nothing newer than 1.1."""
        certificate, key = self.authority.issue("localhost")
        made = PrivateCertificate.loadPEM(certificate + key)
        return CertificateOptions(
            made.privateKey.original,
            made.original,
            insecurelyLowerMinimumTo=TLSVersion.TLSv1_0,
            lowerMaximumSecurityTo=TLSVersion.TLSv1_1,
        )

    async def why(self, url: str, ca: Path | None) -> tuple[str, bool]:
        """Why nothing is answered; afterwards nothing is left of it."""
        authority, endpoint = endpoint_of(reactor, url, ca, 5.0)
        out = Http2(reactor, authority, endpoint, Http2Limits(seconds=30, quiet=0.2))
        try:
            answer = await out.request(b"POST", b"/", ((b"authorization", b"secret"),), (), b"body")
        except NoAnswer as error:
            return error.reason, error.handed_over
        finally:
            await out.close()
            while any(isinstance(each, Client) for each in reactor.getReaders() + reactor.getWriters()):
                await deferLater(reactor, 0.01)
        self.fail(f"it was answered with {answer}")

    def without_alpn(self) -> "Plain":
        """TLS of a server that has never heard of ALPN."""
        certificate, key = self.authority.issue("localhost")
        return Plain(PrivateCertificate.loadPEM(certificate + key))

    async def test_no_http2(self) -> None:
        """A server that is right, and agrees on no protocol: it gets not one octet."""
        peers = Peers(b"HTTP/1.1 200 OK\r\n\r\n")
        url = self.listen(peers, tls=self.without_alpn())
        self.assertEqual(await self.why(url, self.ca), ("the other side does not speak HTTP/2", False))
        await peers.gone
        self.assertEqual((peers.connections, peers.came), (1, b""))

    async def test_not_trusted(self) -> None:
        """A root that is not ours, a certificate for another name, and TLS that is too old."""
        right = self.ca.read_bytes()
        for url, ca in (
            (self.listen(Peers()), None),
            (self.listen(Peers(), "other.example"), right),
            (self.listen(Peers(), tls=self.older()), right),
        ):
            found = await self.why(url, None if ca is None else self.ca)
            self.assertEqual(found, ("TLS failed", False))

    async def test_not_there(self) -> None:
        """Nobody listens."""
        port = reactor.listenTCP(0, Peers(), interface="127.0.0.1")
        url = f"https://localhost:{port.getHost().port}"
        await port.stopListening()
        self.assertEqual(await self.why(url, self.ca), ("the connection is refused", False))

    async def test_no_tls(self) -> None:
        """Something else than TLS, or nothing at all."""
        for says, reason in ((b"what?", "TLS failed"), (b"", "there was no answer in time")):
            peers = Peers(says)
            port = reactor.listenTCP(0, peers, interface="127.0.0.1")
            self.addCleanup(port.stopListening)
            url = f"https://localhost:{port.getHost().port}"
            self.assertEqual(await self.why(url, self.ca), (reason, False))
            await peers.gone
            self.assertNotIn(b"secret", peers.came)

    def test_origins(self) -> None:
        """Where it can be pointed to."""
        for good in ("https://localhost", "https://[::1]:2197", "https://api.push.apple.com:443"):
            self.assertTrue(is_origin(good))
        for bad in ("http://localhost", "https://localhost/x", "https://", "localhost"):
            self.assertFalse(is_origin(bad))
