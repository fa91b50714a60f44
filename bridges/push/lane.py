"""The way to one push provider: its queue, so many at once, what is tried again and when."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from bridges.breaker import Breaker
from bridges.guard import Guard
from bridges.push.health import Health
from bridges.push.room import Room
from bridges.push.tally import Became, Failed, Tally
from bridges.push.waiting import Queue, Waking
from safeum_home.config_push import PushSection
from safeum_home.ports.push import (
    Accepted,
    Gone,
    Outcome,
    PushAddress,
    PushProvider,
    Refused,
    Temporary,
    Wake,
    Woken,
)

TICK = 0.25
"""Seconds between looks at what is due, over, or was waited for too long: one timer for all of it."""
BACK_OFF = {Wake.CALL: (0.5, 8.0), Wake.MESSAGE: (1.0, 300.0)}
"""Before a second try up to so many seconds, then twice as many each time, and at most so many."""

STEPS = 256
"""Wakes that are handed over, or set aside, in one go: what is left goes on with the next answer or tick."""

TIMED_OUT = Temporary("timed out")
FAILED = Temporary("the bridge failed")


class Lane:
    """One provider. `clock` provides IReactorTime; `jitter` is from 0 to 1."""

    _log = Logger()

    def __init__(
        self, clock: Any, section: PushSection, name: str, provider: PushProvider, jitter: Callable[[], float]
    ) -> None:
        self.name = name
        self.provider = provider
        self.tally = Tally()
        self.queue = Queue(section.queue)
        breaker = Breaker(section.breaker_failures, section.breaker_seconds, clock.seconds)
        self.guard = Guard(name, provider, breaker, clock, "wake")
        self.health = Health(name, self.guard, clock)
        self.trouble = ""
        """The last reason for not taking a wake, in the bridge's words."""
        self._clock = clock
        self._jitter = jitter
        self._room = Room(provider, section.concurrency)
        self._attempt = section.attempt_seconds
        self._useful = {Wake.CALL: section.call_seconds, Wake.MESSAGE: section.message_seconds}
        self._under_way: dict[Waking, Deferred[object]] = {}
        self._tests: set[Deferred[object]] = set()
        self._pumping = False
        self._ticking: Any = None
        self._stopped = False

    @property
    def under_way(self) -> int:
        """Wakes that the provider was asked to take, and has not answered for."""
        return len(self._under_way)

    @property
    def application_key(self) -> str | None:
        """As `ports.push.PushProvider` has it."""
        try:
            return self.provider.application_key
        except Exception as error:
            self.broken(error)
            return None

    def wake(self, address: PushAddress, wake: Wake) -> "Deferred[Woken]":
        """As `ports.push.Pushes.wake`."""
        if self._stopped:
            return succeed(Woken.GIVEN_UP)
        until = self._clock.seconds() + self._useful[wake]
        waking = Waking(address, wake, until, self._left, self._room.place_of(address))
        if (displaced := self.queue.put(waking)) is not None:
            self._end(displaced, Woken.GIVEN_UP, Became.CROWDED_OUT)
        self._pump()
        return waking.done

    def test(self, address: PushAddress) -> "Deferred[Outcome]":
        """As `ports.push.Pushes.test`; it counts for nothing but that the account is good."""
        asked = self._ask(address, Wake.MESSAGE, self._useful[Wake.MESSAGE])
        self._tests.add(asked)
        asked.addTimeout(self._attempt, self._clock, lambda *_: TIMED_OUT)

        def over(outcome: object) -> Outcome:
            self._tests.discard(asked)
            if isinstance(outcome, Accepted):
                self.health.tested()
            return outcome if isinstance(outcome, Outcome) else self.broken(outcome)

        return asked.addBoth(over)

    def stop(self) -> "Deferred[None]":
        """Give up what is waiting and under way, and close the provider."""
        self._stopped = True
        for waking in self.queue.drain():
            self._end(waking, Woken.GIVEN_UP, Became.CALLED_OFF)
        for waking in list(self._under_way):
            waking.done.cancel()
        for test in list(self._tests):
            self._cancel(test)
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        return maybeDeferred(self.provider.stop)

    # --- handing over

    def _pump(self) -> None:
        """Hand over what may be. A provider that answers at once has it go on in here, not deeper."""
        if self._pumping:
            return
        self._pumping = True
        try:
            self._hand_over_all(self._clock.seconds())
        finally:
            self._pumping = False
        if self._ticking is None and (self._under_way or self.queue):
            self._ticking = self._clock.callLater(TICK, self._tick)

    def _hand_over_all(self, now: float) -> None:
        for _ in range(STEPS):
            first = self.queue.first()
            if first is None or not self._room.has(first.wake, len(self._under_way)):
                break
            if first.until <= now:
                self._end(self.queue.take(first), Woken.GIVEN_UP, Became.EXPIRED)
            elif self._room.free_at(first.place) <= 0:
                self.queue.set_aside(first)
            elif (admitted := self.guard.admit()) is not None:
                self._hand_over(self.queue.take(first), admitted, now)
            else:
                break

    def _hand_over(self, waking: Waking, admitted: int, now: float) -> None:
        waking.admitted = admitted
        waking.ends = now + self._attempt
        self._room.begin(waking.place)
        asked = self._ask(waking.address, waking.wake, waking.until - now)
        if waking.done.called:
            # Called off from within: a bridge may tell others of their ends meanwhile.
            self._room_again(waking)
            self._give_up(waking, asked)
            return
        self._under_way[waking] = asked
        asked.addBoth(self._answered, waking)

    def _ask(self, address: PushAddress, wake: Wake, seconds: float) -> "Deferred[object]":
        # A third party's may raise, and may return whatever it likes.
        return maybeDeferred(self.provider.wake, address, wake, max(1, round(seconds)))

    def _answered(self, outcome: object, waking: Waking) -> None:
        if self._out(waking) is not None:
            self._weigh(waking, outcome)
            self._pump()

    def _out(self, waking: Waking) -> "Deferred[object] | None":
        """It is under way no more, if it was."""
        asked = self._under_way.pop(waking, None)
        if asked is not None:
            self._room_again(waking)
        return asked

    def _room_again(self, waking: Waking) -> None:
        self._room.over(waking.place)
        if waking.place is not None:
            self.queue.has_room(waking.place, self._room.free_at(waking.place))

    def broken(self, outcome: object) -> Temporary:
        """The bridge failed, or gave this, which is nothing that it may."""
        # A failure's text may quote the address.
        error = outcome.value if isinstance(outcome, Failure) else outcome
        kind = type(error).__name__
        self._log.error("The bridge to {provider} failed: {kind}", provider=self.name, kind=kind)
        return FAILED

    # --- what came of it

    def _weigh(self, waking: Waking, outcome: object) -> None:
        match outcome:
            case Accepted():
                self.guard.took(waking.admitted)
                self.health.took(waking.place)
                self._end(waking, Woken.TAKEN, Became.TAKEN)
            case Gone():
                self.guard.took(waking.admitted)
                self._is_gone(waking, outcome)
            case Refused():
                self._is_refused(waking, outcome)
            case Temporary():
                self._put_off(waking, outcome)
            case _:
                self._put_off(waking, self.broken(outcome))

    def _is_gone(self, waking: Waking, gone: Gone) -> None:
        if self.health.is_dead(waking.place):
            self._end(waking, Woken.DEAD, Became.DEAD)
        else:
            self.trouble = gone.reason
            self._end(waking, Woken.GIVEN_UP, Became.REFUSED)

    def _is_refused(self, waking: Waking, refused: Refused) -> None:
        self.trouble = refused.reason
        if refused.account_refused:
            self.guard.failed(waking.admitted, refused.reason, at_once=True)
            self.health.refused(refused.reason)
        else:
            self.guard.took(waking.admitted)
        self._end(waking, Woken.GIVEN_UP, Became.REFUSED)

    def _put_off(self, waking: Waking, temporary: Temporary) -> None:
        self.trouble = temporary.reason
        wait = max(0.0, temporary.retry_after or 0.0)
        if temporary.address_alone:
            self.guard.took(waking.admitted)
            failed = Failed.ADDRESS_LIMITED
        else:
            if temporary.retry_after is not None:
                self.guard.rest(temporary.retry_after)
            self.guard.failed(waking.admitted, temporary.reason)
            failed = Failed.TIMED_OUT if temporary is TIMED_OUT else Failed.TEMPORARY
            wait = self.guard.wait
        self.tally.numbers[failed] += 1
        first, most = BACK_OFF[waking.wake]
        waking.due = self._clock.seconds() + wait + self._jitter() * min(first * 2**waking.tries, most)
        waking.tries += 1
        if self._stopped or waking.due >= waking.until:
            self._end(waking, Woken.GIVEN_UP, Became.EXPIRED)
        else:
            self.queue.put_off(waking)

    def _end(self, waking: Waking, woken: Woken, became: Became) -> None:
        self.tally.numbers[became] += 1
        waking.done.callback(woken)

    def _left(self, waking: Waking) -> None:
        """Whoever wanted it wants it no more."""
        self.tally.numbers[Became.CALLED_OFF] += 1
        if waking.waits:
            self.queue.left(waking)
        elif (asked := self._out(waking)) is not None:
            self._give_up(waking, asked)
            self._pump()

    def _give_up(self, waking: Waking, asked: "Deferred[object]") -> None:
        self.guard.breaker.left(waking.admitted)
        self._cancel(asked)
        asked.addErrback(lambda _: None)

    def _cancel(self, asked: "Deferred[object]") -> None:
        try:
            asked.cancel()
        except Exception as error:
            self.broken(error)

    # --- the one timer

    def _tick(self) -> None:
        self._ticking = None
        now = self._clock.seconds()
        for waking in [each for each in self._under_way if each.ends <= now or each.until <= now]:
            if (asked := self._out(waking)) is not None:
                self._cancel(asked)
                self._interrupted(waking, now)
        self.queue.now_due(now)
        for place in self.queue.look_aside(now):
            self.queue.has_room(place, self._room.free_at(place))
        for waking in self.queue.over(now):
            self._end(waking, Woken.GIVEN_UP, Became.EXPIRED)
        self._pump()

    def _interrupted(self, waking: Waking, now: float) -> None:
        if waking.ends <= now:
            self._weigh(waking, TIMED_OUT)
        else:
            # It had less time than an answer may take: that says nothing of the provider.
            self.guard.breaker.left(waking.admitted)
            self._end(waking, Woken.GIVEN_UP, Became.EXPIRED)
