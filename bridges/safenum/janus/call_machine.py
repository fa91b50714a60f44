"""How a call goes. What makes no sense now is left alone: it has crossed something else on its way.

dialling --accepted--> talking          dialling, answering, talking --hang_up, vanished, overdue--> closing
offered --answer--> answering --accepted--> talking      offered --decline, hang_up, overdue--> declining
any --ended, lost--> over               declining --overdue--> closing --overdue--> over
"""

from typing import Any

from automat import TypeMachineBuilder

from bridges.safenum.janus.call import CLOSING, RINGING, TAKING_NOTE, Call, CallMachine
from safeum_home.ports.carrier import (
    APP_VANISHED,
    NETWORK_DOWN,
    NO_CIRCUIT,
    UNAVAILABLE,
    CarrierEnd,
)

NOT_ACCEPTABLE = 488
"""A description is of no use (RFC 3261, section 21.4.26)."""
NO_ANSWER = 19
"""Nobody answers (Q.850)."""


_builder = TypeMachineBuilder(CallMachine, Call)
_new = _builder.state("new")
_dialling = _builder.state("dialling")
_offered = _builder.state("offered")
_answering = _builder.state("answering")
_talking = _builder.state("talking")
_declining = _builder.state("declining")
_closing = _builder.state("closing")
_over = _builder.state("over")
_ALL = (_new, _dialling, _offered, _answering, _talking, _declining, _closing, _over)
_OPEN = (_dialling, _answering, _talking)
"""Those that Janus ends by `hangup`."""


@_new.upon(CallMachine.dial).to(_dialling)
def _dial(machine: CallMachine, call: Call) -> None:
    call.wait(RINGING, machine.overdue)
    call.begin()


@_new.upon(CallMachine.offer).to(_offered)
def _offer(machine: CallMachine, call: Call) -> None:
    call.wait(RINGING, machine.overdue)


@_offered.upon(CallMachine.answer).to(_answering)
def _answer(machine: CallMachine, call: Call, sdp: str) -> None:
    call.wait(call.patience.answer, machine.overdue)
    call.accept(sdp)


@_dialling.upon(CallMachine.progress).loop()
def _progress(machine: CallMachine, call: Call, sdp: str | None) -> None:
    # It has reached the other side: it is not to be said again elsewhere.
    call.opening = None
    call.tell(lambda each: each.progress(sdp))


@_dialling.upon(CallMachine.accepted).to(_talking)
@_answering.upon(CallMachine.accepted).to(_talking)
def _accepted(machine: CallMachine, call: Call, sdp: str | None) -> None:
    call.opening = None
    call.was_answered = True
    call.wait(None if call.is_connected else call.patience.connect, machine.overdue)
    call.tell(lambda each: each.answered(sdp))


@_talking.upon(CallMachine.keys).loop()
def _keys(machine: CallMachine, call: Call, digits: str) -> None:
    call.tell(lambda each: each.dtmf(digits))


@_talking.upon(CallMachine.press).loop()
def _press(machine: CallMachine, call: Call, digits: str) -> None:
    call.keypad.dial(digits)


# --- whether the app is there


@_dialling.upon(CallMachine.heard).loop()
@_answering.upon(CallMachine.heard).loop()
def _connected(machine: CallMachine, call: Call) -> None:
    call.is_connected = True


@_talking.upon(CallMachine.heard).loop()
def _heard(machine: CallMachine, call: Call) -> None:
    call.is_connected = True
    call.wait(None)


@_talking.upon(CallMachine.silent).loop()
def _silent(machine: CallMachine, call: Call) -> None:
    call.wait(call.patience.silence, machine.overdue)


# --- the end


for _state in _OPEN:

    @_state.upon(CallMachine.hang_up).to(_closing)
    def _hang_up(machine: CallMachine, call: Call) -> None:
        call.wait(CLOSING, machine.overdue)
        call.hang_up()

    @_state.upon(CallMachine.vanished).to(_closing)
    def _vanished(machine: CallMachine, call: Call) -> None:
        call.wait(CLOSING, machine.overdue)
        call.hang_up(APP_VANISHED)

    @_state.upon(CallMachine.unusable).to(_closing)
    def _unusable(machine: CallMachine, call: Call) -> None:
        call.wait(CLOSING, machine.overdue)
        call.hang_up()
        call.end = CarrierEnd(NOT_ACCEPTABLE, far=False)


