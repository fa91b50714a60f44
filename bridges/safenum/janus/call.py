"""One call, whoever has begun it, and what is done about it through its handle."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted.logger import Logger

from bridges.safenum.janus import requests
from bridges.safenum.janus.dtmf import TONE, Keypad
from safeum_home.ports.carrier import CarrierEnd, CarrierListener

CLOSING = 5.0
"""Seconds for Janus to say that a call is over, before its handle is given up."""
TAKING_NOTE = 0.2
"""Seconds that Janus is given before a call that came in is refused. It tells of one, then takes note of it:
what is refused in between is refused to nobody, rings on, and cannot be refused any more."""
RINGING = 180.0
"""Seconds (RFC 3261, timer C): nothing rings for longer."""
NO_END = CarrierEnd()


class CallMachine(Protocol):
    """What can happen to a call."""

    def dial(self) -> None:
        """Begin it: a call that goes out."""

    def offer(self) -> None:
        """It has begun: a call that comes in."""

    # --- what is asked from this side

    def answer(self, sdp: str) -> None: ...
    def decline(self, sip: int) -> None: ...
    def hang_up(self) -> None: ...
    def press(self, digits: str) -> None: ...

    # --- what Janus says

    def progress(self, sdp: str | None) -> None:
        """It rings at the other side."""

    def accepted(self, sdp: str | None) -> None:
        """It is taken."""

    def keys(self, digits: str) -> None:
        """The other side has pressed keys."""

    def ended(self, end: CarrierEnd) -> None:
        """It is over."""

    def refused(self) -> None:
        """The request that it hangs on was refused, or not answered."""

    def unusable(self) -> None:
        """What the other side describes is of no use."""

    def heard(self) -> None:
        """There is a way to the app, and something comes from it."""

    def silent(self) -> None:
        """Nothing comes from the app any more."""

    def vanished(self) -> None:
        """The app is gone."""

    def lost(self) -> None:
        """The handle is gone."""

    def overdue(self) -> None:
        """What was to happen has not happened."""


class Leg(Protocol):
    """The handle that a call is on."""

    def ask(self, body: requests.Body, jsep: requests.Jsep | None = None) -> str:
        """Ask the SIP plugin for something; the name of the transaction."""

    def left(self, call: "Call", in_doubt: bool) -> None:
        """The call is over. `in_doubt`: Janus has not said so."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for an app to be reached, for Janus to answer, and for silence of an app."""

    connect: float
    answer: float
    silence: float


@dataclass(slots=True, eq=False)
class Call:
    """What is known of it. `clock` provides IReactorTime."""

    clock: Any
    patience: Patience
    reference: str
    """Its Call-ID."""
    leg: Leg
    listener: CarrierListener | None = None
    """None for one that comes in, until somebody attends to it."""
    opening: tuple[requests.Dial, requests.Jsep] | None = field(default=None, repr=False)
    """What it is begun with, as long as that may have to be said again on another handle."""
    is_crossed: bool = False
    """Its line was lost to somebody who calls in."""
    may_be_tried: int = 1
    """How often it may be begun on another line where that is not known to be the reason: Janus may refuse a
    call before it says who calls in. What it refuses for itself it would refuse on every line."""
    asked: str = ""
    """The transaction of the request that it hangs on."""
    is_connected: bool = False
    """The app and Janus have reached each other."""
    was_answered: bool = False
    is_over: bool = False
    end: CarrierEnd = NO_END
    """How it ends as far as this side is concerned."""
    timer: Any = None
    keypad: Keypad = field(init=False)
    machine: CallMachine = field(init=False)

    _log = Logger()

    def __post_init__(self) -> None:
        self.keypad = Keypad(self.clock, self._press)

    # --- what is asked of Janus

    @property
    def may_move(self) -> bool:
        """Whether it may be begun on another line."""
        return self.opening is not None and (self.is_crossed or self.may_be_tried > 0)

    def move(self) -> None:
        """Begin it on the line that it is on now."""
        if not self.is_crossed:
            self.may_be_tried -= 1
        self.is_crossed = False
        self.begin()

    def begin(self) -> None:
        assert self.opening is not None
        body, jsep = self.opening
        self.asked = self.leg.ask(body, jsep)

    def accept(self, sdp: str) -> None:
        self.asked = self.leg.ask(requests.Accept(), requests.Jsep(requests.ANSWER, sdp))

    def decline(self) -> None:
        """With the status code of its end."""
        self.leg.ask(requests.Decline(self.end.sip))

    def hang_up(self, cause: int = 0) -> None:
        self.end = CarrierEnd(0, cause, far=False)
        self.leg.ask(requests.HangUp())

    def _press(self, key: str) -> None:
        self.leg.ask(requests.Press(key, int(TONE * 1000)))

    # --- what is told

    def tell(self, what: Callable[[CarrierListener], None]) -> None:
        if self.listener is None:
            return
        try:
            what(self.listener)
        except Exception:
            # One call must not take the others with it.
            self._log.failure("what was told of a call has failed")

    def attend(self, listener: CarrierListener) -> None:
        """From now on it is told what becomes of the call, and at once where that is over."""
        self.listener = listener
        if self.is_over:
            self.tell(lambda each: each.ended(self.end))

    def finish(self, end: CarrierEnd, in_doubt: bool = False) -> None:
        """It is over, and this is how it has ended."""
        self.is_over = True
        self.end = end._replace(sip=200) if self.was_answered else end
        self.opening = None
        self.keypad.stop()
        self.wait(None)
        self.leg.left(self, in_doubt)
        self.tell(lambda each: each.ended(self.end))

    # --- time

    def wait(self, seconds: float | None, then: Callable[[], None] = lambda: None) -> None:
        """What was waited for before is not any more; None: for nothing."""
        if self.timer is not None and self.timer.active():
            self.timer.cancel()
        self.timer = None if seconds is None else self.clock.callLater(seconds, then)
