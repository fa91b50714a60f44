"""The HTTP side of the port: connections, requests and their bodies, each within its limits.

The composition adds resources with `root.putChild`; each gets the same limits and headers.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.error import UnsupportedMethod
from twisted.web.http import HTTPChannel
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from safeum_home.errors import Code, Problem
from safeum_home.gateway.bodies import Body, Streams, no_streams
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.problems import SECURITY_HEADERS, raw_response
from safeum_home.gateway.resources import ClientDiscovery as ClientDiscovery
from safeum_home.gateway.resources import Health as Health
from safeum_home.gateway.resources import Node as Node
from safeum_home.gateway.resources import NodeDiscoveryResource as NodeDiscoveryResource
from safeum_home.gateway.resources import place as place
from safeum_home.gateway.resources import respond_json as respond_json
from safeum_home.gateway.resources import respond_problem as respond_problem
from safeum_home.gateway.resources import site_root as site_root
from safeum_home.gateway.resources import websocket_url as websocket_url

_log = Logger()


class EdgeRequest(Request):
    """A request that answers with problems instead of pages, and bounds its body.

    Where the site has somebody who takes the `body` as it comes, nothing of it is kept here.
    """

    channel: "EdgeChannel"
    body: Body | None = None
    _received = 0

    def gotLength(self, length: int | None) -> None:
        # In memory: `http.Request` would put chunked and long bodies into a file, whoever sends them.
        self.content = BytesIO()
        channel = self.channel
        self.body = channel.site.streams(self, channel._command, channel._path, length)
        if self.body is None and length is not None and length > channel.limits.body:
            channel.refuse(Problem(Code.TOO_LARGE))

    def handleContentChunk(self, data: bytes) -> None:
        if self.body is not None:
            self.body.received(data)
            return
        self._received += len(data)
        if self._received <= self.channel.limits.body:
            super().handleContentChunk(data)
        else:
            self.channel.refuse(Problem(Code.TOO_LARGE))

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if self.body is not None:
            self.body.ended()
        super().requestReceived(command, path, version)

    def connectionLost(self, reason: Failure) -> None:
        if self.body is not None:
            self.body.lost()
        super().connectionLost(reason)

    def render(self, resrc: IResource) -> None:
        if self.channel.refused:
            return
        self.responseHeaders.removeHeader(b"Server")
        for name, value in SECURITY_HEADERS:
            self.setHeader(name, value)
        try:
            body = resrc.render(self)
        except UnsupportedMethod as error:
            allowed = set(error.allowedMethods) | ({b"HEAD"} if b"GET" in error.allowedMethods else set())
            self.setHeader(b"Allow", b", ".join(sorted(allowed)))
            body = respond_problem(self, Problem(Code.METHOD_NOT_ALLOWED))
        if body is NOT_DONE_YET:
            return
        self.setHeader(b"Content-Length", b"%d" % len(body))
        # For HEAD, `write` sends the header alone.
        self.write(body)
        self.finish()

    def processingFailed(self, reason: Failure) -> Failure:
        _log.failure("a request failed", failure=reason)
        if not self.startedWriting and not self._disconnected:
            body = respond_problem(self, Problem(Code.INTERNAL))
            self.setHeader(b"Content-Length", b"%d" % len(body))
            self.write(body)
        if not self._disconnected and not self.finished:
            self.finish()
        return reason


class EdgeChannel(HTTPChannel):
    """A kept-alive HTTP connection with deadlines that dripping octets do not move."""

    transport: Any
    site: "EdgeSite"
    timeOut: Any
    callLater: Any
    limits: EdgeLimits
    _command: bytes
    _path: bytes
    _between_requests = True
    _body_due = 0.0
    _held: float | None = None
    refused = False

    def dataReceived(self, data: bytes) -> None:
        # HTTPChannel would begin its timeout anew with each octet that comes.
        if self.refused:
            return
        if self._between_requests and data:
            self._between_requests = False
            self.setTimeout(self.limits.head_timeout)
        LineReceiver.dataReceived(self, data)

    def allHeadersReceived(self) -> None:
        self._body_due = self.site.reactor.seconds() + self.limits.head_timeout
        self.setTimeout(self.limits.head_timeout)
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        if not self._handlingRequest:
            # Each octet of a body gains the time that it takes at the lowest rate, and no more.
            now = self.site.reactor.seconds()
            due = self._body_due + len(data) / self.limits.body_rate
            self._body_due = min(due, now + self.limits.body_stall)
            if self._held is None:
                self.setTimeout(max(0.0, self._body_due - now))
        super().rawDataReceived(data)

    def hold(self) -> None:
        """Read nothing more of a body for now: the time that this takes is not the client's."""
        if self._held is None:
            self._held = self.site.reactor.seconds()
            self.setTimeout(None)
            self._networkProducer.pauseProducing()

    def go_on(self) -> None:
        """Read on."""
        held, self._held = self._held, None
        if held is not None:
            now = self.site.reactor.seconds()
            self._body_due += now - held
            if not self._handlingRequest:
                self.setTimeout(max(0.0, self._body_due - now))
            self._networkProducer.resumeProducing()

    def requestDone(self, request: Request) -> None:
        self._between_requests = True
        self._savedTimeOut = self.limits.idle_timeout
        super().requestDone(request)

    def pauseProducing(self) -> None:
        super().pauseProducing()
        # HTTPChannel does so between requests only; answers to a pipeline that nobody reads would pile up.
        self._networkProducer.pauseProducing()

    def timeoutConnection(self) -> None:
        # HTTPChannel would write the peer's address into the log; and so would its `forceAbortClient`.
        self._abortingCall = self.callLater(self.limits.close_timeout, self.forceAbortClient)
        if not self._handlingRequest and self.requests and self.requests[-1].body is not None:
            self.refuse(Problem(Code.TOO_SLOW))
            return
        self.refused = True
        self.loseConnection()

    def forceAbortClient(self) -> None:
        self._abortingCall = None
        self.transport.abortConnection()

    def refuse(self, problem: Problem, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Answer at once and close, whatever else is still being sent."""
        if not self.refused:
            self.refused = True
            self.transport.write(raw_response(problem, headers=headers))
            self.go_on()
            self.loseConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.refuse(Problem(Code.BAD_REQUEST))


class EdgeSite(Site):
    """The site of a port. `root` is where resources are added."""

    displayTracebacks = False
    noisy = False

    def __init__(self, reactor: IReactorTime, limits: EdgeLimits, root: Resource) -> None:
        super().__init__(
            root,
            EdgeRequest,
            timeout=limits.head_timeout,
            reactor=reactor,
            parsePOSTFormSubmission=False,
        )
        self.limits = limits
        self.streams: Streams = no_streams

    def buildProtocol(self, addr: IAddress | None) -> Any:
        channel = EdgeChannel()
        channel.limits = self.limits
        channel.totalHeadersSize = self.limits.head
        channel.factory = self
        channel.site = self
        channel.requestFactory = self.requestFactory
        channel.timeOut = self.limits.head_timeout
        channel.callLater = self.reactor.callLater
        return channel

    def startFactory(self) -> None:
        """No access log: it would keep addresses."""

    def stopFactory(self) -> None:
        """There is nothing to close."""

    def log(self, request: http.Request) -> None:
        """No access log."""
