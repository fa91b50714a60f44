"""Twisted in an asyncio program: each event loop gets a private reactor that is driven by the loop itself,
starts no thread, takes no signal, and is not the global one.
"""

from asyncio import AbstractEventLoop
from collections.abc import Sequence
from socket import SOCK_STREAM, AddressFamily, gaierror
from typing import Any
from weakref import WeakKeyDictionary

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer

_reactors: WeakKeyDictionary[AbstractEventLoop, AsyncioSelectorReactor] = WeakKeyDictionary()


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Its answer is simply not used."""


@implementer(IHostnameResolver)
class _LoopResolver:
    """Resolves names through the loop: Twisted's own resolver would need a thread pool, and its stopping."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        found = Deferred.fromFuture(
            self._loop.create_task(self._loop.getaddrinfo(hostName, portNumber, type=SOCK_STREAM))
        )

        def each(answers: list[Any]) -> None:
            for family, _, _, _, address in answers:
                kind = IPv6Address if family == AddressFamily.AF_INET6 else IPv4Address
                resolutionReceiver.addressResolved(kind("TCP", *address[:2]))

        found.addCallbacks(each, lambda failure: failure.trap(gaierror) and None)
        found.addCallback(lambda _: resolutionReceiver.resolutionComplete())
        return resolution


def reactor_of(loop: AbstractEventLoop) -> AsyncioSelectorReactor:
    """The reactor that lives in `loop`."""
    reactor = _reactors.get(loop)
    if reactor is None:
        reactor = _reactors[loop] = AsyncioSelectorReactor(loop)
        reactor.installNameResolver(_LoopResolver(loop))
    return reactor
