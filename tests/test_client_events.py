"""The events of a client's session, each once and in order, against a node in memory."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import SessionEnded
from safeum_home.protocol.events import Synced, Typing
from safeum_home.protocol.types import Message
from tests.client_double import ADA, BOB, CHAT, FakeNode, cursor, message, opened
from tests.test_client_session import sent, started


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
