"""Doubles for push: a provider that does as it is told, and what stands in front of some of them."""

from collections.abc import Callable, Hashable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bridges.push.sender import Sender
from safeum_home.config_push import PushProviderSection, PushSection
from safeum_home.errors import Code, Problem
from safeum_home.ports.push import Accepted, Outcome, PushAddress, Wake, Woken

NOON = 1_700_000_000 // 86400 * 86400 + 43200


class PushProvider:
    """Answers with `outcome`: at once, or never where that is None; or as a function of the token says."""

    def __init__(self, outcome: Outcome | Callable[[str], Outcome | None] | None = None) -> None:
        self.outcome = outcome
        self.asked: list[tuple[str, Wake, int]] = []
        """Tokens, classes, and for how many seconds they are of use."""
        self.open: list[Deferred[Outcome]] = []
        self.given_up = 0
        self.stopped = False
        self.trouble: str | None = None
        self.application_key: str | None = None

    @property
    def tokens(self) -> list[str]:
        return [token for token, _, _ in self.asked]

    def check(self, address: PushAddress) -> PushAddress:
        if not address.token.isalnum():
            raise Problem(Code.PUSH_ADDRESS_REFUSED)
        return address

    def wake(self, address: PushAddress, wake: Wake, seconds: int) -> Deferred[Outcome]:
        self.asked.append((address.token, wake, seconds))
        outcome = self.outcome(address.token) if callable(self.outcome) else self.outcome
        if outcome is not None:
            return succeed(outcome)
        self.open.append(Deferred(self._cancelled))
        return self.open[-1]

    def _cancelled(self, asked: Deferred[Outcome]) -> None:
        self.given_up += 1
        self.open.remove(asked)

    def stop(self) -> Deferred[None]:
        self.stopped = True
        return succeed(None)

    def answer(self, outcome: Outcome | None = None) -> None:
        """The oldest wake that is open is answered."""
        self.open.pop(0).callback(outcome or Accepted())


class PushServices(PushProvider):
    """Is many services, by the first letters of tokens: `rooms`, and what is in none of them."""

    def __init__(self, outcome: Outcome | None = None, **rooms: int) -> None:
        super().__init__(outcome)
        self.rooms = rooms
        self.crowded = 0
        """Wakes that there was no room for."""
        self.services = self

    def of(self, address: PushAddress) -> str | None:
        return address.token[0] if address.token[0] != "_" else None

    def room(self, service: Hashable) -> int:
        return self.rooms.get(str(service), 4)

    def wake(self, address: PushAddress, wake: Wake, seconds: int) -> Deferred[Outcome]:
        self.crowded += self.rooms.get(address.token[0], 4) <= 0
        return super().wake(address, wake, seconds)


class PushCase(SynchronousTestCase):
    """A sender on a clock that stands at noon. Back-offs are as long as they can get."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOON)

    def sender(self, *providers: PushProvider, **settings: Any) -> Sender:
        """In front of providers that are called a, b, c, ..."""
        names = "abcdefgh"[: len(providers)]
        section = PushSection([PushProviderSection(name, "double") for name in names], **settings)
        self.front = Sender(self.clock, section, providers, jitter=lambda: 1.0)
        return self.front

    def wake(self, token: str, wake: Wake = Wake.MESSAGE, provider: str = "a") -> Deferred[Woken]:
        """Have a device woken, through the last sender that was made."""
        return self.front.wake(provider, PushAddress(token), wake)

    def later(self, seconds: float) -> None:
        """Let time pass as it does: in small steps."""
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)

    def counts(self, provider: int = 0) -> dict[str, int]:
        return self.front.standings()[provider].counts

    @property
    def waiting(self) -> int:
        return sum(self.front.standings()[0].waiting.values())
