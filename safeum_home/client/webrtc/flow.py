"""How it is with a link: each is told once, in order, and nothing any more once it is over."""

from dataclasses import dataclass
from typing import Protocol

from automat import TypeMachineBuilder

from safeum_home.client.calling.media import Flow, OnFlow


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told."""

    on_flow: OnFlow


class Way(Protocol):
    """What can happen to the way between two devices."""

    def tried(self) -> None:
        """It is being looked for."""

    def found(self) -> None:
        """There is one, and both have shown that they are who they should be."""

    def lost(self) -> None:
        """There is none, or none any more."""

    def ended(self) -> None:
        """The other has closed it."""

    def shut(self) -> None:
        """It is closed here."""


_builder = TypeMachineBuilder(Way, Told)
_new = _builder.state("new")
_trying = _builder.state("trying")
_there = _builder.state("there")
_over = _builder.state("over")


@_new.upon(Way.tried).to(_trying)
def _try(way: Way, told: Told) -> None:
    told.on_flow(Flow.CONNECTING)


@_trying.upon(Way.found).to(_there)
def _found(way: Way, told: Told) -> None:
    told.on_flow(Flow.CONNECTED)


for _state in (_new, _trying, _there):

    @_state.upon(Way.lost).to(_over)
    def _lost(way: Way, told: Told) -> None:
        told.on_flow(Flow.FAILED)

    @_state.upon(Way.ended).to(_over)
    def _ended(way: Way, told: Told) -> None:
        told.on_flow(Flow.CLOSED)

    _state.upon(Way.shut).to(_over).returns(None)


_new.upon(Way.found).loop().returns(None)
for _state in (_trying, _there, _over):
    _state.upon(Way.tried).loop().returns(None)
for _state in (_there, _over):
    _state.upon(Way.found).loop().returns(None)
for _input in (Way.lost, Way.ended, Way.shut):
    _over.upon(_input).loop().returns(None)

new_way = _builder.build()
"""`new_way(Told(...))` is a machine in its first state."""
