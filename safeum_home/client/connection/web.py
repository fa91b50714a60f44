"""HTTPS to the node, over the same trust as the WebSocket: what is sent is streamed, and so is what comes."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Protocol as NetProtocol
from twisted.internet.protocol import connectionDone
from twisted.internet.task import Cooperator
from twisted.python.failure import Failure
from twisted.web.client import URI, Agent, FileBodyProducer, RequestGenerationFailed, ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

from safeum_home.client.connection.connection import unreachable
from safeum_home.client.connection.trust import Node, tls_for
from safeum_home.client.errors import BadAnswer, Closing, Disconnected, RemoteProblem
from safeum_home.errors import Code
from safeum_home.protocol.frames import ProblemDetails

CONNECT_TIMEOUT = 15
STALL = 60.0
"""Seconds in which nothing moves, after which a connection is given up."""
_LONGEST_PROBLEM = 64 * 1024
_STEP = 64 * 1024
_NUMBERS = {code.code: code.value.rpc for code in Code}
"""What a problem's code is in JSON-RPC: over HTTP it is not told."""
Moved = Callable[[int], object]
"""Called with the octets that have just gone over the connection."""


class Sink(Protocol):
    """Takes what comes."""

    def write(self, data: bytes, /) -> object: ...


class Source(Protocol):
    """What is sent: a file, or what is like one."""

    def seek(self, offset: int, /) -> int: ...

    def read(self, size: int, /) -> bytes: ...


class Reply:
    """The head of an answer whose body was taken."""

    def __init__(self, response: IResponse) -> None:
        self.status: int = response.code
        self._headers = response.headers

    def __getitem__(self, name: str) -> str | None:
        values = self._headers.getRawHeaders(name.encode())
        return None if not values else values[0].decode("latin-1")


class Web:
    """Requests to one node."""

    def __init__(
        self, reactor: Any, node: Node, ca: bytes | None = None, endpoint: IStreamClientEndpoint | None = None
    ) -> None:
        """`ca` and `endpoint` are as those of `connection.dialer`."""
        self._reactor = reactor
        self._url = f"https://{node}"
        target = endpoint or HostnameEndpoint(reactor, node.host, node.port, timeout=CONNECT_TIMEOUT)
        # Without a clock, what is written would be held back until a turn of the global reactor.
        secure = wrapClientTLS(tls_for(node, ca), target, reactor)
        self._agent = Agent.usingEndpointFactory(reactor, _Only(secure))
        self._cooperator = Cooperator(scheduler=lambda step: reactor.callLater(0, step))

    def ask(
        self,
        method: str,
        path: str,
        fields: dict[str, str],
        *,
        source: "tuple[Source, int, int] | None" = None,
        sink: Callable[[Reply], Sink] | None = None,
        moved: Moved = lambda octets: None,
    ) -> "Deferred[Reply]":
        """One request. `source` is a file, with the offset and length of what is sent of it.

        A body that is no problem goes to `sink`, which is called with the head. Fails with `RemoteProblem`
        for what the node refuses, with `Disconnected` where the connection fails, or nothing moves any more;
        with `BadAnswer` for what no node answers, and OSError where a file fails.
        """
        return Deferred.fromCoroutine(self._ask(method, path, fields, source, sink, moved))

    async def _ask(
        self,
        method: str,
        path: str,
        fields: dict[str, str],
        source: "tuple[Source, int, int] | None",
        sink: Callable[[Reply], Sink] | None,
        moved: Moved,
    ) -> Reply:
        body = None
        watch = _Watch(self._reactor)
        try:
            if source is not None:
                part = _Part(*source, watch.moving(moved))
                body = FileBodyProducer(part, cooperator=self._cooperator, readSize=_STEP)
            headers = Headers({name: [value] for name, value in fields.items()})
            url = f"{self._url}{path}".encode()
            response = await watch.over(self._agent.request(method.encode(), url, headers, body))
            reply = Reply(response)
            problem = response.code >= 400
            taken = _Problem() if problem or sink is None else sink(reply)
            done: Deferred[None] = Deferred(lambda _: _abort(response))
            # What is said instead of a file is none of its octets.
            counted = (lambda octets: None) if problem else moved
            response.deliverBody(_Body(taken, done, watch.moving(counted)))
            await watch.over(done)
        except CancelledError:
            if not watch.stalled:
                raise
            raise Disconnected(Closing(1006, "nothing moves on the connection any more")) from None
        except (OSError, BadAnswer, RemoteProblem):
            raise
        except Exception as error:
            if _given_up(error) and not watch.stalled:
                raise CancelledError from None
            if (own := _of_the_source(error)) is not None:
                raise own from None
            raise Disconnected(unreachable(Failure(error))) from None
        finally:
            watch.end()
        if problem and isinstance(taken, _Problem):
            raise taken.error(reply)
        return reply


