"""The lines of a session: a master, that is registered, and helpers, that share its registration."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from bridges.safenum.janus.call import Call, Patience
from bridges.safenum.janus.call_machine import set_going
from bridges.safenum.janus.channel import Channel
from bridges.safenum.janus.line import Line
from bridges.safenum.janus.messages import Frame, PluginEvent
from bridges.safenum.janus.numbers import number
from bridges.safenum.janus.requests import Body, Help, Jsep
from bridges.safenum.janus.sdp import is_readable
from bridges.safenum.janus.settings import JanusSettings
from bridges.safenum.janus.transactions import Unanswered
from safeum_home.ports.carrier import CALLED_HEADER, CALLER_HEADER, NOT_FOUND
from safeum_home.spawn import spawn

AGAIN = 5.0
"""Seconds after which a line that could not be made is tried once more."""
RENEWAL = 5.0
"""Seconds between two looks whether a session may be begun anew."""


class Arrived(Protocol):
    """Takes a call that comes in."""

    def __call__(self, call: Call, called: str, caller: str, sdp: str) -> None: ...


class Lines:
    """Keeps as many as there are to be. `clock` provides IReactorTime."""

    def __init__(
        self,
        clock: Any,
        settings: JanusSettings,
        channel: Channel,
        arrived: Arrived,
        renew: Callable[[str], None],
        refused: Callable[[str], None],
    ) -> None:
        """`renew` ends the session for a reason, so that another one is begun.

        `refused` is told why Janus does not put a call through, by a code of its own.
        """
        self._clock = clock
        self._settings = settings
        self._channel = channel
        self._arrived = arrived
        self._renew_session = renew
        self._refused = refused
        self._lines: dict[int, Line] = {}
        self._grows = False
        self._again: Any = None
        self._renewal: Any = None
        self._is_over = False
        self.patience = Patience(settings.connect_seconds, settings.answer_seconds, settings.silence_seconds)
        self.master: Line | None = None
        self.master_id = 0
        """What Janus knows the registration by; 0 before there is one."""
        self.are_open = False
        """Whether calls can go out."""

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        return iter(list(self._lines.values()))

    def of(self, handle: int) -> Line | None:
        return self._lines.get(handle)

    @property
    def taken(self) -> int:
        """How many cannot be used for another call now."""
        return len(self._lines) - sum(line.state == "idle" for line in self._lines.values())

    def idle(self) -> Line | None:
        """One for a call that goes out: the last, since Janus gives calls that come in to the first."""
        if not self.are_open:
            return None
        return next((line for line in reversed(self._lines.values()) if line.state == "idle"), None)

    # --- having as many as there are to be

    async def add_master(self) -> None:
        """The first; fails with `Unanswered`."""
        self.master = await self._attach(is_master=True)
        self._lines[self.master.handle] = self.master

    def registered(self, master_id: int) -> None:
        """The master is: so there can be helpers."""
        self.master_id = master_id
        if self.master is not None:
            self.master.machine.made()
        self._grow()

    def detached(self, line: Line) -> None:
        """Janus has given a handle up."""
        if line is self.master:
            # Helpers end with their master.
            self._renew_session("Janus has given the registration up")
        else:
            self._drop(line)
            self._grow()

    def lose(self) -> None:
        """All are gone, for good."""
        self._is_over = True
        self.are_open = False
        for timer in (self._again, self._renewal):
            if timer is not None and timer.active():
                timer.cancel()
        for line in self:
            self._drop(line)

    def _drop(self, line: Line) -> None:
        self._lines.pop(line.handle, None)
        line.lose()

    def _grow(self) -> None:
        if not self._grows and not self._is_over:
            self._grows = True
            spawn(self._add_helpers(), "making lines")

    async def _add_helpers(self) -> None:
        try:
            while len(self._lines) < self._settings.calls and not self._is_over:
                line = await self._helper()
                self._lines[line.handle] = line
        except Unanswered:
            if not self._is_over:
                self._again = self._clock.callLater(AGAIN, self._grow)
        finally:
            self._grows = False

    async def _helper(self) -> Line:
        line = await self._attach(is_master=False)
        body = Help(self._settings.identity, self.master_id, "helper")
        try:
            told = await self._channel.tell(line.handle, body)
            if told.result is None or told.result.event != "registered":
                raise Unanswered("a line is refused")
        except Unanswered:
            self._give_up(line)
            raise
        line.machine.made()
        return line

    async def _attach(self, is_master: bool) -> Line:
        handle = await self._channel.attach()
        if not handle or handle in self._lines:
            raise Unanswered("no handle")
        return Line(self._clock, self, is_master, handle)

    def _give_up(self, line: Line) -> None:
        spawn(self._channel.detach(line.handle), "giving a line up")

    # --- for lines: `line.Keeper`

    def message(self, line: Line, body: Body, jsep: Jsep | None) -> str:
        name, answer = self._channel.message(line.handle, body, jsep)
        answer.addErrback(lambda failure: line.refused(name, str(failure.value)))
        return name

    def incoming(self, line: Line, frame: Frame, told: PluginEvent) -> None:
        if told.result is None or (line.call is not None and line.call.reference == told.call_id):
            return
        if line.state not in ("idle", "settling", "resting", "retired"):
            line.crossed()
            return
        call = Call(self._clock, self.patience, told.call_id, line)
        machine = set_going(call)
        line.carry(call)
        machine.offer()
        called, caller = (number(told.result.headers.get(each, "")) for each in _HEADERS)
        sdp = "" if frame.jsep is None else frame.jsep.sdp
        if not called:
            machine.decline(NOT_FOUND)
        elif not is_readable(sdp):
            machine.unusable()
        else:
            self._arrived(call, called, caller, sdp)

    def move(self, call: Call) -> bool:
        if (line := self.idle()) is None:
            return False
        line.carry(call)
        call.move()
        return True

    def refused(self, why: str) -> None:
        self._refused(why)

    def retired(self, line: Line) -> None:
        if line is self.master:
            self._renew()
        else:
            self._give_up(line)
            self._drop(line)
            self._grow()

    def _renew(self) -> None:
        """With the master all others would go: that waits until nobody speaks."""
        if self.master is None or self.master.state != "retired":
            return
        if any(line.call is not None for line in self):
            self._renewal = self._clock.callLater(RENEWAL, self._renew)
        else:
            self._renew_session("its first line was in doubt")


_HEADERS = (CALLED_HEADER, CALLER_HEADER)
