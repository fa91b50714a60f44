"""A line: one handle of Janus' SIP plugin, that one call at a time is on.

making --made--> idle --begun--> busy --left--> settling --free--> idle            any --lost--> gone
                                                settling --half_free--> resting --quiet--> idle
                                 busy, resting --doubt--> retired

After a call a thread of Janus goes on for up to a second, and takes down whatever the handle has then; so a
line settles for longer than that. Janus also has to let go of the WebRTC side, and says so without naming the
call. So a line rests until then: what is said too late reaches no other call. Where Janus does not say so the
line is retired, which is the session's to deal with.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from automat import TypeMachineBuilder

from bridges.safenum.janus.call import TAKING_NOTE, Call
from bridges.safenum.janus.messages import Frame, PluginEvent
from bridges.safenum.janus.requests import Body, Decline, Jsep
from bridges.safenum.janus.results import tell
from safeum_home.ports.carrier import BUSY_HERE

SETTLE = 1.5
"""Seconds, from the end of a call, for what relays its sound: it looks once a second whether it is to end."""
REST = 5.0
"""Seconds for Janus to let go of the WebRTC side of a call; seen: up to one."""


class LineMachine(Protocol):
    """What can happen to a line."""

    def made(self) -> None:
        """It can be used."""

    def begun(self) -> None:
        """A call begins."""

    def left(self) -> None:
        """The call is over."""

    def free(self) -> None:
        """Nothing is left of it."""

    def half_free(self) -> None:
        """Janus has not let go of its WebRTC side."""

    def quiet(self) -> None:
        """Now it has."""

    def doubt(self) -> None:
        """How it is with it is not known."""

    def lost(self) -> None:
        """It is gone."""


class Keeper(Protocol):
    """The session that a line is of."""

    def message(self, line: "Line", body: Body, jsep: Jsep | None) -> str:
        """Ask the SIP plugin for something; the name of the transaction."""

    def incoming(self, line: "Line", frame: Frame, told: PluginEvent) -> None:
        """Somebody calls."""

    def move(self, call: Call) -> bool:
        """Try a call that could not be begun on another line; whether there is one."""

    def refused(self, why: str) -> None:
        """Janus does not do what a call hangs on, and nobody who calls in is the reason."""

    def retired(self, line: "Line") -> None:
        """It is not to be used any more."""


@dataclass(slots=True, eq=False)
class Line:
    """`clock` provides IReactorTime. `handle` is 0 until Janus has made it."""

    clock: Any
    keeper: Keeper
    is_master: bool
    handle: int = 0
    state: str = "making"
    call: Call | None = None
    has_webrtc: bool = False
    """Janus has begun a WebRTC side, and not let go of it."""
    timer: Any = None
    crossing: Any = None
    """The timer of a call that has crossed the one on this line, until it is refused."""
    machine: LineMachine = field(init=False)

    def __post_init__(self) -> None:
        self.machine = new_line(self)

    def carry(self, call: Call) -> None:
        """A call is on it from now on."""
        self._refuse_nobody()
        call.leg = self
        self.call = call
        self.machine.begun()

    def crossed(self) -> None:
        """Janus has given it to somebody who calls in, and a call goes out on it: who calls in is refused."""
        if self.call is not None:
            self.call.is_crossed = True
        self._refuse_nobody()
        self.crossing = self.clock.callLater(TAKING_NOTE, self.ask, Decline(BUSY_HERE))

    def _refuse_nobody(self) -> None:
        """Who called in before has given up."""
        if self.crossing is not None and self.crossing.active():
            self.crossing.cancel()

    def lose(self) -> None:
        """The handle is gone, and the call on it."""
        self._refuse_nobody()
        self.machine.lost()
        if self.call is not None:
            self.call.machine.lost()

    # --- for the call on it: `call.Leg`

    def ask(self, body: Body, jsep: Jsep | None = None) -> str:
        if jsep is not None:
            self.has_webrtc = True
        return self.keeper.message(self, body, jsep)

    def left(self, call: Call, in_doubt: bool) -> None:
        self.call = None
        (self.machine.doubt if in_doubt else self.machine.left)()

    # --- what Janus says of this handle

    def plugin(self, frame: Frame, told: PluginEvent) -> None:
        """An event of the SIP plugin."""
        if told.result is None:
            self.refused(frame.transaction, f"error {told.error_code}")
        elif told.result.event == "incomingcall":
            self.has_webrtc = True
            self.keeper.incoming(self, frame, told)
        elif self.call is not None and told.call_id == self.call.reference:
            tell(self.call, told.result, None if frame.jsep is None else frame.jsep.sdp)

    def refused(self, transaction: str, why: str) -> None:
        """The request of a transaction was refused, or not answered; `why` quotes nothing."""
        call = self.call
        if call is None or call.asked != transaction:
            return
        if not call.is_crossed:
            self.keeper.refused(why)
        if call.may_move and self.keeper.move(call):
            # Janus has given this line to somebody who calls in: it has all to do with that.
            self.left(call, in_doubt=False)
        else:
            call.machine.refused()

    def media(self, receiving: bool) -> None:
        """Whether anything comes from the app."""
        if self.call is not None:
            (self.call.machine.heard if receiving else self.call.machine.silent)()

    def webrtc_gone(self) -> None:
        """Janus has let go of the WebRTC side."""
        self.has_webrtc = False
        self.machine.quiet()
        if self.call is not None:
            self.call.machine.vanished()

    # --- time

    def wait(self, seconds: float | None, then: Callable[[], None] = lambda: None) -> None:
        """What was waited for before is not any more; None: for nothing."""
        if self.timer is not None and self.timer.active():
            self.timer.cancel()
        self.timer = None if seconds is None else self.clock.callLater(seconds, then)

    def settled(self) -> None:
        """What relays sound has ended."""
        (self.machine.half_free if self.has_webrtc else self.machine.free)()


_builder = TypeMachineBuilder(LineMachine, Line)
_making = _builder.state("making")
_idle = _builder.state("idle")
_busy = _builder.state("busy")
_settling = _builder.state("settling")
_resting = _builder.state("resting")
_retired = _builder.state("retired")
_gone = _builder.state("gone")


@_making.upon(LineMachine.made).to(_idle)
@_settling.upon(LineMachine.free).to(_idle)
@_resting.upon(LineMachine.quiet).to(_idle)
def _now_idle(machine: LineMachine, line: Line) -> None:
    line.state = "idle"
    line.wait(None)


# Janus may give a call to a line that it knows to be free before we do.
@_idle.upon(LineMachine.begun).to(_busy)
@_settling.upon(LineMachine.begun).to(_busy)
@_resting.upon(LineMachine.begun).to(_busy)
@_retired.upon(LineMachine.begun).to(_busy)
def _now_busy(machine: LineMachine, line: Line) -> None:
    line.state = "busy"
    line.wait(None)


@_busy.upon(LineMachine.left).to(_settling)
def _now_settling(machine: LineMachine, line: Line) -> None:
    line.state = "settling"
    line.wait(SETTLE, line.settled)


@_settling.upon(LineMachine.half_free).to(_resting)
def _now_resting(machine: LineMachine, line: Line) -> None:
    line.state = "resting"
    line.wait(REST, line.machine.doubt)


@_busy.upon(LineMachine.doubt).to(_retired)
@_resting.upon(LineMachine.doubt).to(_retired)
def _now_retired(machine: LineMachine, line: Line) -> None:
    line.state = "retired"
    line.wait(None)
    line.keeper.retired(line)


for _state in (_making, _idle, _busy, _settling, _resting, _retired):

    @_state.upon(LineMachine.lost).to(_gone)
    def _now_gone(machine: LineMachine, line: Line) -> None:
        line.state = "gone"
        line.wait(None)


_CHANGES = {
    LineMachine.made: (_making,),
    LineMachine.begun: (_idle, _settling, _resting, _retired),
    LineMachine.left: (_busy,),
    LineMachine.free: (_settling,),
    LineMachine.half_free: (_settling,),
    LineMachine.quiet: (_resting,),
    LineMachine.doubt: (_busy, _resting),
    LineMachine.lost: (_making, _idle, _busy, _settling, _resting, _retired),
}
for _input, _states in _CHANGES.items():
    for _each in (_making, _idle, _busy, _settling, _resting, _retired, _gone):
        if _each not in _states:
            _each.upon(_input).loop().returns(None)

new_line = _builder.build()
"""`new_line(Line(...))` is a machine in its first state; a `Line` makes its own."""
