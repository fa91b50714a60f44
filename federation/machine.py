"""What becomes of a destination: idle -> sending -> idle, and backing off where it cannot be told.

idle --woken--> sending --emptied--> idle          sending --woken--> sending once more
sending --failed--> backing off --due--> sending   any --stop--> stopped
sending --hindered--> backing off: for a moment, since this node itself has no room; no failure of the other

Between two tries there is a random time (full jitter), at first of up to a second, doubled each time up to
five minutes; after an hour without success from 15 to 30 minutes. Where the node shows that it is there, it
is tried at once, but not sooner than `PACE` after the last time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.interfaces import IDelayedCall, IReactorTime

FIRST, LONGEST = 1.0, 300.0
"""Seconds: the longest that is waited after the first failure, and at all within `SOON`."""
SOON = 3600.0
LATER = 1800.0
"""Seconds that are waited at the most after an hour without success."""
PACE = 5.0
HINDERED = 5.0
"""Seconds that are waited at the most where this node itself could not tell it."""


@dataclass(slots=True)
class Core:
    """`begin` sends what waits, and ends in `emptied` or `failed`."""

    clock: IReactorTime
    random: Callable[[], float]
    """From 0 to 1, evenly."""
    begin: Callable[[], None]
    state: str = "idle"
    since: float | None = None
    """When it failed first, in seconds since 1970; None where it did not since it was last told something."""
    tries: int = 0
    tried: float = 0.0
    timer: IDelayedCall | None = None

    def pause(self) -> float:
        """Seconds until the next try, whatever the node says."""
        if self.since is not None and self.clock.seconds() - self.since >= SOON:
            return LATER * (0.5 + 0.5 * self.random())
        return float(min(LONGEST, FIRST * 2.0 ** min(self.tries - 1, 20))) * self.random()


class Destination(Protocol):
    """What can happen to it."""

    def woken(self) -> None:
        """Something waits."""

    def heard(self) -> None:
        """The node is there."""

    def told(self) -> None:
        """It has taken something."""

    def emptied(self) -> None:
        """Nothing was left when it was looked for."""

    def failed(self, retry_after: float) -> None:
        """It could not be told; it asks to be left alone for so many seconds."""

    def hindered(self, pause: float) -> None:
        """This node was to blame that it was not told: after so many seconds it may be able to."""

    def due(self) -> None:
        """The time to wait is over."""

    def stop(self) -> None:
        """The node ends."""


_builder = TypeMachineBuilder(Destination, Core)
_idle = _builder.state("idle")
_sending = _builder.state("sending")
_again = _builder.state("sending, and woken meanwhile")
_backing_off = _builder.state("backing off")
_stopped = _builder.state("stopped")


@_idle.upon(Destination.woken).to(_sending)
@_again.upon(Destination.emptied).to(_sending)
@_backing_off.upon(Destination.due).to(_sending)
def _begin(machine: Destination, core: Core) -> None:
    core.timer = None
    core.state = "sending"
    core.tried = core.clock.seconds()
    core.begin()


for _state in (_sending, _again):

    @_state.upon(Destination.failed).to(_backing_off)
    def _failed(machine: Destination, core: Core, retry_after: float) -> None:
        now = core.clock.seconds()
        core.state = "backing off"
        core.since = now if core.since is None else core.since
        core.tries += 1
        pause = max(core.pause(), min(retry_after, LATER))
        core.timer = core.clock.callLater(pause, machine.due)

    @_state.upon(Destination.hindered).to(_backing_off)
    def _hindered(machine: Destination, core: Core, pause: float) -> None:
        core.state = "backing off"
        # They all are at the same moment: they do not come back at one.
        core.timer = core.clock.callLater(max(pause, HINDERED * core.random()), machine.due)

    @_state.upon(Destination.told).loop()
    def _told(machine: Destination, core: Core) -> None:
        core.since, core.tries = None, 0

    _state.upon(Destination.heard).loop().returns(None)


@_sending.upon(Destination.emptied).to(_idle)
def _emptied(machine: Destination, core: Core) -> None:
    core.state = "idle"


@_backing_off.upon(Destination.heard).loop()
def _heard(machine: Destination, core: Core) -> None:
    soon = max(0.0, core.tried + PACE - core.clock.seconds())
    if core.timer is not None and core.timer.getTime() > core.clock.seconds() + soon:
        core.timer.reset(soon)


for _state in (_idle, _sending, _again, _backing_off):

    @_state.upon(Destination.stop).to(_stopped)
    def _stop(machine: Destination, core: Core) -> None:
        timer, core.timer, core.state = core.timer, None, "stopped"
        if timer is not None:
            timer.cancel()


_sending.upon(Destination.woken).to(_again).returns(None)
_again.upon(Destination.woken).loop().returns(None)
_backing_off.upon(Destination.woken).loop().returns(None)
_idle.upon(Destination.heard).loop().returns(None)
for _input in (
    Destination.woken,
    Destination.heard,
    Destination.told,
    Destination.due,
    Destination.stop,
    Destination.emptied,
):
    _stopped.upon(_input).loop().returns(None)


@_stopped.upon(Destination.failed).loop()
def _failed_at_last(machine: Destination, core: Core, retry_after: float) -> None:
    """Nobody waits any more."""


@_stopped.upon(Destination.hindered).loop()
def _hindered_at_last(machine: Destination, core: Core, pause: float) -> None:
    """Nobody waits any more."""


new_destination = _builder.build()
