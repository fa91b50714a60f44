"""How a call with the telephone network goes, as this device sees it.

outgoing: calling --rings--> ringing --connected--> early --taken--> active
                                     --taken--> connecting --connected--> active
incoming: calling --offered--> offered --take--> connecting --connected--> active    any --over--> ended

Its states are those of calls of two (`calling.call_state.CallState`); `early` is to be seen as `RINGING`.
"""

from typing import Protocol

from automat import TypeMachineBuilder

from safeum_home.client.calling.call_state import CallState, Core
from safeum_home.client.telephony.ending import TelephoneEnd


class TelephoneMachine(Protocol):
    """What can happen."""

    def offered(self) -> None:
        """Somebody calls."""

    def rings(self) -> None:
        """It rings at the other side."""

    def take(self) -> None:
        """Its user takes it here; raises `wrong_call_state` or `call_over` where there is nothing to take."""

    def taken(self) -> None:
        """The other side has answered."""

    def connected(self) -> None:
        """There is a way for the sound."""

    def over(self, why: TelephoneEnd, told: bool) -> None:
        """That was it."""


_builder = TypeMachineBuilder(TelephoneMachine, Core[TelephoneEnd])
_calling = _builder.state("calling")
_ringing = _builder.state("ringing")
_early = _builder.state("early")
_offered = _builder.state("offered")
_connecting = _builder.state("connecting")
_active = _builder.state("active")
_ended = _builder.state("ended")
_STATES = (_calling, _ringing, _early, _offered, _connecting, _active)


@_calling.upon(TelephoneMachine.rings).to(_ringing)
@_calling.upon(TelephoneMachine.offered).to(_offered)
@_calling.upon(TelephoneMachine.connected).to(_early)
@_ringing.upon(TelephoneMachine.connected).to(_early)
def _rings(machine: TelephoneMachine, core: Core[TelephoneEnd]) -> None:
    core.go(CallState.RINGING)


@_offered.upon(TelephoneMachine.take).to(_connecting)
def _begin(machine: TelephoneMachine, core: Core[TelephoneEnd]) -> None:
    core.begin()


@_calling.upon(TelephoneMachine.taken).to(_connecting)
@_ringing.upon(TelephoneMachine.taken).to(_connecting)
def _taken(machine: TelephoneMachine, core: Core[TelephoneEnd]) -> None:
    core.go(CallState.CONNECTING)


@_early.upon(TelephoneMachine.taken).to(_active)
@_connecting.upon(TelephoneMachine.connected).to(_active)
def _connected(machine: TelephoneMachine, core: Core[TelephoneEnd]) -> None:
    core.go(CallState.ACTIVE)


for _state in _STATES:

    @_state.upon(TelephoneMachine.over).to(_ended)
    def _over(machine: TelephoneMachine, core: Core[TelephoneEnd], why: TelephoneEnd, told: bool) -> None:
        core.end(why, told=told)


for _state in (_calling, _ringing, _early, _connecting, _active, _ended):

    @_state.upon(TelephoneMachine.take).loop()
    def _nothing_to_take(machine: TelephoneMachine, core: Core[TelephoneEnd]) -> None:
        core.refuse_to_take()


for _state in (_ringing, _early, _offered, _connecting, _active, _ended):
    _state.upon(TelephoneMachine.offered).loop().returns(None)
    _state.upon(TelephoneMachine.rings).loop().returns(None)
for _state in (_offered, _connecting, _active, _ended):
    _state.upon(TelephoneMachine.taken).loop().returns(None)
for _state in (_early, _offered, _active, _ended):
    _state.upon(TelephoneMachine.connected).loop().returns(None)
_ended.upon(TelephoneMachine.over).loop().returns(None)

new_telephone_call = _builder.build()
"""`new_telephone_call(Core(...))` is a call that goes out, unless it is `offered`."""
