"""How a call goes that an account makes. It is what the carrier tells, too (`ports.carrier.CarrierListener`).

new --ask--> asking --granted--> dialled --answered--> active     any --end, ended--> over
             asking --refused--> over

What makes no sense now is left alone: it has crossed something else on its way.
"""

from typing import Protocol

from automat import TypeMachineBuilder

from safeum_home.errors import Problem
from safeum_home.ports.carrier import CarrierEnd
from safeum_home.ports.money import Granted
from safeum_home.safenum.telephone.outgoing import Outgoing
from safeum_home.safenum.telephone.stages import Ending, by_carrier


class OutgoingMachine(Protocol):
    """What can happen. Where the machine is at something already, it comes after that."""

    def ask(self) -> None:
        """A device calls a number."""

    def granted(self, granted: Granted) -> None:
        """It may, and so much is paid for."""

    def refused(self, problem: Problem) -> None:
        """It may not."""

    def end(self, ending: Ending) -> None:
        """It is over."""

    # --- what the carrier says

    def progress(self, sdp: str | None) -> None: ...
    def answered(self, sdp: str | None) -> None: ...
    def dtmf(self, digits: str) -> None: ...
    def ended(self, end: CarrierEnd) -> None: ...


_builder = TypeMachineBuilder(OutgoingMachine, Outgoing)
_new = _builder.state("new")
_asking = _builder.state("asking")
_dialled = _builder.state("dialled")
_active = _builder.state("active")
_over = _builder.state("over")


@_new.upon(OutgoingMachine.ask).to(_asking)
def _ask(machine: OutgoingMachine, call: Outgoing) -> None:
    call.ask()


@_asking.upon(OutgoingMachine.granted).to(_dialled)
def _granted(machine: OutgoingMachine, call: Outgoing, granted: Granted) -> None:
    call.dial(granted)


@_asking.upon(OutgoingMachine.refused).to(_over)
def _refused(machine: OutgoingMachine, call: Outgoing, problem: Problem) -> None:
    call.refuse(problem)


@_dialled.upon(OutgoingMachine.progress).loop()
def _progress(machine: OutgoingMachine, call: Outgoing, sdp: str | None) -> None:
    call.tell_progress(sdp)


@_dialled.upon(OutgoingMachine.answered).to(_active)
def _answered(machine: OutgoingMachine, call: Outgoing, sdp: str | None) -> None:
    call.answered(sdp)


for _state in (_dialled, _active):

    @_state.upon(OutgoingMachine.dtmf).loop()
    def _keys(machine: OutgoingMachine, call: Outgoing, digits: str) -> None:
        call.tell_keys(digits)

    @_state.upon(OutgoingMachine.ended).to(_over)
    def _ended(machine: OutgoingMachine, call: Outgoing, end: CarrierEnd) -> None:
        call.finish(by_carrier(end, call.direction, call.is_answered))


for _state in (_new, _asking, _dialled, _active):

    @_state.upon(OutgoingMachine.end).to(_over)
    def _end(machine: OutgoingMachine, call: Outgoing, ending: Ending) -> None:
        call.finish(ending)


# --- what comes too late, or twice


for _state in (_active, _over):
    _state.upon(OutgoingMachine.progress).loop().returns(None)
    _state.upon(OutgoingMachine.answered).loop().returns(None)
_over.upon(OutgoingMachine.dtmf).loop().returns(None)
_over.upon(OutgoingMachine.ended).loop().returns(None)
_over.upon(OutgoingMachine.granted).loop().returns(None)
_over.upon(OutgoingMachine.refused).loop().returns(None)
_over.upon(OutgoingMachine.end).loop().returns(None)


new_outgoing = _builder.build()
"""`new_outgoing(Outgoing(...))` is a machine in its first state."""