@_dialling.upon(CallMachine.overdue).to(_closing)
def _no_answer(machine: CallMachine, call: Call) -> None:
    call.wait(CLOSING, machine.overdue)
    call.hang_up(NO_ANSWER)


@_answering.upon(CallMachine.overdue).to(_closing)
def _janus_silent(machine: CallMachine, call: Call) -> None:
    call.wait(CLOSING, machine.overdue)
    call.hang_up(NETWORK_DOWN)


@_talking.upon(CallMachine.overdue).to(_closing)
def _app_silent(machine: CallMachine, call: Call) -> None:
    call.wait(CLOSING, machine.overdue)
    call.hang_up(APP_VANISHED)


def _soon_declined(machine: CallMachine, call: Call, sip: int) -> None:
    call.end = CarrierEnd(sip, far=False)
    call.wait(TAKING_NOTE, machine.overdue)


@_offered.upon(CallMachine.decline).to(_declining)
def _decline(machine: CallMachine, call: Call, sip: int) -> None:
    _soon_declined(machine, call, sip)


@_offered.upon(CallMachine.hang_up).to(_declining)
@_offered.upon(CallMachine.overdue).to(_declining)
def _not_answered(machine: CallMachine, call: Call) -> None:
    _soon_declined(machine, call, UNAVAILABLE)


@_offered.upon(CallMachine.unusable).to(_declining)
@_answering.upon(CallMachine.refused).to(_declining)
def _not_acceptable(machine: CallMachine, call: Call) -> None:
    _soon_declined(machine, call, NOT_ACCEPTABLE)


@_declining.upon(CallMachine.overdue).to(_closing)
def _declined(machine: CallMachine, call: Call) -> None:
    call.wait(CLOSING, machine.overdue)
    call.decline()


@_dialling.upon(CallMachine.refused).to(_over)
def _refused(machine: CallMachine, call: Call) -> None:
    call.finish(CarrierEnd(0, NO_CIRCUIT, far=False))


for _state in (_dialling, _offered, _answering, _talking, _declining):

    @_state.upon(CallMachine.ended).to(_over)
    def _ended(machine: CallMachine, call: Call, end: CarrierEnd) -> None:
        call.finish(end)


for _state in (_dialling, _offered, _answering, _talking, _declining, _closing):

    @_state.upon(CallMachine.lost).to(_over)
    def _lost(machine: CallMachine, call: Call) -> None:
        call.finish(CarrierEnd(0, NETWORK_DOWN, far=False))


@_closing.upon(CallMachine.accepted).loop()
def _accepted_too_late(machine: CallMachine, call: Call, sdp: str | None) -> None:
    call.was_answered = True


@_closing.upon(CallMachine.ended).to(_over)
def _closed(machine: CallMachine, call: Call, end: CarrierEnd) -> None:
    call.finish(call.end._replace(sip=call.end.sip or end.sip, cause=call.end.cause or end.cause))


@_closing.upon(CallMachine.overdue).to(_over)
def _not_closed(machine: CallMachine, call: Call) -> None:
    call.finish(call.end, in_doubt=True)


# --- what changes nothing

_CHANGES: dict[Any, Any] = {
    CallMachine.answer: (_offered,),
    CallMachine.decline: (_offered,),
    CallMachine.hang_up: (*_OPEN, _offered),
    CallMachine.press: (_talking,),
    CallMachine.progress: (_dialling,),
    CallMachine.accepted: (_dialling, _answering, _closing),
    CallMachine.keys: (_talking,),
    CallMachine.ended: (_dialling, _offered, _answering, _talking, _declining, _closing),
    CallMachine.refused: (_dialling, _answering),
    CallMachine.unusable: (*_OPEN, _offered),
    CallMachine.heard: _OPEN,
    CallMachine.silent: (_talking,),
    # Before it is answered there is no app yet: it was that of the call before, on the same handle.
    CallMachine.vanished: _OPEN,
    CallMachine.lost: (_dialling, _offered, _answering, _talking, _declining, _closing),
    CallMachine.overdue: (*_OPEN, _offered, _declining, _closing),
}
for _input, _states in _CHANGES.items():
    for _state in _ALL:
        if _state not in _states:
            _state.upon(_input).loop().returns(None)

_new_machine = _builder.build()


def set_going(call: Call) -> CallMachine:
    """Its machine, in the first state."""
    call.machine = machine = _new_machine(call)
    return machine
