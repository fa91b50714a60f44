"""What the node itself answers with: health, discovery, and problem documents for all else (RFC 9457)."""

from collections.abc import Callable, Mapping

import msgspec
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from safeum_home.errors import Code, Problem
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.problems import PROBLEM_TYPE, problem_body
from safeum_home.protocol import SUBPROTOCOL, WEBSOCKET_PATH
from safeum_home.protocol.http import NodeDiscovery

Health = Callable[[], Mapping[str, object]]
"""What `GET /health` shows; 200 where its `status` is `ok`, else 503."""


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


class NodeDiscoveryResource(Resource):
    """`GET /.well-known/safeum/node`: where this node is served to other nodes."""

    isLeaf = True

    def __init__(self, server: str) -> None:
        super().__init__()
        self._document = NodeDiscovery(server)

    def render_GET(self, request: Request) -> bytes:
        # Whoever moves a node can have it at both places for a day.
        request.setHeader(b"Cache-Control", b"public, max-age=86400")
        return respond_json(request, self._document)


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
