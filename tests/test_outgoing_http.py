"""The guarded client without a network: what each failure becomes, and what is held back."""

import gzip
from collections.abc import Mapping
from typing import Any

from OpenSSL import SSL
from service_identity import VerificationError
from treq.testing import RequestTraversalAgent
from twisted.internet import error
from twisted.internet.defer import Deferred, fail
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.client import RequestTransmissionFailed, ResponseDone, ResponseFailed, ResponseNeverReceived
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from safeum_home.outgoing.answers import NoAnswer, read_body
from safeum_home.outgoing.http import Answer, HttpLimits, Outgoing
from tests.sms_case import Scripted, SmsCase

SECRET = {"Authorization": "Basic c2VjcmV0"}


@implementer(IAgent)
class Failing:
    """An agent whose requests fail, or never end."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self._failure = failure
        self.cancelled = 0
        self.waiting: list[Deferred[IResponse]] = []

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,
    ) -> "Deferred[IResponse]":
        if self._failure is not None:
            return fail(self._failure)
        self.waiting.append(Deferred(self._cancel))
        return self.waiting[-1]

    def _cancel(self, _: object) -> None:
        self.cancelled += 1


class Slow(Resource):
    """Begins an answer and does not end it."""

    isLeaf = True
    gone = False

    def render_GET(self, request: Any) -> int:
        request.notifyFinish().addErrback(self._lost)
        request.write(b"begun")
        self.request = request
        return NOT_DONE_YET

    def _lost(self, _: object) -> None:
        self.gone = True


class OutgoingTests(SmsCase):
    def out(self, agent: IAgent, **limits: Any) -> Outgoing:
        return Outgoing(self.clock, "https://sms.example", agent, HttpLimits(**limits))

    def ask(self, out: Outgoing) -> "Deferred[Answer]":
        return out.request("GET", "/secret-path", SECRET)

    def reason(self, asked: "Deferred[Answer]") -> str:
        """Why it was not answered; nothing of the request hangs on the error."""
        failure = self.failureResultOf(asked, NoAnswer)
        self.assertIsNone(failure.value.__context__)
        self.assertIsNone(failure.value.__cause__)
        shown = failure.getTraceback() + repr(failure.value)
        for hidden in ("c2VjcmV0", "secret-path", "sms.example"):
            self.assertNotIn(hidden, shown)
        self.assertEqual(self.logged, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return str(failure.value)

    def test_failures(self) -> None:
        """Each kind has its own words, and none of the library's."""
        lost = Failure(error.ConnectionLost("c2VjcmV0"))
        for failure, wanted in (
            (error.ConnectionRefusedError("c2VjcmV0"), "the connection is refused"),
            (error.TimeoutError("c2VjcmV0"), "there is no connection in time"),
            (error.TCPTimedOutError(), "there is no connection in time"),
            (error.DNSLookupError("sms.example"), "the name is not known"),
            (error.NoRouteError(), "there is no connection"),
            (error.ConnectingCancelledError(None), "the request was given up"),
            (error.ConnectError(), "there is no connection"),
            (OSError("c2VjcmV0"), "there is no connection"),
            (SSL.Error([("c2VjcmV0", "", "")]), "TLS failed"),
            (VerificationError(errors=[]), "TLS failed"),
            (ResponseNeverReceived([Failure(SSL.Error([])), lost]), "TLS failed"),
            (ResponseNeverReceived([lost, Failure(SSL.Error([]))]), "TLS failed"),
            (ResponseNeverReceived([lost]), "the connection broke off"),
            (ResponseFailed([lost]), "the connection broke off"),
            (RequestTransmissionFailed([lost]), "the connection broke off"),
            (ResponseFailed([]), "the answer cannot be read"),
            (ValueError("c2VjcmV0"), "the answer cannot be read"),
            (NoAnswer("our own words"), "our own words"),
        ):
            self.assertEqual(self.reason(self.ask(self.out(Failing(failure)))), wanted)

    def test_what_cannot_have_been_sent(self) -> None:
        """Without a connection, or with a peer that is not the provider, nothing was; all else may have."""
        distrust = Failure(SSL.Error([("SSL routines", "", "certificate verify failed")]))
        lost = Failure(error.ConnectionLost())
        for failure, may_have in (
            (error.ConnectionRefusedError(), False),
            (error.TimeoutError(), False),
            (error.DNSLookupError(), False),
            (error.NoRouteError(), False),
            (error.ConnectingCancelledError(None), False),
            (VerificationError(errors=[]), False),
            (ResponseNeverReceived([distrust, lost]), False),
            (ResponseNeverReceived([Failure(VerificationError(errors=[]))]), False),
            (ResponseNeverReceived([Failure(SSL.Error([("", "", "bad record mac")])), lost]), True),
            (ResponseNeverReceived([lost]), True),
            (ResponseNeverReceived([Failure(error.TimeoutError())]), True),
            (RequestTransmissionFailed([lost]), True),
            (ResponseFailed([]), True),
            (error.ConnectionLost(), True),
            (ValueError(), True),
            (NoAnswer("our own words"), True),
            (NoAnswer("our own words", handed_over=False), False),
        ):
            told = self.failureResultOf(self.ask(self.out(Failing(failure))), NoAnswer).value
            self.assertEqual(told.handed_over, may_have, failure)

    def test_time(self) -> None:
        """The cap covers all, and what was under way is cancelled."""
        agent = Failing()
        asked = self.ask(self.out(agent))
        self.clock.advance(9.9)
        self.assertNoResult(asked)
        self.clock.advance(0.2)
        self.assertEqual(self.reason(asked), "there was no answer in time")
        self.assertEqual(agent.cancelled, 1)

    def test_time_of_a_body(self) -> None:
        """An answer that does not end is cut off, connection and all."""
        slow = Slow()
        agent = RequestTraversalAgent(slow)
        asked = self.ask(self.out(agent))
        self.assertNoResult(asked)
        self.clock.advance(10.1)
        self.assertEqual(self.reason(asked), "there was no answer in time")
        agent.flush()
        self.assertTrue(slow.gone)

    def test_broken_body(self) -> None:
        """An answer that breaks off is none."""
        slow = Slow()
        agent = RequestTraversalAgent(slow)
        asked = self.ask(self.out(agent))
        slow.request.transport.loseConnection()
        agent.flush()
        self.assertEqual(self.reason(asked), "the answer broke off")

    def test_stop(self) -> None:
        """What is under way ends, and so does what waits."""
        agent = Failing()
        out = self.out(agent, at_once=1)
        asked = [self.ask(out), self.ask(out)]
        out.stop()
        self.assertEqual([self.reason(one) for one in asked], ["the request was given up"] * 2)

    def test_bounds(self) -> None:
        """So many at once, so many waiting, no more; and a place is free again afterwards."""
        agent = Failing()
        out = self.out(agent, at_once=2, waiting=3)
        asked = [self.ask(out) for _ in range(5)]
        self.assertEqual(len(agent.waiting), 2)
        refused: Deferred[Answer] = self.ask(out)
        self.assertIn("too many requests", str(self.failureResultOf(refused, NoAnswer).value))
        agent.waiting[0].errback(ValueError())
        self.failureResultOf(asked[0], NoAnswer)
        self.assertEqual(len(agent.waiting), 3)
        asked.append(self.ask(out))
        self.clock.advance(10.1)
        for one in asked[1:]:
            self.assertEqual(self.reason(one), "there was no answer in time")
        before = len(agent.waiting)
        last = self.ask(out)
        self.assertEqual(len(agent.waiting), before + 1)
        out.stop()
        self.assertEqual(self.reason(last), "the request was given up")

    def test_sizes(self) -> None:
        """An answer of the cap is read, and one of an octet more is not."""
        for length in (0, 1, 64):
            out = self.out(RequestTraversalAgent(Scripted(200, b"x" * length)), answer=64)
            answer: Answer = self.successResultOf(self.ask(out))
            self.assertEqual((answer.status, answer.body), (200, b"x" * length))
            self.assertEqual(repr(answer), "Answer(status=200)")
        out = self.out(RequestTraversalAgent(Scripted(200, b"x" * 65)), answer=64)
        self.assertEqual(self.reason(self.ask(out)), "the answer is too long")

    def test_more_after_too_much(self) -> None:
        """What still comes of an answer that is too long changes nothing."""

        class Eager:
            def deliverBody(self, reader: Any) -> None:
                reader.makeConnection(StringTransport())
                for _ in range(3):
                    reader.dataReceived(b"x" * 50)
                reader.connectionLost(Failure(ResponseDone()))

        response: Any = Eager()
        failure = self.failureResultOf(read_body(response, 64), NoAnswer)
        self.assertEqual(failure.value.reason, "the answer is too long")

    def test_nothing_is_unpacked(self) -> None:
        """A compressed answer that was not asked for stays as it came."""
        packed = gzip.compress(b"\0" * 10_000_000)
        self.assertLess(len(packed), 65536)
        out = self.out(RequestTraversalAgent(Scripted(200, packed, {"Content-Encoding": "gzip"})))
        self.assertEqual(self.successResultOf(self.ask(out)).body, packed)

    def test_no_cookies(self) -> None:
        """None is kept, so none comes back."""
        seen: list[Mapping[bytes, list[bytes]]] = []

        class Baker(Scripted):
            def render(self, request: Any) -> bytes:
                seen.append(dict(request.requestHeaders.getAllRawHeaders()))
                return super().render(request)

        out = self.out(RequestTraversalAgent(Baker(200, b"", {"Set-Cookie": "a=b; Path=/"})))
        for _ in range(2):
            self.successResultOf(self.ask(out))
        self.assertEqual([name for head in seen for name in head if name.lower() == b"cookie"], [])
        self.assertEqual([head[b"Accept-Encoding"] for head in seen], [[b"identity"]] * 2)
