"""What other nodes ask of this one over HTTPS: transactions, questions, hellos.

Whoever asks is known before a body is taken in: signature, time and nonce are in the head of a request.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from federation.counts import TURNED_AWAY, Counts
from federation.file_lending import Lending, Lent
from federation.held import Held
from federation.receiving import Receiver
from federation.responses import problem_of, retry, write
from federation.signatures import SignedRequest
from federation.verifier import RequestVerifier
from safeum_home.errors import Code, Problem
from safeum_home.limits import RateLimit, network
from safeum_home.ports.federation import Answer
from safeum_home.ports.files import Intake
from safeum_home.protocol.federation.files import FILES_PATH, FetchFile
from safeum_home.protocol.federation.questions import QUESTIONS
from safeum_home.protocol.federation.transactions import (
    ASK_PATH,
    FEDERATION_PATH,
    MOST_OCTETS,
    STREAM,
    TRANSACTIONS_PATH,
)

LONGEST_QUESTION = 64 * 1024
AT_ONCE, OF_A_NODE = 64, 4
"""Requests that are held at one time, with bodies of up to a megabyte: in all, and of one node."""
HEADS, OF_AN_ADDRESS = 512, 16
"""Requests whose node is not known yet, since its keys are asked for: nothing of their bodies is taken."""
_PREFIX = FEDERATION_PATH.encode()
_TRANSACTION = re.compile(re.escape(TRANSACTIONS_PATH) + rf"({STREAM})/([1-9][0-9]{{0,14}})\Z")
_log = Logger()


class Body(Intake, Protocol):
    """The body of a request. `outcome` is what becomes of it, for who answers the request."""

    outcome: Deferred[Any]

    def refuse(self, problem: Problem, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Take nothing more of it."""


NewBody = Callable[[Any, "int | None"], Body]
"""The body of a request on a channel, of so many octets, if its head says how many."""


Post = Callable[[str, bytes, bytes], Awaitable[Struct]]
"""As `_Way.run`."""


class Limits(NamedTuple):
    """How often anybody may ask: an address whoever it is, and a node that has shown who it is."""

    addresses: RateLimit
    nodes: RateLimit


class _Way(NamedTuple):
    """What a request is for."""

    method: bytes
    most: int
    run: Callable[[str, bytes, bytes], Awaitable[Struct | Lent]]
    """With the node that asks, the body and its SHA-256."""


