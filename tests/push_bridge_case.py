"""What tests of push providers share: a context, the way to a double, and that nothing is logged."""

from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.iweb import IAgent
from twisted.web.resource import Resource

from safeum_home.errors import Code, Problem, Tampered
from safeum_home.outgoing.http import Answer, HttpLimits
from safeum_home.outgoing.http2.asking import Fields
from safeum_home.ports.push import Outcome, PushAddress, PushContext, PushProvider, Wake
from tests.sms_case import NOW, Way


class Http2Way:
    """The client for HTTP/2 without a network: to a resource, as `way` leads there."""

    def __init__(self, outgoing: Way) -> None:
        self._outgoing = outgoing

    def request(
        self, method: bytes, path: bytes, fields: Fields, own: Fields = (), body: bytes = b""
    ) -> "Deferred[Answer]":
        head = {name.decode(): value.decode() for name, value in (*fields, *own)}
        return self._outgoing.request(method.decode(), path.decode(), head, body)

    def close(self) -> "Deferred[None]":
        return self._outgoing.close()


class PushBridgeCase(SynchronousTestCase):
    """Has secrets and a clock; sees that nothing is logged."""

    tampered = False
    """Whether the sealed store cannot open what it has."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.secrets: dict[str, bytes] = {}
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

    def context(self, reactor: Any = None) -> PushContext:
        clock = self.clock if reactor is None else reactor
        return PushContext("main", "node.example", clock, self.open_secret, lambda: b"\0" * 32)

    def way(self, base: str, root: Resource, limits: HttpLimits | None = None) -> Any:
        """To a double."""
        agent: IAgent = RequestTraversalAgent(root)
        return Way(self.clock, base, agent, limits or HttpLimits())

    def woken(
        self, provider: PushProvider, token: str, wake: Wake = Wake.MESSAGE, seconds: int = 86400
    ) -> Outcome:
        """What comes of a wake, at once; nothing of the address is told anywhere."""
        outcome: Outcome = self.successResultOf(provider.wake(PushAddress(token), wake, seconds))
        self.assertNotIn(token, repr(outcome))
        self.assertEqual(self.logged, [])
        return outcome
