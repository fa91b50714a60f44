"""How one half of a call goes: a leg, which is the caller's or the callee's. Time comes in as an input.

new --invite--> inviting --rang--> ringing --answered--> active     any --end--> over
new --invited--> called --answer--> taken --goes_on--> active <--resume-- new

What devices of one's own may not do now is refused, by `refusal` where there is no way for it. What the
other half says, and what makes no sense now, is left alone: it has crossed something else on its way.
"""

from typing import Protocol

from automat import TypeMachineBuilder

from safeum_home.calls.leg import Leg
from safeum_home.calls.stages import ANSWERED, Ending, Stage
from safeum_home.errors import Code, Problem
from safeum_home.ids import DeviceId
from safeum_home.protocol.call_types import Declined, Ended


class LegMachine(Protocol):
    """What can happen to a leg. Where the machine is at something already, it comes after that."""

    def invite(self) -> None:
        """A device of ours calls."""

    def invited(self) -> None:
        """Ours is called."""

    def resume(self, since: int) -> None:
        """It has gone on since then (milliseconds), and this node had forgotten it."""

    # --- what devices of ours do

    def ring(self, device: DeviceId, hello: str) -> None:
        """It rings."""

    def answer(self, device: DeviceId) -> None:
        """It takes the call."""

    def decline(self, device: DeviceId, reason: Declined) -> None:
        """Nobody takes it."""

    def speak(self, device: DeviceId, target: DeviceId, data: str) -> None:
        """It says something to a device of the other."""

    def alive(self, device: DeviceId) -> None:
        """It is in the call still."""

    # --- what the other half says

    def rang(self, device: DeviceId, hello: str) -> None:
        """A device of the other rings."""

    def answered(self, device: DeviceId) -> None:
        """A device of the other has taken it."""

    def spoken(self, device: DeviceId, target: DeviceId, data: str) -> None:
        """A device of the other says something to one of ours."""

    def goes_on(self, device: DeviceId, other: DeviceId | None) -> None:
        """It goes on there, with `other` of ours, as far as is known: so it is known there who answered."""

    # --- both

    def end(self, ending: Ending) -> None:
        """It is over."""


_builder = TypeMachineBuilder(LegMachine, Leg)
_new = _builder.state("new")
_inviting = _builder.state("inviting")
_ringing = _builder.state("ringing")
_called = _builder.state("called")
_taken = _builder.state("taken")
_active = _builder.state("active")
_over = _builder.state("over")
_ALIVE = (_new, _inviting, _ringing, _called, _taken, _active)
_ANSWERED = (_taken, _active)


@_new.upon(LegMachine.invite).to(_inviting)
def _invite(machine: LegMachine, leg: Leg) -> None:
    leg.begin(Stage.INVITING)
    leg.call_out()


@_new.upon(LegMachine.invited).to(_called)
def _invited(machine: LegMachine, leg: Leg) -> None:
    leg.begin(Stage.CALLED)
    leg.call_in()


@_new.upon(LegMachine.resume).to(_active)
def _resume(machine: LegMachine, leg: Leg, since: int) -> None:
    leg.activate(since)
    leg.say_it_goes_on()


for _state in (_inviting, _ringing):

    @_state.upon(LegMachine.rang).to(_ringing)
    def _rang(machine: LegMachine, leg: Leg, device: DeviceId, hello: str) -> None:
        leg.stage = Stage.RINGING
        leg.note_ringing(device, hello)


@_ringing.upon(LegMachine.answered).to(_active)
def _answered(machine: LegMachine, leg: Leg, device: DeviceId) -> None:
    leg.peer_device = device
    leg.activate(leg.now)
    leg.tell_answered()
    leg.say_it_goes_on()


@_called.upon(LegMachine.ring).loop()
def _ring(machine: LegMachine, leg: Leg, device: DeviceId, hello: str) -> None:
    leg.ring(device, hello)


@_called.upon(LegMachine.answer).to(_taken)
def _answer(machine: LegMachine, leg: Leg, device: DeviceId) -> None:
    leg.take(device)


@_called.upon(LegMachine.decline).to(_over)
def _decline(machine: LegMachine, leg: Leg, device: DeviceId, reason: Declined) -> None:
    leg.finish(Ending(Ended.DECLINED_ELSEWHERE, Ended(reason.value), device))