class FederationResource(Resource):
    """Everything below `/_safeum/federation/v1/`."""

    isLeaf = True

    def __init__(
        self,
        new_body: NewBody,
        verifier: RequestVerifier,
        receiver: Receiver,
        answers: Callable[[], Mapping[type[Struct], Answer]],
        heard: Callable[[str], None],
        limits: Limits,
        counts: Counts,
        lending: Lending,
        posts: Mapping[str, Post],
    ) -> None:
        """`heard` is told of each node that has sent a request that is really of it; `posts` are by path."""
        super().__init__()
        self._new_body = new_body
        self._verifier = verifier
        self._receiver = receiver
        self._answers = answers
        self._heard = heard
        self._limits = limits
        self._counts = counts
        self._lending = lending
        self._posts = posts
        self._heads = Held(HEADS, OF_AN_ADDRESS)
        self._bodies = Held(AT_ONCE, OF_A_NODE)
        self._stopped = False

    def stop(self) -> "Deferred[None]":
        """Take nothing more; fires when nothing is being applied."""
        self._stopped = True
        return Deferred.fromCoroutine(self._receiver.finished())

    def stream(self, request: Any, method: bytes, path: bytes, length: int | None) -> Any:
        """Takes the body of a request as it comes, once its head is verified; None for other paths."""
        if not path.startswith(_PREFIX):
            return None
        body = self._new_body(request.channel, length)

        def failed(failure: Failure) -> Failure:
            problem = problem_of(failure)
            self._counts.codes(TURNED_AWAY, [problem.code.code])
            body.refuse(problem, retry(problem))
            return Failure(problem)

        work = Deferred.fromCoroutine(self._take(request, method, path, length, body))
        work.addErrback(failed).chainDeferred(body.outcome)
        # Nobody may be there to ask for it: a broken connection is no failure of the node's.
        body.outcome.addErrback(problem_of)
        return body

    def render(self, request: Any) -> Any:
        body = getattr(request, "body", None)
        if body is None:
            return write(request, Problem(Code.NOT_FOUND))
        gone: list[object] = []
        request.notifyFinish().addBoth(gone.append)

        def answer(outcome: "bytes | Lent | Problem") -> None:
            if isinstance(outcome, Lent):
                if gone:
                    outcome.reading.close()
                else:
                    self._lending.send(request, outcome.reading, outcome.start)
            elif not gone:
                octets = write(request, outcome)
                request.setHeader(b"Content-Length", b"%d" % len(octets))
                request.write(octets)
                request.finish()

        body.outcome.addCallback(answer)
        body.outcome.addErrback(lambda failure: _log.failure("Answering a node failed.", failure=failure))
        return NOT_DONE_YET

    async def _take(
        self, request: Any, method: bytes, path: bytes, length: int | None, body: Body
    ) -> "bytes | Lent":
        if self._stopped:
            raise Problem(Code.SHUTTING_DOWN, retry_after=5)
        host = str(getattr(request.channel.getPeer(), "host", ""))
        address = network(host)
        self._limits.addresses.take(address)
        way = self._way(path)
        if method != way.method:
            raise Problem(Code.METHOD_NOT_ALLOWED)
        if length is not None and length > way.most:
            raise Problem(Code.TOO_LARGE)
        signed = await self._signed(address, method, path, request.requestHeaders)
        # It was for who does not say who it is: many nodes may be behind one address.
        self._limits.addresses.give_back(address)
        self._limits.nodes.take(signed.origin)
        with self._bodies.of(signed.origin):
            octets, digest = await _read(body, way.most, signed)
            self._heard(signed.origin)
            answer = await way.run(signed.origin, octets, digest)
            return answer if isinstance(answer, Lent) else msgspec.json.encode(answer)

    async def _signed(self, address: str, method: bytes, path: bytes, headers: Headers) -> SignedRequest:
        """Who asks. Where its keys have to be fetched the address is held to few at a time."""
        verifying = Deferred.fromCoroutine(self._verifier.head(method, path, headers))
        if not verifying.called:
            try:
                with self._heads.of(address):
                    return await verifying
            finally:
                verifying.addErrback(lambda _: None)  # refused as too many: nobody waits for it
        return await verifying

    def _way(self, path: bytes) -> _Way:
        text = path.decode("ascii", "replace")
        if text.startswith(TRANSACTIONS_PATH):
            found = _TRANSACTION.match(text)
            if found is None:
                raise Problem(Code.NOT_FOUND)
            stream, number = urlsafe_b64decode(found[1] + "=="), int(found[2])

            async def apply(origin: str, octets: bytes, digest: bytes) -> Struct:
                return await self._receiver.received(origin, stream, number, octets, digest)

            return _Way(b"PUT", MOST_OCTETS, apply)
        if (run := self._posts.get(text)) is not None:
            return _Way(b"POST", LONGEST_QUESTION, run)
        if text == FILES_PATH:
            return _Way(b"POST", LONGEST_QUESTION, self._lend)
        question = QUESTIONS.get(text.removeprefix(ASK_PATH)) if text.startswith(ASK_PATH) else None
        if question is None:
            raise Problem(Code.NOT_FOUND)
        return _Way(b"POST", LONGEST_QUESTION, self._asked(question))

    async def _lend(self, origin: str, octets: bytes, _digest: bytes) -> Lent:
        asked: Any = decode(octets, FetchFile)
        return await self._lending.lend(origin, asked)

    def _asked(self, question: type[Struct]) -> Callable[[str, bytes, bytes], Awaitable[Struct]]:
        async def ask(origin: str, octets: bytes, _digest: bytes) -> Struct:
            asked, answer = decode(octets, question), self._answers().get(question)
            if answer is None:
                raise Problem(Code.NOT_FOUND)
            return await answer(origin, asked)

        return ask


def decode(octets: bytes, kind: type[Struct]) -> Struct:
    """The body of a request; raises `Problem(bad_request)`."""
    try:
        return msgspec.json.decode(octets, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise Problem(Code.BAD_REQUEST, "the body is not what this takes") from None


async def _read(body: Body, most: int, signed: SignedRequest) -> tuple[bytes, bytes]:
    """The body, and its SHA-256, which is the one that was signed."""
    digest, parts, size = sha256(), [], 0
    while part := await body.take(1):
        size += len(part)
        if size > most:
            raise Problem(Code.TOO_LARGE)
        digest.update(part)
        parts.append(part)
    if body.broken:
        raise Problem(Code.TOO_SLOW, "the body broke off")
    signed.check_body(digest.digest())
    return b"".join(parts), digest.digest()
