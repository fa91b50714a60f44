"""The guarded client over real connections: TLS that does not verify, peers that do not behave."""

import tempfile
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.task import deferLater
from twisted.internet.tcp import Client
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from safeum_home.gateway.tls import self_signed
from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.http import Answer, HttpLimits, ProviderHttp

reactor: Any = _reactor
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNK = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
FIELDS = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 0x1000) for number in range(8))
INTERIM = b"HTTP/1.1 103 Early Hints\r\n" + FIELDS + b"\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK


class Peer(Protocol):
    """Says the same to every request, and counts."""

    factory: "Peers"
    transport: Any

    def connectionMade(self) -> None:
        self.factory.connections += 1

    def dataReceived(self, data: bytes) -> None:
        if not self.factory.requests:
            self.factory.asked.callback(None)
        self.factory.requests += data.count(b"\r\n\r\n")
        if self.factory.requests != self.factory.last:
            self.transport.write(self.factory.says)
        if self.factory.goes_on:
            self._go_on()
        if self.factory.deaf:
            self.transport.pauseProducing()
        if self.factory.requests == self.factory.last:
            self.transport.abortConnection()

    def _go_on(self) -> None:
        if not self.factory.gone.called:
            self.transport.write(self.factory.more)
            reactor.callLater(0, self._go_on)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.factory.gone.called:
            self.factory.gone.callback(None)


class Peers(Factory[Peer]):
    protocol = Peer
    noisy = False

    more = CHUNK
    """What follows, where it goes on."""

    def __init__(self, says: bytes, goes_on: bool = False, deaf: bool = False, last: int = -1) -> None:
        self.says = says
        self.goes_on = goes_on
        self.deaf = deaf
        self.last = last
        """The request at which the connection is cut, in place of an answer."""
        self.connections = 0
        self.requests = 0
        self.asked: Deferred[None] = Deferred()
        self.gone: Deferred[None] = Deferred()


