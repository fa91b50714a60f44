"""What providers over HTTP have in common: one request for a message, one outcome for an answer."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.web.resource import IResource

from bridges.answers import retry_after
from bridges.settings import missing
from bridges.sms.settings import is_number
from safeum_home.errors import Problem, Tampered
from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.ports.sms import Outcome, Permanent, SmsContext, Temporary

NO_CREDENTIALS = "the credentials are not in the sealed store"
NOT_UNDERSTOOD = "the answer is not understood"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that hands over one message."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    reference: str = ""
    """What its delivery reports will call it, where that is for the bridge to say."""


class Http(Protocol):
    """The guarded client."""

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> "Deferred[Answer]": ...

    def close(self) -> "Deferred[None]": ...


class HttpProvider(ABC):
    """A provider: a subclass says how a message is asked for, and what an answer means."""

    callback: IResource | None = None

    def __init__(self, context: SmsContext, http: Http, key: str) -> None:
        """`key` is `secret:NAME` of what it signs in with."""
        self._context = context
        self._http = http
        self._key = key

    @property
    def trouble(self) -> str | None:
        """As `ports.sms.SmsBridge` has it."""
        return missing(self._context, self._key)

    def send(self, number: str, text: str) -> "Deferred[Outcome]":
        return Deferred.fromCoroutine(self._send(number, text))

    def stop(self) -> "Deferred[None]":
        return self._http.close()

    @abstractmethod
    def ask(self, number: str, text: str) -> Ask:
        """The request; raises `Problem` and `Tampered` where a secret cannot be opened."""

    @abstractmethod
    def outcome(self, answer: Answer, ask: Ask) -> Outcome:
        """What the answer to `ask` means."""

    async def _send(self, number: str, text: str) -> Outcome:
        if not is_number(number):
            return Permanent("not a phone number", number_refused=True)
        try:
            ask = self.ask(number, text)
        except (Problem, Tampered):
            return Permanent(NO_CREDENTIALS, handed_over=False)
        try:
            answer = await self._http.request(ask.method, ask.path, ask.headers, ask.body)
        except NoAnswer as error:
            return Temporary(error.reason, handed_over=error.handed_over)
        return self.outcome(answer, ask)

    def refusal(self, answer: Answer) -> Outcome:
        """What a status other than 2xx means, where the body says nothing better (RFC 9110, section 15)."""
        status = answer.status
        if status == 429 or status >= 500:
            reason = "the provider asks for fewer requests" if status == 429 else "the provider has a failure"
            return Temporary(reason, self._wait(answer.retry_after))
        if status == 408:
            return Temporary("the provider gave up waiting for the request")
        if status in _OF_THE_ACCOUNT:
            return Permanent(_OF_THE_ACCOUNT[status], account_refused=True)
        if status < 400:
            return Permanent("the provider is somewhere else: its URL is wrong", account_refused=True)
        return Permanent("the provider refuses the message")

    def _wait(self, text: str | None) -> float | None:
        return retry_after(text, float(self._context.reactor.seconds()))


_OF_THE_ACCOUNT = {
    401: "the provider refuses the credentials",
    402: "the provider wants to be paid",
    403: "the provider refuses the credentials",
    404: "the provider does not know the resource",
}
