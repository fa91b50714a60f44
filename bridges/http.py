"""The one way out: HTTP requests to a provider that is not trusted more than it must be.

One address that was checked, verified TLS, no redirects, no cookies, no compression, a cap on time, on the
size of an answer, and on how much goes on at once. What fails is told in words that quote nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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

from bridges.http_answer import NoAnswer, no_answer, no_cookies, read_body


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What requests to one provider may use. Times in seconds, sizes in octets."""

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
    """What a provider answered."""

    status: int
    body: bytes
    retry_after: str | None = None
    """The header field as it came."""


class Outgoing:
    """Requests to one provider. `base` is as `address.base_url` checked it."""

    def __init__(self, reactor: Any, base: str, agent: IAgent, limits: HttpLimits) -> None:
        self._reactor = reactor
        self._base = base
        self._limits = limits
        # treq would keep any cookies that come.
        self._http = HTTPClient(_Plain(agent), cookiejar=no_cookies(), data_to_body_producer=_Body)
        self._slots = DeferredSemaphore(limits.at_once)
        self._open: set[Deferred[Answer]] = set()

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> "Deferred[Answer]":
        """Ask; fails with `NoAnswer` and with nothing else."""
        limits = self._limits
        if len(self._open) >= limits.at_once + limits.waiting:
            return _failed(NoAnswer("too many requests are waiting", handed_over=False))
        asked = Deferred.fromCoroutine(self._ask(method, path, headers, body))
        self._open.add(asked)

        def too_late(_result: object, _seconds: float) -> Answer:
            raise NoAnswer("there was no answer in time")

        def ended(result: Answer | Failure) -> Answer | Failure:
            self._open.discard(asked)
            # Not raised: then what failed would hang on to it as its context.
            return Failure(no_answer(result)) if isinstance(result, Failure) else result

        asked.addTimeout(limits.seconds, self._reactor, too_late)
        return asked.addBoth(ended)

    def stop(self) -> None:
        """End what is under way, with `NoAnswer`."""
        for asked in tuple(self._open):
            asked.cancel()

    async def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        await self._slots.acquire()
        try:
            response = await self._http.request(
                method,
                self._base + path,
                headers=Headers({name: [value] for name, value in headers.items()}),
                data=body,
                allow_redirects=False,
                unbuffered=True,
                reactor=self._reactor,
            )
            octets = await read_body(response, self._limits.answer)
        finally:
            self._slots.release()
        later = response.headers.getRawHeaders(b"Retry-After")
        return Answer(response.code, octets, later[0].decode("latin-1") if later else None)


class ProviderHttp(Outgoing):
    """Requests over the network."""

    def __init__(self, reactor: Any, base: str, ca: Path | None, limits: HttpLimits) -> None:
        """`ca` has the only roots (PEM) that are trusted, where it is given, in place of the platform's.

        Blocks while it reads them; raises OSError and ValueError.
        """
        self._pool = pool = _Pool(reactor)
        pool.maxPersistentPerHost = limits.kept
        pool.cachedConnectionTimeout = limits.kept_seconds
        # It would send a message twice.
        pool.retryAutomatically = False
        policy = BrowserLikePolicyForHTTPS(_roots(ca))
        super().__init__(reactor, base, Agent(reactor, policy, limits.seconds, pool=pool), limits)

    def close(self) -> "Deferred[None]":
        """End what is under way and close the connections that are kept."""
        self.stop()
        closed: Deferred[None] = self._pool.closeCachedConnections().addCallback(lambda _: None)
        return closed


class _QuietFactory(HTTPConnectionPool._factory):  # type: ignore[misc, valid-type]
    """Does not write into the log that a connection begins and ends."""

    noisy = False


class _Pool(HTTPConnectionPool):
    _factory = _QuietFactory


def _roots(ca: Path | None) -> Any:
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
