"""The keys of this node, for everybody who asks."""

from typing import Any

from twisted.web.resource import Resource

from federation.own_keys import OwnKeys
from federation.responses import write
from safeum_home.errors import Problem
from safeum_home.limits import RateLimit, network


class KeysResource(Resource):
    """`GET /_safeum/key/v1`: for everybody."""

    isLeaf = True

    def __init__(self, own: OwnKeys, addresses: RateLimit) -> None:
        super().__init__()
        self._own = own
        self._addresses = addresses

    def render_GET(self, request: Any) -> bytes:
        try:
            self._addresses.take(network(str(getattr(request.getClientAddress(), "host", ""))))
        except Problem as problem:
            return write(request, problem)
        return write(request, self._own.document())
