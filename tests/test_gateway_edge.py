"""One TLS port for WebSocket and HTTP, in memory, with a real TLS client."""

from typing import Any

from OpenSSL import SSL
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IOpenSSLClientConnectionCreator
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import AccumulatingProtocol
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.test.iosim import FakeTransport, IOPump, connect
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from safeum_home.gateway.edge import EdgeFactory
from safeum_home.gateway.http import ClientDiscovery, EdgeSite, site_root, websocket_url
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.tls import ServerTls, self_signed
from safeum_home.gateway.websocket import ClientWebSocketFactory
from tests.gateway_support import Session, frame, request

CHAIN, KEY = self_signed(["node.example"])
HERE = IPv4Address("TCP", "192.0.2.1", 40000)


@implementer(IOpenSSLClientConnectionCreator)
class ClientTls:
    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)


class Echo(Resource):
    """Answers POST with its body, and `GET /slow` when a test says so."""

    isLeaf = True
    waiting: Any = None

    def render_POST(self, request: Any) -> bytes:
        body: bytes = request.content.read()
        return body

    def render_GET(self, request: Any) -> int:
        self.waiting = request
        return NOT_DONE_YET


class Broken(Resource):
    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        raise ZeroDivisionError


class EdgeTestCase(SynchronousTestCase):
    limits = EdgeLimits(connections=4, connections_per_address=2, body=1000, body_rate=100)

    def setUp(self) -> None:
        self.clock = Clock()
        self.status = "ok"
        self.echo = Echo()
        discovery = ClientDiscovery("node.example", websocket_url("node.example:8443"), self.limits, "k" * 43)
        root = site_root(lambda: {"status": self.status}, discovery)
        root.putChild(b"echo", self.echo)
        root.putChild(b"broken", Broken())
        self.sessions: list[Session] = []
        websocket = ClientWebSocketFactory(self.clock, self.limits, self.new_session)
        self.site = EdgeSite(self.clock, self.limits, root)
        self.edge = EdgeFactory(self.clock, ServerTls(CHAIN, KEY), self.limits, websocket, self.site)

    def new_session(self, connection: Any) -> Session:
        self.sessions.append(Session(connection))
        return self.sessions[-1]

    def connect(self, address: IAddress = HERE) -> "Client":
        return Client(self, address)

    def assertAnswer(self, octets: bytes, status: int, *parts: bytes) -> None:
        self.assertTrue(octets.startswith(b"HTTP/1.1 %d " % status), octets)
        for part in (*parts, b"Strict-Transport-Security: max-age=", b"X-Content-Type-Options: nosniff"):
            self.assertIn(part, octets)
        self.assertNotIn(b"Server:", octets)
        self.assertNotIn(b"Twisted", octets)


class MemoryTransport(FakeTransport):
    """Like a TCP transport that always has something to send: nothing may be put on a socket past it."""

    dataBuffer = b"held"


class Receivers(Factory[Any]):
    """Makes what gathers a client's octets."""

    protocolConnectionMade = None

    def buildProtocol(self, addr: IAddress | None) -> Any:
        protocol: Any = AccumulatingProtocol()
        protocol.factory = self
        return protocol


class Client:
    """A TLS client of the edge."""

    def __init__(self, case: EdgeTestCase, address: IAddress) -> None:
        self.case = case
        factory = TLSMemoryBIOFactory(ClientTls(), True, Receivers(), case.clock)
        factory.protocol = TLSMemoryBIOProtocol
        self.tls = factory.buildProtocol(None)
        server = case.edge.buildProtocol(address)
        self.server_side: Any = MemoryTransport(server, isServer=True)
        client_side = MemoryTransport(self.tls, isServer=False)
        self.pump: IOPump = connect(server, self.server_side, self.tls, client_side)
        self.received: Any = self.tls.wrappedProtocol

    def ask(self, octets: bytes) -> bytes:
        """Send; what comes back at once."""
        self.received.data = b""
        self.tls.write(octets)
        return self.turn()

    def turn(self, seconds: float = 0.0) -> bytes:
        """Let time pass."""
        self.case.clock.advance(seconds)
        self.pump.flush()
        self.case.clock.advance(0)
        self.pump.flush()
        octets: bytes = self.received.data
        return octets

    @property
    def closed(self) -> bool:
        return bool(self.received.closed)


