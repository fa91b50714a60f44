"""The one way out: HTTP requests to somebody who is not trusted more than he must be.

One address that was checked, verified TLS, no redirects, no cookies, no compression, a cap on time, on the
size of an answer, and on how much goes on at once. What fails is told in words that quote nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from treq.client import HTTPClient
from twisted.internet.defer import Deferred, DeferredSemaphore, succeed
from twisted.internet.interfaces import IConsumer
from twisted.internet.ssl import Certificate, platformTrust, trustRootFromCertificates
from twisted.python.failure import Failure
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from safeum_home.outgoing.answers import IN_TIME, TOO_MANY, NoAnswer, no_answer, no_cookies, read_body
from safeum_home.outgoing.connection import ConnectionFactory


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What requests to one address may use. Times in seconds, sizes in octets."""

    seconds: float = 10.0
    """From asking to the last octet of the answer, with waiting, name look-up and connecting."""
    answer: int = 64 * 1024
    at_once: int = 8
    waiting: int = 64
    """Requests beyond `at_once` that wait; a further one is refused."""
    kept: int = 4
    """Connections that are kept for later requests."""
    kept_seconds: int = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered. Of what the other side wrote nothing is in its `repr`."""

    status: int
    body: bytes = field(repr=False)
    headers: Headers = field(default_factory=Headers, repr=False)
    phrase: str = field(default="", repr=False)
    """What stands beside the status (RFC 9112, section 4): words for people."""

    def header(self, name: str) -> str | None:
        """A header field as it came: the first of that name."""
        # As octets: asked for as text it has to be UTF-8.
        values = self.headers.getRawHeaders(name.encode("ascii"))
        return values[0].decode("latin-1") if values else None

    @property
    def retry_after(self) -> str | None:
        return self.header("Retry-After")

    @property
    def cache_control(self) -> str | None:
        return self.header("Cache-Control")


class Outgoing:
    """Requests to one address. `base` is a checked URL without a slash at its end."""

    def __init__(self, reactor: Any, base: str, agent: IAgent, limits: HttpLimits) -> None:
        self._reactor = reactor
        self._base = base
        self._limits = limits
        # treq would keep any cookies that come.
        self._http = HTTPClient(_Plain(agent), cookiejar=no_cookies(), data_to_body_producer=_Body)
        self._slots = DeferredSemaphore(limits.at_once)
        self._open: set[Deferred[Answer]] = set()

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        most: int | None = None,
        ahead: bool = False,
    ) -> "Deferred[Answer]":
        """Ask; fails with `NoAnswer` and with nothing else. `most` is for an answer shorter than usual.

        `ahead` of those that wait, besides those that are under way: whoever asks so bounds it himself.
        """
        limits = self._limits
        if not ahead and len(self._open) >= limits.at_once + limits.waiting:
            return _failed(NoAnswer(TOO_MANY, handed_over=False))
        most = limits.answer if most is None else min(most, limits.answer)
        asked = Deferred.fromCoroutine(self._ask(method, path, headers, body, most, ahead))
        self._open.add(asked)

        def too_late(_result: object, _seconds: float) -> Answer:
            raise NoAnswer(IN_TIME)

        def ended(result: Answer | Failure) -> Answer | Failure:
            self._open.discard(asked)
            # Not raised: then what failed would hang on to it as its context.
            return Failure(no_answer(result)) if isinstance(result, Failure) else result

        asked.addTimeout(limits.seconds, self._reactor, too_late)
        return asked.addBoth(ended)

    @property
    def busy(self) -> bool:
        """Whether a request is under way or waits."""
        return bool(self._open)

    def stop(self) -> None:
        """End what is under way, with `NoAnswer`."""
        for asked in tuple(self._open):
            asked.cancel()

    async def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        most: int,
        ahead: bool,
    ) -> Answer:
        if not ahead:
            await self._slots.acquire()
        try:
            response = await self.head(method, path, headers, body)
            octets = await read_body(response, most)
        finally:
            if not ahead:
                self._slots.release()
        return Answer(response.code, octets, response.headers, response.phrase.decode("latin-1"))

    async def head(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> IResponse:
        """Ask, and return when the head of the answer is there; with no bound to how long that takes."""
        response: IResponse = await self._http.request(
            method,
            self._base + path,
            headers=Headers({name: [value] for name, value in headers.items()}),
            data=body,
            allow_redirects=False,
            unbuffered=True,
            reactor=self._reactor,
        )
        return response


class NetworkHttp(Outgoing):
    """Requests over the network, on connections that are kept for a while."""

    def __init__(
        self, reactor: Any, base: str, agent: Callable[[HTTPConnectionPool], IAgent], limits: HttpLimits
    ) -> None:
        """`agent` makes the agent that connects, with the connections that are kept."""
        self._pool = pool = _Pool(reactor)
        pool.maxPersistentPerHost = limits.kept
        pool.cachedConnectionTimeout = limits.kept_seconds
        # It would send a message twice.
        pool.retryAutomatically = False
        super().__init__(reactor, base, agent(pool), limits)

    def close(self) -> "Deferred[None]":
        """End what is under way and close the connections that are kept."""
        self.stop()
        closed: Deferred[None] = self._pool.closeCachedConnections().addCallback(lambda _: None)
        return closed


class ProviderHttp(NetworkHttp):
    """Requests to wherever the operator's configuration says."""

    def __init__(self, reactor: Any, base: str, ca: Path | None, limits: HttpLimits) -> None:
        """`ca` as `roots` takes it, which may fail."""
        policy = BrowserLikePolicyForHTTPS(roots(ca))
        super().__init__(
            reactor, base, lambda pool: Agent(reactor, policy, limits.seconds, pool=pool), limits
        )


class _Pool(HTTPConnectionPool):
    _factory = ConnectionFactory


def roots(ca: Path | None) -> Any:
    """Who is trusted: those in `ca` (PEM) alone, where it is given, else those of the platform.

    Blocks while it reads; raises OSError and ValueError.
    """
    if ca is None:
        return platformTrust()
    found = x509.load_pem_x509_certificates(ca.read_bytes())
    return trustRootFromCertificates([Certificate.loadPEM(one.public_bytes(Encoding.PEM)) for one in found])


def _failed(error: NoAnswer) -> "Deferred[Answer]":
    failed: Deferred[Answer] = Deferred()
    failed.errback(error)
    return failed


@implementer(IAgent)
class _Plain:
    """Below treq: no compressed answers are asked for or unpacked, since a small one could be gigabytes."""

    def __init__(self, agent: IAgent) -> None:
        self._agent = agent

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,
    ) -> "Deferred[IResponse]":
        headers = Headers() if headers is None else headers.copy()
        headers.setRawHeaders("Accept-Encoding", ["identity"])
        headers.setRawHeaders("User-Agent", ["SafeUM-Home"])
        return self._agent.request(method, uri, headers, bodyProducer).addCallback(self._as_it_is)

    def _as_it_is(self, response: IResponse) -> IResponse:
        response.headers.removeHeader("Content-Encoding")
        return response


@implementer(IBodyProducer)
class _Body:
    """A short body, written at once."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.length = len(octets)

    def startProducing(self, consumer: IConsumer) -> "Deferred[None]":
        consumer.write(self._octets)
        return succeed(None)

    def pauseProducing(self) -> None:
        """There is nothing left to hold back."""

    def resumeProducing(self) -> None:
        """It was never held back."""

    def stopProducing(self) -> None:
        """It has ended."""
