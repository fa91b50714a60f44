"""Doubles for text messages: a provider that does as it is told, and a sender in front of some of them."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from bridges.sms.sender import Sender
from bridges.sms.tally import Tally
from safeum_home.config import SmsProviderSection, SmsSection
from safeum_home.errors import Problem
from safeum_home.ports.sms import Accepted, Outcome

NUMBER = "+447700900123"
HOST = "192.0.2.7"
NOON = 1_700_000_000 // 86400 * 86400 + 43200
TEXT = "482913 is your SafeUM code. Do not share it."


@implementer(ILogObserver)
class _Listener:
    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        self.events.append(event)


def logged(case: SynchronousTestCase | TestCase) -> list[LogEvent]:
    """What is logged until the test is over."""
    listener = _Listener()
    globalLogPublisher.addObserver(listener)
    case.addCleanup(globalLogPublisher.removeObserver, listener)
    return listener.events


class Provider:
    """Answers with `outcome`: at once, or never where that is None; or as a function says."""

    def __init__(self, outcome: Outcome | Callable[[str], Outcome | None] | None = None) -> None:
        self.outcome = outcome
        self.sent: list[tuple[str, str]] = []
        self.open: list[Deferred[Outcome]] = []
        self.stopped = False
        self.trouble: str | None = None

    def send(self, number: str, text: str) -> Deferred[Outcome]:
        self.sent.append((number, text))
        outcome = self.outcome(number) if callable(self.outcome) else self.outcome
        if outcome is not None:
            return succeed(outcome)
        self.open.append(Deferred())
        return self.open[-1]

    def stop(self) -> Deferred[None]:
        self.stopped = True
        return succeed(None)

    def answer(self, outcome: Outcome | None = None) -> None:
        """The oldest message that waits is answered."""
        self.open.pop(0).callback(outcome or Accepted())


class SenderCase(SynchronousTestCase):
    """A sender on a clock that stands at noon."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOON)

    def sender(self, *providers: Provider, **settings: Any) -> Sender:
        """In front of providers that are called a, b, c, ...; limits are wide where not given."""
        names = "abcdefgh"[: len(providers)]
        wide = {
            f"{what}_{how}": many
            for what in ("number", "address", "prefix", "area")
            for how, many in (("per_hour", 1e9), ("burst", 10**9))
        }
        given = {
            **wide,
            "messages_per_day": 10**9,
            "cost_per_day": 10**15,
            "conversion_messages": 10**9,
            **settings,
            "providers": [SmsProviderSection(name, "double") for name in names],
        }
        section = SmsSection(**given)
        self.tally = Tally(names)
        pairs = list(zip(names, providers, strict=True))
        return Sender(self.clock, section, pairs, self.tally, jitter=lambda: 0.5)

    def refused(self, sending: Deferred[None]) -> tuple[str, float | None]:
        """Code and `retry_after` of what the user is told."""
        problem = self.failureResultOf(sending, Problem).value
        assert isinstance(problem, Problem)
        return problem.code.code, problem.retry_after