class WebSocketTests(EdgeTestCase):
    def test_a_conversation(self) -> None:
        client = self.connect()
        self.assertIn(b" 101 ", client.ask(request()))
        client.ask(frame(b"hello") + frame(b"again"))
        session = self.sessions[0]
        self.assertEqual(session.payloads, [b"hello", b"again"])
        session.connection.write(b"\x81\x02hi")
        client.received.data = b""
        self.assertEqual(client.turn(), b"\x81\x02hi")
        client.ask(frame(b"\x03\xe8", 0x88))
        self.assertTrue(client.closed)
        self.assertEqual(session.events[-1], "closed")

    def test_with_the_head_in_pieces_and_a_frame_behind_it(self) -> None:
        client = self.connect()
        octets = request() + frame(b"early")
        for at in range(len(octets)):
            client.ask(octets[at : at + 1])
        self.assertEqual(self.sessions[0].payloads, [b"early"])

    def test_query_does_not_matter_but_the_path_does(self) -> None:
        self.assertIn(b" 101 ", self.connect().ask(request(path=b"/v1/ws?x=1")))
        self.assertAnswer(self.connect().ask(request(path=b"/v1/wsx")), 404)

    def test_a_slow_reader_is_told_to_its_session(self) -> None:
        client = self.connect()
        client.ask(request())
        client.server_side.producer.pauseProducing()
        client.server_side.producer.resumeProducing()
        self.assertEqual(self.sessions[0].events, ["paused", "resumed"])

    def test_a_client_that_does_not_take_part_in_closing_is_cut_off(self) -> None:
        client = self.connect()
        client.ask(request())
        self.sessions[0].connection.close(4000, "bye")
        # Nothing is pumped any more: the client has gone silent.
        self.clock.advance(5.5)
        self.clock.advance(5.5)
        self.assertTrue(client.server_side.disconnected or client.server_side.disconnecting)


class FirstRequestTests(EdgeTestCase):
    def test_half_open_tls_is_closed(self) -> None:
        server = self.edge.buildProtocol(HERE)
        transport = MemoryTransport(server, isServer=True)
        server.makeConnection(transport)
        self.clock.advance(9)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(1.5)
        self.assertTrue(transport.disconnecting or transport.disconnected)

    def test_dripping_head_is_closed(self) -> None:
        client = self.connect()
        for octet in b"GET / HTTP":
            client.ask(bytes([octet]))
            client.turn(1)
        client.turn(0.5)
        self.assertTrue(client.closed)

    def test_long_head(self) -> None:
        for head in (b"x" * 8193, b"GET / HTTP/1.1\r\nA: " + b"x" * 8200 + b"\r\n\r\n"):
            client = self.connect()
            self.assertAnswer(client.ask(head), 431, b"application/problem+json", b"too_large")
            self.assertTrue(client.closed)

    def test_no_timers_are_left(self) -> None:
        client = self.connect()
        client.ask(request())
        client.tls.abortConnection()
        client.turn()
        self.clock.advance(200)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class LimitTests(EdgeTestCase):
    def admitted(self, address: IAddress) -> bool:
        return self.edge.buildProtocol(address) is not None

    def test_per_address_and_total(self) -> None:
        self.assertEqual([self.admitted(HERE) for _ in range(3)], [True, True, False])
        self.assertTrue(self.admitted(IPv6Address("TCP", "2001:db8::1", 1)))
        self.assertTrue(self.admitted(IPv6Address("TCP", "2001:db8::2", 1)))
        self.assertFalse(self.admitted(IPv6Address("TCP", "2001:db8:0:1::1", 1)))

    def test_a_connection_counts_until_it_is_over(self) -> None:
        first, second = self.connect(), self.connect()
        self.assertFalse(self.admitted(HERE))
        for client in (first, second):
            client.tls.abortConnection()
            client.turn()
        self.assertEqual(self.edge.connections.total, 0)
        self.assertIn(b" 101 ", self.connect().ask(request()))


