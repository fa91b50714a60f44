"""A client's session across lost connections, against a node in memory."""

from typing import Any

from msgspec import Struct
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import Disconnected, SessionEnded
from safeum_home.client.events import Link, LinkChanged
from safeum_home.errors import Code, Problem
from safeum_home.protocol.types import Message, Text
from tests.client_double import ADA, BOB, CHAT, STALE, TOKEN, FakeNode, cursor, message, opened
from tests.test_client_session import sent, started


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
        self.assertEqual(resume["params"], {"token": TOKEN, "since": cursor(1), "seen": None})
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

    def test_the_newest_own_message_is_shown_beside_the_cursor(self) -> None:
        """No event tells of it: a node that was put back to before it is to say so. One that is answered once
        more is no newer for that, and it is not the cursor, since others' may be on their way before it."""
        answers = {
            "one": {"id": cursor(5), "at": 1005},
            "two": {"id": cursor(7), "at": 1007},
            "one again": {"id": cursor(5), "at": 1005},
            "gone": {"id": cursor(4), "at": 1009, "before": cursor(5)},
            "erased": {"id": cursor(3), "at": 1010, "erased": True},
        }
        self.wire.event(message(1))
        for text, answer in answers.items():
            self.wire.answers["chat.send"] = lambda params, answer=answer: answer  # type: ignore[misc]
            self.successResultOf(started(self.client.send(CHAT, text)))
        self.node.answers["session.resume"] = lambda params: (
            Problem(Code.INVALID_CURSOR) if params["seen"] else opened(9, None)
        )
        self.wire.drop()
        self.node.clock.advance(1)
        first, second = (request["params"] for request in self.node.wire.of("session.resume"))
        self.assertEqual((first["since"], first["seen"]), (cursor(1), cursor(7)))
        self.assertEqual((second["since"], second["seen"]), (None, None))
        self.assertEqual(self.heard[-1], LinkChanged(Link.ONLINE, reset=True))

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
