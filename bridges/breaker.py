"""A circuit breaker: a provider that fails is left alone, and tried with one message before it gets all.

           tripped                cooled                  admit
closed ---------------> open ---------------> half open ---------> trying
   ^                     ^                      ^                   | | |
   |                     |                      +---- left ---------+ | |
   |                     +--------------------- tripped --------------+ |
   +------------------------------------- recovered --------------------+
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from automat import TypeMachineBuilder

LONGEST = 16.0
"""A provider that stays down is left alone for up to so many times as long as at first."""
MOMENT = 0.1
"""Seconds in which what was under way together fails of one cause: a connection that broke."""


class BreakerMachine(Protocol):
    """What can happen to a breaker."""

    def admit(self) -> bool:
        """A message wants to go to the provider; whether it may."""

    def tripped(self, now: float) -> None:
        """The provider failed so often, or in such a way, that it is to be left alone."""

    def cooled(self) -> None:
        """It was left alone for long enough."""

    def recovered(self) -> None:
        """It took a message."""

    def left(self) -> None:
        """The message was given up before the provider said anything."""


@dataclass(slots=True)
class _Core:
    first: float
    state: str = "closed"
    passes: int = 0
    """That were given out."""
    opened: int = 0
    """So many when it opened: the result of a message that was admitted before that says nothing."""
    cooling: float = 0.0
    again_at: float = 0.0

    def open(self, now: float) -> None:
        self.state = "open"
        self.opened = self.passes
        self.cooling = min(2 * self.cooling or self.first, LONGEST * self.first)
        self.again_at = now + self.cooling


_builder = TypeMachineBuilder(BreakerMachine, _Core)
_closed = _builder.state("closed")
_open = _builder.state("open")
_half_open = _builder.state("half_open")
_trying = _builder.state("trying")

_closed.upon(BreakerMachine.admit).loop().returns(True)
_open.upon(BreakerMachine.admit).loop().returns(False)
_trying.upon(BreakerMachine.admit).loop().returns(False)
_closed.upon(BreakerMachine.cooled).loop().returns(None)
_half_open.upon(BreakerMachine.cooled).loop().returns(None)
_trying.upon(BreakerMachine.cooled).loop().returns(None)
_closed.upon(BreakerMachine.recovered).loop().returns(None)
_closed.upon(BreakerMachine.left).loop().returns(None)


@_trying.upon(BreakerMachine.left).to(_half_open)
def _left(machine: BreakerMachine, core: _Core) -> None:
    core.state = "half open"


@_half_open.upon(BreakerMachine.admit).to(_trying)
def _admitted(machine: BreakerMachine, core: _Core) -> bool:
    core.state = "trying"
    return True


@_closed.upon(BreakerMachine.tripped).to(_open)
@_trying.upon(BreakerMachine.tripped).to(_open)
def _tripped(machine: BreakerMachine, core: _Core, now: float) -> None:
    core.open(now)


@_open.upon(BreakerMachine.cooled).to(_half_open)
def _cooled(machine: BreakerMachine, core: _Core) -> None:
    core.state = "half open"


@_trying.upon(BreakerMachine.recovered).to(_closed)
def _recovered(machine: BreakerMachine, core: _Core) -> None:
    core.state, core.cooling = "closed", 0.0


_new_machine = _builder.build()


class Breaker:
    """The breaker of one provider. `failures` in a row open it, at first for `seconds`, then twice as long.

    Those of messages that were under way together and failed in one moment are one.
    Whoever was admitted says how it went, with the pass that `admit` gave him.
    """

    def __init__(self, failures: int, seconds: float, now: Callable[[], float]) -> None:
        self._most = failures
        self._now = now
        self._failed = 0
        self._failed_at = 0.0
        self._failed_of = 0
        """The passes that were given out when a failure counted last."""
        self._core = _Core(seconds)
        self._machine = _new_machine(self._core)

    @property
    def state(self) -> str:
        """`closed`, `open`, `half open`, or `trying` while the one message is under way."""
        return self._core.state

    @property
    def wait(self) -> float:
        """Seconds until the next message has a chance; 0 where it has one now."""
        if self.state == "closed":
            return 0.0
        wait = self._core.again_at - self._now()
        # With a clock that was set back it would be left alone for as much longer.
        return wait if 0 < wait <= self._core.cooling else 0.0

    def admit(self) -> int | None:
        """A pass for one message, or None where the provider is to be left alone."""
        # Of one that is closed the machine is not asked, which would say the same, for each message.
        if self._core.state != "closed":
            if self.wait == 0:
                self._machine.cooled()
            if not self._machine.admit():
                return None
        self._core.passes += 1
        return self._core.passes

    def took(self, admitted: int) -> None:
        """The provider answered, and not because it is in trouble."""
        if admitted > self._core.opened:
            self._failed = 0
            if self._core.state != "closed":
                self._machine.recovered()

    def left(self, admitted: int) -> None:
        """The message was given up; nothing is known of the provider, and the next one tries."""
        if admitted > self._core.opened:
            self._machine.left()

    def failed(self, admitted: int, at_once: bool = False) -> None:
        """The provider is in trouble; `at_once` where asking again would be no use."""
        if admitted <= self._core.opened:
            return
        now = self._now()
        if admitted > self._failed_of or not 0 <= now - self._failed_at < MOMENT:
            self._failed += 1
            self._failed_at, self._failed_of = now, self._core.passes
        if at_once or self.state == "trying" or self._failed >= self._most:
            self._failed = 0
            self._machine.tripped(now)
