"""The session machine: which commands a connection may give, and when. Sans-I/O.

greeting --authenticating--> authenticating --opened--> open
    ^                             |                         |
    +-----refused, answered-------+                       sleeping --> leaving      any --closed--> over
"""

from dataclasses import dataclass
from typing import Protocol

from automat import TypeMachineBuilder

from safeum_home.errors import Code, Problem
from safeum_home.protocol.commands import Command, Phase


class SessionMachine(Protocol):
    """What can happen to a session."""

    def authenticating(self) -> None:
        """A sign-up, login or resumption has begun; until it ends nothing else is taken."""

    def opened(self) -> None:
        """It succeeded."""

    def refused(self) -> None:
        """It failed; another try is allowed."""

    def answered(self) -> None:
        """It was no way in but a step on one, such as having a code sent."""

    def sleeping(self) -> None:
        """The client goes to sleep: nothing else is taken, and with the answer the connection is over."""

    def closed(self) -> None:
        """The connection is over."""


@dataclass(slots=True)
class SessionPhase:
    """The phase whose commands are taken now; None where none is."""

    phase: Phase | None = Phase.GREETING

    def permit(self, command: Command) -> None:
        """Raise `not_authenticated` or `wrong_state` unless `command` is taken now."""
        if command.phase is self.phase or (command.phase is Phase.ANY and self.phase is not None):
            return
        if self.phase is Phase.GREETING:
            raise Problem(Code.NOT_AUTHENTICATED)
        raise Problem(Code.WRONG_STATE)


_builder = TypeMachineBuilder(SessionMachine, SessionPhase)
_greeting = _builder.state("greeting")
_authenticating = _builder.state("authenticating")
_open = _builder.state("open")
_leaving = _builder.state("leaving")
_over = _builder.state("over")


@_greeting.upon(SessionMachine.authenticating).to(_authenticating)
def _begin(machine: SessionMachine, core: SessionPhase) -> None:
    core.phase = None


@_authenticating.upon(SessionMachine.opened).to(_open)
def _opened(machine: SessionMachine, core: SessionPhase) -> None:
    core.phase = Phase.OPEN


@_authenticating.upon(SessionMachine.refused).to(_greeting)
def _refused(machine: SessionMachine, core: SessionPhase) -> None:
    core.phase = Phase.GREETING


@_authenticating.upon(SessionMachine.answered).to(_greeting)
def _answered(machine: SessionMachine, core: SessionPhase) -> None:
    core.phase = Phase.GREETING


@_open.upon(SessionMachine.sleeping).to(_leaving)
def _sleeping(machine: SessionMachine, core: SessionPhase) -> None:
    core.phase = None


for _state in (_greeting, _authenticating, _open, _leaving):

    @_state.upon(SessionMachine.closed).to(_over)
    def _closed(machine: SessionMachine, core: SessionPhase) -> None:
        core.phase = None


# The answer to a login may come when the connection has gone: nothing is left to be told.
_over.upon(SessionMachine.opened).loop().returns(None)
_over.upon(SessionMachine.refused).loop().returns(None)
_over.upon(SessionMachine.answered).loop().returns(None)
_over.upon(SessionMachine.closed).loop().returns(None)

new_session = _builder.build()
"""`new_session(SessionPhase())` is a machine in its first state."""
