"""How it is with a conference, as a device sees it.

joining --joined--> joined      any --over--> ended
"""

from enum import Enum
from typing import Protocol

from automat import TypeMachineBuilder

from safeum_home.client.calling.ending import CallEnd


class ConferenceStage(Enum):
    """What is to be seen of it."""

    JOINING = "joining"
    """The node has not answered yet."""
    JOINED = "joined"
    ENDED = "ended"


class Steps(Protocol):
    """What a conference does, as the machine says."""

    def changed(self, stage: ConferenceStage) -> None:
        """It is in this state now."""

    def finish(self, why: CallEnd, *, told: bool) -> None:
        """It is over. Unless it was `told` by the node, the node has to be told."""


class Core:
    """`steps`."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.stage = ConferenceStage.JOINING

    def go(self, stage: ConferenceStage) -> None:
        self.stage = stage
        self.steps.changed(stage)


class ConferenceMachine(Protocol):
    """What can happen."""

    def joined(self) -> None:
        """The node has said who is in it."""

    def over(self, why: CallEnd, told: bool) -> None:
        """That was it, for this device."""


_builder = TypeMachineBuilder(ConferenceMachine, Core)
_joining = _builder.state("joining")
_joined = _builder.state("joined")
_ended = _builder.state("ended")


@_joining.upon(ConferenceMachine.joined).to(_joined)
def _is_joined(machine: ConferenceMachine, core: Core) -> None:
    core.go(ConferenceStage.JOINED)


for _state in (_joining, _joined):

    @_state.upon(ConferenceMachine.over).to(_ended)
    def _over(machine: ConferenceMachine, core: Core, why: CallEnd, told: bool) -> None:
        core.steps.finish(why, told=told)
        core.go(ConferenceStage.ENDED)


_joined.upon(ConferenceMachine.joined).loop().returns(None)
for _input in (ConferenceMachine.joined, ConferenceMachine.over):
    _ended.upon(_input).loop().returns(None)

new_conference = _builder.build()
"""`new_conference(Core(...))` is being joined."""
