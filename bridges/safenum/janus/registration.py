"""How it is with a session at Janus, and with its registration at the edge.

opening --opened--> making --made--> registering --registered--> up
                                     registering, up --refused--> waiting --again--> registering
any --lost--> over

While it waits calls go on: their dialogs are the edge's, and their sound does not pass through it.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from automat import TypeMachineBuilder


class SessionMachine(Protocol):
    """What can happen to a session."""

    def opened(self) -> None:
        """There is a WebSocket."""

    def made(self) -> None:
        """There is a session, and the handle that is to register."""

    def registered(self) -> None:
        """Janus is registered at the edge, for the first time or once more."""

    def refused(self) -> None:
        """It is not (any more)."""

    def again(self) -> None:
        """Time to try it once more."""

    def lost(self) -> None:
        """The session is gone, or is to go."""


class Doer(Protocol):
    """What a session does."""

    def make(self) -> None: ...
    def register(self) -> None: ...
    def is_up(self) -> None: ...
    def wait(self) -> None: ...
    def is_lost(self) -> None: ...


@dataclass(slots=True, eq=False)
class SessionCore:
    doer: Doer
    state: str = "opening"
    timer: Any = None


_builder = TypeMachineBuilder(SessionMachine, SessionCore)
_opening = _builder.state("opening")
_making = _builder.state("making")
_registering = _builder.state("registering")
_up = _builder.state("up")
_waiting = _builder.state("waiting")
_over = _builder.state("over")
_ALIVE = (_opening, _making, _registering, _up, _waiting)


@_opening.upon(SessionMachine.opened).to(_making)
def _opened(machine: SessionMachine, core: SessionCore) -> None:
    core.state = "making"
    core.doer.make()


@_making.upon(SessionMachine.made).to(_registering)
@_waiting.upon(SessionMachine.again).to(_registering)
def _register(machine: SessionMachine, core: SessionCore) -> None:
    core.state = "registering"
    core.doer.register()


@_registering.upon(SessionMachine.registered).to(_up)
@_waiting.upon(SessionMachine.registered).to(_up)
def _registered(machine: SessionMachine, core: SessionCore) -> None:
    core.state = "up"
    core.doer.is_up()


@_registering.upon(SessionMachine.refused).to(_waiting)
@_up.upon(SessionMachine.refused).to(_waiting)
def _refused(machine: SessionMachine, core: SessionCore) -> None:
    core.state = "waiting"
    core.doer.wait()


for _state in _ALIVE:

    @_state.upon(SessionMachine.lost).to(_over)
    def _lost(machine: SessionMachine, core: SessionCore) -> None:
        core.state = "over"
        core.doer.is_lost()


_CHANGES = {
    SessionMachine.opened: (_opening,),
    SessionMachine.made: (_making,),
    SessionMachine.registered: (_registering, _waiting),
    SessionMachine.refused: (_registering, _up),
    SessionMachine.again: (_waiting,),
    SessionMachine.lost: _ALIVE,
}
for _input, _states in _CHANGES.items():
    for _each in (*_ALIVE, _over):
        if _each not in _states:
            _each.upon(_input).loop().returns(None)

new_session = _builder.build()
"""`new_session(SessionCore(...))` is a machine in its first state."""
