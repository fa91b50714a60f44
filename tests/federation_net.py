"""Nodes on loopback, with names, certificates and manners of the tests' own."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.tcp import Client as Connection
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from safeum_home.outgoing.addresses import Addresses
from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.client import MOST_PLACES, Client
from safeum_home.outgoing.http import HttpLimits, roots
from safeum_home.outgoing.places import Place
from safeum_home.outgoing.resolving import Names, Target
from safeum_home.outgoing.tls import Trust
from tests.certificates import Authority
from tests.federation_names import ScriptedDns

reactor: Any = _reactor


class Served(Resource):
    """What a node of a test answers at any path."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []
        self.pages: dict[bytes, bytes] = {}
        self.gone: Deferred[None] = Deferred()
        """When the first request that was not answered ended."""

    def render(self, request: Any) -> Any:
        self.requests.append(request)
        if request.path in self.pages:
            return self.pages[request.path]
        return getattr(self, request.path[1:].decode(), self.missing)(request)

    def missing(self, request: Any) -> bytes:
        request.setResponseCode(404)
        return b""

    def ok(self, request: Any) -> bytes:
        return b"ok"

    def moved(self, request: Any) -> bytes:
        request.redirect(b"/ok")
        return b""

    def later(self, request: Any) -> bytes:
        request.setResponseCode(503)
        request.setHeader("Retry-After", "17")
        return b"{}"

    def endless(self, request: Any) -> int:
        return self._goes_on(request, b"x" * 0x8000, 0.0)

    def drip(self, request: Any) -> int:
        return self._goes_on(request, b"x", 0.05)

    def silent(self, request: Any) -> int:
        return self._goes_on(request, b"", 0.05)

    def _goes_on(self, request: Any, octets: bytes, pause: float) -> int:
        def more() -> None:
            if octets:
                request.write(octets)

        writing = LoopingCall(more)
        writing.clock = reactor
        writing.start(pause)
        request.notifyFinish().addErrback(lambda _: writing.stop()).addCallback(self._gone)
        return NOT_DONE_YET

    def _gone(self, _: None) -> None:
        if not self.gone.called:
            self.gone.callback(None)


class Node:
    """One that listens."""

    def __init__(self, case: "NetCase", tls: Any, interface: str = "127.0.0.1") -> None:
        self.served = Served()
        self.server_names: list[bytes | None] = []
        self.connections = 0
        site: Any = Site(self.served, reactor=reactor)
        site.noisy = False
        site.log = lambda _request: None
        build = site.buildProtocol

        def counted(address: Any) -> Any:
            self.connections += 1
            return build(address)

        site.buildProtocol = counted
        if tls is None:
            listening = reactor.listenTCP(0, site, interface=interface)
        else:
            # Until it answers a request, it is not known which name was asked for.
            tls.getContext().set_tlsext_servername_callback(
                lambda connection: self.server_names.append(connection.get_servername())
            )
            listening = reactor.listenSSL(0, site, tls, interface=interface)
        case.addCleanup(listening.stopListening)
        self.port: int = listening.getHost().port


class Moved(Names):
    """Names whose port 443 is another one here."""

    ports: dict[str, int]

    async def addresses(self, targets: Iterable[Target]) -> list[Target]:
        return await super().addresses(
            [(host, self.ports.get(host, port) if port == 443 else port) for host, port in targets]
        )


class NetCase(TestCase):
    timeout = 60

    def setUp(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.authority = Authority()
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(self.authority.pem)
        self.dns = ScriptedDns()
        self.logged: list[str] = []

        def keep(event: LogEvent) -> None:
            self.logged.append(formatEvent(event))

        observer: Any = keep
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def tearDown(self) -> None:
        """Whom a node asks, and where that is, is nobody's to read."""
        said = [
            line
            for line in self.logged
            if not line.startswith(("Site ", "Factory ", "Front ", "(TLS Port", "(TCP Port"))
        ]
        self.assertEqual(said, [])

    def names(self, *networks: str) -> Moved:
        resolver: Any = self.dns
        names = Moved(reactor, resolver, Addresses(networks or ("127.0.0.0/8",)))
        names.ports = {}
        return names

    def client(
        self,
        names: Names | None = None,
        ca: bool = True,
        requests: int = 256,
        places: int = MOST_PLACES,
        **limits: Any,
    ) -> Client:
        trust = Trust(roots(self.ca if ca else None))
        client = Client(reactor, names or self.names(), trust, HttpLimits(**limits), requests, places)
        self.addCleanup(client.close)
        return client

    def node(self, *names: str, interface: str = "127.0.0.1", **certificate: Any) -> Node:
        """A node with a certificate for `names`, the first of which leads to it."""
        self.dns.say(names[0], interface)
        return Node(self, self.authority.server(*names, **certificate), interface)

    async def refused(self, client: Client, place: Place, path: str = "/ok", **options: Any) -> NoAnswer:
        """How a request is not answered; nothing of it is in the error."""
        try:
            answer = await client.request(place, "GET", path, {}, **options)
        except NoAnswer as error:
            for hidden in (place.host, path, "127.0.0"):
                self.assertNotIn(hidden, repr(error))
            self.assertIsNone(error.__context__)
            return error
        self.fail(f"it was answered with {answer.status}")

    async def ended(self) -> None:
        """This side has no connection any more; without that the test times out."""
        while any(isinstance(each, Connection) for each in reactor.getReaders() + reactor.getWriters()):
            await deferLater(reactor, 0)
