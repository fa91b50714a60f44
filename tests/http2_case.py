"""An HTTP/2 peer in memory, on `h2`'s own server side, and a client that is connected to it."""

from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, PingReceived, RequestReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, connect
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.http2.client import Http2
from safeum_home.outgoing.http2.limits import Http2Limits

FIELDS = ((b"user-agent", b"test"), (b"authorization", b"bearer secret"))


class Peer(Protocol):
    """The server's side of one connection; a test says what it answers."""

    transport: Any

    def __init__(self, settings: dict[SettingCodes | int, int]) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="ascii"))
        self.h2.local_settings.update({SettingCodes.MAX_CONCURRENT_STREAMS: 1000, **settings})
        self.h2.local_settings.acknowledge()
        self.asked: list[tuple[int, dict[str, str]]] = []
        """Streams and header fields of the requests, in the order in which they came."""
        self.bodies: dict[int, bytes] = {}
        self.whole: list[int] = []
        self.reset: list[tuple[int, int]] = []
        self.pings = 0
        self.deaf = False
        self.gone = False

    def connectionMade(self) -> None:
        self.h2.initiate_connection()
        self.flush()

    def dataReceived(self, data: bytes) -> None:
        if self.deaf:
            return
        for event in self.h2.receive_data(data):
            if isinstance(event, RequestReceived):
                fields: Any = event.headers
                self.asked.append((event.stream_id, dict(fields)))
            elif isinstance(event, DataReceived):
                self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
            elif isinstance(event, StreamEnded):
                self.whole.append(event.stream_id)
            elif isinstance(event, StreamReset):
                self.reset.append((event.stream_id, int(event.error_code)))
            elif isinstance(event, PingReceived):
                self.pings += 1
        self.flush()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone = True

    def flush(self) -> None:
        self.transport.write(self.h2.data_to_send())

    @property
    def streams(self) -> list[int]:
        """The streams of the requests."""
        return [stream for stream, _ in self.asked]

    def answer(
        self, stream: int, status: int = 200, body: bytes = b"", fields: dict[str, str] | None = None
    ) -> None:
        self.h2.send_headers(stream, [(":status", str(status)), *(fields or {}).items()], not body)
        if body:
            self.h2.send_data(stream, body, end_stream=True)
        self.flush()

    def goes_away(self, last: int, code: ErrorCodes = ErrorCodes.NO_ERROR) -> None:
        """Say so, and go on nevertheless: `h2` does not, once it has said it."""
        self.raw(
            b"\0\0\x08\x07\0" + bytes(4) + last.to_bytes(4, "big") + int(code).to_bytes(4, "big"),
        )

    def refuse(self, stream: int, code: ErrorCodes = ErrorCodes.REFUSED_STREAM) -> None:
        self.h2.reset_stream(stream, code)
        self.flush()

    def raw(self, octets: bytes) -> None:
        self.transport.write(octets)


@implementer(IStreamClientEndpoint)
class Peers:
    """Where a client connects to."""

    def __init__(self) -> None:
        self.made: list[Peer] = []
        self.settings: dict[SettingCodes | int, int] = {}
        self.agreed: bytes | None = b"h2"
        """What TLS agrees on."""
        self.refuses: BaseException | None = None
        self.mute = False
        """Whether they say nothing, their settings included."""
        self.pumps: list[Any] = []
        self.clients: list[Any] = []
        """This side's protocols."""
        self._greetings: list[Any] = []

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":
        if self.refuses is not None:
            return fail(self.refuses)
        client: Any = protocolFactory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        peer = self.peer()
        there, here = FakeTransport(peer, isServer=True), FakeTransport(client, isServer=False)
        here.negotiatedProtocol = self.agreed  # type: ignore[attr-defined]
        if self.mute:
            there.write = lambda data: None  # type: ignore[method-assign]
        self.pumps.append(connect(peer, there, client, here, greet=False))
        self.made.append(peer)
        self.clients.append(client)
        self._greetings.append(client.handshakeCompleted)
        return succeed(client)

    def peer(self) -> Peer:
        """Whom the next connection is to."""
        return Peer(self.settings)

    def forget(self) -> None:
        """Leave the connections that there are alone from now on."""
        self.pumps.clear()
        self._greetings.clear()

    def flush(self) -> None:
        """Until nobody says anything any more."""
        greetings, self._greetings = self._greetings, []
        for greet in greetings:
            greet()
        before = -1
        while before < len(self.pumps):
            before = len(self.pumps)
            for pump in tuple(self.pumps):
                pump.flush()
            if self._greetings:
                self.flush()


class Http2Case(SynchronousTestCase):
    """Has a client; sees that nothing is logged, and that nothing is left when it is closed."""

    limits = Http2Limits()
    proves: Any = None

    def setUp(self) -> None:
        self.clock = Clock()
        self.peers = Peers()
        self.out = Http2(self.clock, "push.example:2197", self.peers, self.limits, self.proves)
        self.asked: list[Deferred[Answer]] = []
        self.logged: list[LogEvent] = []
        keep: Any = self.logged.append
        globalLogPublisher.addObserver(keep)
        self.addCleanup(globalLogPublisher.removeObserver, keep)

    def tearDown(self) -> None:
        closed = self.out.close()
        self.peers.flush()
        self.clock.advance(10)
        self.peers.flush()
        self.successResultOf(closed)
        for asked in self.asked:
            asked.addErrback(self.given_up)
            self.assertTrue(asked.called)
        self.assertFalse(self.out.busy)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.logged, [])

    def given_up(self, failure: Failure) -> None:
        failure.trap(NoAnswer)

    @property
    def peer(self) -> Peer:
        """The one of the connection that was made last."""
        return self.peers.made[-1]

    def ask(self, path: str = "/here", body: bytes = b"body") -> "Deferred[Answer]":
        asked = self.out.request(b"POST", path.encode(), FIELDS, ((b"own", b"mine"),), body)
        self.asked.append(asked)
        self.peers.flush()
        return asked

    def answer(self, stream: int, status: int = 200, body: bytes = b"") -> None:
        self.peer.answer(stream, status, body)
        self.peers.flush()

    def why(self, asked: "Deferred[Answer]") -> tuple[str, bool]:
        """Why it was not answered, and whether it may have been processed all the same."""
        error = self.failureResultOf(asked, NoAnswer).value
        self.assertNotIn("secret", repr(error))
        return error.reason, error.handed_over

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.peers.flush()
