"""What the machine is set up to ask for names: its file of hosts, then its name servers.

Twisted's own way to it (`client.createResolver`) keeps answers for as long as a stranger's DNS says, without
a bound, and writes lines into the log for every question.
"""

from collections.abc import Sequence
from typing import Any

from twisted.internet import base, udp
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IResolver
from twisted.names import hosts
from twisted.names.client import Resolver
from twisted.names.resolve import ResolverChain
from twisted.python.failure import Failure

MOST_OCTETS = 8192
"""Of a datagram."""
READ_AGAIN = 60.0
"""Seconds after which a changed `resolv.conf` is noticed."""


def system_dns(reactor: Any) -> IResolver:
    """What the machine is set up to ask."""
    return dns_of(reactor, "/etc/hosts", "/etc/resolv.conf")


def dns_of(
    reactor: Any,
    hosts_file: str,
    resolv_conf: str | None = None,
    servers: Sequence[tuple[str, int]] | None = None,
) -> IResolver:
    """A file of hosts, then the name servers in `resolv_conf` (resolv.conf(5)), or those that are given."""
    asked = _Quiet(resolv_conf, servers, reactor=_QuietReactor(reactor))
    return ResolverChain([hosts.Resolver(hosts_file.encode()), asked])


class _Quiet(Resolver):
    _read_at = 0.0

    def maybeParseConfig(self) -> None:
        """Read what changed; when something is asked, and not by a timer that nothing ends."""
        super().maybeParseConfig()
        self._read_at = self._reactor.seconds()
        if self.resolv is not None:
            self._parseCall.cancel()

    def queryUDP(self, queries: Any, timeout: Any = None) -> Any:
        if self._reactor.seconds() - self._read_at >= READ_AGAIN:
            self.maybeParseConfig()
        return super().queryUDP(queries, timeout)

    def messageReceived(self, message: Any, protocol: Any, address: Any = None) -> None:
        """What nobody asked: the port of a question closes with its answer. It would be logged."""


class _QuietReactor:
    """A reactor whose datagram ports say nothing."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenUDP(self, port: int, protocol: Any, interface: str = "") -> udp.Port:
        protocol.noisy = False
        listening = _QuietPort(port, protocol, interface, MOST_OCTETS, self._reactor)
        listening.startListening()
        return listening


class _QuietPort(udp.Port):
    """As its parent is, without the lines."""

    def _bindSocket(self) -> None:
        try:
            bound = self.createInternetSocket()
            bound.bind((self.interface, self.port))
        except OSError as error:
            raise CannotListenError(self.interface, self.port, error) from None
        self._realPortNumber = bound.getsockname()[1]
        self.connected = 1
        self.socket = bound
        self.fileno = bound.fileno  # type: ignore[method-assign]  # as its parent does

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._realPortNumber = None
        self.maxThroughput = -1
        base.BasePort.connectionLost(self, reason)
        self.protocol.doStop()
        self.socket.close()
        del self.socket
        del self.fileno
        if hasattr(self, "d"):
            self.d.callback(None)
            del self.d
