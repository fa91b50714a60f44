"""Why a connection could not be made, or ended: in few human words, and another certificate for good."""

from twisted.internet.error import ConnectionRefusedError, DNSLookupError, TimeoutError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.connection import NodeConnection, plain, unreachable
from safeum_home.client.errors import UNTRUSTED, Closing, Disconnected
from safeum_home.errors import Code, Problem
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
