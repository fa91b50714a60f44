"""What tests of providers of text messages share: a context, the way to a double, reports that are kept."""

from collections.abc import Callable, Mapping
from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.iweb import IAgent
from twisted.web.resource import IResource, Resource

from safeum_home.errors import Code, Problem, Tampered
from safeum_home.gateway.http import EdgeSite, site_root
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.outgoing.http import HttpLimits, Outgoing
from safeum_home.ports.sms import Outcome, Permanent, SmsContext, SmsProvider, SmsState
from safeum_home.protocol.http import SMS_REPORTS_PATH

NUMBER = "+4915112345678"
TEXT = "Your code is 123456"
NOW = 1_800_000_000
URL = "https://node.example/v1/sms/main"
NO_SECRET = Permanent("the credentials are not in the sealed store", handed_over=False)


class Reports:
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str, SmsState]] = []

    def report(self, provider: str, reference: str, state: SmsState) -> None:
        self.made.append((provider, reference, state))


class Way(Outgoing):
    """The guarded client without a network."""

    def close(self) -> "Deferred[None]":
        self.stop()
        closed: Deferred[None] = Deferred()
        closed.callback(None)
        return closed


class SmsCase(SynchronousTestCase):
    """Has secrets, a clock and reports; sees that nothing is logged."""

    tampered = False
    """Whether the sealed store cannot open what it has."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.secrets: dict[str, bytes] = {}
        self.reports = Reports()
        self.logged: list[LogEvent] = []
        keep: Any = self.logged.append
        globalLogPublisher.addObserver(keep)
        self.addCleanup(globalLogPublisher.removeObserver, keep)

    def open_secret(self, name: str) -> bytes:
        if name not in self.secrets:
            raise Problem(Code.NOT_FOUND)
        if self.tampered:
            raise Tampered
        return self.secrets[name]

    def context(self, callback_url: str | None = URL) -> SmsContext:
        return SmsContext("main", self.clock, self.open_secret, callback_url, self.reports)

    def way(self, base: str, root: Resource, limits: HttpLimits | None = None) -> Way:
        """To a double."""
        agent: IAgent = RequestTraversalAgent(root)
        return Way(self.clock, base, agent, limits or HttpLimits())

    def send(self, provider: SmsProvider, number: str = NUMBER, text: str = TEXT) -> Outcome:
        """What comes of a message, at once."""
        outcome: Outcome = self.successResultOf(provider.send(number, text))
        self.assertNotIn(number.removeprefix("+") or number, repr(outcome))
        self.assertEqual(self.logged, [])
        return outcome

    def call(
        self,
        callback: IResource | None,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes = b"",
    ) -> tuple[int, bytes]:
        """A call of a provider at the node's own site: the status and the body."""
        assert callback is not None
        root = site_root(lambda: {"status": "ok"}, resources={f"{SMS_REPORTS_PATH}main": callback})
        channel = EdgeSite(Clock(), EdgeLimits(), root).buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        fields = {"Host": "node.example", "Content-Length": str(len(body)), **headers}
        head = (
            f"{method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n"
        )
        channel.dataReceived(head.encode("utf-8", "surrogateescape") + body)
        answer = transport.value()
        self.assertTrue(answer.startswith(b"HTTP/1.1 "), answer)
        return int(answer.split(b" ")[1]), answer.partition(b"\r\n\r\n")[2]


class Scripted(Resource):
    """Answers everything with the same."""

    isLeaf = True

    def __init__(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._status, self._body, self._headers = status, body, headers or {}
        self.asked = 0

    def render(self, request: Any) -> bytes:
        self.asked += 1
        request.setResponseCode(self._status)
        for name, value in self._headers.items():
            request.setHeader(name, value)
        return self._body


Make = Callable[[Resource], SmsProvider]
"""Makes a provider that asks a resource."""
