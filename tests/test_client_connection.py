"""Why a connection could not be made, or ended: in few human words, and another certificate for good."""

import re
from base64 import b64encode
from hashlib import sha1
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionRefusedError, DNSLookupError, TimeoutError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.connection.connection import (
    CLOSE_TIMEOUT,
    CONNECT_TIMEOUT,
    PING_INTERVAL,
    NodeConnection,
    factory_for,
    plain,
    unreachable,
)
from safeum_home.client.errors import UNTRUSTED, Closing, Disconnected
from safeum_home.errors import Code, Problem
from safeum_home.protocol import SUBPROTOCOL
from tests.client_desk import DeskTestCase
from tests.client_double import message


class ReasonTests(SynchronousTestCase):
    def test_reasons_are_short(self) -> None:
        for error in (ConnectionRefusedError(), DNSLookupError("x" * 99), TimeoutError(), OSError(99, "x")):
            closing = unreachable(Failure(error))
            self.assertEqual(closing.code, 1006)
            self.assertLessEqual(len(closing.reason), 26)
        self.assertEqual(plain("connection was closed (peer dropped it)"), "the connection was lost")
        self.assertEqual(plain("restarting"), "restarting")

    def test_what_is_written_into_a_closing_connection_is_lost_with_it(self) -> None:
        connection = NodeConnection()
        connection.state = NodeConnection.STATE_CLOSING
        connection.send(b"{}")


class TimeoutTests(SynchronousTestCase):
    """Every timeout of a connection is one of the reactor that was handed in."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.closings: list[Closing] = []
        self.opened: Deferred[Any] = Deferred()
        self.connection = factory_for("wss://home.test/", self, self.opened, self.clock).buildProtocol(None)
        self.transport = StringTransport()
        self.transport.abortConnection = self.transport.loseConnection  # type: ignore[method-assign]
        self.transport.unregisterProducer = lambda: None  # type: ignore[method-assign]
        self.connection.makeConnection(self.transport)

    def received(self, payload: bytes) -> None:
        raise AssertionError(payload)

    def closed(self, closing: Closing) -> None:
        self.closings.append(closing)

    def open(self) -> None:
        """The node agrees."""
        found = re.search(rb"Sec-WebSocket-Key: (\S+)", self.transport.value())
        assert found is not None
        accept = b64encode(sha1(found[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        head = b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n"
        more = b"Sec-WebSocket-Protocol: %b\r\n\r\n" % SUBPROTOCOL.encode()
        self.connection.dataReceived(head % accept + more)
        self.assertIs(self.successResultOf(self.opened), self.connection)
        self.transport.clear()

    def assertGivenUpAfter(self, seconds: float) -> None:
        self.clock.advance(seconds - 1)
        self.assertFalse(self.transport.disconnecting)
        self.clock.advance(2)
        self.assertTrue(self.transport.disconnecting)
        self.connection.connectionLost(Failure(ConnectionDone()))

    def test_a_node_that_does_not_agree(self) -> None:
        """The handshake is given up."""
        self.assertGivenUpAfter(CONNECT_TIMEOUT)
        self.failureResultOf(self.opened, Disconnected)

    def test_a_node_that_is_gone(self) -> None:
        """It is pinged, and given up when it says nothing any more."""
        self.open()
        self.clock.advance(PING_INTERVAL + 1)
        self.assertEqual(self.transport.value()[0], 0x89)  # RFC 6455 section 5.5.2
        self.assertGivenUpAfter(PING_INTERVAL)
        self.assertEqual(len(self.closings), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_node_that_does_not_hang_up(self) -> None:
        """After both have said that it is over the connection is cut, whoever said it first."""
        for first in (False, True):
            self.setUp()
            self.open()
            if first:
                self.connection.close()
            self.connection.dataReceived(b"\x88\x02\x03\xe8")
            self.assertGivenUpAfter(CLOSE_TIMEOUT)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_node_that_hangs_up(self) -> None:
        """Nothing is left behind."""
        self.open()
        self.connection.close()
        self.connection.dataReceived(b"\x88\x02\x03\xe8")
        self.connection.connectionLost(Failure(ConnectionDone()))
        self.assertEqual([closing.code for closing in self.closings], [1000])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class DeskLinkTests(DeskTestCase):
    def test_another_certificate_is_the_end_for_a_person(self) -> None:
        left: list[bool] = []
        self.desk.leave = lambda: left.append(True)
        self.node.down = True
        self.node.refusal = Disconnected(Closing(UNTRUSTED, "not trusted"))
        self.wire.drop()
        self.assertEqual(left, [])
        self.node.clock.advance(1)
        self.assertEqual((left, self.desk.untrusted), ([True], True))

    def test_the_reason_of_a_loss_gives_way_to_what_matters(self) -> None:
        self.node.down = True
        self.wire.drop(1006, "a very long reason " * 9)
        self.assertIn("reconnecting in", self.status())
        self.assertTrue(self.status().rstrip().endswith("2 unread · ada@home.test · /help"))

    def test_what_cannot_be_marked_as_read_is_not_asked_for_again_and_again(self) -> None:
        self.wire.answers["chat.read"] = lambda params: Problem(Code.NOT_FOUND)
        self.enter("/chat bob")
        self.enter("/dance")
        self.wire.event(message(4))
        self.assertLess(len(self.params("chat.read")), 5)
        self.assertNotIn("no such thing, or", self.body())
