"""How a call goes that comes in. It is what the carrier tells, too (`ports.carrier.CarrierListener`).

new --arrive--> asking --rings--> ringing --answer--> taken --answered--> active
                       --unanswered--> unanswered <--decline, unanswered-- ringing
unanswered --recorded--> recorded                                  any --end, ended, refuse--> over
unanswered --not_recorded--> over

What makes no sense now is left alone: it has crossed something else on its way. Only what a device asks for
is refused, where there is no way for it.
"""

from typing import Protocol

from automat import TypeMachineBuilder

from safeum_home.ids import DeviceId
from safeum_home.ports.carrier import CarrierEnd, CarrierListener
from safeum_home.ports.voicemail import Unanswered
from safeum_home.safenum.telephone.incoming import IncomingCall
from safeum_home.safenum.telephone.stages import Ending


class IncomingMachine(Protocol):
    """What can happen. Where the machine is at something already, it comes after that."""

    def arrive(self) -> None:
        """Somebody calls; it is looked for whom that is."""

    def refuse(self, sip: int) -> None:
        """For nobody, or it cannot be said for whom; or it has failed to let it ring."""

    def rings(self) -> None:
        """For an account whose devices can be told."""

    def unanswered(self, why: Unanswered) -> None:
        """Nobody takes it."""

    def answer(self, device: DeviceId) -> None:
        """A device does, and the carrier was handed its answer."""

    def decline(self, device: DeviceId) -> None:
        """A device says that nobody does."""

    def recorded(self, listener: CarrierListener) -> None:
        """The voicemail has taken it."""

    def not_recorded(self, why: Unanswered) -> None:
        """It has not."""

    def end(self, ending: Ending) -> None:
        """It is over."""

    # --- what the carrier says

    def progress(self, sdp: str | None) -> None: ...
    def answered(self, sdp: str | None) -> None: ...
    def dtmf(self, digits: str) -> None: ...
    def ended(self, end: CarrierEnd) -> None: ...


_builder = TypeMachineBuilder(IncomingMachine, IncomingCall)
_new = _builder.state("new")
_asking = _builder.state("asking")
_ringing = _builder.state("ringing")
_taken = _builder.state("taken")
_active = _builder.state("active")
_unanswered = _builder.state("unanswered")
_recorded = _builder.state("recorded")
_over = _builder.state("over")
_ALIVE = (_new, _asking, _ringing, _taken, _active, _unanswered, _recorded)


@_new.upon(IncomingMachine.arrive).to(_asking)
def _arrive(machine: IncomingMachine, call: IncomingCall) -> None:
    call.ask()


@_asking.upon(IncomingMachine.rings).to(_ringing)
def _rings(machine: IncomingMachine, call: IncomingCall) -> None:
    call.ring()


for _state in (_asking, _ringing, _unanswered):

    @_state.upon(IncomingMachine.refuse).to(_over)
    def _refuse(machine: IncomingMachine, call: IncomingCall, sip: int) -> None:
        call.refuse(sip)


for _state in (_asking, _ringing):

    @_state.upon(IncomingMachine.unanswered).to(_unanswered)
    def _nobody(machine: IncomingMachine, call: IncomingCall, why: Unanswered) -> None:
        call.ask_mailbox(why)


@_ringing.upon(IncomingMachine.answer).to(_taken)
def _answer(machine: IncomingMachine, call: IncomingCall, device: DeviceId) -> None:
    call.take(device)


@_ringing.upon(IncomingMachine.decline).to(_unanswered)
def _decline(machine: IncomingMachine, call: IncomingCall, device: DeviceId) -> None:
    call.decline(device)


@_taken.upon(IncomingMachine.answered).to(_active)
def _answered(machine: IncomingMachine, call: IncomingCall, sdp: str | None) -> None:
    call.answered()


@_active.upon(IncomingMachine.dtmf).loop()
def _keys(machine: IncomingMachine, call: IncomingCall, digits: str) -> None:
    call.tell_keys(digits)


@_unanswered.upon(IncomingMachine.recorded).to(_recorded)
def _record(machine: IncomingMachine, call: IncomingCall, listener: CarrierListener) -> None:
    call.record(listener)


@_unanswered.upon(IncomingMachine.not_recorded).to(_over)
def _give_up(machine: IncomingMachine, call: IncomingCall, why: Unanswered) -> None:
    call.give_up(why)


for _state in (_unanswered, _recorded):
    # The voicemail may be heard of as having answered before it has said that it takes the call.

    @_state.upon(IncomingMachine.answered).loop()
    def _recorder_answered(machine: IncomingMachine, call: IncomingCall, sdp: str | None) -> None:
        call.recorder_answered(sdp)


@_recorded.upon(IncomingMachine.dtmf).loop()
def _recorder_keys(machine: IncomingMachine, call: IncomingCall, digits: str) -> None:
    if call.recorder is not None:
        call.recorder.dtmf(digits)


for _state in _ALIVE:

    @_state.upon(IncomingMachine.ended).to(_over)
    def _ended(machine: IncomingMachine, call: IncomingCall, end: CarrierEnd) -> None:
        call.end_by_carrier(end)

    @_state.upon(IncomingMachine.end).to(_over)
    def _end(machine: IncomingMachine, call: IncomingCall, ending: Ending) -> None:
        call.finish(ending)

    _state.upon(IncomingMachine.progress).loop().returns(None)


@_over.upon(IncomingMachine.recorded).loop()
def _recorded_too_late(machine: IncomingMachine, call: IncomingCall, listener: CarrierListener) -> None:
    call.end_recorder(listener)


# --- what comes too late, or twice


for _state in (_taken, _active):

    @_state.upon(IncomingMachine.answer).loop()
    def _answer_again(machine: IncomingMachine, call: IncomingCall, device: DeviceId) -> None:
        call.must_be(device)


for _state in (_asking, _ringing, _active, _over):
    _state.upon(IncomingMachine.answered).loop().returns(None)
for _state in (_asking, _ringing, _taken, _unanswered, _over):
    _state.upon(IncomingMachine.dtmf).loop().returns(None)
for _state in (_taken, _active, _unanswered, _recorded, _over):
    _state.upon(IncomingMachine.unanswered).loop().returns(None)
_over.upon(IncomingMachine.rings).loop().returns(None)
for _state in (_taken, _active, _recorded, _over):
    _state.upon(IncomingMachine.refuse).loop().returns(None)
_over.upon(IncomingMachine.not_recorded).loop().returns(None)
_over.upon(IncomingMachine.progress).loop().returns(None)
_over.upon(IncomingMachine.ended).loop().returns(None)
_over.upon(IncomingMachine.end).loop().returns(None)


new_incoming = _builder.build()
"""`new_incoming(IncomingCall(...))` is a machine in its first state."""
