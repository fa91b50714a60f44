"""Wakes on their way: from being handed to a provider until the device comes, or they are of no use."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.config_push import PushSection
from safeum_home.errors import Problem
from safeum_home.ports import Database, Owners
from safeum_home.ports.push import Pushes, Wake, Woken
from safeum_home.push.dead import forget_dead
from safeum_home.push.known import Device
from safeum_home.push.sleeper import Place
from safeum_home.rounds import Rounds, Waiting
from safeum_home.storage import push

AT_ONCE = 1000
"""Wakes that are over in one round."""
RESTS = [60.0 * 2**doubled for doubled in range(6)] + [3600.0]
"""Seconds until a device is tried again whose wakes for messages were given up, so often in a row."""
MOST = 100_000
"""Wakes of a class that were taken and may still bring a device."""
_log = Logger()


class Errand:
    """One wake of one device."""

    __slots__ = ("_done", "_errands", "_over", "device", "place", "upto", "waits", "wake")

    def __init__(self, errands: "Errands", device: Device, wake: Wake, place: Place, upto: int) -> None:
        self._errands = errands
        self.device = device
        self.wake = wake
        self.place = place
        self.upto = upto
        """What was committed when it was handed in: of all that the device is told once it comes."""
        self.waits: Waiting[Errand] | None = None
        """Where it waits for being over."""
        self._over = False
        self._done: Deferred[Woken] | None = None

    def begin(self) -> None:
        done = self._done = self._errands.hand_in(self)
        done.addErrback(_given_up).addCallback(self._became)

    def _became(self, woken: Woken) -> None:
        self._done = None
        if woken is Woken.DEAD:
            self._errands.dead(self)
        elif self._over:
            return
        elif woken is Woken.TAKEN:
            self._errands.taken(self)
        else:
            self._errands.rest(self)

    @property
    def is_handed_in(self) -> bool:
        return self._done is not None

    def end(self) -> None:
        """Nothing is to be expected of it any more: where something waits the device is tried again."""
        if not self._over:
            self._over = True
            self.device.over(self.wake)

    def take_back(self) -> None:
        """The device needs it no more."""
        self._over = True
        if self.waits is not None:
            self.waits.drop(self)
        if self._done is not None:
            self._done.cancel()


class Errands:
    """Hands wakes in, notes what devices were told, and forgets addresses that are dead."""

    def __init__(
        self,
        clock: Any,
        database: Database,
        pushes: Pushes,
        section: PushSection,
        owners: Owners,
        dead: Callable[[Errand], None],
        most: int = MOST,
    ) -> None:
        """`dead` is told of what led to a token that is forgotten now.

        At `most` of a class are kept until they are of no use any more: then the oldest are over before that.
        """
        self._clock = clock
        self._database = database
        self._pushes = pushes
        self._owners = owners
        self._dead = dead
        self._most = most
        self._rounds = Rounds(clock)
        seconds = {Wake.MESSAGE: section.message_seconds, Wake.CALL: section.call_seconds}
        self._taken = {
            wake: self._rounds.queue(delay, AT_ONCE, Errand.end) for wake, delay in seconds.items()
        }
        self._resting = [self._rounds.queue(delay, AT_ONCE, Errand.end) for delay in RESTS]

    def make(self, device: Device, wake: Wake, place: Place) -> Errand:
        """A wake of a device, which has not begun."""
        return Errand(self, device, wake, place, self._database.committed)

    def hand_in(self, errand: Errand) -> "Deferred[Woken]":
        return self._pushes.wake(errand.place.provider, errand.place.address, errand.wake)

    def taken(self, errand: Errand) -> None:
        errand.device.refused = 0
        kept = self._taken[errand.wake]
        self._wait(errand, kept)
        if errand.wake is Wake.MESSAGE:
            told = errand.place.device, errand.upto
            self._database.append(push.note_told, told).addErrback(not_stored)
        if len(kept) > self._most:
            kept.hurry()

    def rest(self, errand: Errand) -> None:
        """It was given up. Who is refused with each message is not asked for with each message.

        A call stands for its time, as if it had been taken; what else waits is tried when that is over.
        """
        if errand.wake is Wake.CALL:
            self._wait(errand, self._taken[Wake.CALL])
            return
        refused = errand.device.refused
        errand.device.refused = min(refused + 1, len(RESTS) - 1)
        self._wait(errand, self._resting[refused])

    def _wait(self, errand: Errand, queue: "Waiting[Errand]") -> None:
        errand.waits = queue
        queue.add(errand, self._clock.seconds())

    def dead(self, errand: Errand) -> None:
        """The token goes, unless there is another by now: then the device is known with that already."""

        def forgotten(gone: bool) -> None:
            if gone:
                self._dead(errand)
            errand.end()

        def failed(failure: Failure) -> None:
            not_stored(failure)
            self.rest(errand)

        about = self._owners, errand.place, errand.wake
        forgetting = self._database.transact(lambda c: forget_dead(c, *about))
        forgetting.addCallback(forgotten).addErrback(failed)

    def stop(self) -> None:
        """Nothing is over any more; what is under way is its provider's."""
        self._rounds.stop()


def _given_up(failure: Failure) -> Woken:
    if failure.check(CancelledError) is None:
        _log.failure("a wake failed", failure=failure)
    return Woken.GIVEN_UP


def not_stored(failure: Failure) -> None:
    """The storage says itself that it is unavailable: the wake may be repeated, and that is all."""
    if failure.check(Problem) is None:
        _log.failure("what became of a wake could not be noted", failure=failure)
