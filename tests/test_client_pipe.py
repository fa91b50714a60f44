"""`safeum pipe` between lines and a session, in memory."""

import json
from typing import Any

from msgspec import structs
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.pipe.pipe import OUTSTANDING, Pipe
from safeum_home.errors import Code, Problem
from safeum_home.protocol.types import Message, Text
from tests.client_double import ADA, CHAT, SUPPORT, SUPPORT_CHAT, FakeNode, cursor, message, signed


class PipeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = FakeNode()
        self.wire = self.node.login()
        self.transport = StringTransport()
        self.pipe = Pipe(self.node.client, self.node.clock)
        self.pipe.makeConnection(self.transport)

    def lines(self) -> list[Any]:
        lines = [json.loads(line) for line in self.transport.value().splitlines()]
        self.transport.clear()
        return lines

    def give(self, *requests: Any) -> None:
        for request in requests:
            self.pipe.dataReceived(json.dumps(request).encode() + b"\n")

    def send(self, text: str, request_id: int | None = None) -> dict[str, Any]:
        params = {"chat": CHAT, "client_id": text, "body": {"kind": "text", "text": text}}
        return {"method": "chat.send", "params": params} | ({} if request_id is None else {"id": request_id})

    def test_it_begins_with_who_this_is_and_without_the_token(self) -> None:
        (opened,) = self.lines()
        self.assertEqual((opened["method"], opened["params"]["account"]), ("client.opened", ADA))
        self.assertNotIn("token", json.dumps(opened))

    def test_what_is_not_the_nodes_is_said_before_it(self) -> None:
        """A message in the node's name that does not verify comes behind a line of the client's own."""
        self.lines()
        answer = Message(cursor(1), SUPPORT_CHAT, SUPPORT, 1_700_000_000_000, Text("pay here"))
        for event in (signed(answer), structs.replace(signed(answer), id=cursor(2))):
            self.wire.event(event)
        first, warning, second = self.lines()
        self.assertEqual((first["method"], first["params"]["id"]), ("chat.message", cursor(1)))
        self.assertEqual((warning["method"], warning["params"]), ("client.forged", {"id": cursor(2)}))
        self.assertEqual(second["params"]["id"], cursor(2))
        self.assertEqual(second["params"]["signature"], first["params"]["signature"])

    def test_commands_and_answers(self) -> None:
        self.lines()
        self.give(self.send("one", 7), {"jsonrpc": "2.0", "method": "chat.list", "id": "x"})
        self.wire.reply(self.wire.of("chat.list")[0], {"chats": [], "next": None})
        self.wire.reply(self.wire.of("chat.send")[0], {"id": cursor(1), "at": 1})
        second, first = self.lines()
        self.assertEqual(
            second, {"jsonrpc": "2.0", "id": "x", "result": {"chats": [], "next": None, "people": []}}
        )
        self.assertEqual(first, {"jsonrpc": "2.0", "id": 7, "result": {"id": cursor(1), "at": 1}})

    def test_refusals_are_those_of_the_protocol(self) -> None:
        self.lines()
        self.give(
            {"method": "nope", "id": 1},
            {"method": "chat.send", "id": 2},
            {"method": "session.login", "params": {}, "id": 3},
            self.send("x", 4),
            {"method": "chat.list", "id": 1.5},
            {"method": "chat.list", "id": 5, "more": 1},
            {"method": "chat.list", "id": 6, "jsonrpc": "1.0"},
        )
        self.pipe.dataReceived(b"{\n\n")
        self.wire.reply(self.wire.of("chat.send")[0], Problem(Code.NOT_A_CONTACT))
        codes = [(line["id"], line["error"]["data"]["code"]) for line in self.lines()]
        expected = [
            (1, "method_not_found"),
            (2, "invalid_params"),
            (3, "wrong_state"),
            *[(None, "invalid_request")] * 3,
            (None, "parse_error"),
            (4, "not_a_contact"),
        ]
        self.assertEqual(codes, expected)

    def test_without_an_id_there_is_no_answer(self) -> None:
        self.lines()
        self.give(self.send("quiet"))
        self.wire.reply(self.wire.of("chat.send")[0], {"id": cursor(1), "at": 1})
        self.assertEqual(self.lines(), [])

    def test_events_and_the_connection(self) -> None:
        self.lines()
        self.wire.event(message(1))
        self.wire.drop()
        self.node.clock.advance(1)
        event, offline, online = self.lines()
        self.assertEqual((event["method"], event["params"]["id"]), ("chat.message", cursor(1)))
        self.assertEqual(offline["params"]["link"], "offline")
        self.assertEqual(online["params"]["link"], "online")

    def test_a_slow_reader_holds_events_back_but_not_answers(self) -> None:
        self.lines()
        assert self.transport.producer is not None
        self.transport.producer.pauseProducing()
        for number in range(1, 4):
            self.wire.event(message(number))
        self.give({"method": "chat.list", "id": 1})
        self.wire.reply(self.wire.requests[-1], {"chats": [], "next": None})
        self.assertEqual([line["id"] for line in self.lines()], [1])
        self.transport.producer.resumeProducing()
        self.assertEqual([line["params"]["id"] for line in self.lines()], [cursor(n) for n in (1, 2, 3)])

    def test_too_many_without_answers_hold_the_input_back(self) -> None:
        block = b"".join(json.dumps(self.send(f"{n}", n)).encode() + b"\n" for n in range(200))
        self.pipe.dataReceived(block)
        self.assertEqual(len(self.wire.of("chat.send")), OUTSTANDING)
        self.assertEqual(self.transport.producerState, "paused")
        self.pipe.readConnectionLost()
        self.assertFalse(self.transport.disconnecting)
        done = 0
        while done < len(self.wire.of("chat.send")):
            self.wire.reply(self.wire.of("chat.send")[done], {"id": cursor(done), "at": done})
            done += 1
        self.assertEqual(done, 200)
        self.assertTrue(self.transport.disconnecting)

    def test_the_end_of_the_input_waits_for_answers_and_takes_the_last_line(self) -> None:
        self.pipe.dataReceived(json.dumps(self.send("last", 1)).encode())
        self.pipe.readConnectionLost()
        self.assertFalse(self.transport.disconnecting)
        self.wire.reply(self.wire.of("chat.send")[0], {"id": cursor(1), "at": 1})
        self.assertTrue(self.transport.disconnecting)
        done = self.pipe.done
        self.pipe.connectionLost()
        self.assertEqual(self.successResultOf(done), 0)

    def test_a_session_that_the_node_ends_is_a_failure(self) -> None:
        self.wire.drop(4010)
        self.assertEqual(self.lines()[-1]["params"]["link"], "closed")
        self.assertTrue(self.transport.disconnecting)
        done = self.pipe.done
        self.pipe.connectionLost()
        self.assertEqual(self.successResultOf(done), 1)

    def test_nobody_reads_any_more(self) -> None:
        """Then it ends, whether or not there is more to come in, and once."""
        done = self.pipe.done
        self.give(self.send("one", 1))
        self.pipe.writeConnectionLost()
        self.assertEqual(self.successResultOf(done), 1)
        self.assertTrue(self.transport.disconnecting)
        self.wire.reply(self.wire.of("chat.send")[0], {"id": cursor(1), "at": 1})
        self.pipe.readConnectionLost()
        self.pipe.connectionLost()

    def test_too_fast(self) -> None:
        """What came too often is given again when it may be; a long wait is for the script to decide."""
        self.lines()
        self.give({"method": "chat.list", "id": 1})
        self.wire.reply(self.wire.of("chat.list")[0], Problem(Code.RATE_LIMITED, retry_after=0.5))
        self.assertEqual(self.lines(), [])
        self.node.clock.advance(0.5)
        self.wire.reply(self.wire.of("chat.list")[1], {"chats": [], "next": None})
        self.assertEqual([line["id"] for line in self.lines()], [1])
        self.give({"method": "chat.list", "id": 2})
        self.wire.reply(self.wire.of("chat.list")[2], Problem(Code.RATE_LIMITED, retry_after=60.0))
        self.assertEqual(self.lines()[0]["error"]["data"]["code"], "rate_limited")

    def test_an_endless_line_is_refused(self) -> None:
        self.lines()
        self.pipe.dataReceived(b"x" * 200_000)
        self.assertEqual(self.lines()[0]["error"]["data"]["code"], "too_large")
        self.assertTrue(self.transport.disconnecting)
