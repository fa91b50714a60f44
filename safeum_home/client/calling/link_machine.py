"""How it is with the connection to one other device in a call.

agreeing --agreed--> connecting <--> connected     connecting or connected --failed--> pausing
pausing --due, or offered--> connecting            connecting or connected --closed--> left
left --offered--> connecting                       any --over--> over

Only an initiator offers. So a responder that has no way (any more) says so, and waits for another offer.
"""

from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.interfaces import IReactorTime

from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.timer import Timer

PATIENCE = 20.0
"""Seconds that an initiator gives a way, until it tries another one."""
PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before another try; after the last one fails the call is over."""
GRACE = 5.0
"""Seconds from the end of a way to that of the call: the initiator may have begun another one."""
WITHOUT = sum(PAUSES) + (len(PAUSES) + 1) * PATIENCE
"""Seconds that a responder waits for a way."""


class Steps(Protocol):
    """What a link does, as the machine says."""

    def try_way(self) -> None:
        """Offer one, as the initiator."""

    def changed(self) -> None:
        """Something is different for those who look."""

    def finish(self, why: CallEnd) -> None:
        """It is over, for good."""


class Core:
    """Counts tries, and keeps the time."""

    def __init__(self, clock: IReactorTime, steps: Steps, *, initiator: bool) -> None:
        self.timer = Timer(clock)
        self.steps = steps
        self.initiator = initiator
        self.tries = 0
        self.state = "agreeing"


class LinkMachine(Protocol):
    """What can happen to it."""

    def agreed(self) -> None:
        """Both have the same keys, and are who they should be."""

    def connected(self) -> None:
        """Media goes to and fro."""

    def failed(self) -> None:
        """It does not, or no more."""

    def closed(self) -> None:
        """The other has closed the way."""

    def offered(self) -> None:
        """The initiator has begun another way."""

    def due(self) -> None:
        """The pause is over."""

    def over(self, why: CallEnd) -> None:
        """That was it."""


_builder = TypeMachineBuilder(LinkMachine, Core)
_agreeing = _builder.state("agreeing")
_connecting = _builder.state("connecting")
_connected = _builder.state("connected")
_pausing = _builder.state("pausing")
_left = _builder.state("left")
_over = _builder.state("over")


def _try(machine: LinkMachine, core: Core) -> None:
    core.state = "connecting"
    if core.initiator:
        core.timer.start(PATIENCE, machine.failed)
    else:
        core.timer.start(WITHOUT, lambda: machine.over(CallEnd.FAILED))
    core.steps.try_way()
    core.steps.changed()


@_agreeing.upon(LinkMachine.agreed).to(_connecting)
def _agreed(machine: LinkMachine, core: Core) -> None:
    _try(machine, core)


@_connecting.upon(LinkMachine.connected).to(_connected)
def _is_connected(machine: LinkMachine, core: Core) -> None:
    core.timer.stop()
    core.tries, core.state = 0, "connected"
    core.steps.changed()


@_connecting.upon(LinkMachine.failed).to(_pausing)
@_connected.upon(LinkMachine.failed).to(_pausing)
def _failed(machine: LinkMachine, core: Core) -> None:
    if core.tries >= len(PAUSES):
        machine.over(CallEnd.FAILED)
        return
    pause = PAUSES[core.tries]
    core.tries += 1
    core.state = "connecting"
    core.timer.start(pause, machine.due)
    core.steps.changed()


@_pausing.upon(LinkMachine.due).to(_connecting)
def _due(machine: LinkMachine, core: Core) -> None:
    _try(machine, core)


@_connecting.upon(LinkMachine.offered).loop()
@_connected.upon(LinkMachine.offered).to(_connecting)
@_pausing.upon(LinkMachine.offered).to(_connecting)
@_left.upon(LinkMachine.offered).to(_connecting)
def _offered(machine: LinkMachine, core: Core) -> None:
    core.state = "connecting"
    core.timer.start(WITHOUT, lambda: machine.over(CallEnd.FAILED))
    core.steps.changed()


@_pausing.upon(LinkMachine.connected).to(_connected)
def _after_all(machine: LinkMachine, core: Core) -> None:
    _is_connected(machine, core)


@_connecting.upon(LinkMachine.closed).to(_left)
@_connected.upon(LinkMachine.closed).to(_left)
def _closed(machine: LinkMachine, core: Core) -> None:
    if core.initiator:
        machine.over(CallEnd.HANGUP)
    else:
        core.timer.start(GRACE, lambda: machine.over(CallEnd.HANGUP))


for _state in (_agreeing, _connecting, _connected, _pausing, _left):

    @_state.upon(LinkMachine.over).to(_over)
    def _is_over(machine: LinkMachine, core: Core, why: CallEnd) -> None:
        core.timer.stop()
        core.state = "over"
        core.steps.finish(why)


_agreeing.upon(LinkMachine.failed).loop().returns(None)
_agreeing.upon(LinkMachine.connected).loop().returns(None)
for _input in (LinkMachine.connected, LinkMachine.failed, LinkMachine.closed):
    _left.upon(_input).loop().returns(None)
_agreeing.upon(LinkMachine.closed).loop().returns(None)
_pausing.upon(LinkMachine.closed).loop().returns(None)
_connected.upon(LinkMachine.connected).loop().returns(None)
_pausing.upon(LinkMachine.failed).loop().returns(None)
for _input in (
    *(LinkMachine.agreed, LinkMachine.connected, LinkMachine.failed, LinkMachine.offered, LinkMachine.due),
    LinkMachine.closed,
):
    _over.upon(_input).loop().returns(None)
_over.upon(LinkMachine.over).loop().returns(None)

new_link = _builder.build()
"""`new_link(Core(...))` agrees."""
