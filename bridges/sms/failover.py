"""From one provider to the next, and around again: the one retry policy in front of all of them."""

from collections.abc import Callable, Mapping, Sequence
from random import SystemRandom
from typing import Any

from twisted.internet.task import deferLater

from bridges.sms.gate import Gate
from safeum_home.ports.sms import Accepted, Outcome, Permanent

BACK_OFF = 1.0
"""Seconds before the second round, give or take half; twice as long before each further one."""
LEAST_RETRY = 5.0
"""Seconds after which a client that got no message may ask again, at the earliest."""

_random = SystemRandom().random


class NotSent(Exception):
    """No provider took the message.

    `handed_over` is whether any may have got it all the same, `refused` whether one refused the number;
    `retry_after` is in seconds, None where waiting does not help.
    """

    def __init__(self, *, handed_over: bool, refused: bool = False, retry_after: float | None = None) -> None:
        super().__init__()
        self.handed_over = handed_over
        self.refused = refused
        self.retry_after = retry_after


class Failover:
    """Hands messages over: to the providers in order, in `rounds` rounds at most.

    `routes` are other orders, for numbers that begin with these digits; the longest that fits counts.
    """

    def __init__(
        self,
        clock: Any,
        gates: Sequence[Gate],
        routes: Mapping[str, Sequence[str]],
        rounds: int,
        jitter: Callable[[], float] = _random,
    ) -> None:
        named = {gate.name: gate for gate in gates}
        self._clock = clock
        self._gates = list(gates)
        self._routes = {prefix: [named[name] for name in names] for prefix, names in routes.items()}
        self._rounds = rounds
        self._jitter = jitter
        self._stopped = False

    def stop(self) -> None:
        """Ask no provider any more: also where one makes an outcome of being interrupted."""
        self._stopped = True

    async def send(self, number: str, text: str, deadline: float) -> None:
        """Done when a provider has taken the message; raises `NotSent`, by `deadline`."""
        left = self._route(number)
        handed_over = False
        for turn in range(self._rounds):
            for gate in list(left):
                outcome = await self._try(gate, number, text, deadline)
                handed_over = handed_over or _may_have(outcome)
                if isinstance(outcome, Accepted):
                    return
                if isinstance(outcome, Permanent):
                    if outcome.number_refused:
                        raise NotSent(handed_over=True, refused=True)
                    left.remove(gate)
            wait = BACK_OFF * 2**turn * (0.5 + self._jitter())
            wait = max([wait, *self._soonest(left)])
            is_last = self._stopped or turn + 1 == self._rounds
            if not left or is_last or self._clock.seconds() + wait >= deadline:
                break
            await deferLater(self._clock, wait)
        again = max([LEAST_RETRY, *self._soonest(self._route(number))])
        raise NotSent(handed_over=handed_over, retry_after=again)

    async def _try(self, gate: Gate, number: str, text: str, deadline: float) -> Outcome | None:
        within = deadline - self._clock.seconds()
        if self._stopped or within <= 0:
            return None
        return await gate.send(number, text, within)

    def _soonest(self, gates: Sequence[Gate]) -> list[float]:
        return [min(gate.wait for gate in gates)] if gates else []

    def _route(self, number: str) -> list[Gate]:
        for length in range(len(number), 1, -1):
            found = self._routes.get(number[1:length])
            if found is not None:
                return list(found)
        return list(self._gates)


def _may_have(outcome: Outcome | None) -> bool:
    """Whether a provider that said this may have got the message; None is that it was not asked."""
    if outcome is None or isinstance(outcome, Accepted):
        return outcome is not None
    return outcome.handed_over and not (isinstance(outcome, Permanent) and outcome.account_refused)
