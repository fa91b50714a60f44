"""The operator's socket: a Unix socket of mode 0600, answered also while the node is sealed.

One request at a time on a connection; what a peer sends meanwhile stays in its own socket buffer.
"""

import errno
import os
import socket
import stat
import struct
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IReactorTime,
    IReactorUNIX,
    ISystemHandle,
    ITransport,
)
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from safeum_home.admin.commands import Handler
from safeum_home.admin.wire import MAX_LINE, Request
from safeum_home.errors import Code, Problem
from safeum_home.protocol.frames import encode_problem, encode_result

MOST_CONNECTIONS = 16
IDLE = 60.0
"""Seconds without a line after which a connection is closed."""

_log = Logger()
_request = msgspec.json.Decoder(Request)


def peer_uid(transport: ITransport) -> int:
    """Who is at the other end of a Unix socket: the kernel tells (unix(7), SO_PEERCRED)."""
    handle = ISystemHandle(transport).getHandle()
    assert isinstance(handle, socket.socket)
    credentials = handle.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)


class AdminConnection(LineReceiver, TimeoutMixin):
    """An operator's connection."""

    delimiter = b"\n"
    MAX_LENGTH = MAX_LINE

    def __init__(self, service: "AdminFactory") -> None:
        self._service = service

    def callLater(self, period: float, func: Callable[[], object]) -> IDelayedCall:
        return self._service.clock.callLater(period, func)

    def connectionMade(self) -> None:
        assert self.transport is not None
        if not self._service.admits(self.transport):
            self.close()
            return
        self._service.connections.add(self)
        self.setTimeout(IDLE)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.setTimeout(None)
        self._service.connections.discard(self)

    def lineReceived(self, line: bytes) -> None:
        if self not in self._service.connections:
            return
        self.setTimeout(None)
        self.pauseProducing()
        self._service.answer(line).addCallback(self._answered)

    def lineLengthExceeded(self, line: bytes) -> None:
        self.sendLine(encode_problem(None, Problem(Code.TOO_LARGE)))
        self.close()

    def close(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()

    def _answered(self, answer: bytes) -> None:
        if self in self._service.connections:
            self.sendLine(answer)
            self.setTimeout(IDLE)
            self.resumeProducing()


class AdminFactory(Factory):
    """Answers operators with `handlers`, by method; root and the node's own user are let in."""

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        handlers: Mapping[str, Handler],
        uid_of: Callable[[ITransport], int] = peer_uid,
    ) -> None:
        self.clock = clock
        self.connections: set[AdminConnection] = set()
        self._handlers = handlers
        self._uid_of = uid_of

    def buildProtocol(self, addr: IAddress | None) -> AdminConnection | None:
        if len(self.connections) >= MOST_CONNECTIONS:
            return None
        return AdminConnection(self)

    def admits(self, transport: ITransport) -> bool:
        uid = self._uid_of(transport)
        if uid in (0, os.geteuid()):
            return True
        _log.warn("user {uid} was refused at the operator's socket", uid=uid)
        return False

    def stopFactory(self) -> None:
        for connection in tuple(self.connections):
            connection.close()

    def answer(self, line: bytes) -> "Deferred[bytes]":
        """The line that answers `line`. The Deferred never fails."""
        return Deferred.fromCoroutine(self._answer(line))

    async def _answer(self, line: bytes) -> bytes:
        try:
            request = _request.decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return encode_problem(None, Problem(Code.INVALID_REQUEST))
        try:
            return encode_result(request.id, await self._run(request))
        except Problem as problem:
            return encode_problem(request.id, problem)
        except OSError as error:
            _log.error("an operator's {method} failed: {error}", method=request.method, error=error.strerror)
            return encode_problem(request.id, Problem(Code.STORAGE_UNAVAILABLE, error.strerror))
        except Exception:
            _log.failure("an operator's {method} failed", method=request.method)
            return encode_problem(request.id, Problem(Code.INTERNAL))

    async def _run(self, request: Request) -> Struct:
        handler = self._handlers.get(request.method)
        if handler is None:
            raise Problem(Code.METHOD_NOT_FOUND)
        try:
            params = msgspec.json.decode(request.params, type=handler.params)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise Problem(Code.INVALID_PARAMS) from None
        result = handler.call(params)
        return await result if isinstance(result, Awaitable) else result


def listen(reactor: IReactorUNIX, path: Path, factory: AdminFactory) -> IListeningPort:
    """Listen at `path`, in place of a socket that nobody answers at any more.

    Raises FileExistsError where something else is there, and OSError (EADDRINUSE) where a node answers.
    """
    _clear(path)
    # Twisted changes the mode after binding only: the mask closes that moment.
    mask = os.umask(0o177)
    try:
        return reactor.listenUNIX(str(path), factory, backlog=MOST_CONNECTIONS, mode=0o600)
    finally:
        os.umask(mask)


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, "this is not a socket", str(path))
    if is_answered(path):
        raise OSError(errno.EADDRINUSE, "a node answers there", str(path))
    path.unlink()


def is_answered(path: Path) -> bool:
    """Whether a node listens at `path`."""
    if not path.exists():
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        return probe.connect_ex(str(path)) not in (errno.ECONNREFUSED, errno.ENOENT)
