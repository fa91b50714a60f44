"""In front of all providers of payments: each has a breaker, and what is asked of it is bounded."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.logger import Logger

from bridges.breaker import Breaker
from bridges.guard import Guard
from safeum_home.config_payments import PaymentSection
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ports.payments import (
    Begun,
    Forged,
    Malformed,
    Notice,
    Order,
    Outcome,
    PaymentProvider,
    Permanent,
    Temporary,
    Told,
)

AT_ONCE = 32
"""Orders that may be under way, with all providers together: one more is refused."""
TRIES, PAUSE = 2, 0.5
"""How often one order is tried, and seconds between: a provider recognises it."""
_FAILED = Temporary("the bridge failed")


class Standing(NamedTuple):
    """How it is with a provider; `counts` are since the node was opened."""

    name: str
    kind: str
    state: str
    counts: dict[str, int]


class _Till(NamedTuple):
    kind: str
    provider: PaymentProvider
    guard: Guard
    counts: Counter[str]


class Desk:
    """`ports.payments.PaymentWays`, and what notifications mean."""

    _log = Logger()

    def __init__(
        self, reactor: Any, section: PaymentSection, providers: Sequence[tuple[str, str, PaymentProvider]]
    ) -> None:
        """`providers` are names, kinds, and what was made of them."""
        self._reactor = reactor
        self._tills: dict[str, _Till] = {}
        self._under_way = 0
        for name, kind, provider in providers:
            breaker = Breaker(section.breaker_failures, section.breaker_seconds, reactor.seconds)
            guard = Guard(name, provider, breaker, reactor, "payment")
            self._tills[name] = _Till(kind, provider, guard, Counter())

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._tills)

    async def begin(self, provider: str, order: Order) -> str:
        if self._under_way >= AT_ONCE:
            raise Problem(Code.BUSY, retry_after=PAUSE)
        till = self._tills[provider]
        self._under_way += 1
        try:
            return await self._begin(till, order)
        finally:
            self._under_way -= 1

    def meaning(self, provider: str, notice: Notice) -> Sequence[Told]:
        """Raises `bad_signature`, `bad_request`, and `payments_unavailable` where it cannot be checked."""
        till = self._tills[provider]
        try:
            told = till.provider.meaning(notice)
        except Forged:
            till.counts["forged"] += 1
            raise Problem(Code.BAD_SIGNATURE) from None
        except Malformed:
            till.counts["malformed"] += 1
            raise Problem(Code.BAD_REQUEST) from None
        except (Problem, Tampered):
            till.counts["unchecked"] += 1
            raise Problem(Code.PAYMENTS_UNAVAILABLE) from None
        except Exception as error:
            self._failed(till, error)
            till.counts["unchecked"] += 1
            raise Problem(Code.PAYMENTS_UNAVAILABLE) from None
        till.counts["notified"] += 1
        return told

    def standings(self) -> list[Standing]:
        return [
            Standing(name, till.kind, till.guard.standing, dict(till.counts))
            for name, till in self._tills.items()
        ]

    async def stop(self) -> None:
        await gatherResults([till.provider.stop() for till in self._tills.values()])

    async def _begin(self, till: _Till, order: Order) -> str:
        for attempt in range(TRIES):
            if attempt:
                await deferLater(self._reactor, PAUSE)
            admitted = till.guard.admit()
            if admitted is None:
                till.counts["left_alone"] += 1
                raise Problem(Code.PAYMENTS_UNAVAILABLE, retry_after=till.guard.wait)
            outcome = await self._ask(till, order)
            match outcome:
                case Begun(url):
                    till.guard.took(admitted)
                    till.counts["begun"] += 1
                    return url
                case Permanent(reason, account_refused):
                    till.counts["refused"] += 1
                    if account_refused:
                        till.guard.failed(admitted, reason, at_once=True)
                    else:
                        # The order will not do: that is no trouble of the provider's.
                        till.guard.took(admitted)
                    raise Problem(Code.PAYMENTS_UNAVAILABLE)
                case Temporary(reason, retry_after):
                    till.guard.failed(admitted, reason)
                    till.counts["temporary"] += 1
                    if retry_after is not None:
                        till.guard.rest(retry_after)
                        break
        raise Problem(Code.PAYMENTS_UNAVAILABLE, retry_after=max(till.guard.wait, PAUSE))

    async def _ask(self, till: _Till, order: Order) -> Outcome:
        try:
            asked: Deferred[Outcome] = till.provider.begin(order)
            return await asked
        except Exception as error:
            self._failed(till, error)
            return _FAILED

    def _failed(self, till: _Till, error: Exception) -> None:
        # A third party's: its text may quote a secret, or what was paid.
        kind = type(error).__name__
        self._log.error("The bridge to {provider} failed: {kind}", provider=till.guard.name, kind=kind)
