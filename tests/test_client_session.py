"""A client's session: calls against a node in memory."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import Disconnected, RemoteProblem, SessionEnded, TimedOut
from safeum_home.errors import Code, Problem
from safeum_home.protocol import commands as c
from tests.client_double import ADA, BOB, CHAT, FakeNode, cursor


def sent(number: int) -> dict[str, Any]:
    return {"id": cursor(number), "at": 1_700_000_000_000 + number}


def started(awaitable: Any) -> "Deferred[Any]":
    assert isinstance(awaitable, Deferred)
    return awaitable


class EnteringTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = FakeNode()
        self.client = self.node.client

    def test_login_opens_the_session_and_says_nothing_of_the_host_name(self) -> None:
        opened = self.successResultOf(started(self.client.login("ada", "right")))
        self.assertEqual(opened.account, ADA)
        params = self.node.wire.requests[0]["params"]
        self.assertEqual(set(params), {"username", "password", "device"})
        self.assertLessEqual({"name", "system"}, set(params["device"]))
        self.assertLessEqual(set(params["device"]), {"name", "system", "type", "time_zone"})

    def test_a_refused_login_can_be_tried_again_on_the_same_connection(self) -> None:
        error = self.failureResultOf(started(self.client.login("ada", "wrong")), RemoteProblem).value
        self.assertTrue(error.of(Code.BAD_CREDENTIALS))
        self.successResultOf(started(self.client.login("ada", "right")))
        self.assertEqual(len(self.node.wires), 1)

    def test_no_node_is_an_error_and_not_a_wait(self) -> None:
        self.node.down = True
        self.failureResultOf(started(self.client.login("ada", "right")), Disconnected)
        self.assertEqual(self.node.clock.getDelayedCalls(), [])

    def test_a_connection_lost_during_login_fails_the_login(self) -> None:
        self.node.answers.clear()
        entering = started(self.client.login("ada", "right"))
        self.node.wire.drop(4001, "too slow")
        error = self.failureResultOf(entering, Disconnected).value
        self.assertEqual(error.closing.code, 4001)
        self.assertEqual(self.node.clock.getDelayedCalls(), [])

    def test_commands_need_a_session(self) -> None:
        with self.assertRaises(RemoteProblem) as caught:
            self.client.chats()
        self.assertEqual(caught.exception.code, Code.NOT_AUTHENTICATED.code)

    def test_logging_in_twice_is_refused(self) -> None:
        self.node.login()
        error = self.failureResultOf(started(self.client.login("ada", "right")), RemoteProblem).value
        self.assertTrue(error.of(Code.WRONG_STATE))

    def test_logging_out_ends_the_session(self) -> None:
        wire = self.node.login()
        leaving = self.client.logout()
        wire.reply(wire.of("session.logout")[0], {})
        self.successResultOf(leaving)
        self.assertEqual(wire.closed_with, 1000)
        self.assertEqual(self.node.clock.getDelayedCalls(), [])
        self.failureResultOf(started(self.client.chats()), SessionEnded)

    def test_a_node_that_closes_instead_of_answering_a_logout_is_fine(self) -> None:
        wire = self.node.login()
        leaving = self.client.logout()
        wire.drop(4010, "revoked")
        self.successResultOf(leaving)


class CallTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = FakeNode()
        self.client = self.node.client
        self.wire = self.node.login()

    def test_answers_are_matched_by_id_in_any_order(self) -> None:
        first = started(self.client.send(CHAT, "one"))
        second = started(self.client.send(CHAT, "two"))
        one, two = self.wire.of("chat.send")
        self.wire.reply(two, sent(2))
        self.wire.reply(one, sent(1))
        self.assertEqual(self.successResultOf(first).id, cursor(1))
        self.assertEqual(self.successResultOf(second).id, cursor(2))

    def test_any_command_by_its_parameters(self) -> None:
        answer = started(self.client.call(c.ContactFind("bob@home.test")))
        self.wire.reply(self.wire.requests[-1], {"account": BOB, "address": "bob@home.test", "new": 1})
        self.assertEqual(self.successResultOf(answer), c.ContactFound(BOB, "bob@home.test"))

    def test_a_refusal_carries_code_detail_and_time(self) -> None:
        answer = started(self.client.find("bob"))
        self.wire.reply(self.wire.requests[-1], Problem(Code.RATE_LIMITED, "slowly", 2.5))
        error = self.failureResultOf(answer, RemoteProblem).value
        self.assertEqual((error.code, error.detail, error.retry_after), ("rate_limited", "slowly", 2.5))
        self.assertTrue(error.passing)

    def test_no_answer_is_a_timeout_except_for_messages(self) -> None:
        answer, message_sent = started(self.client.chats()), started(self.client.send(CHAT, "hi"))
        self.node.clock.advance(31)
        self.failureResultOf(answer, TimedOut)
        self.assertNoResult(message_sent)
        self.wire.reply(self.wire.of("chat.list")[0], {"chats": [], "next": None})  # too late: ignored

    def test_waiting_calls_are_bounded(self) -> None:
        waiting = [started(self.client.send(CHAT, "hi")) for _ in range(256)]
        error = self.failureResultOf(started(self.client.send(CHAT, "hi")), RemoteProblem).value
        self.assertTrue(error.of(Code.BUSY))
        self.assertEqual(len(waiting), 256)

    def test_a_frame_that_no_node_would_take_is_not_sent(self) -> None:
        answer = started(self.client.send(CHAT, "\N{PILE OF POO}" * 20_000))
        self.assertTrue(self.failureResultOf(answer, RemoteProblem).value.of(Code.TOO_LARGE))

    def test_nonsense_of_the_node_breaks_the_connection_not_the_client(self) -> None:
        for payload in (b"", b"[]", b"{", b'{"id":{}}', b"[" * 60_000, b"\xff"):
            self.node.wire.listener.received(payload)
            self.node.clock.advance(60)
            self.assertEqual(self.node.wire.methods()[0], "session.resume")

    def test_events_and_answers_of_a_newer_node_are_ignored(self) -> None:
        received = self.wire.listener.received
        received(b'{"jsonrpc":"2.0","method":"chat.sparkle","params":{}}')
        received(b'{"jsonrpc":"2.0","id":99,"result":{}}')
        received(b'{"jsonrpc":"2.0","id":"x","result":{}}')
        received(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}')
        received(b'{"jsonrpc":"2.0","method":"chat.message","params":{"body":{"kind":"hologram"}}}')
        self.assertIsNone(self.wire.closed_with)

    def test_an_answer_of_the_wrong_form_fails_its_call_alone(self) -> None:
        answer = started(self.client.chats())
        self.wire.reply(self.wire.requests[-1], {"chats": 7})
        self.failureResultOf(answer, Exception)
        self.assertIsNone(self.wire.closed_with)
