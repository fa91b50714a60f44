"""When the vault is written: in a while, at once, again, or not as long as its user has not been asked.

clean --changed--> due --elapsed--> writing --written--> clean    writing --changed--> again --written--> due
due --urgent--> writing           writing --urgent--> pressing --written--> writing
writing, again, pressing --failed--> due            any --hold--> held --release--> due
any --stop--> stopped
"""

from collections.abc import Callable
from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

PAUSE = 10.0
"""Seconds from a change until it is written: several go together."""


class Core:
    """`write` writes it once, and says what has come of that."""

    def __init__(self, clock: IReactorTime, write: Callable[[], None]) -> None:
        self._clock = clock
        self.write = write
        self._timer: IDelayedCall | None = None
        self._waiting: list[Deferred[None]] = []
        self.resting = True
        """Whether nothing is to be written, or can be for now."""

    def later(self, elapsed: Callable[[], None]) -> None:
        self.stop_timer()
        self._timer = self._clock.callLater(PAUSE, elapsed)

    def stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def wait(self) -> "Deferred[None]":
        """Until it is written, or has failed."""
        waiting: Deferred[None] = Deferred()
        if self.resting:
            waiting.callback(None)
        else:
            self._waiting.append(waiting)
        return waiting

    def rest(self) -> None:
        """Whoever waits waits no more."""
        self.resting = True
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.called:  # whoever has waited may have given up
                each.callback(None)


class Writing(Protocol):
    """What can happen."""

    def changed(self) -> None:
        """Something is different that it keeps."""

    def urgent(self) -> None:
        """That must not be lost: write at once."""

    def press(self) -> None:
        """Write at once what there is to be written."""

    def elapsed(self) -> None:
        """The pause is over."""

    def written(self) -> None:
        """The node has it."""

    def failed(self) -> None:
        """The node cannot have it now."""

    def hold(self) -> None:
        """What the node has is refused: nothing is written over it."""

    def release(self) -> None:
        """Its user was asked."""

    def stop(self) -> None:
        """What is not written is gone."""


_builder = TypeMachineBuilder(Writing, Core)
_clean = _builder.state("clean")
_due = _builder.state("due")
_writing = _builder.state("writing")
_again = _builder.state("again")
_pressing = _builder.state("pressing")
_held = _builder.state("held")
_stopped = _builder.state("stopped")
_BUSY = (_writing, _again, _pressing)


def _later(machine: Writing, core: Core) -> None:
    core.resting = False
    core.later(machine.elapsed)


def _now(machine: Writing, core: Core) -> None:
    core.resting = False
    core.stop_timer()
    core.write()


def _fails(machine: Writing, core: Core) -> None:
    core.rest()
    _later(machine, core)


def _rests(machine: Writing, core: Core) -> None:
    core.stop_timer()
    core.rest()


_clean.upon(Writing.changed).to(_due)(_later)
for _state in (_clean, _due):
    _state.upon(Writing.urgent).to(_writing)(_now)
for _input in (Writing.press, Writing.elapsed):
    _due.upon(_input).to(_writing)(_now)
_writing.upon(Writing.changed).to(_again).returns(None)
for _state in (_writing, _again):
    for _input in (Writing.urgent, Writing.press):
        if (_state, _input) != (_writing, Writing.press):
            _state.upon(_input).to(_pressing).returns(None)
_writing.upon(Writing.written).to(_clean)(_rests)
_again.upon(Writing.written).to(_due)(_later)
_pressing.upon(Writing.written).to(_writing)(_now)
for _state in _BUSY:
    _state.upon(Writing.failed).to(_due)(_fails)
for _state in (_clean, _due, *_BUSY, _held):
    _state.upon(Writing.hold).to(_held)(_rests)
    _state.upon(Writing.stop).to(_stopped)(_rests)
_held.upon(Writing.release).to(_due)(_later)

_NOTHING = (
    (_clean, (Writing.press, Writing.elapsed, Writing.written, Writing.failed, Writing.release)),
    (_due, (Writing.changed, Writing.written, Writing.failed, Writing.release)),
    (_writing, (Writing.press, Writing.elapsed, Writing.release)),
    (_again, (Writing.changed, Writing.elapsed, Writing.release)),
    (_pressing, (Writing.changed, Writing.urgent, Writing.press, Writing.elapsed, Writing.release)),
)
for _state, _inputs in _NOTHING:
    for _input in _inputs:
        _state.upon(_input).loop().returns(None)
_ALL = (Writing.changed, Writing.urgent, Writing.press, Writing.elapsed, Writing.written, Writing.failed)
for _input in _ALL:
    _held.upon(_input).loop().returns(None)
for _input in (*_ALL, Writing.hold, Writing.release, Writing.stop):
    _stopped.upon(_input).loop().returns(None)

new_writing = _builder.build()
"""`new_writing(Core(...))` has nothing to write."""
