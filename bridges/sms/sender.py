"""What stands in front of all providers of text messages: limits, a bounded queue, fail-over."""

import re
from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredList

from bridges.breaker import Breaker
from bridges.sms.failover import Failover, NotSent
from bridges.sms.gate import Gate
from bridges.sms.limits import SendLimits, Taken
from bridges.sms.slots import Slots
from bridges.sms.tally import Tally
from safeum_home.config import SmsSection
from safeum_home.errors import Code, Problem
from safeum_home.ports.sms import SmsProvider

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_random = SystemRandom().random


class Sender:
    """`ports.TextMessages`. With no provider, nothing is ever sent."""

    def __init__(
        self,
        clock: Any,
        section: SmsSection,
        providers: Sequence[tuple[str, SmsProvider]],
        tally: Tally,
        jitter: Callable[[], float] = _random,
    ) -> None:
        """`clock` provides IReactorTime; providers have their names from the configuration."""
        self._clock = clock
        self._seconds = section.total_seconds
        self._tally = tally
        self._gates = [
            Gate(
                name,
                provider,
                Breaker(section.breaker_failures, section.breaker_seconds, clock.seconds),
                clock,
                section.attempt_seconds,
                tally,
            )
            for name, provider in providers
        ]
        self._failover = Failover(clock, self._gates, section.routes, section.rounds, jitter)
        self._limits = SendLimits(section, clock.seconds)
        self._slots = Slots(clock, section.concurrency, section.queue)
        self._under_way: set[Deferred[None]] = set()
        self._stopped = False

    def send(self, number: str, text: str, host: str) -> Deferred[None]:
        """As `ports.TextMessages.send`; `invalid_params` where `number` is not E.164 with "+"."""
        sending = Deferred.fromCoroutine(self._send(number, text, host))
        self._under_way.add(sending)

        def over(result: object) -> Any:
            self._under_way.discard(sending)
            return result

        return sending.addBoth(over)

    def used(self, number: str) -> None:
        """As `ports.TextMessages.used`."""
        self._limits.used(number)

    def report(self) -> list[str]:
        """A line for each provider, for the operator: how it is with it, and its counts."""
        lines = []
        for gate in self._gates:
            counts = ", ".join(f"{what} {count}" for what, count in sorted(self._tally.of(gate.name).items()))
            lines.append(f"{gate.name}: {gate.standing}" + (f"; {counts}" if counts else ""))
        return lines

    @property
    def today(self) -> str:
        """What the day has brought so far, of what it may bring."""
        return self._limits.budget.report

    async def stop(self) -> None:
        """End what is under way, and close all providers."""
        self._stopped = True
        self._failover.stop()
        for sending in list(self._under_way):
            sending.cancel()
        # Whatever one of them fails with, the others are closed.
        await DeferredList([gate.provider.stop() for gate in self._gates], consumeErrors=True)

    async def _send(self, number: str, text: str, host: str) -> None:
        if not _NUMBER.match(number):
            raise Problem(Code.INVALID_PARAMS)
        if not self._gates:
            raise Problem(Code.SMS_UNAVAILABLE)
        if self._stopped:
            raise Problem(Code.SHUTTING_DOWN)
        self._slots.check()
        taken = self._limits.take(number, host)
        deadline = self._clock.seconds() + self._seconds
        try:
            await self._slots.take(self._seconds)
        except CancelledError:
            raise Problem(Code.SHUTTING_DOWN) from None
        except Problem:
            self._limits.give_back(number, taken)
            raise
        try:
            await self._hand_over(number, text, deadline, taken)
        except CancelledError:
            raise Problem(Code.SHUTTING_DOWN) from None
        finally:
            self._slots.free()

    async def _hand_over(self, number: str, text: str, deadline: float, taken: Taken) -> None:
        try:
            await self._failover.send(number, text, deadline)
        except NotSent as failure:
            if self._stopped:
                raise Problem(Code.SHUTTING_DOWN) from None
            if failure.refused:
                self._limits.refused(number, taken)
            elif not failure.handed_over:
                self._limits.give_back(number, taken)
            raise Problem(Code.SMS_UNAVAILABLE, retry_after=failure.retry_after) from None
        self._limits.sent(taken)