class NetworkTests(TestCase):
    timeout = 60

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.ca = Path(folder.name) / "ca.pem"
        self.logged: list[str] = []

        def keep(event: LogEvent) -> None:
            self.logged.append(formatEvent(event))

        observer: Any = keep
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def tearDown(self) -> None:
        """Nothing of a request is logged: its peer is not, either."""
        said = [line for line in self.logged if not line.startswith(("Peers ", "(TLS Port", "(TCP Port"))]
        self.assertEqual(said, [])

    def listen(self, peers: Peers, names: list[str] | None = None) -> str:
        """A peer with a certificate for `names`, which is written to `ca`; its URL."""
        chain, key = self_signed(names or ["127.0.0.1", "localhost"])
        self.ca.write_bytes(chain)
        options = PrivateCertificate.loadPEM(chain + key).options()
        port = reactor.listenSSL(0, peers, options, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return f"https://localhost:{port.getHost().port}"

    def out(self, url: str, ca: Path | None, seconds: float = 30.0) -> ProviderHttp:
        out = ProviderHttp(reactor, url, ca, HttpLimits(seconds=seconds))
        self.addCleanup(out.close)
        return out

    async def reason(self, out: ProviderHttp, method: str = "POST") -> str:
        try:
            answer: Answer = await out.request(method, "/", {}, b"text" if method == "POST" else None)
        except NoAnswer as error:
            self.handed_over = error.handed_over
            return error.reason
        self.fail(f"it was answered with {answer}")

    async def closed(self, peers: Peers) -> None:
        """Both sides have ended the connection; without that the test times out."""
        await peers.gone
        await self.ended()

    async def ended(self) -> None:
        """This side has no connection any more."""
        while any(isinstance(reader, Client) for reader in reactor.getReaders() + reactor.getWriters()):
            await deferLater(reactor, 0)

    async def test_verified(self) -> None:
        """With the right root it is answered, and the connection serves again."""
        peers = Peers(OK)
        out = self.out(self.listen(peers), self.ca)
        for _ in range(3):
            self.assertEqual((await out.request("POST", "/", {}, b"text")).body, b"ok")
        self.assertEqual((peers.connections, peers.requests), (1, 3))
        await out.close()
        await self.closed(peers)

    async def test_unknown_root(self) -> None:
        """A certificate that nobody vouches for: nothing is sent, and that is said."""
        peers = Peers(OK)
        self.assertEqual(await self.reason(self.out(self.listen(peers), None)), "TLS failed")
        self.assertFalse(self.handed_over)
        self.assertEqual(peers.requests, 0)
        await self.closed(peers)

    async def test_another_name(self) -> None:
        """A certificate for another host: nothing is sent."""
        peers = Peers(OK)
        url = self.listen(peers, ["sms.example"])
        self.assertEqual(await self.reason(self.out(url, self.ca)), "TLS failed")
        self.assertEqual((peers.requests, self.handed_over), (0, False))
        await self.closed(peers)

    async def test_clear_text_peer(self) -> None:
        """A peer that does not speak TLS."""
        peers = Peers(OK)
        port = reactor.listenTCP(0, peers, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        url = f"https://127.0.0.1:{port.getHost().port}"
        self.assertEqual(await self.reason(self.out(url, None)), "TLS failed")

    async def test_refused(self) -> None:
        """Nobody listens."""
        port = reactor.listenTCP(0, Peers(OK), interface="127.0.0.1")
        url = f"http://127.0.0.1:{port.getHost().port}"
        await port.stopListening()
        self.assertEqual(await self.reason(self.out(url, None)), "the connection is refused")
        self.assertFalse(self.handed_over)

    async def test_endless_answer(self) -> None:
        """It is cut off at the cap, although the peer does not stop."""
        peers = Peers(ENDLESS, goes_on=True)
        out = self.out(self.listen(peers), self.ca)
        self.assertEqual(await self.reason(out), "the answer is too long")
        await self.closed(peers)

    async def test_endless_head(self) -> None:
        """Neither header fields nor interim answers are taken without end: both would stay in memory."""
        for begins, more in ((b"HTTP/1.1 200 OK\r\n", FIELDS), (INTERIM, INTERIM)):
            peers = Peers(begins, goes_on=True)
            peers.more = more
            self.assertEqual(
                await self.reason(self.out(self.listen(peers), self.ca)), "the answer is too long"
            )
            await self.closed(peers)

    async def test_interim_answers(self) -> None:
        """A few of them are passed over."""
        out = self.out(self.listen(Peers(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + OK)), self.ca)
        self.assertEqual((await out.request("GET", "/", {})).body, b"ok")

    async def test_deaf_peer(self) -> None:
        """The connection ends although the peer takes no part in closing it."""
        out = self.out(self.listen(Peers(ENDLESS + 3 * CHUNK, deaf=True)), self.ca)
        self.assertEqual(await self.reason(out), "the answer is too long")
        await self.ended()

    async def test_nothing_is_asked_twice(self) -> None:
        """A request on a kept connection that breaks is not made again, whatever its method."""
        for method in ("GET", "POST"):
            peers = Peers(OK, last=2)
            out = self.out(self.listen(peers), self.ca)
            self.assertEqual((await out.request(method, "/", {})).body, b"ok")
            self.assertEqual(await self.reason(out, method), "the connection broke off")
            self.assertEqual((peers.connections, peers.requests), (1, 2))
            await self.closed(peers)

    async def test_silent_peer(self) -> None:
        """It is cut off when its time is over."""
        peers = Peers(b"")
        out = self.out(self.listen(peers), self.ca, 0.5)
        self.assertEqual(await self.reason(out), "there was no answer in time")
        await self.closed(peers)

    async def test_half_an_answer(self) -> None:
        """A body that stops in its middle is cut off when its time is over."""
        peers = Peers(OK[:-1])
        out = self.out(self.listen(peers), self.ca, 0.5)
        self.assertEqual(await self.reason(out), "there was no answer in time")
        await self.closed(peers)

    async def test_not_http(self) -> None:
        """An answer in another protocol."""
        peers = Peers(b"220 mail.example ESMTP\r\n\r\n")
        out = self.out(self.listen(peers), self.ca)
        self.assertEqual(await self.reason(out), "the answer cannot be read")
        await self.closed(peers)

    async def test_closed_while_asked(self) -> None:
        """Closing ends what is under way."""
        peers = Peers(b"")
        out = self.out(self.listen(peers), self.ca)
        asked = Deferred.fromCoroutine(self.reason(out))
        await peers.asked
        await out.close()
        self.assertEqual(await asked, "the request was given up")
        await self.closed(peers)
