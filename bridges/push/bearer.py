"""Providers that are asked with an access token: one request for a wake, one outcome for an answer."""

from abc import ABC, abstractmethod
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from bridges.push.oauth import Access, AccessTokens, NotNow
from safeum_home.errors import Problem
from safeum_home.outgoing.answers import GIVEN_UP, IN_TIME, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.ports.push import Outcome, PushAddress, Refused, Temporary, Wake

NOT_OURS = "the address is none of this provider's"
NO_OTHERS = "there is a `token` here, and neither `call_token` nor `keys`"


class BearerProvider(ABC):
    """A subclass says how a wake is asked for, and what an answer means."""

    application_key: str | None = None

    def __init__(self, reactor: Any, tokens: AccessTokens, seconds: float) -> None:
        """A wake takes `seconds` at the most, with a token that has to be fetched and a second try."""
        self._reactor = reactor
        self._tokens = tokens
        self._seconds = seconds

    def wake(self, address: PushAddress, wake: Wake, seconds: int) -> "Deferred[Outcome]":
        woken: Deferred[Outcome] = Deferred.fromCoroutine(self._wake(address, wake, seconds))
        return woken.addTimeout(self._seconds, self._reactor, lambda _result, _seconds: Temporary(IN_TIME))

    async def _wake(self, address: PushAddress, wake: Wake, seconds: int) -> Outcome:
        try:
            # What was taken when it came in may not be any more.
            self.check(address)
            access = await self._tokens.current()
            answer = await self.ask(access, address, wake, seconds)
            if self.is_token_refused(answer):
                self._tokens.forget(access)
                access = await self._tokens.current()
                answer = await self.ask(access, address, wake, seconds)
        except Problem:
            return Refused(NOT_OURS)
        except NotNow as error:
            return error.outcome
        except NoAnswer as error:
            return self.unanswered(error, address)
        except CancelledError:
            return Temporary(GIVEN_UP)
        return self.outcome(answer, address)

    @abstractmethod
    def check(self, address: PushAddress) -> PushAddress:
        """As `ports.push.PushProvider` has it."""

    @abstractmethod
    def ask(self, access: Access, address: PushAddress, wake: Wake, seconds: int) -> "Deferred[Answer]":
        """Hand the wake over; fails with `NoAnswer`, and with `NotNow`."""

    @abstractmethod
    def outcome(self, answer: Answer, address: PushAddress) -> Outcome:
        """What an answer means."""

    def unanswered(self, error: NoAnswer, address: PushAddress) -> Outcome:
        """What it means that there was no answer."""
        return Temporary(error.reason)

    def is_token_refused(self, answer: Answer) -> bool:
        """Whether another access token may help."""
        return answer.status == 401