@_ringing.upon(LegMachine.speak).loop()
def _speak_to_one_that_rings(
    machine: LegMachine, leg: Leg, device: DeviceId, target: DeviceId, data: str
) -> None:
    leg.must_be(device)
    if leg.rings_on(target):
        leg.speak(device, target, data)


@_called.upon(LegMachine.speak).loop()
def _speak_to_the_caller(
    machine: LegMachine, leg: Leg, device: DeviceId, target: DeviceId, data: str
) -> None:
    if not leg.rings_on(device):
        raise Problem(Code.WRONG_CALL_STATE, "this device does not ring: call.ringing")
    if leg.meets(target):
        leg.speak(device, target, data)


for _state in _ANSWERED:

    @_state.upon(LegMachine.speak).loop()
    def _speak(machine: LegMachine, leg: Leg, device: DeviceId, target: DeviceId, data: str) -> None:
        leg.must_be(device)
        if leg.meets(target):
            leg.speak(device, target, data)


@_ringing.upon(LegMachine.spoken).loop()
def _one_that_rings_speaks(
    machine: LegMachine, leg: Leg, device: DeviceId, target: DeviceId, data: str
) -> None:
    if leg.rings_on(device) and leg.is_of(target):
        leg.tell_signal(device, target, data)


@_called.upon(LegMachine.spoken).loop()
def _the_caller_speaks(machine: LegMachine, leg: Leg, device: DeviceId, target: DeviceId, data: str) -> None:
    if leg.meets(device) and leg.rings_on(target):
        leg.tell_signal(device, target, data)


for _state in _ANSWERED:

    @_state.upon(LegMachine.spoken).loop()
    def _spoken(machine: LegMachine, leg: Leg, device: DeviceId, target: DeviceId, data: str) -> None:
        if leg.is_of(target) and leg.meets(device):
            leg.tell_signal(device, target, data)
            if leg.stage is Stage.TAKEN:
                machine.goes_on(device, target)

    @_state.upon(LegMachine.alive).loop()
    def _alive(machine: LegMachine, leg: Leg, device: DeviceId) -> None:
        leg.must_be(device)
        leg.note_alive()
        if leg.stage is Stage.TAKEN:
            leg.say_again()

    @_state.upon(LegMachine.goes_on).to(_active)
    def _goes_on(machine: LegMachine, leg: Leg, device: DeviceId, other: DeviceId | None) -> None:
        leg.confirm()
        if other is not None and not leg.is_of(other):
            return
        if leg.meets(device) and other is None:
            leg.say_it_goes_on()


for _state in _ALIVE:

    @_state.upon(LegMachine.end).to(_over)
    def _end(machine: LegMachine, leg: Leg, ending: Ending) -> None:
        leg.finish(ending)


# --- what changes nothing: a command that came twice, and what has crossed something else


for _state in _ANSWERED:

    @_state.upon(LegMachine.ring).loop()
    def _ring_again(machine: LegMachine, leg: Leg, device: DeviceId, hello: str) -> None:
        leg.must_have_taken(device)

    @_state.upon(LegMachine.answer).loop()
    def _answer_again(machine: LegMachine, leg: Leg, device: DeviceId) -> None:
        leg.must_have_taken(device)


@_inviting.upon(LegMachine.speak).loop()
def _speak_to_nobody(machine: LegMachine, leg: Leg, device: DeviceId, target: DeviceId, data: str) -> None:
    leg.must_be(device)


for _state in (_called, *_ANSWERED, _over):
    _state.upon(LegMachine.rang).loop().returns(None)
for _state in (_inviting, _called, *_ANSWERED, _over):
    _state.upon(LegMachine.answered).loop().returns(None)
for _state in (_inviting, _over):
    _state.upon(LegMachine.spoken).loop().returns(None)
for _state in (_inviting, _ringing, _called, _over):
    _state.upon(LegMachine.goes_on).loop().returns(None)
_over.upon(LegMachine.end).loop().returns(None)


new_leg = _builder.build()
"""`new_leg(Leg(...))` is a machine in its first state."""


def refusal(leg: Leg, device: DeviceId) -> Problem:
    """Why a device of ours may not do what there is no way for now (`automat.NoTransition`)."""
    if leg.stage is Stage.OVER or (leg.stage in ANSWERED and device != leg.device):
        return Problem(Code.CALL_OVER)
    why = "it is a call of one's own" if leg.is_caller else f"it is {leg.stage.value}"
    return Problem(Code.WRONG_CALL_STATE, why)
