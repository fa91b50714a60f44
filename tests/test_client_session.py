"""A client's session: calls, events and reconnects, against a node in memory."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import Disconnected, RemoteProblem, SessionEnded, TimedOut
from safeum_home.client.events import Link, LinkChanged
from safeum_home.errors import Code, Problem
from safeum_home.protocol import commands as c
from safeum_home.protocol.events import Synced, Typing
from safeum_home.protocol.types import Message, Text
from tests.client_double import ADA, BOB, CHAT, STALE, TOKEN, FakeNode, cursor, message, opened


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
        self.assertEqual(set(params["device"]), {"name", "system"})

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


class ReconnectTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = FakeNode()
        self.client = self.node.client
        self.heard: list[Struct | LinkChanged] = []
        self.wire = self.node.login()
        self.client.listen(self.heard.append)

    def links(self) -> list[Link]:
        return [event.link for event in self.heard if isinstance(event, LinkChanged)]

    def test_comes_back_with_token_and_cursor(self) -> None:
        self.wire.event(message(1))
        self.wire.drop()
        self.assertEqual(len(self.node.wires), 1)
        self.node.clock.advance(1)
        resume = self.node.wire.requests[0]
        self.assertEqual(resume["params"], {"token": TOKEN, "since": cursor(1)})
        self.assertEqual(self.links(), [Link.OFFLINE, Link.CONNECTING, Link.ONLINE])

    def test_the_back_off_grows_to_a_bound_and_never_gives_up(self) -> None:
        self.node.down = True
        self.wire.drop()
        for _ in range(12):
            self.node.clock.advance(60)
        links = [event for event in self.heard if isinstance(event, LinkChanged)]
        waits = [round(event.retry_in, 3) for event in links if event.retry_in is not None]
        self.assertEqual(waits[:3], [0.3, 0.6, 1.2])
        self.assertEqual(max(waits), 36.0)
        self.node.down = False
        self.node.clock.advance(60)
        self.assertEqual(self.links()[-1], Link.ONLINE)

    def test_nobody_has_to_wait_for_the_back_off(self) -> None:
        self.wire.drop()
        self.client.retry()
        self.assertEqual(self.links()[-1], Link.ONLINE)
        self.client.retry()

    def test_an_unacknowledged_message_is_sent_again_with_its_client_id_and_order(self) -> None:
        first, second = started(self.client.send(CHAT, "1")), started(self.client.send(CHAT, "2"))
        before = [request["params"] for request in self.wire.of("chat.send")]
        self.wire.drop()
        third = started(self.client.send(CHAT, "3"))
        self.node.clock.advance(1)
        again = self.node.wire.of("chat.send")
        self.assertEqual([request["params"] for request in again[:2]], before)
        self.assertEqual([request["params"]["body"]["text"] for request in again], ["1", "2", "3"])
        for number, request in enumerate(again):
            self.node.wire.reply(request, sent(number))
        self.assertEqual(
            [self.successResultOf(d).id for d in (first, second, third)], [cursor(n) for n in range(3)]
        )

    def test_what_must_not_happen_twice_fails_instead(self) -> None:
        answer = started(self.client.accept(BOB))
        self.wire.drop()
        self.failureResultOf(answer, Disconnected)
        waiting = started(self.client.accept(BOB))  # was never written: it waits
        self.node.clock.advance(1)
        self.assertEqual(len(self.node.wire.of("contact.accept")), 1)
        self.node.wire.reply(self.node.wire.requests[-1], {})
        self.successResultOf(waiting)

    def test_events_come_once(self) -> None:
        self.wire.event(message(1))
        self.wire.event(message(2))
        self.wire.drop()
        self.node.clock.advance(1)
        for number in (1, 2, 3):
            self.node.wire.event(message(number))
        texts = [event.id for event in self.heard if isinstance(event, Message)]
        self.assertEqual(texts, [cursor(1), cursor(2), cursor(3)])

    def test_an_own_message_does_not_come_back_as_an_event(self) -> None:
        self.client.send(CHAT, "mine")
        self.wire.reply(self.wire.requests[-1], sent(1))
        self.wire.drop()
        self.node.clock.advance(1)
        self.node.wire.event(message(1, "mine", ADA))
        self.assertEqual([event for event in self.heard if isinstance(event, Message)], [])

    def test_replaced_revoked_and_refused_are_final(self) -> None:
        for code in (4009, 4010, 1008):
            node = FakeNode()
            wire = node.login()
            pending = started(node.client.send(CHAT, "hi"))
            wire.drop(code)
            self.failureResultOf(pending, SessionEnded)
            self.assertEqual(node.clock.getDelayedCalls(), [])

    def test_a_stale_token_is_final(self) -> None:
        self.node.answers["session.resume"] = lambda params: STALE
        self.wire.drop()
        self.node.clock.advance(1)
        self.assertEqual(self.links()[-1], Link.CLOSED)
        self.assertEqual(self.node.clock.getDelayedCalls(), [])

    def test_a_slow_reader_is_back_at_once(self) -> None:
        for _ in range(5):
            self.node.wire.drop(4008)
            self.node.clock.advance(0.2)
            self.assertEqual(self.links()[-1], Link.ONLINE)

    def test_a_restarting_node_is_not_stormed(self) -> None:
        self.wire.drop(1012)
        self.node.clock.advance(2)
        self.assertEqual(self.links()[-1], Link.OFFLINE)
        self.node.clock.advance(2)
        self.assertEqual(self.links()[-1], Link.ONLINE)

    def test_a_node_that_says_when_is_obeyed(self) -> None:
        self.node.answers["session.resume"] = lambda params: Problem(Code.SEALED, None, 20.0)
        self.wire.drop()
        self.node.clock.advance(1)
        self.assertEqual(self.heard[-1], LinkChanged(Link.OFFLINE, Code.SEALED.value.title, 20.0))

    def test_a_forgotten_cursor_is_said_and_the_session_goes_on(self) -> None:
        def resume(params: dict[str, Any]) -> Any:
            ok = {"account": ADA, "address": "ada@home.test", "device": "D" + "e" * 16, "cursor": cursor(9)}
            return Problem(Code.INVALID_CURSOR) if params["since"] == cursor(0) else ok

        self.node.answers["session.resume"] = resume
        self.wire.drop()
        self.node.clock.advance(1)
        self.assertEqual(self.heard[-1], LinkChanged(Link.ONLINE, reset=True))
        self.node.wire.drop()
        self.node.clock.advance(2)
        self.assertEqual(self.node.wire.requests[0]["params"]["since"], cursor(9))

    def test_a_node_that_goes_back_in_time_may_use_known_cursors_anew(self) -> None:
        def resume(params: dict[str, Any]) -> Any:
            return Problem(Code.INVALID_CURSOR) if params["since"] is not None else opened(1, None)

        self.wire.event(message(2, "lost with the disk"))
        self.node.answers["session.resume"] = resume
        self.wire.drop()
        self.node.clock.advance(1)
        self.assertEqual(self.node.wire.of("session.ack"), [])
        self.node.wire.event(message(2, "another"))
        bodies = [event.body for event in self.heard if isinstance(event, Message)]
        self.assertEqual(bodies, [Text("lost with the disk"), Text("another")])

    def test_whoever_hears_of_the_connection_may_close_it_or_not_wait(self) -> None:
        for link in (Link.OFFLINE, Link.CONNECTING, Link.ONLINE):
            for act in ("close", "retry"):
                node = FakeNode()
                wire = node.login()
                heard: list[Link] = []

                def hear(event: Any, node: FakeNode = node, act: str = act, heard: Any = heard) -> None:
                    if isinstance(event, LinkChanged):
                        heard.append(event.link)
                        if event.link is link and heard.count(link) == 1:  # noqa: B023 - within its turn
                            getattr(node.client, act)()

                node.client.listen(hear)
                wire.drop()
                node.clock.advance(120)
                self.assertEqual(heard[-1], Link.CLOSED if act == "close" else Link.ONLINE)
                self.successResultOf(node.client.close())
                self.assertEqual(node.clock.getDelayedCalls(), [])
                self.assertTrue(all(each.closed_with is not None for each in node.wires))

    def test_closing_while_connecting_leaves_no_connection(self) -> None:
        for lost_before in (False, True):
            node = FakeNode()
            if lost_before:
                node.login().drop()
            node.waiting = []
            entering = None if lost_before else started(node.client.login("ada", "right"))
            node.client.retry()
            node.client.close()
            node.waiting[0].callback(None)
            self.assertEqual(node.wire.closed_with, 1000)
            if entering is not None:
                self.failureResultOf(entering, SessionEnded)

    def test_a_full_house_of_calls_does_not_shut_the_session_out(self) -> None:
        waiting = [started(self.client.send(CHAT, "hi")) for _ in range(256)]
        self.wire.drop()
        self.node.clock.advance(1)
        self.assertEqual(self.links()[-1], Link.ONLINE)
        self.assertEqual(len(self.node.wire.of("chat.send")), len(waiting))

    def test_closing_while_offline_leaves_no_timer(self) -> None:
        self.wire.event(message(1))
        self.wire.drop()
        self.successResultOf(self.client.close())
        self.assertEqual(self.node.clock.getDelayedCalls(), [])
        self.successResultOf(self.client.close())


class EventTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = FakeNode()
        self.client = self.node.client
        self.wire = self.node.login()

    def acks(self) -> list[str]:
        return [request["params"]["cursor"] for wire in self.node.wires for request in wire.of("session.ack")]

    def test_acknowledged_after_200_ms_as_a_notification(self) -> None:
        self.wire.event(message(1))
        self.wire.event(message(2))
        self.assertEqual(self.acks(), [])
        self.node.clock.advance(0.2)
        self.assertEqual(self.acks(), [cursor(2)])
        self.assertNotIn("id", self.wire.of("session.ack")[0])
        self.node.clock.advance(5)
        self.assertEqual(len(self.acks()), 1)

    def test_acknowledged_after_50_events(self) -> None:
        for number in range(1, 51):
            self.wire.event(message(number))
        self.assertEqual(self.acks(), [cursor(50)])

    def test_what_could_not_be_acknowledged_is_after_the_reconnect(self) -> None:
        self.wire.event(message(1))
        self.wire.drop()
        self.node.clock.advance(1)
        self.assertEqual(self.acks(), [cursor(1)])

    def test_a_loop_over_events(self) -> None:
        got: list[Struct] = []

        async def consume() -> str:
            async for event in self.client.events():
                got.append(event)
            return "over"

        loop = Deferred.fromCoroutine(consume())
        self.wire.event(message(1))
        self.wire.event(Typing(CHAT, BOB, True))
        self.assertEqual(got, [message(1), Typing(CHAT, BOB, True)])
        self.client.close()
        self.assertEqual(self.successResultOf(loop), "over")

    def test_a_loop_ends_with_an_error_when_the_node_ends_the_session(self) -> None:
        stream = self.client.events()
        self.wire.event(message(1))
        self.wire.drop(4010)
        self.assertEqual(self.successResultOf(stream.__anext__()), message(1))
        self.failureResultOf(stream.__anext__(), SessionEnded)

    def test_a_failing_listener_harms_nobody(self) -> None:
        heard: list[object] = []
        self.client.listen(lambda event: 1 / 0)  # type: ignore[arg-type]  # it fails on purpose
        self.client.listen(heard.append)
        self.wire.event(message(1))
        self.assertEqual(heard, [message(1)])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_a_full_stream_leaves_the_rest_with_the_node(self) -> None:
        stream = self.client.events(limit=4)
        for number in range(1, 10):
            self.wire.event(message(number))
        answer = started(self.client.send(CHAT, "still answered"))
        self.wire.reply(self.wire.requests[-1], sent(20))
        self.successResultOf(answer)
        got = [self.successResultOf(stream.__anext__()) for _ in range(2)]
        self.node.clock.advance(1)
        self.assertEqual(self.node.wire.requests[0]["params"]["since"], cursor(4))
        for number in range(5, 7):
            self.node.wire.event(message(number))
        got += [self.successResultOf(stream.__anext__()) for _ in range(4)]
        self.assertEqual(got, [message(number) for number in range(1, 7)])

    def test_a_full_stream_may_be_drained_while_there_is_no_connection(self) -> None:
        for state in ("offline", "connecting", "resuming", "closed"):
            node = FakeNode()
            wire = node.login()
            stream = node.client.events(limit=2)
            for number in range(1, 4):
                wire.event(message(number))
            wire.drop()
            if state == "connecting":
                node.waiting = []
            elif state == "resuming":
                del node.answers["session.resume"]
            if state == "closed":
                node.client.close()
            elif state != "offline":
                node.client.retry()
            self.assertEqual(self.successResultOf(stream.__anext__()), message(1))
            if state == "connecting":
                assert node.waiting is not None
                node.waiting[0].callback(None)
            elif state == "resuming":
                resume = node.wire.requests[0]
                self.assertEqual(resume["params"]["since"], cursor(2))
                node.wire.reply(resume, opened(0, None))
            if state != "closed":
                node.clock.advance(1)
                node.wire.event(message(3))
                got = [self.successResultOf(stream.__anext__()) for _ in range(2)]
                self.assertEqual(got, [message(2), message(3)])
                self.assertEqual(len(node.wires), 2)

    def test_a_full_stream_that_is_closed_holds_nothing_back(self) -> None:
        stream = self.client.events(limit=1)
        other = self.client.events()
        self.wire.event(message(1))
        self.wire.event(message(2))
        stream.close()
        self.node.clock.advance(1)
        self.assertEqual(self.node.wire.requests[0]["params"]["since"], cursor(1))
        self.node.wire.event(message(2))
        got = [self.successResultOf(other.__anext__()) for _ in range(2)]
        self.assertEqual(got, [message(1), message(2)])

    @settings(max_examples=100, deadline=None)
    @given(
        st.lists(st.sampled_from(["event", "take", "drop", "synced", "wait", "retry"]), max_size=80),
        st.integers(1, 5),
    )
    def test_whatever_happens_each_event_is_taken_once_and_in_order(
        self, steps: list[str], limit: int
    ) -> None:
        node = FakeNode()
        log: list[Message] = []

        def resume(params: dict[str, Any]) -> dict[str, Any]:
            return {"account": ADA, "address": "a", "device": "D" + "e" * 16, "cursor": params["since"]}

        node.answers["session.resume"] = resume
        node.login()
        stream = node.client.events(limit)
        got: list[Struct] = []
        replayed = [node.wire]

        def settle() -> None:
            node.clock.advance(120)
            while replayed[-1] is not node.wire:  # a node sends what follows the cursor, then goes on
                replayed.append(node.wire)
                since = next(r for r in node.wire.requests if r["method"] == "session.resume")["params"][
                    "since"
                ]
                for event in [event for event in log if event.id > since]:
                    node.wire.event(event)
                node.clock.advance(120)

        def take() -> None:
            waiting = stream.__anext__()
            waiting.addCallbacks(got.append, lambda failure: None)
            waiting.cancel()

        for step in steps:
            if step == "event":
                log.append(message(len(log) + 1))
                if node.wire.closed_with is None:
                    node.wire.event(log[-1])
            elif step == "synced" and node.wire.closed_with is None:
                node.wire.event(Synced(log[-1].id if log else cursor(0)))
            elif step == "drop" and node.wire.closed_with is None:
                node.wire.drop()
            elif step == "take":
                take()
            elif step == "wait":
                settle()
            elif step == "retry":
                node.client.retry()
                settle()
        for _ in range(2 * len(steps) + 2):
            take()
            settle()
        self.assertEqual([event for event in got if isinstance(event, Message)], log)
