"""Whether a request is from the node that it says it is from: everything that is checked before its body."""

from twisted.web.http_headers import Headers

from federation.key_cache import KeyCache
from federation.policy import Policy
from federation.replay import NonceWindow
from federation.signatures import SignedRequest, read_request
from safeum_home.errors import Code, Problem


class RequestVerifier:
    """Checks the heads of requests, the cheapest things first: for the denied nothing is fetched."""

    def __init__(self, node: str, policy: Policy, keys: KeyCache, window: NonceWindow) -> None:
        """`node` is this one, to which requests have to be addressed."""
        self._node = node
        self._policy = policy
        self._keys = keys
        self._window = window

    async def head(self, method: bytes, target: bytes, headers: Headers) -> SignedRequest:
        """The request, verified but for its body: see `SignedRequest.check_body`.

        Raises `Problem`: `bad_signature`, `wrong_destination`, `federation_refused`, `replayed`,
        `unknown_key`, `node_unreachable`, `busy`.
        """
        request = read_request(method, target, headers)
        if request.destination != self._node:
            raise Problem(Code.WRONG_DESTINATION)
        self._policy.check(request.origin)
        self._window.check_time(request.created)
        request.verify(await self._keys.key(request.origin, request.key_id))
        # Only now: what others can make up must not use up the window.
        self._window.take(request.origin, request.nonce, request.created)
        return request
