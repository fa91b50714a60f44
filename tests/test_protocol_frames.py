"""The decoder takes what the contract says and refuses all else with a coded error, whatever the octets."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.protocol import MAX_FRAME, frames
from safeum_home.protocol.command import Command
from safeum_home.protocol.commands import COMMANDS, ContactList, ListContacts
from safeum_home.protocol.events import EVENTS
from safeum_home.protocol.types import Contact, ContactState
from tests.values import values

CHAT = "!" + "a" * 26
few = settings(max_examples=8, suppress_health_check=list(HealthCheck))
request_ids = st.integers(-(2**53 - 1), 2**53 - 1) | st.text(st.characters(codec="utf-8"), max_size=64)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)


def request(method: str = "device.list", **members: Any) -> dict[str, Any]:
    """A request as a dict."""
    return {"jsonrpc": "2.0", "method": method, **members}


class RoundTripTests(SynchronousTestCase):
    """Everything that the contract allows survives the wire."""

    def test_commands(self) -> None:
        """Every command, with any parameters and any id."""
        for command in COMMANDS.values():
            self._round_trip(command)

    def _round_trip(self, command: Command) -> None:
        @few
        @given(values(command.params), request_ids | st.none())
        def holds(params: Any, request_id: int | str | None) -> None:
            members = {"params": params} | ({} if request_id is None else {"id": request_id})
            call = frames.decode(msgspec.json.encode(request(command.method, **members)))
            self.assertEqual(call, (command, params, request_id))
            self.assertIs(type(call.request_id), type(request_id))
            # What parameters hold may be a secret, and their text could come into a log.
            self.assertEqual(repr(params), f"<{command.params.__name__}>")

        holds()

    def test_results(self) -> None:
        """Every result, answered to any id."""
        for command in COMMANDS.values():
            self._result(command)

    def _result(self, command: Command) -> None:
        @few
        @given(values(command.result), request_ids)
        def holds(result: Any, request_id: int | str) -> None:
            answer = msgspec.json.decode(frames.encode_result(request_id, result))
            self.assertEqual(answer.keys(), {"jsonrpc", "id", "result"})
            self.assertEqual((answer["jsonrpc"], answer["id"]), ("2.0", request_id))
            self.assertEqual(msgspec.convert(answer["result"], command.result), result)

        holds()

    def test_events(self) -> None:
        """Every event."""
        for event in EVENTS.values():
            self._event(event.method, event.type)

    def _event(self, method: str, kind: type[msgspec.Struct]) -> None:
        @few
        @given(values(kind))
        def holds(event: Any) -> None:
            frame = msgspec.json.decode(frames.encode_event(event))
            self.assertEqual((frame["jsonrpc"], frame["method"]), ("2.0", method))
            self.assertEqual(msgspec.convert(frame["params"], kind), event)
            self.assertNotIn("id", frame)

        holds()

    def test_problems(self) -> None:
        """Every error keeps its code, and says no more than it knows."""
        for code in Code:
            answer = msgspec.json.decode(frames.encode_problem(7, Problem(code)))
            self.assertEqual(answer["error"]["code"], code.value.rpc)
            data = {"type", "title", "status", "code"}
            self.assertEqual(answer["error"]["data"].keys(), data)
            self.assertEqual(answer["error"]["data"]["code"], code.code)
        answer = msgspec.json.decode(frames.encode_problem(None, Problem(Code.BUSY, "why", 2.5)))
        self.assertIsNone(answer["id"])
        self.assertEqual(
            (answer["error"]["data"]["detail"], answer["error"]["data"]["retry_after"]), ("why", 2.5)
        )

    def test_codes_are_unique(self) -> None:
        """No two errors share a code or a JSON-RPC number."""
        self.assertEqual(len({code.value.code for code in Code}), len(Code))
        self.assertEqual(len({code.value.rpc for code in Code}), len(Code))

    def test_text_frames(self) -> None:
        """Each of the three ways to write a length (RFC 6455 section 5.2)."""
        for size, head in ((0, "8100"), (125, "817d"), (126, "817e007e"), (65535, "817effff")):
            self.assertEqual(frames.text_frame(b"x" * size), bytes.fromhex(head) + b"x" * size)
        self.assertEqual(frames.text_frame(b"x" * 65536)[:10].hex(), "817f0000000000010000")


class StrictnessTests(SynchronousTestCase):
    """What is refused, and with which code."""

    def _refused(self, payload: bytes, code: Code, request_id: int | str | None = None) -> None:
        bad = self.assertRaises(frames.BadFrame, frames.decode, payload)
        self.assertEqual((bad.problem.code, bad.request_id), (code, request_id), repr(payload[:100]))
        self.assertLess(len(frames.encode_problem(bad.request_id, bad.problem)), 1000)

    @settings(max_examples=500)
    @given(st.binary(max_size=200))
    def test_any_octets(self, payload: bytes) -> None:
        """Octets are a call or a bad frame: nothing else is ever raised."""
        self._decodes_or_is_bad(payload)

    @settings(max_examples=300)
    @given(any_json, st.sampled_from([*COMMANDS, "no.such", ""]), any_json)
    def test_any_json(self, params: Any, method: str, request_id: Any) -> None:
        """Well-formed JSON of any shape."""
        self._decodes_or_is_bad(msgspec.json.encode(params))
        self._decodes_or_is_bad(msgspec.json.encode(request(method, params=params, id=request_id)))

    @settings(max_examples=300)
    @given(st.data(), st.sampled_from(list(COMMANDS.values())))
    def test_broken_requests(self, data: st.DataObject, command: Command) -> None:
        """A good request with some octets overwritten."""
        good = bytearray(
            msgspec.json.encode(request(command.method, params=data.draw(values(command.params)), id=1))
        )
        for _ in range(data.draw(st.integers(1, 3))):
            good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
        self._decodes_or_is_bad(bytes(good))

    def _decodes_or_is_bad(self, payload: bytes) -> None:
        try:
            call = frames.decode(payload)
        except frames.BadFrame as bad:
            msgspec.json.decode(frames.encode_problem(bad.request_id, bad.problem))
        else:
            self.assertIs(COMMANDS[call.command.method], call.command)

    def test_not_json(self) -> None:
        """What JSON does not know, Python's own decoder takes much of it."""
        for payload in (b"", b" ", b"{", b"nul", b"\xef\xbb\xbf{}", b"{}{}", b"{'a':1}", b"\x00", b"\xff"):
            self._refused(payload, Code.PARSE_ERROR)
        for value in (b"NaN", b"Infinity", b"-Infinity", b"01", b"+1", b".5", b"1.", b"0x1", b"'a'", b"True"):
            self._refused(
                b'{"jsonrpc":"2.0","method":"chat.list","params":{"limit":%b}}' % value, Code.PARSE_ERROR
            )

    def test_numbers(self) -> None:
        """Numbers out of range are refused where they stand; they are never rounded to fit."""
        for value in (
            b"1e400",
            b"-1e400",
            b"1" * 30,
            b"9" * 60_000,
            b"1.5",
            b"1.0000001",
            b"51",
            b"0",
            b"-1",
        ):
            self._refused(
                b'{"jsonrpc":"2.0","method":"chat.list","params":{"limit":%b},"id":3}' % value,
                Code.INVALID_PARAMS,
                3,
            )
        for value in (b"9007199254740992", b"-9007199254740992", b"1e3", b"1.0", b"1e400", b"9" * 60_000):
            self._refused(b'{"jsonrpc":"2.0","method":"device.list","id":%b}' % value, Code.INVALID_REQUEST)

    def test_deep_nesting(self) -> None:
        """30,000 levels, whole or torn, anywhere: refused, and the stack holds."""
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            for depth in (1_000, 30_000 // len(opening)):
                for deep in (opening * depth, opening * depth + b"1" + closing * depth):
                    bad = self.assertRaises(frames.BadFrame, frames.decode, deep)
                    self.assertIn(bad.problem.code, (Code.PARSE_ERROR, Code.INVALID_REQUEST))
                    for place in (
                        b'"id":',
                        b'"params":',
                        b'"method":"device.list","x":',
                        b'"params":{"limit":',
                    ):
                        self.assertRaises(
                            frames.BadFrame,
                            frames.decode,
                            b'{"jsonrpc":"2.0","method":"chat.list",' + place + deep,
                        )

    def test_lone_surrogates(self) -> None:
        """Half a character is no text: it could be stored, but never written again."""
        for text in (rb"\ud800", rb"\udfff", rb"\udc00\ud800", rb"a\ud83d"):
            body = b'"chat":"%b","client_id":"c","body":{"kind":"text","text":"%b"}' % (CHAT.encode(), text)
            self._refused(
                b'{"jsonrpc":"2.0","method":"chat.send","params":{%b},"id":1}' % body, Code.PARSE_ERROR
            )
            self._refused(b'{"jsonrpc":"2.0","method":"device.list","id":"%b"}' % text, Code.PARSE_ERROR)

    def test_ill_formed_utf8(self) -> None:
        """Octets that are not UTF-8 are not JSON."""
        body = b'"chat":"%b","client_id":"c","body":{"kind":"text","text":"\xc3"}' % CHAT.encode()
        self._refused(b'{"jsonrpc":"2.0","method":"chat.send","params":{%b},"id":1}' % body, Code.PARSE_ERROR)

    def test_equal_keys(self) -> None:
        """The last of two equal keys counts; two methods in one request are refused."""
        other = "!" + "b" * 26
        params = b'{"chat":"%b","chat":"%b"}' % (CHAT.encode(), other.encode())
        call = frames.decode(b'{"jsonrpc":"2.0","method":"chat.typing","params":%b,"id":1,"id":2}' % params)
        self.assertEqual((call.params, call.request_id), (COMMANDS["chat.typing"].params(chat=other), 2))
        self._refused(
            b'{"jsonrpc":"2.0","method":"device.list","method":"chat.list","id":1}', Code.INVALID_REQUEST, 1
        )

    def test_envelopes(self) -> None:
        """Members of the request itself."""
        odd: tuple[Any, ...] = (None, 1, "x", [], [request(id=1)], [[]], True)
        for frame in odd:
            self._refused(msgspec.json.encode(frame), Code.INVALID_REQUEST)
        self._refused(msgspec.json.encode({"method": "device.list", "id": 1}), Code.INVALID_REQUEST, 1)
        self._refused(msgspec.json.encode(request(jsonrpc="1.0", id=1)), Code.INVALID_REQUEST, 1)
        self._refused(msgspec.json.encode(request(extra=1, id=1)), Code.INVALID_REQUEST, 1)
        self._refused(msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "result": {}}), Code.INVALID_REQUEST, 1)
        odd = (None, True, 1.5, [], {}, "x" * 65)
        for wrong in odd:
            self._refused(msgspec.json.encode(request(id=wrong)), Code.INVALID_REQUEST)
        odd = (None, 1, True, [], {})
        for wrong in odd:
            self._refused(
                msgspec.json.encode({"jsonrpc": "2.0", "method": wrong, "id": 1}), Code.INVALID_REQUEST, 1
            )
        for method in ("no.such", "", "device.list ", "Device.list", "device.list\n", "x" * 60_000):
            self._refused(msgspec.json.encode(request(method, id=1)), Code.METHOD_NOT_FOUND, 1)

    def test_parameters(self) -> None:
        """Unknown fields, missing fields, wrong types and ids that merely look right."""
        odd: list[Any] = [{}, [], None, 1, "x", {"chat": CHAT, "active": 1}, {"chat": CHAT, "extra": 1}]
        odd += [{"chat": chat} for chat in (1, CHAT + "\n", CHAT[:-1] + "\n", " " + CHAT[:-1], CHAT.upper())]
        for wrong in odd:
            self._refused(
                msgspec.json.encode(request("chat.typing", params=wrong, id=1)), Code.INVALID_PARAMS, 1
            )
        self._refused(msgspec.json.encode(request("chat.typing", id=1)), Code.INVALID_REQUEST, 1)
        for text in ("", "x" * 8193):
            params = {"chat": CHAT, "client_id": "c", "body": {"kind": "text", "text": text}}
            self._refused(
                msgspec.json.encode(request("chat.send", params=params, id=1)), Code.INVALID_PARAMS, 1
            )
        for body in ({"text": "x"}, {"kind": "Letter", "text": "x"}):
            params = {"chat": CHAT, "client_id": "c", "body": body}
            self._refused(
                msgspec.json.encode(request("chat.send", params=params, id=1)), Code.INVALID_PARAMS, 1
            )

    def test_no_params(self) -> None:
        """`params` may be left out where nothing is required."""
        self.assertEqual(
            frames.decode(msgspec.json.encode(request())).params, COMMANDS["device.list"].params()
        )

    def test_longest_page_of_contacts_fits(self) -> None:
        """Fifty contacts with the longest names, every character escaped."""
        account = "@" + "a" * 26 + ":" + "n" * 255
        address = "u" * 32 + "@" + "n" * 255
        contact = Contact(account, address, CHAT, ContactState.REQUESTED, "\x01" * 64)
        page = frames.encode_result("x" * 64, ContactList([contact] * 50, account))
        self.assertLess(len(page), MAX_FRAME)
        self.assertEqual(
            msgspec.json.schema(ListContacts)["$defs"]["ListContacts"]["properties"]["limit"]["maximum"], 50
        )

    def test_longest_message_fits(self) -> None:
        """The longest text, with every character escaped, still fits a frame both ways."""
        self.assertLess(8192 * len(r"\u0001") + 1024, MAX_FRAME)
