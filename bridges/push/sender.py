"""What stands in front of all push providers: a bounded queue, calls first, retries, a breaker each."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, succeed

from bridges.push.lane import Lane
from safeum_home.config_push import PushSection
from safeum_home.errors import Code, Problem
from safeum_home.ports.push import Offered, Outcome, PushAddress, PushProvider, Refused, Wake, Woken

_random = SystemRandom().random
NO_PROVIDER = Refused("this node has no such provider any more")


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is with a provider: in words, in numbers, and what became of wakes since the start."""

    name: str
    kind: str
    state: str
    trouble: str
    """Why it did not take a wake last, in the bridge's words; "" where it always did."""
    waiting: dict[Wake, int]
    under_way: int
    left_alone: bool
    counts: dict[str, int]


class Sender:
    """`ports.push.Pushes`. With no provider, nobody is ever woken."""

    def __init__(
        self,
        clock: Any,
        section: PushSection,
        providers: Sequence[PushProvider],
        jitter: Callable[[], float] = _random,
    ) -> None:
        """`clock` provides IReactorTime; `providers` are those of `section`, in its order."""
        self._lanes = {
            each.name: Lane(clock, section, each.name, provider, jitter)
            for each, provider in zip(section.providers, providers, strict=True)
        }
        self._kinds = {each.name: each.kind for each in section.providers}

    @property
    def offered(self) -> Sequence[Offered]:
        """As `ports.push.Pushes`."""
        return [Offered(name, self._kinds[name], lane.application_key) for name, lane in self._lanes.items()]

    @property
    def names(self) -> Collection[str]:
        """As `ports.push.Pushes`."""
        return self._lanes.keys()

    def can_wake(self, provider: str) -> bool:
        """As `ports.push.Pushes.can_wake`."""
        lane = self._lanes.get(provider)
        return lane is not None and lane.health.can_wake()

    def check(self, provider: str, address: PushAddress) -> PushAddress:
        """As `ports.push.Pushes.check`."""
        lane = self._lanes.get(provider)
        if lane is None:
            raise Problem(Code.PUSH_UNAVAILABLE)
        try:
            checked: object = lane.provider.check(address)
        except Problem:
            raise
        except Exception as error:
            checked = error
        if isinstance(checked, PushAddress):
            return checked
        lane.broken(checked)
        raise Problem(Code.PUSH_ADDRESS_REFUSED)

    def wake(self, provider: str, address: PushAddress, wake: Wake) -> "Deferred[Woken]":
        """As `ports.push.Pushes.wake`."""
        lane = self._lanes.get(provider)
        return succeed(Woken.GIVEN_UP) if lane is None else lane.wake(address, wake)

    def test(self, provider: str, address: PushAddress) -> "Deferred[Outcome]":
        """As `ports.push.Pushes.test`."""
        lane = self._lanes.get(provider)
        return succeed(NO_PROVIDER) if lane is None else lane.test(address)

    def standings(self) -> list[Standing]:
        """How it is with each provider."""
        return [self._standing(name, lane) for name, lane in self._lanes.items()]

    async def stop(self) -> None:
        """Give up what waits and what is under way, and close all providers."""
        # Whatever one of them fails with, the others are closed.
        await DeferredList([lane.stop() for lane in self._lanes.values()], consumeErrors=True)

    def _standing(self, name: str, lane: Lane) -> Standing:
        return Standing(
            name,
            self._kinds[name],
            _in_words(lane),
            lane.trouble,
            {wake: len(line) for wake, line in lane.queue.lines.items()},
            lane.under_way,
            lane.guard.wait > 0,
            {str(what): count for what, count in lane.tally.numbers.items()},
        )


def _in_words(lane: Lane) -> str:
    wait = lane.guard.wait
    return lane.guard.standing + (f", asked again in {math.ceil(wait)} s" if wait > 0 else "")