class HttpTests(EdgeTestCase):
    def get(self, path: bytes, method: bytes = b"GET") -> bytes:
        client = self.connect()
        answer = client.ask(method + b" " + path + b" HTTP/1.1\r\nHost: node.example\r\n\r\n")
        client.tls.abortConnection()
        client.turn()
        return answer

    def test_health(self) -> None:
        self.assertAnswer(self.get(b"/health"), 200, b'{"status":"ok"}', b"Cache-Control: no-store")
        self.status = "sealed"
        self.assertAnswer(self.get(b"/health"), 503, b'{"status":"sealed"}')

    def test_discovery(self) -> None:
        answer = self.get(b"/.well-known/safeum/client")
        self.assertAnswer(
            answer, 200, b'"wss://node.example:8443/v1/ws"', b"Access-Control-Allow-Origin: *\r\n"
        )
        self.assertIn(b'"protocols":["safeum.v1.json"]', answer)

    def test_problems(self) -> None:
        for path in (b"/", b"/nothing", b"/.well-known", b"/.well-known/x/y"):
            self.assertAnswer(self.get(path), 404, b"application/problem+json", b'"code":"not_found"')
        self.assertAnswer(
            self.get(b"/health", b"DELETE"), 405, b"Allow: GET, HEAD\r\n", b"method_not_allowed"
        )
        self.assertAnswer(self.get(b"/health", b"BREW"), 405)

    def test_head(self) -> None:
        answer = self.get(b"/health", b"HEAD")
        self.assertAnswer(answer, 200, b"Content-Length: 15\r\n")
        self.assertTrue(answer.endswith(b"\r\n\r\n"))

    def test_failure_shows_nothing(self) -> None:
        answer = self.get(b"/broken")
        self.assertAnswer(answer, 500, b'"code":"internal_error"')
        self.assertNotIn(b"ZeroDivision", answer)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_not_http(self) -> None:
        self.assertAnswer(self.connect().ask(b"HELO\r\n\r\n"), 400, b"bad_request")

    def test_kept_alive(self) -> None:
        client = self.connect()
        for _ in range(3):
            self.assertAnswer(client.ask(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"), 200)
        answers = client.ask(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        self.assertEqual(answers.count(b"HTTP/1.1 200 OK"), 3)

    def test_idle_is_closed(self) -> None:
        client = self.connect()
        client.ask(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        client.turn(29)
        self.assertFalse(client.closed)
        client.turn(1)
        self.assertTrue(client.closed)

    def test_dripping_later_head_is_closed(self) -> None:
        client = self.connect()
        client.ask(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        for octet in b"GET / HTTP/":
            client.ask(bytes([octet]))
            client.turn(1)
        self.assertTrue(client.closed)

    def test_body(self) -> None:
        client = self.connect()
        head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
        self.assertTrue(client.ask(head + b"x" * 1000).endswith(b"x" * 1000))

    def test_long_body(self) -> None:
        head = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
        client = self.connect()
        self.assertAnswer(client.ask(head + b"Content-Length: 1001\r\n\r\n"), 413, b"too_large")
        self.assertTrue(client.closed)
        client = self.connect()
        chunked = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1f4\r\n" + b"x" * 500 + b"\r\n"
        self.assertEqual(client.ask(chunked), b"")
        answer = client.ask(b"1f5\r\n" + b"x" * 501 + b"\r\n0\r\n\r\n")
        self.assertAnswer(answer, 413)
        self.assertEqual(answer.count(b"HTTP/1.1"), 1)
        self.assertTrue(client.closed)

    def test_slow_body_is_closed(self) -> None:
        for head in (b"Content-Length: 500\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n64\r\n"):
            client = self.connect()
            client.ask(b"POST /echo HTTP/1.1\r\nHost: a\r\n" + head)
            for _ in range(9):
                client.ask(b"x")
                client.turn(1)
            self.assertFalse(client.closed)
            client.turn(1.5)
            self.assertTrue(client.closed)

    def test_body_at_the_lowest_rate(self) -> None:
        client = self.connect()
        client.ask(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        client.turn(9)
        for _ in range(9):
            client.ask(b"x" * 100)
            client.turn(1)
        self.assertAnswer(client.ask(b"x" * 100), 200)

    def test_slow_answer_is_not_the_clients_fault(self) -> None:
        client = self.connect()
        client.ask(b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
        client.turn(100)
        self.assertFalse(client.closed)
        self.echo.waiting.finish()
        self.assertAnswer(client.turn(), 200)
