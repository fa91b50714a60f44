"""A cable between clients and a node that can be cut: everything that goes through it is passed on."""

from typing import Any

from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import connectionDone
from twisted.protocols.portforward import ProxyFactory, ProxyServer
from twisted.python.failure import Failure


class _Cabled(ProxyServer):
    factory: Any
    peer: Any
    transport: Any

    def connectionMade(self) -> None:
        self.factory.open.add(self)
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.open.discard(self)
        super().connectionLost(reason)


class Cable(ProxyFactory):
    """Listens on a port of its own of the loopback, and leads to `port`."""

    protocol = _Cabled
    noisy = False

    def __init__(self, reactor: Any, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self.reactor = reactor
        self.open: set[_Cabled] = set()
        self.listening: IListeningPort = reactor.listenTCP(0, self, interface="127.0.0.1")

    @property
    def entrance(self) -> int:
        host: Any = self.listening.getHost()
        return int(host.port)

    def cut(self) -> int:
        """Break all connections, without a farewell; how many there were."""
        broken = list(self.open)
        for each in broken:
            each.transport.abortConnection()
            if each.peer is not None:
                each.peer.transport.abortConnection()
        return len(broken)