@implementer(IAgentEndpointFactory)
class _Only:
    """Whatever the address, it is the node that is connected to."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        return self._endpoint


class _Watch:
    """Gives up what does not move."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._awaited: Deferred[Any] | None = None
        self.stalled = False
        self._call: IDelayedCall = clock.callLater(STALL, self._stalled)

    def over(self, awaited: "Deferred[Any]") -> "Deferred[Any]":
        """Watch what is awaited now."""
        self._awaited = awaited
        self._call.reset(STALL)
        return awaited

    def moving(self, moved: Moved) -> Moved:
        def noted(octets: int) -> None:
            if self._call.active():
                self._call.reset(STALL)
            moved(octets)

        return noted

    def end(self) -> None:
        if self._call.active():
            self._call.cancel()

    def _stalled(self) -> None:
        self.stalled = True
        if self._awaited is not None:
            self._awaited.cancel()


class _Part:
    """Part of a file, as something to read to its end."""

    def __init__(self, file: Source, offset: int, length: int, moved: Moved) -> None:
        self._file = file
        self._start = offset
        self._at = 0
        self._length = length
        self._moved = moved

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset if whence == 0 else self._at + offset if whence == 1 else self._length + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int) -> bytes:
        self._file.seek(self._start + self._at)
        data = self._file.read(min(size, self._length - self._at))
        self._at += len(data)
        self._moved(len(data))
        return data

    def close(self) -> None:
        """The file is its owner's."""


class _Body(NetProtocol):
    """Hands what comes to a sink."""

    def __init__(self, sink: Sink, done: "Deferred[None]", moved: Moved) -> None:
        self._sink = sink
        self._done = done
        self._moved = moved

    def dataReceived(self, data: bytes) -> None:
        if self._done.called:
            return
        try:
            self._sink.write(data)
        except Exception:
            self._done.errback(Failure())
            _abort(self)
        else:
            self._moved(len(data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._done.called:
            return
        if reason.check(ResponseDone):
            self._done.callback(None)
        else:
            self._done.errback(Disconnected(Closing(1006, "the connection was lost")))


class _Problem:
    """A document that says what was refused."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def write(self, data: bytes) -> None:
        self._octets += data
        if len(self._octets) > _LONGEST_PROBLEM:
            raise BadAnswer("The node answered with more than a problem.")

    def error(self, reply: Reply) -> Exception:
        try:
            details = msgspec.json.decode(self._octets, type=ProblemDetails)
        except msgspec.DecodeError:
            return BadAnswer(f"The node answered with status {reply.status}, and not with a problem.")
        return RemoteProblem(details, _NUMBERS.get(details.code, Code.INTERNAL.value.rpc))


def _given_up(error: Exception) -> bool:
    """Whether a request failed because it was cancelled while it was being sent: an Agent hides that."""
    reasons: list[Failure] = getattr(error, "reasons", None) or []
    return any(reason.check(CancelledError) for reason in reasons)


def _of_the_source(error: Exception) -> BaseException | None:
    """What a request failed with where what is sent could not be read."""
    if not isinstance(error, RequestGenerationFailed):
        return None
    found = (each.value for each in error.reasons if each.check(OSError, BadAnswer))
    return next(found, None)


def _abort(of: Any) -> None:
    """Cut the connection of a response, or of its body."""
    transport = getattr(of, "_transport", None) or getattr(of, "transport", None)
    abort = getattr(transport, "abortConnection", None) or getattr(transport, "loseConnection", None)
    if abort is not None:
        abort()
