"""The one way out to hosts that somebody else named: checked addresses, verified TLS, all of it bounded.

Each place (`places.Place`) has connections of its own, which are kept for a while. What a request may use is
`outgoing.http`'s to hold: its total time, the size of an answer, how much goes on at once; there are no
redirects, cookies or compressed bodies.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import (
    IHostnameResolver,
    IHostResolution,
    IProtocol,
    IProtocolFactory,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from twisted.python.failure import Failure
from twisted.web.client import URI, Agent, HTTPConnectionPool
from twisted.web.iweb import IAgent, IAgentEndpointFactory
from zope.interface import implementer

from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.http import Answer, HttpLimits, NetworkHttp
from safeum_home.outgoing.places import Place
from safeum_home.outgoing.resolving import Names, Target
from safeum_home.outgoing.tls import Trust

ANYWHERE = "https://place.invalid"
"""What URLs begin with. treq's have no IPv6 addresses: where it is, is the way's to know.

Its name is in Host."""
MOST_PLACES = 1024
RESERVED = 4
"""One in so many of all requests is kept for those that are not questions, but hand over what waits."""


class Client:
    """Requests to places."""

    def __init__(
        self,
        reactor: Any,
        names: Names,
        trust: Trust,
        limits: HttpLimits,
        requests: int = 256,
        places: int = MOST_PLACES,
    ) -> None:
        """`limits` hold for each place, `requests` is how many may go on or wait for all of them together.

        Connections of so many `places` are kept; beyond it those go first that were not used for longest.
        """
        self._reactor = reactor
        self._names = names
        self._trust = trust
        self._limits = limits
        self._requests = requests
        self._most_places = places
        self._places: OrderedDict[Place, NetworkHttp] = OrderedDict()
        self._open = 0

    def request(
        self,
        place: Place,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        most: int | None = None,
        reserved: bool = False,
    ) -> "Deferred[Answer]":
        """Ask; fails with `NoAnswer` and with nothing else. `path` begins with a slash.

        `most` octets of an answer are taken, where that is less than usual. `reserved`: it may use what is
        kept for what waits to be handed over, so that questions to dead places hold up nothing of it.
        """
        if self._open >= self._requests - (0 if reserved else self._requests // RESERVED):
            refused: Deferred[Answer] = Deferred()
            refused.errback(NoAnswer(TOO_MANY, handed_over=False))
            return refused
        self._open += 1

        def ended(result: Answer | Failure) -> Answer | Failure:
            self._open -= 1
            return result

        headers = {**headers, "Host": place.authority}
        # Of these there is one to a place at any time: questions that it does not answer do not hold it up.
        return self._at(place).request(method, path, headers, body, most, reserved).addBoth(ended)

    def agent(self, place: Place, pool: HTTPConnectionPool) -> IAgent:
        """What connects to a place, whatever the URL (see `ANYWHERE`), with the connections of `pool`."""
        way = _Way(self._reactor, self._names, self._trust, place, self._limits.seconds)
        agent: IAgent = Agent.usingEndpointFactory(self._reactor, way, pool)
        return agent

    def close(self) -> "Deferred[None]":
        """End what is under way, and all connections."""
        places, self._places = self._places, OrderedDict()
        closed = gatherResults([each.close() for each in places.values()], consumeErrors=True)
        return closed.addCallback(lambda _: None)

    def _at(self, place: Place) -> NetworkHttp:
        if (here := self._places.get(place)) is None:
            here = self._places[place] = self._new(place)
            self._make_room()
        self._places.move_to_end(place)
        return here

    def _new(self, place: Place) -> NetworkHttp:
        return NetworkHttp(self._reactor, ANYWHERE, lambda pool: self.agent(place, pool), self._limits)

    def _make_room(self) -> None:
        """Those that are busy are no more than there may be requests."""
        excess = len(self._places) - self._most_places
        idle = [place for place, here in self._places.items() if not here.busy] if excess > 0 else []
        for place in idle[:excess]:
            self._places.pop(place).close()


@implementer(IAgentEndpointFactory, IStreamClientEndpoint)
class _Way:
    """Connects to a place: each time its names are looked up once, and what was checked is connected to."""

    def __init__(self, reactor: Any, names: Names, trust: Trust, place: Place, seconds: float) -> None:
        self._reactor = reactor
        self._names = names
        self._place = place
        self._tls = trust.towards(place.host)
        self._seconds = seconds

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        return self

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        pinned = _Pinned(self._reactor, await self._names.addresses(self._place.targets))
        # Its name is in its own errors alone: the name to verify is with TLS.
        endpoint = HostnameEndpoint(pinned, "place.invalid", self._place.port, self._seconds)
        return await wrapClientTLS(self._tls, endpoint, self._reactor).connect(factory)

    def __repr__(self) -> str:
        # The pool writes it into the representation of its factory.
        return "<the way to a place>"


@implementer(IReactorPluggableNameResolver, IHostnameResolver, IHostResolution)
class _Pinned:
    """As much of a reactor as `HostnameEndpoint` needs, with nothing left to look up."""

    name = "place.invalid"

    def __init__(self, reactor: Any, addresses: list[Target]) -> None:
        self.connectTCP = reactor.connectTCP
        self.callLater = reactor.callLater
        self.seconds = reactor.seconds
        self.nameResolver = self
        self._addresses = addresses

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        raise TypeError("what is pinned has no other resolver")

    def cancel(self) -> None:
        """It has ended."""

    def resolveHostName(
        self, resolutionReceiver: IResolutionReceiver, *_arguments: Any, **_options: Any
    ) -> IHostResolution:
        resolutionReceiver.resolutionBegan(self)
        for host, port in self._addresses:
            kind = IPv6Address if ":" in host else IPv4Address
            resolutionReceiver.addressResolved(kind("TCP", host, port))
        resolutionReceiver.resolutionComplete()
        return self
