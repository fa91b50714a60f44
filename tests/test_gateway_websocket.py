"""A client's WebSocket connection: handshake, writing, pauses, pings, closing."""

from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.gateway.handshake import accept
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.websocket import ClientWebSocket, ClientWebSocketFactory
from safeum_home.ports import ClientConnection, ConnectionHandler
from safeum_home.protocol.frames import text_frame
from tests.gateway_support import CLOSED, CLOSING, OPEN, Peer, frame, request


class HandshakeTests(SynchronousTestCase):
    def answer(self, head: bytes, origins: tuple[str, ...] = ()) -> bytes:
        peer = Peer(origins=origins)
        peer.receive(head)
        return peer.sent()

    def refused(self, status: bytes, head: bytes, origins: tuple[str, ...] = ()) -> bytes:
        peer = Peer(origins=origins)
        peer.receive(head)
        answer = peer.sent()
        self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), answer)
        self.assertIn(b"Content-Type: application/problem+json", answer)
        self.assertTrue(peer.transport.disconnecting)
        self.assertFalse(hasattr(peer, "session"))
        return answer

    def test_accepted(self) -> None:
        answer = self.answer(request())
        self.assertTrue(answer.startswith(b"HTTP/1.1 101 "))
        # The example of RFC 6455 section 1.3.
        self.assertIn(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", answer)
        self.assertIn(b"Sec-WebSocket-Protocol: safeum.v1.json\r\n", answer)
        self.assertNotIn(b"Server:", answer)

    def test_both_ways_to_the_same_answer(self) -> None:
        """What the direct way leaves to autobahn (here: a header field twice) is answered alike."""
        twice = request().replace(b"\r\n\r\n", b"\r\nX-A: 1\r\nX-A: 2\r\n\r\n")
        self.assertIsNone(accept(twice, frozenset()))
        direct, stock = self.answer(request()), self.answer(twice)
        self.assertEqual(sorted(direct.lower().split(b"\r\n")), sorted(stock.lower().split(b"\r\n")))

    def test_compression_is_not_taken(self) -> None:
        for more in (b"", b"X-A: 1\r\nX-A: 2\r\n"):
            head = request(Sec_WebSocket_Extensions=b"permessage-deflate; client_max_window_bits")
            answer = self.answer(head[:-2] + more + b"\r\n")
            self.assertIn(b" 101 ", answer)
            self.assertNotIn(b"extensions", answer.lower())

    def test_in_pieces(self) -> None:
        peer = Peer()
        for octet in request():
            peer.receive(bytes([octet]))
        self.assertEqual(peer.state, OPEN)

    def test_frames_that_came_with_it(self) -> None:
        for head in (request(), request(Sec_WebSocket_Protocol=b"other,safeum.v1.json")):
            peer = Peer()
            peer.receive(head + frame(b"early") + frame(b"bird"))
            self.assertEqual(peer.session.payloads, [b"early", b"bird"])

    def test_subprotocol(self) -> None:
        self.assertIn(b"safeum.v1.json", self.refused(b"400", request(Sec_WebSocket_Protocol=None)))
        self.refused(b"400", request(Sec_WebSocket_Protocol=b"safeum.v2.json, chat"))

    def test_path(self) -> None:
        self.refused(b"404", request(path=b"/v1/wss"))
        self.refused(b"404", request(path=b"/"))

    def test_origin(self) -> None:
        origins = ("https://chat.example",)
        self.assertIn(b" 101 ", self.answer(request(Origin=b"https://chat.example"), origins))
        for origin in (
            b"https://evil.example",
            b"null",
            b"https://chat.example.evil",
            b"http://chat.example",
        ):
            self.refused(b"403", request(Origin=origin), origins)
        self.refused(b"403", request(Origin=b"https://chat.example"))

    def test_not_an_upgrade(self) -> None:
        self.assertIn(b"\r\nUpgrade: websocket\r\n", self.refused(b"426", request(Upgrade=None)))

    def test_malformed(self) -> None:
        for head in (
            request(Host=None),
            request(Connection=b"close"),
            request(Sec_WebSocket_Key=None),
            request(Sec_WebSocket_Key=b"short"),
            request(Sec_WebSocket_Key=b"dGhlIHNhbXBsZSBub25jZ!=="),
            request(Sec_WebSocket_Version=b"8"),
            request(Sec_WebSocket_Version=None),
            request(Sec_WebSocket_Protocol=b"safeum.v1.json,safeum.v1.json"),
            request(Host=b"node.example:port"),
            request().replace(b"\r\n\r\n", b"\r\nHost: other\r\n\r\n"),
        ):
            self.refused(b"400", head)

    def test_answer_quotes_no_line_end(self) -> None:
        answer = self.refused(b"400", request(Sec_WebSocket_Key=b"a\x0bX: y"))
        head = answer.partition(b"\r\n\r\n")[0]
        self.assertNotIn(b"X: y", head)

    def test_too_long_or_too_slow(self) -> None:
        self.refused(b"431", b"GET /v1/ws HTTP/1.1\r\nX: " + b"y" * 9000)
        peer = Peer()
        for _ in range(9):
            peer.receive(b"G")
            peer.clock.advance(1)
        self.assertNotEqual(peer.state, CLOSED)
        peer.clock.advance(1.5)
        self.assertEqual(peer.state, CLOSED)


class LeanTests(SynchronousTestCase):
    """The attributes of the class stand for those that autobahn gives to each instance."""

    def stock(self) -> dict[str, Any]:
        factory = WebSocketServerFactory(reactor=Clock())
        factory.protocol = WebSocketServerProtocol
        protocol = factory.buildProtocol(None)
        # With no timeout there is no timer: autobahn's would be on the global reactor.
        protocol.openHandshakeTimeout = 0
        protocol.makeConnection(StringTransport())
        return dict(vars(protocol))

    def test_every_attribute_has_its_first_value(self) -> None:
        peer = Peer()
        plain = (bool, int, bytes, str, type(None))
        ours = {"factory", "transport", "connected", "peer", "openHandshakeTimeoutCall", "log"}
        options = set(WebSocketServerProtocol.CONFIG_ATTRS)
        for name, value in self.stock().items():
            self.assertTrue(hasattr(ClientWebSocket, name) or hasattr(peer.websocket, name), name)
            if isinstance(value, plain) and name not in ours | options:
                self.assertEqual(getattr(peer.websocket, name), value, name)

    def test_options_are_those_of_the_factory(self) -> None:
        peer = Peer()
        for name in set(WebSocketServerProtocol.CONFIG_ATTRS) - {"autoPingInterval"}:
            self.assertEqual(getattr(peer.websocket, name), getattr(peer.factory, name), name)
        self.assertFalse(peer.websocket.failByDrop)
        self.assertEqual(peer.websocket.maxMessagePayloadSize, 65536)

    def test_nothing_of_the_handshake_is_kept(self) -> None:
        for head in (
            request(),
            request(Cookie=b"secret=1").replace(b"\r\n\r\n", b"\r\nA: 1\r\nA: 2\r\n\r\n"),
        ):
            peer = Peer()
            peer.receive(head)
            self.assertEqual(peer.state, OPEN)
            self.assertLess(len(vars(peer.websocket)), 20, vars(peer.websocket))
            self.assertNotIn("secret=1", repr(vars(peer.websocket)))


class ConnectionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.peer = Peer().open()
        self.session = self.peer.session
        self.connection: ClientConnection = self.session.connection

    def test_host(self) -> None:
        self.assertEqual(self.connection.host, "192.168.1.1")

    def test_writes_of_a_turn_leave_together_and_in_order(self) -> None:
        writes: list[bytes] = []
        self.patch(self.peer.transport, "write", writes.append)
        self.session.on_received = lambda session, payload: session.connection.write(text_frame(payload))
        self.peer.receive(frame(b"a") + frame(b"ping", 0x89) + frame(b"b"))
        self.assertEqual(writes, [b"\x81\x01a\x8a\x04ping\x81\x01b"])
        self.peer.receive(frame(b"c"))
        self.assertEqual(writes[1:], [b"\x81\x01c"])

    def test_close_goes_behind_what_was_written(self) -> None:
        self.connection.write(text_frame(b"last"))
        self.connection.close(4000, "bye")
        self.connection.close(4001, "again")
        self.assertEqual(self.peer.sent(), b"\x81\x04last\x88\x05\x0f\xa0bye")

    def test_what_was_written_leaves_before_the_connection_is_dropped(self) -> None:
        self.session.on_received = lambda session, payload: session.connection.write(text_frame(payload))
        self.peer.websocket.dataReceived(frame(b"a") + frame(b"\x03\xe8", 0x88))
        self.assertTrue(self.peer.transport.disconnecting)
        self.assertEqual(self.peer.transport.value(), b"\x81\x01a\x88\x02\x03\xe8")

    def test_long_reason_is_cut_between_characters(self) -> None:
        self.connection.close(4000, "é" * 100)
        sent = self.peer.sent()
        self.assertEqual(sent[1], 2 + 122)
        self.assertEqual(sent[4:].decode(), "é" * 61)

    def test_peer_that_does_not_answer_a_close_is_dropped(self) -> None:
        self.connection.close(4000, "bye")
        self.assertEqual(self.peer.state, CLOSING)
        self.peer.clock.advance(5.5)
        self.assertEqual(self.peer.state, CLOSED)
        self.assertTrue(self.peer.transport.disconnecting)

    def test_close_reads_on_for_the_answer(self) -> None:
        self.connection.pause_reading()
        self.connection.close(4000, "bye")
        self.peer.receive(frame(b"\x0f\xa0", 0x88))
        self.assertEqual(self.peer.state, CLOSED)

    def test_producer(self) -> None:
        producer: Any = self.peer.transport.producer
        self.assertTrue(self.peer.transport.streaming)
        producer.pauseProducing()
        producer.resumeProducing()
        self.assertEqual(self.session.events, ["paused", "resumed"])
        self.connection.close(4000, "bye")
        producer.pauseProducing()
        self.assertEqual(self.session.events, ["paused", "resumed"])

    def test_binary(self) -> None:
        self.peer.receive(frame(b"\x00\x01", 0x82))
        self.assertEqual(self.peer.websocket.localCloseCode, 1003)
        self.assertEqual(self.session.payloads, [])

    def test_fragments_are_bounded(self) -> None:
        self.peer.receive(frame(b"", 0x01) + frame(b"", 0x00) * 300)
        self.assertEqual(self.peer.websocket.localCloseCode, 1009)

    def test_closed_is_told_once(self) -> None:
        self.peer.receive(frame(b"\x03\xe8", 0x88))
        self.peer.websocket.connectionLost()
        self.assertEqual(self.session.events, ["closed"])

    def test_lost_without_a_close(self) -> None:
        self.peer.websocket.connectionLost()
        self.assertEqual(self.session.events, ["closed"])
        self.connection.write(b"too late")
        self.connection.close(4000, "too late")
        self.peer.clock.advance(100)

    def test_session_that_fails(self) -> None:
        def fail(_session: object, _payload: bytes) -> None:
            raise ZeroDivisionError

        self.session.on_received = fail
        self.peer.receive(frame(b"a") + frame(b"b"))
        self.assertEqual(self.peer.websocket.localCloseCode, 1011)
        self.assertEqual(self.session.payloads, [b"a"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_session_that_cannot_be_made(self) -> None:
        def fail(_connection: ClientConnection) -> ConnectionHandler:
            raise ZeroDivisionError

        clock = Clock()
        websocket = ClientWebSocketFactory(clock, EdgeLimits(), fail).buildProtocol(None)
        websocket.makeConnection(StringTransport())
        websocket.dataReceived(request() + frame(b"a"))
        self.assertEqual(websocket.localCloseCode, 1011)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_autobahn_logs_nothing_of_a_peer(self) -> None:
        """Neither its address nor its words: `peer` is what autobahn would log."""
        self.assertEqual(self.peer.websocket.peer, "a client")


class PingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.peer = Peer().open()

    def ping(self) -> bytes:
        self.peer.clock.advance(67)
        ping = self.peer.sent()
        self.assertEqual(ping[0], 0x89)
        return ping[2:]

    def test_silent_peer_is_dropped(self) -> None:
        self.ping()
        self.peer.clock.advance(20.5)
        self.assertEqual(self.peer.state, CLOSED)

    def test_pong_keeps_it(self) -> None:
        for _ in range(3):
            self.peer.receive(frame(self.ping(), 0x8A))
        self.assertEqual(self.peer.state, OPEN)

    def test_not_while_this_side_does_not_read(self) -> None:
        self.peer.session.connection.pause_reading()
        self.ping()
        self.peer.clock.advance(100)
        self.assertEqual(self.peer.state, OPEN)
        self.peer.session.connection.resume_reading()
        self.peer.clock.advance(21)
        self.assertEqual(self.peer.state, CLOSED)

    def test_nothing_is_left_on_the_clock(self) -> None:
        self.peer.websocket.connectionLost()
        self.peer.clock.advance(100)
        self.assertEqual(self.peer.clock.getDelayedCalls(), [])
