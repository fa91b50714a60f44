"""What a node takes from others over HTTP: who they are is known before a body is taken in."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from federation.signatures import new_nonce, sign_request
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.outgoing.http import Answer
from safeum_home.protocol.federation.events import new_event, sign_event
from safeum_home.protocol.federation.files import FetchFile
from safeum_home.protocol.federation.questions import FindAccount, FoundAccount
from safeum_home.protocol.federation.transactions import MOST_OCTETS, Received, body_of
from tests.federated import Node, Pair
from tests.federated_http import send
from tests.federation import NOW

STREAM, OTHER = "A" * 22, "B" * 21 + "A"
HELLO = "/_safeum/federation/v1/hello"
LARGE = f"/_safeum/federation/v1/transactions/{STREAM}/1"
ASK = "/_safeum/federation/v1/ask/account.find"


class Case(SynchronousTestCase):
    """The node a.example, and b.example whose requests are made by hand."""

    options: Mapping[str, Any] = {}

    def setUp(self) -> None:
        self.pair = Pair(**self.options)
        self.a, self.b = self.pair["a.example"], self.pair["b.example"]
        self.b.federation.sender.stop()

    def event(self, value: int, node: Node | None = None, sender: str = "b.example") -> bytes:
        key = (node or self.b).federation.own.in_use
        account = AccountId("@" + "a" * 26 + ":" + sender)
        event = new_event("test.saying", account, NOW * 1000, {"value": value}, id=str(value))
        return sign_event(event, key.key_id, key.signer)

    def fields(self, method: str, path: str, body: bytes, **other: Any) -> dict[str, str]:
        key = self.b.federation.own.in_use
        about = {"origin": "b.example", "destination": "a.example", "created": int(self.pair.clock.seconds())}
        return sign_request(
            method,
            path,
            body,
            **{**about, "key_id": key.key_id, "signer": key.signer, "nonce": new_nonce(), **other},
        )

    def send(self, method: str, path: str, body: bytes, fields: Mapping[str, str] | None = None) -> Answer:
        signed = self.fields(method, path, body) if fields is None else fields
        answered = send(self.a.site, method, path, body, signed)
        self.pair.settle()
        return self.successResultOf(answered)

    def put(self, number: int, *events: bytes, stream: str = STREAM) -> Answer:
        path = f"/_safeum/federation/v1/transactions/{stream}/{number}"
        return self.send("PUT", path, body_of(events))

    def code(self, answer: Answer) -> tuple[int, str]:
        return answer.status, msgspec.json.decode(answer.body).get("code", "")

    def taken(self, answer: Answer) -> Received:
        self.assertEqual(answer.status, 200, answer.body)
        return msgspec.json.decode(answer.body, type=Received)


class SequenceTests(Case):
    """Numbers of transactions."""

    def test_in_order(self) -> None:
        """One after another; the last one again is answered again, and applied once."""
        for number in (1, 2, 2, 2, 3):
            self.assertEqual(self.taken(self.put(number, self.event(number))), Received(number))
        self.assertEqual(self.a.values(), [1, 2, 3])

    def test_refused_again(self) -> None:
        """What was refused is told again with the answer that was lost, also after a restart."""
        events = self.event(1), b'{"a":1}', self.event(2)
        first = self.put(1, *events)
        self.assertEqual([each.code for each in self.taken(first).refused], ["malformed_event"])
        self.pair.restart("a.example")
        self.assertEqual(self.put(1, *events).body, first.body)
        self.assertEqual(self.a.values(), [1, 2])

    def test_rewound(self) -> None:
        """A number that was there, or the last one with something else, is for a new stream."""
        for number in (1, 2):
            self.put(number, self.event(number))
        self.assertEqual(self.code(self.put(1, self.event(1))), (409, "stale_stream"))
        self.assertEqual(self.code(self.put(2, self.event(7))), (409, "stale_stream"))
        self.assertEqual(self.a.values(), [1, 2])
        self.assertEqual(self.taken(self.put(1, self.event(7), stream=OTHER)).received, 1)
        self.assertEqual(self.a.values(), [1, 2, 7])

    def test_gap(self) -> None:
        """A number too many is not taken, neither a stream that does not begin with 1."""
        self.put(1, self.event(1))
        self.assertEqual(self.code(self.put(3, self.event(3))), (409, "sequence_gap"))
        self.assertEqual(self.code(self.put(2, self.event(2), stream=OTHER)), (409, "sequence_gap"))
        self.assertEqual(self.taken(self.put(2, self.event(2))).received, 2)
        self.assertEqual(self.a.values(), [1, 2])

    def test_empty(self) -> None:
        """A transaction of nothing counts."""
        self.assertEqual(self.taken(self.put(1)).received, 1)
        self.assertEqual(self.taken(self.put(2, self.event(2))).received, 2)

    def test_one_at_a_time(self) -> None:
        """While a transaction is applied the next one has to wait, and those of other nodes do not."""
        self.a.database.hold = True
        path = f"/_safeum/federation/v1/transactions/{STREAM}/1"
        body = body_of([self.event(1)])
        first = send(self.a.site, "PUT", path, body, self.fields("PUT", path, body))
        self.pair.settle()
        self.assertNoResult(first)
        answer = self.put(1, self.event(1))
        self.assertEqual((self.code(answer), answer.retry_after), ((503, "busy"), "1"))
        self.a.database.hold = False
        self.a.database.release()
        self.pair.settle()
        self.assertEqual(self.taken(self.successResultOf(first)).received, 1)
        self.assertEqual(self.a.values(), [1])


class HeadTests(Case):
    """What is refused by the head of a request, and whose events are taken."""

    def refused(self, path: str = LARGE, method: str = "PUT", **other: Any) -> tuple[int, str]:
        """The answer while no octet of the body is there."""
        body = b"x" * 200_000
        fields = {**self.fields("PUT", LARGE, body, **other.pop("signed", {})), **other.pop("fields", {})}
        answered = send(self.a.site, method, path, body, fields, whole=False)
        self.pair.settle()
        return self.code(self.successResultOf(answered))

    def test_before_the_body(self) -> None:
        """Without a good signature nothing of a body is waited for."""
        unsigned = {"Signature": "", "Signature-Input": ""}
        self.assertEqual(self.refused(fields=unsigned), (401, "bad_signature"))
        self.assertEqual(self.refused(signed={"destination": "c.example"}), (421, "wrong_destination"))
        self.assertEqual(self.refused(signed={"created": NOW - 400}), (401, "replayed"))
        self.assertEqual(self.refused(signed={"origin": "c.example"}), (502, "node_unreachable"))
        self.assertEqual(self.refused(signed={"origin": "a.example"}), (403, "federation_refused"))
        self.assertEqual(self.refused(fields={"Safeum-Origin": "a.example"}), (403, "federation_refused"))
        self.assertEqual(self.refused(LARGE.replace("/1", "/2")), (401, "bad_signature"))
        for path in (LARGE.replace("/1", "/0"), LARGE + "0" * 20, "/_safeum/federation/v1/other"):
            self.assertEqual(self.refused(path), (404, "not_found"))
        self.assertEqual(self.refused(method="POST"), (405, "method_not_allowed"))
        self.assertEqual(self.refused(HELLO, "POST"), (413, "too_large"))

    def test_twice(self) -> None:
        """A request that was recorded is good for nothing, and neither with another body."""
        fields = self.fields("POST", HELLO, b"{}")
        self.assertEqual(self.code(self.send("POST", HELLO, b"{} ", fields)), (401, "bad_signature"))
        fields = self.fields("POST", HELLO, b"{}")
        self.assertEqual(self.send("POST", HELLO, b"{}", fields).status, 200)
        self.assertEqual(self.code(self.send("POST", HELLO, b"{}", fields)), (401, "replayed"))

    def test_too_large(self) -> None:
        """A body has its bounds, whether its head says how long it is or not."""
        path = f"/_safeum/federation/v1/transactions/{STREAM}/1"
        for method, where, most in (("PUT", path, MOST_OCTETS), ("POST", HELLO, 64 * 1024)):
            body = b"x" * (most + 1)
            self.assertEqual(self.code(self.send(method, where, body)), (413, "too_large"))
            answered = send(self.a.site, method, where, body, self.fields(method, where, body), chunked=True)
            self.pair.settle()
            self.assertEqual(self.code(self.successResultOf(answered)), (413, "too_large"))

    def test_senseless(self) -> None:
        """What is no transaction, question or hello."""
        path = f"/_safeum/federation/v1/transactions/{STREAM}/1"
        bodies = b"", b"[]", b'{"events":1}', b'{"events":[],"more":1}', b"[" * 50_000, b'{"events":[\xff]}'
        for body in (*bodies, body_of([b"1"] * 501)):
            for method, where in (("PUT", path), ("POST", HELLO), ("POST", ASK)):
                self.assertEqual(self.code(self.send(method, where, body)), (400, "bad_request"), body[:20])

    def test_whose_events(self) -> None:
        """Events of other nodes are not taken from this one, nor those that another node has signed."""
        events = (
            self.event(1, sender="c.example"),
            self.event(2, node=self.a),
            self.event(3).replace(b'"value":3', b'"value":4'),
            self.event(5, node=self.a, sender="a.example"),
            self.event(6),
        )
        received = self.taken(self.put(1, *events))
        codes = {each.index: each.code for each in received.refused}
        self.assertEqual(
            codes, {0: "wrong_sender_node", 1: "bad_signature", 2: "bad_signature", 3: "wrong_sender_node"}
        )
        self.assertEqual(self.a.values(), [6])

    def test_stopping(self) -> None:
        """A node that ends takes nothing, and says when to come again."""
        stopped = Deferred.fromCoroutine(self.a.federation.stop())
        self.pair.settle()
        self.successResultOf(stopped)
        answer = self.put(1, self.event(1))
        self.assertEqual((self.code(answer), answer.retry_after), ((503, "shutting_down"), "5"))


class RateTests(Case):
    """Those who ask too often."""

    options = {"asked_per_node": 0.1, "asked_per_node_burst": 3}

    def test_of_a_node(self) -> None:
        """A node that asks without end is refused, and told when to come again."""
        answers = [self.send("POST", HELLO, b"{}") for _ in range(5)]
        self.assertEqual([answer.status for answer in answers], [200, 200, 200, 429, 429])
        self.assertGreater(int(answers[-1].retry_after or 0), 1)


class AddressTests(Case):
    """Addresses that ask too often."""

    options = {"asked_per_address": 0.001, "asked_per_address_burst": 8}

    def test_of_an_address(self) -> None:
        """Nothing is verified for an address that asks without end, and no keys are given to it."""
        for _ in range(10):
            answer = self.send("POST", HELLO, b"{}", {})
        self.assertEqual(self.code(answer), (429, "rate_limited"))
        self.assertEqual(self.code(self.send("GET", "/_safeum/key/v1", b"", {})), (429, "rate_limited"))


class QuestionTests(Case):
    """Questions, and what comes back."""

    def ask(self) -> Any:
        asked = self.b.federation.ask("a.example", FindAccount("alice"), FoundAccount)
        self.pair.settle()
        return asked

    def answer(self, outcome: Any) -> None:
        async def answer(node: str, question: Struct) -> Struct:
            self.asked = (node, question)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome  # type: ignore[no-any-return]  # it is what the test says

        self.a.federation.connect((), {FindAccount: answer})

    def test_answered(self) -> None:
        """A question comes as it was asked, with who asks it; and so does the answer."""
        found = FoundAccount("@" + "a" * 26 + ":a.example")
        self.answer(found)
        self.assertEqual(self.successResultOf(self.ask()), found)
        self.assertEqual(self.asked, ("b.example", FindAccount("alice")))

    def test_refused(self) -> None:
        """A refusal is told by its code alone; what would say something of this node instead is not."""
        for raised, code in (
            (Problem(Code.NOT_FOUND, "secret"), Code.NOT_FOUND),
            (Problem(Code.RATE_LIMITED, retry_after=7), Code.RATE_LIMITED),
            (Problem(Code.BAD_TOKEN), Code.NODE_UNREACHABLE),
        ):
            self.answer(raised)
            problem = self.failureResultOf(self.ask(), Problem).value
            self.assertEqual((problem.code, problem.detail), (code, None))

    def test_kept_out(self) -> None:
        """A node that this one has nothing to do with is not asked, for whatever: and that is said."""
        alone: Any = Pair("b.example", deny=["a.example"])["b.example"].federation
        file = FetchFile(ChatId("!" + "a" * 26), "m", AccountId("@" + "a" * 26 + ":b.example"), "f", 1, "a/b")
        finding = alone.ask("a.example", FindAccount("ada"), FoundAccount)
        for asked in (finding, alone.fetch("a.example", file)):
            self.assertIs(self.failureResultOf(asked, Problem).value.code, Code.FEDERATION_REFUSED)

    def test_unreachable(self) -> None:
        """No answer, and answers without sense."""
        self.answer(KeyError())
        self.failureResultOf(self.ask(), Problem)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.answer(Problem(Code.NOT_FOUND))
        for answer in (Answer(200, b"{}"), Answer(200, b"["), Answer(404, b"<html>"), Answer(302, b"")):
            self.pair.answers["a.example"] = answer
            problem = self.failureResultOf(self.ask(), Problem).value
            self.assertIs(problem.code, Code.NODE_UNREACHABLE)
        self.pair.away.add("a.example")
        problem = self.failureResultOf(self.ask(), Problem).value
        self.assertIs(problem.code, Code.NODE_UNREACHABLE)
