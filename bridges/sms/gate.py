"""One provider behind its breaker: at most so long for an answer, and left alone while it asks for that."""

from typing import Any

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from bridges.breaker import Breaker
from bridges.guard import Guard
from bridges.sms.tally import Handed, Tally
from safeum_home.ports.sms import Accepted, Outcome, Permanent, SmsProvider, Temporary

_TIMED_OUT = Temporary("timed out")
_FAILED = Temporary("the bridge failed")


def _timed_out(value: object, seconds: float) -> Outcome:
    """Of what a provider says when it is interrupted, only that it has taken the message counts."""
    return value if isinstance(value, Accepted) else _TIMED_OUT


class Gate:
    """The way to one provider. `clock` provides IReactorTime; `seconds` is what a message may take."""

    _log = Logger()

    def __init__(
        self, name: str, provider: SmsProvider, breaker: Breaker, clock: Any, seconds: float, tally: Tally
    ) -> None:
        self.name = name
        self.provider = provider
        self._guard = Guard(name, provider, breaker, clock, "message")
        self._clock = clock
        self._seconds = seconds
        self._tally = tally

    @property
    def wait(self) -> float:
        """Seconds until the next message has a chance; 0 where it has one now."""
        return self._guard.wait

    @property
    def standing(self) -> str:
        """How it is with the provider, in words for the operator; its own, where it has some."""
        return self._guard.standing

    async def send(self, number: str, text: str, within: float) -> Outcome | None:
        """What the provider says within so many seconds; None where it was not asked."""
        admitted = self._guard.admit()
        if admitted is None:
            return None
        try:
            outcome = await self._ask(number, text, within)
        except CancelledError:
            self._guard.breaker.failed(admitted)
            raise
        self._weigh(outcome, admitted)
        return outcome

    async def _ask(self, number: str, text: str, within: float) -> Outcome:
        try:
            asked = self.provider.send(number, text)
            return await asked.addTimeout(min(self._seconds, within), self._clock, _timed_out)
        except CancelledError:
            raise
        except Exception as error:
            # Its text may quote the number.
            kind = type(error).__name__
            self._log.error("The bridge to {provider} failed: {kind}", provider=self.name, kind=kind)
            return _FAILED

    def _weigh(self, outcome: Outcome, admitted: int) -> None:
        match outcome:
            case Accepted():
                self._guard.took(admitted)
                what = Handed.TAKEN
            case Permanent(number_refused=True):
                self._guard.took(admitted)
                what = Handed.NUMBER_REFUSED
            case Permanent():
                self._guard.failed(admitted, outcome.reason, outcome.account_refused)
                what = Handed.REFUSED
            case Temporary():
                if outcome.retry_after is not None:
                    self._guard.rest(outcome.retry_after)
                self._guard.failed(admitted, outcome.reason)
                what = Handed.TIMED_OUT if outcome is _TIMED_OUT else Handed.TEMPORARY
        self._tally.handed(self.name, what)
