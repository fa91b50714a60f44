"""How a call of two goes, as its devices see it.

outgoing: calling --rings--> ringing --taken--> connecting <--> active
incoming: calling --offered--> offered --take--> connecting <--> active         any --over--> ended
"""

from typing import Protocol

from automat import TypeMachineBuilder

from safeum_home.client.calling.call_state import CallState, Core
from safeum_home.client.calling.ending import CallEnd


class CallMachine(Protocol):
    """What can happen."""

    def offered(self) -> None:
        """Somebody calls."""

    def rings(self) -> None:
        """A device of theirs rings."""

    def take(self) -> None:
        """Whoever is called takes it here; raises `wrong_call_state` where there is nothing to take."""

    def taken(self) -> None:
        """A device of theirs has taken it."""

    def connected(self) -> None:
        """There is a way for media."""

    def interrupted(self) -> None:
        """There is none, or none any more."""

    def over(self, why: CallEnd, told: bool) -> None:
        """That was it."""


_builder = TypeMachineBuilder(CallMachine, Core[CallEnd])
_calling = _builder.state("calling")
_ringing = _builder.state("ringing")
_connecting = _builder.state("connecting")
_active = _builder.state("active")
_ended = _builder.state("ended")
_offered = _builder.state("offered")
_STATES = (_calling, _ringing, _offered, _connecting, _active)


@_calling.upon(CallMachine.rings).to(_ringing)
def _rings(machine: CallMachine, core: Core[CallEnd]) -> None:
    core.go(CallState.RINGING)


@_calling.upon(CallMachine.offered).to(_offered)
def _is_offered(machine: CallMachine, core: Core[CallEnd]) -> None:
    core.go(CallState.RINGING)


@_calling.upon(CallMachine.taken).to(_connecting)
@_ringing.upon(CallMachine.taken).to(_connecting)
@_offered.upon(CallMachine.take).to(_connecting)
def _begin(machine: CallMachine, core: Core[CallEnd]) -> None:
    core.begin()


@_connecting.upon(CallMachine.connected).to(_active)
def _connected(machine: CallMachine, core: Core[CallEnd]) -> None:
    core.go(CallState.ACTIVE)


@_active.upon(CallMachine.interrupted).to(_connecting)
def _interrupted(machine: CallMachine, core: Core[CallEnd]) -> None:
    core.go(CallState.CONNECTING)


for _state in _STATES:

    @_state.upon(CallMachine.over).to(_ended)
    def _over(machine: CallMachine, core: Core[CallEnd], why: CallEnd, told: bool) -> None:
        core.end(why, told=told)


for _state in (_calling, _ringing, _connecting, _active, _ended):

    @_state.upon(CallMachine.take).loop()
    def _nothing_to_take(machine: CallMachine, core: Core[CallEnd]) -> None:
        core.refuse_to_take()


for _state in (_ringing, _offered, _connecting, _active, _ended):
    _state.upon(CallMachine.offered).loop().returns(None)
    _state.upon(CallMachine.rings).loop().returns(None)
for _state in (_offered, _connecting, _active, _ended):
    _state.upon(CallMachine.taken).loop().returns(None)
for _state in (_calling, _ringing, _offered, _active, _ended):
    _state.upon(CallMachine.connected).loop().returns(None)
for _state in (_calling, _ringing, _offered, _connecting, _ended):
    _state.upon(CallMachine.interrupted).loop().returns(None)
_ended.upon(CallMachine.over).loop().returns(None)

new_call = _builder.build()
"""`new_call(Core(...))` is a call that goes out, unless it is `offered`."""
