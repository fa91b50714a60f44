"""What tests of Web Push share: a provider, push services in memory, and a clock."""

from collections.abc import Mapping
from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from bridges.push.webpush import LONGEST_ANSWER, WebPush, WebPushSettings
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.outgoing.answers import GIVEN_UP, NoAnswer
from safeum_home.outgoing.http import Answer, HttpLimits, Outgoing
from safeum_home.outgoing.places import Place
from safeum_home.outgoing.resolving import UNKNOWN_NAME
from safeum_home.ports.push import Outcome, PushAddress, PushContext, Wake
from tests.doubles.webpush import PushService, Subscriber

NOW = 1_800_000_000
HOST = "push.example"
ENDPOINT = f"https://{HOST}/send/of-a-device"
CONTACT = "mailto:operator@node.example"
ROOT = bytes(range(32))
"""What a provider's key is derived from."""


class Services:
    """The guarded client without a network: push services by their places."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.served: dict[Place, Resource] = {}
        self.failures: dict[str, NoAnswer] = {}
        """Hosts that do not answer."""
        self.silent: set[str] = set()
        self.asked: list[tuple[Place, str, dict[str, str]]] = []
        self.open: list[Deferred[Answer]] = []
        self.closed = False

    def request(
        self, place: Place, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> "Deferred[Answer]":
        self.asked.append((place, path, dict(headers)))
        if place.host in self.silent:
            waiting: Deferred[Answer] = Deferred(lambda it: it.errback(NoAnswer(GIVEN_UP)))
            self.open.append(waiting)
            return waiting
        failure = self.failures.get(place.host)
        if failure is not None or place not in self.served:
            return fail(failure or NoAnswer(UNKNOWN_NAME, handed_over=False))
        limits = HttpLimits(answer=LONGEST_ANSWER)
        agent = RequestTraversalAgent(self.served[place])
        way = Outgoing(self._clock, "https://place.invalid", agent, limits)
        return way.request(method, path, {**headers, "Host": place.authority}, body)

    def close(self) -> "Deferred[None]":
        self.closed = True
        return succeed(None)


class WebPushCase(SynchronousTestCase):
    """Has a provider, one push service, a subscriber; sees that nothing is logged."""

    tampered = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.secrets: dict[str, bytes] = {}
        self.logged: list[LogEvent] = []
        keep: Any = self.logged.append
        globalLogPublisher.addObserver(keep)
        self.addCleanup(globalLogPublisher.removeObserver, keep)
        self.services = Services(self.clock)
        self.provider = self.made()
        self.subscriber = Subscriber()
        self.service = self.serve(HOST)

    def tearDown(self) -> None:
        self.assertEqual(self.logged, [])

    def open_secret(self, name: str) -> bytes:
        if name not in self.secrets:
            raise Problem(Code.NOT_FOUND)
        if self.tampered:
            raise Tampered
        return self.secrets[name]

    def context(self, derived: bytes = ROOT) -> PushContext:
        return PushContext("web", "node.example", self.clock, self.open_secret, lambda: derived)

    def made(self, derived: bytes = ROOT, **settings: Any) -> WebPush:
        found = WebPushSettings(**{"contact": CONTACT} | settings)
        return WebPush(self.context(derived), found, self.services)

    def serve(self, host: str, port: int = 443) -> PushService:
        """A push service at an origin, for subscriptions of the node's key."""
        place = Place(host, port)
        double = PushService(f"https://{place.authority}", self.provider.application_key, self.clock.seconds)
        self.services.served[place] = double
        return double

    def wake(
        self, endpoint: str = ENDPOINT, wake: Wake = Wake.MESSAGE, seconds: int = 60, address: Any = None
    ) -> Outcome:
        """What comes of a wake, at once."""
        address = address or self.subscriber.at(endpoint)
        outcome: Outcome = self.successResultOf(self.provider.wake(address, wake, seconds))
        self.assertNotIn(HOST, repr(outcome))
        return outcome

    def starts(self, endpoint: str) -> "Deferred[Outcome]":
        """A wake that does not end at once."""
        return self.provider.wake(self.subscriber.at(endpoint), Wake.MESSAGE, 60)

    def address(self, **changes: Any) -> PushAddress:
        """A good address, with something of it changed."""
        good = {"token": ENDPOINT, "key": self.subscriber.public, "secret": self.subscriber.secret}
        return PushAddress(**good | changes)
