"""What clients that do not read make a node hold: next to nothing; and leave in its log: nothing at all."""

from typing import Any

from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.gateway.http import EdgeSite, site_root
from safeum_home.gateway.limits import EdgeLimits
from tests.gateway_support import Peer, frame
from tests.test_gateway_edge import HERE, EdgeTestCase

PING = 0x89


class PongTests(SynchronousTestCase):
    """Pings of a client that does not read."""

    def setUp(self) -> None:
        self.peer = Peer().open()

    def ping(self, payload: bytes) -> None:
        self.peer.receive(frame(payload, PING))

    def test_only_the_last_is_answered_once_it_reads_again(self) -> None:
        self.peer.websocket.pauseProducing()
        for number in range(1000):
            self.ping(b"%d" % number)
        self.assertEqual(self.peer.sent(), b"")
        self.peer.websocket.resumeProducing()
        self.assertEqual(self.peer.sent(), b"\x8a\x03999")
        self.ping(b"a")
        self.assertEqual(self.peer.sent(), b"\x8a\x01a")

    def test_nothing_is_answered_that_was_answered(self) -> None:
        self.ping(b"a")
        self.assertEqual(self.peer.sent(), b"\x8a\x01a")
        self.peer.websocket.pauseProducing()
        self.peer.websocket.resumeProducing()
        self.assertEqual(self.peer.sent(), b"")

    def test_nothing_is_answered_behind_a_close(self) -> None:
        self.peer.websocket.pauseProducing()
        self.ping(b"a")
        self.peer.session.connection.close(1000, "")
        self.peer.sent()
        self.peer.websocket.resumeProducing()
        self.assertEqual(self.peer.sent(), b"")


class PipelineTests(EdgeTestCase):
    """Requests one after another, without waiting for the answers."""

    def test_reading_stops_while_answers_are_not_read(self) -> None:
        """Also where the transport is full in the middle of an answer, as it is with ours."""
        transport = StringTransport()
        channel = EdgeSite(self.clock, EdgeLimits(), site_root(lambda: {"status": "ok"})).buildProtocol(None)
        channel.makeConnection(transport)
        write = transport.write

        def fill(data: bytes) -> None:
            write(data)
            channel.pauseProducing()

        transport.write = fill  # type: ignore[method-assign]  # a transport whose buffer is full at once
        channel.dataReceived(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIn(b"200 OK", transport.value())
        self.assertEqual(transport.producerState, "paused")
        channel.resumeProducing()
        self.assertEqual(transport.producerState, "producing")

    def test_timeout_is_not_logged(self) -> None:
        """A client's address is kept nowhere."""
        events: list[LogEvent] = []
        observer: Any = events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        client = self.connect(HERE)
        client.ask(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n")
        for _ in range(20):
            client.ask(b"x")
            client.turn(1)
        self.assertTrue(client.closed)
        self.assertEqual(events, [])
