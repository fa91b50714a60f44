"""That the process which answers calls is there: started, started again when it has died, and ended."""

from typing import Protocol

from automat import TypeMachineBuilder

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a process that has died is started again; each time it dies without having been ready it is
twice as long."""
START_SECONDS = 30.0
"""For how long it may take to be ready."""


class Means(Protocol):
    """What is done with the process."""

    def begin(self) -> None:
        """Start one."""

    def kill(self) -> None:
        """End the one there is."""

    def after(self, seconds: float) -> None:
        """Say `due` then, instead of what was asked for before."""

    def calm(self) -> None:
        """Do not say `due`."""

    def gone(self) -> None:
        """The process is there no more, for good."""


class Pause:
    """How long it is waited before the next start."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE

    def take(self) -> float:
        taken, self._next = self._next, min(2 * self._next, LONGEST_PAUSE)
        return taken

    def reset(self) -> None:
        self._next = FIRST_PAUSE


class Core:
    def __init__(self, means: Means) -> None:
        self.means = means
        self.pause = Pause()


class Supervision(Protocol):
    """What can happen."""

    def start(self) -> None:
        """It is wanted from now on."""

    def ready(self) -> None:
        """It has said that it answers."""

    def due(self) -> None:
        """The time that was asked for is over."""

    def doubt(self) -> None:
        """It does not do what it should."""

    def died(self) -> None:
        """It has ended."""

    def stop(self) -> None:
        """It is wanted no more."""

    def is_up(self) -> bool:
        """Whether it answers."""


_builder = TypeMachineBuilder(Supervision, Core)
_off = _builder.state("off")
_starting = _builder.state("starting")
_up = _builder.state("up")
_ending = _builder.state("ending")
_pausing = _builder.state("pausing")
_stopping = _builder.state("stopping")


@_off.upon(Supervision.start).to(_starting)
@_pausing.upon(Supervision.due).to(_starting)
def _begin(machine: Supervision, core: Core) -> None:
    core.means.after(START_SECONDS)
    core.means.begin()


@_starting.upon(Supervision.ready).to(_up)
def _ready(machine: Supervision, core: Core) -> None:
    core.means.calm()
    core.pause.reset()


@_starting.upon(Supervision.due).to(_ending)
@_starting.upon(Supervision.doubt).to(_ending)
@_up.upon(Supervision.doubt).to(_ending)
def _kill(machine: Supervision, core: Core) -> None:
    core.means.calm()
    core.means.kill()


for _state in (_starting, _up, _ending):

    @_state.upon(Supervision.died).to(_pausing)
    def _wait(machine: Supervision, core: Core) -> None:
        core.means.after(core.pause.take())

    @_state.upon(Supervision.stop).to(_stopping)
    def _stop(machine: Supervision, core: Core) -> None:
        core.means.calm()
        core.means.kill()


@_stopping.upon(Supervision.died).to(_off)
def _stopped(machine: Supervision, core: Core) -> None:
    core.means.gone()


@_pausing.upon(Supervision.stop).to(_off)
@_off.upon(Supervision.stop).loop()
def _was_gone(machine: Supervision, core: Core) -> None:
    core.means.calm()
    core.means.gone()


@_up.upon(Supervision.is_up).loop()
def _is_up(machine: Supervision, core: Core) -> bool:
    return True


for _state in (_off, _starting, _ending, _pausing, _stopping):
    _state.upon(Supervision.is_up).loop().returns(False)
for _state in (_off, _ending, _pausing, _stopping):
    _state.upon(Supervision.ready).loop().returns(None)
    _state.upon(Supervision.doubt).loop().returns(None)
for _state in (_off, _up, _ending, _stopping):
    _state.upon(Supervision.due).loop().returns(None)
for _state in (_off, _pausing):
    _state.upon(Supervision.died).loop().returns(None)
for _state in (_starting, _up, _ending, _pausing, _stopping):
    _state.upon(Supervision.start).loop().returns(None)
_up.upon(Supervision.ready).loop().returns(None)
_stopping.upon(Supervision.stop).loop().returns(None)

supervision = _builder.build()
"""`supervision(Core(means))` is a machine that is off."""
