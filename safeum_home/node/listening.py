"""The endpoints of the configuration: how they are bound, and whether they can be."""

import errno
import os
import socket
from typing import Any

from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory


class CannotListen(Exception):
    """An endpoint cannot be had; the message names it and says why."""


class NoIPv6(CannotListen):
    """The machine has no IPv6."""


async def listen(reactor: Any, description: str, factory: IProtocolFactory) -> IListeningPort:
    """Listen at a Twisted endpoint string; raises `CannotListen`.

    IPv6 endpoints take IPv6 alone: so one of each kind can have the same port.
    """
    try:
        port: IListeningPort = await serverFromString(_Binding(reactor), description).listen(factory)
    except (OSError, CannotListenError, ValueError) as error:
        raise _told(description, error) from None
    return port


def check(description: str) -> None:
    """Without a reactor: whether a TCP endpoint can be had (others are not tried). Raises `CannotListen`."""
    if not description.startswith(("tcp:", "tcp6:")):
        return
    failures: list[BaseException] = []
    try:
        serverFromString(_Trial(), description).listen(None).addErrback(
            lambda failure: failures.append(failure.value)
        )
    except ValueError as error:
        failures.append(error)
    if failures:
        raise _told(description, failures[0])


def _told(description: str, error: BaseException) -> CannotListen:
    cause = error.socketError if isinstance(error, CannotListenError) else error
    if not isinstance(cause, OSError):
        return CannotListen(f"{description}: {cause}")
    kind = NoIPv6 if isinstance(cause, _NoIPv6) else CannotListen
    reason = os.strerror(cause.errno) if cause.errno else str(cause)
    return kind(f"cannot listen at {description}: {reason}")


class _NoIPv6(OSError):
    """What the kernel says to the wish for all IPv6 addresses where there is not one."""


def _bind(port: int, backlog: int, interface: str) -> socket.socket:
    try:
        return _bound(port, backlog, interface)
    except OSError as error:
        if interface == "::" and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise _NoIPv6(*error.args) from None
        raise


def _bound(port: int, backlog: int, interface: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in interface else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Without it `::` would take the IPv4 port too, on most machines.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((interface, port))
        bound.listen(backlog)
        bound.setblocking(False)
    except BaseException:
        bound.close()
        raise
    return bound


class _Binding:
    """A reactor whose IPv6 ports take IPv6 alone, which Twisted's endpoints have no word for."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> IListeningPort:
        if ":" not in interface:
            taken: IListeningPort = self._reactor.listenTCP(port, factory, backlog, interface)
            return taken
        with _bind(port, backlog, interface) as bound:
            adopted: IListeningPort = self._reactor.adoptStreamPort(bound.fileno(), bound.family, factory)
            return adopted


class _Trial:
    """Instead of a reactor: binds, and lets go."""

    def listenTCP(self, port: int, _factory: object, backlog: int = 50, interface: str = "") -> None:
        _bind(port, backlog, interface).close()
