"""Notifications of payment providers: `POST /v1/payments/NAME`, answered when what they say is kept.

Their bodies are longer than those of other requests: each is held in memory, up to a bound, and only so many
at once, of one address (an IPv6 /64 is one) fewer. A provider that is not answered with 2xx sends a
notification again, for days.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from safeum_home.errors import Code, Problem
from safeum_home.gateway.bodies import Body
from safeum_home.gateway.resources import respond_problem
from safeum_home.gateway.tickets import answer, problem_of
from safeum_home.limits import network
from safeum_home.ports.payments import Notice
from safeum_home.protocol.http import PAYMENTS_PATH

LARGEST = 256 * 1024
"""Octets of a notification."""
AT_ONCE, OF_AN_ADDRESS = 64, 8
AGAIN = 5.0
"""Seconds after which a provider may try again that was one too many."""
_CLOSE = b"The payment is under way: you may close this page.\n"
Take = Callable[[str, Notice], Awaitable[None]]
"""Keeps what a provider's notification says; raises `Problem`."""


class Notifications(Resource):
    """`/v1/payments` and what is below it: for each provider a place of its own."""

    isLeaf = True

    def __init__(self, names: Iterable[str], take: Take) -> None:
        super().__init__()
        self._names = {f"{PAYMENTS_PATH}{name}".encode(): name for name in names}
        self._take = take
        self._open: Counter[str] = Counter()

    def stream(self, request: Any, method: bytes, path: bytes, length: int | None) -> Body | None:
        """`gateway.bodies.Streams`."""
        name = self._names.get(path)
        if name is None or method != b"POST":
            return None
        body = Body(request.channel, length)

        def failed(failure: Failure) -> Failure:
            problem = problem_of(failure)
            body.refuse(problem)
            return Failure(problem)

        work = Deferred.fromCoroutine(self._receive(request, name, length, body))
        work.addErrback(failed).chainDeferred(body.outcome)
        # Nobody may be there to ask for it: a broken connection is no failure of the node's.
        body.outcome.addErrback(_Failed)
        return body

    def render(self, request: Any) -> Any:
        if request.path not in self._names:
            return respond_problem(request, Problem(Code.NOT_FOUND))
        if request.method == b"POST":
            answer(request, request.body.outcome, lambda outcome: _answered(request, outcome))
            return NOT_DONE_YET
        if request.method in (b"GET", b"HEAD"):
            # Customers come here from the page on which they have paid, or not.
            request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
            return _CLOSE
        request.setHeader(b"Allow", b"GET, HEAD, POST")
        return respond_problem(request, Problem(Code.METHOD_NOT_ALLOWED))

    async def _receive(self, request: Any, name: str, length: int | None, body: Body) -> None:
        if length is not None and length > LARGEST:
            raise Problem(Code.TOO_LARGE)
        address = network(str(getattr(request.channel.getPeer(), "host", "")))
        if self._open.total() >= AT_ONCE or self._open[address] >= OF_AN_ADDRESS:
            raise Problem(Code.BUSY, retry_after=AGAIN)
        self._open[address] += 1
        try:
            octets = await body.take(LARGEST + 1)
            if body.broken:
                raise Problem(Code.BAD_REQUEST)
            if len(octets) > LARGEST:
                raise Problem(Code.TOO_LARGE)
            await self._take(name, Notice(_headers(request), octets))
        finally:
            self._open[address] -= 1
            self._open += Counter()  # without those that are at nothing


class _Failed:
    """What a notification ended in, kept until it is asked for."""

    def __init__(self, failure: Failure) -> None:
        self.error = problem_of(failure)


def _answered(request: Request, outcome: "_Failed | None") -> bytes:
    if isinstance(outcome, _Failed):
        raise outcome.error
    request.setHeader(b"Content-Type", b"text/plain")
    return b"kept\n"


def _headers(request: Any) -> dict[str, str]:
    """Those that came once, in small letters, as ISO 8859-1."""
    found = request.requestHeaders.getAllRawHeaders()
    return {
        name.decode("latin-1").lower(): values[0].decode("latin-1")
        for name, values in found
        if len(values) == 1
    }
