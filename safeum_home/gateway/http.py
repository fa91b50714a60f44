"""The HTTP side of the port: health, discovery, and problem documents for all else (RFC 9457).

The composition adds resources with `root.putChild`; each gets the same limits and headers.
"""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import msgspec
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
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.problems import PROBLEM_TYPE, SECURITY_HEADERS, problem_body, raw_response
from safeum_home.protocol import SUBPROTOCOL, WEBSOCKET_PATH

Health = Callable[[], Mapping[str, object]]
"""What `GET /health` shows; 200 where its `status` is `ok`, else 503."""
_log = Logger()


def respond_json(request: Request, document: object, content_type: bytes = b"application/json") -> bytes:
    """What a resource's `render_*` returns to answer with a JSON document."""
    request.setHeader(b"Content-Type", content_type)
    return msgspec.json.encode(document)


def respond_problem(request: Request, problem: Problem, status: int | None = None) -> bytes:
    """What a resource's `render_*` returns to answer with a problem."""
    request.setResponseCode(problem.code.value.status if status is None else status)
    request.setHeader(b"Content-Type", PROBLEM_TYPE)
    if problem.retry_after is not None:
        request.setHeader(b"Retry-After", b"%d" % max(1, round(problem.retry_after)))
    return problem_body(problem, status)


class NotFound(Resource):
    """Whatever is not there."""

    isLeaf = True

    def render(self, request: Request) -> bytes:
        return respond_problem(request, Problem(Code.NOT_FOUND))


class Node(Resource):
    """A step of a path; what has no child of that name is not found."""

    def getChild(self, path: bytes, request: Request) -> Resource:
        return NotFound()

    def render(self, request: Request) -> bytes:
        return respond_problem(request, Problem(Code.NOT_FOUND))


class HealthResource(Resource):
    """`GET /health`."""

    isLeaf = True

    def __init__(self, health: Health) -> None:
        super().__init__()
        self._health = health

    def render_GET(self, request: Request) -> bytes:
        document = self._health()
        request.setResponseCode(200 if document.get("status") == "ok" else 503)
        return respond_json(request, document)


class ClientDiscovery(Resource):
    """`GET /.well-known/safeum/client`: where and how clients connect."""

    isLeaf = True

    def __init__(self, node: str, websocket_url: str, limits: EdgeLimits, node_key: str) -> None:
        super().__init__()
        where = {"node": node, "websocket": websocket_url, "protocols": [SUBPROTOCOL]}
        self._document = {**where, "node_key": node_key}
        self.limits = limits

    def render_GET(self, request: Request) -> bytes:
        request.setHeader(b"Access-Control-Allow-Origin", b"*")
        request.setHeader(b"Cache-Control", b"public, max-age=3600")
        limits = {"frame": self.limits.frame, "ping_interval": self.limits.ping_interval}
        return respond_json(request, {**self._document, "limits": limits})


class EdgeRequest(Request):
    """A request that answers with problems instead of pages, and bounds its body."""

    channel: "EdgeChannel"
    _received = 0

    def gotLength(self, length: int | None) -> None:
        # In memory: `http.Request` would put chunked and long bodies into a file, whoever sends them.
        self.content = BytesIO()
        if length is not None and length > self.channel.limits.body:
            self.channel.refuse(Problem(Code.TOO_LARGE))

    def handleContentChunk(self, data: bytes) -> None:
        self._received += len(data)
        if self._received <= self.channel.limits.body:
            super().handleContentChunk(data)
        else:
            self.channel.refuse(Problem(Code.TOO_LARGE))

    def render(self, resrc: IResource) -> None:
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
    _between_requests = True
    _refused = False
    _body_due = 0.0

    def dataReceived(self, data: bytes) -> None:
        # HTTPChannel would begin its timeout anew with each octet that comes.
        if self._refused:
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
            self._body_due += len(data) / self.limits.body_rate
            self.setTimeout(max(0.0, self._body_due - self.site.reactor.seconds()))
        super().rawDataReceived(data)

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
        self._refused = True
        self._abortingCall = self.callLater(self.limits.close_timeout, self.forceAbortClient)
        self.loseConnection()

    def forceAbortClient(self) -> None:
        self._abortingCall = None
        self.transport.abortConnection()

    def refuse(self, problem: Problem) -> None:
        """Answer at once and close, whatever else is still being sent."""
        if not self._refused:
            self._refused = True
            self.transport.write(raw_response(problem))
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


def site_root(
    health: Health,
    discovery: ClientDiscovery | None = None,
    resources: Mapping[str, IResource] | None = None,
) -> Resource:
    """The resources that every node has; without `discovery` those of the health endpoint alone.

    `resources` are further ones by their paths, as `/v1/sms/NAME`.
    """
    root = Node()
    root.putChild(b"health", HealthResource(health))
    if discovery is not None:
        well_known, safeum = Node(), Node()
        root.putChild(b".well-known", well_known)
        well_known.putChild(b"safeum", safeum)
        safeum.putChild(b"client", discovery)
    for path, resource in (resources or {}).items():
        place(root, path, resource)
    return root


def place(root: Resource, path: str, resource: IResource) -> None:
    """Add `resource` at `path`, below steps that are not found themselves."""
    *steps, last = path.strip("/").encode().split(b"/")
    here = root
    for step in steps:
        if step not in here.children:
            here.putChild(step, Node())
        here = here.children[step]
    here.putChild(last, resource)


def websocket_url(authority: str) -> str:
    """The URL that clients connect to, for a node's host name with its port."""
    return f"wss://{authority}{WEBSOCKET_PATH}"
