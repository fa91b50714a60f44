"""A call with the telephone network, for programs: what can be done with it, and what is to be seen of it."""

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct
from twisted.internet.defer import Deferred, succeed

from safeum_home.client.calling.call_state import CallState, Core
from safeum_home.client.calling.media import Flow
from safeum_home.client.calling.timer import Timer
from safeum_home.client.errors import ClientError, RemoteProblem, local
from safeum_home.client.listeners import Listeners
from safeum_home.client.telephony.ending import Bill, TelephoneEnd
from safeum_home.client.telephony.home import Home
from safeum_home.client.telephony.machine import new_telephone_call
from safeum_home.errors import Code
from safeum_home.protocol.command import Done
from safeum_home.protocol.commands.telephone import OpenCall, TelephoneDtmf, TelephoneHangup
from safeum_home.protocol.telephone_events import (
    TelephoneAnswered,
    TelephoneKeys,
    TelephoneOver,
    TelephonePaid,
    TelephoneProgress,
)

GRACE = 3.0
"""Seconds in which the node says why it is over, where the sound has ended or the node knows it no more."""
BILLED = 30.0
"""Seconds in which the node says what it has cost, where this side has ended it."""
_KEYS = re.compile(r"[0-9*#A-D]{1,32}")


class TelephoneCallChanged(Struct, frozen=True):
    """Something of a call is different. Said by the client itself, not by the node."""

    call: "TelephoneCall"


class TelephoneCallBilled(Struct, frozen=True):
    """What a call has cost that this side has ended: the node says that a moment later.

    Said by the client itself. Of other calls it is known when they end.
    """

    call: "TelephoneCall"


class TelephoneCall(ABC):
    """One that this program has begun, or that somebody else has (`incoming`).

    Nothing that is done with it has to be waited for: what comes of it is to be seen in `state`.
    """

    incoming: bool
    is_open: Final = True
    """Bridge and carrier hear it, and whoever hears their lines: whoever shows a call says so. There are no
    words to compare, since there is nothing that they would prove."""

    def __init__(self, home: Home, call: str, number: str | None) -> None:
        self.id = call
        self.number = number
        """Of the other side, in international form (E.164); None where it is withheld."""
        self.muted = False
        self.why: TelephoneEnd | None = None
        """Set when it has ended."""
        self.sip = 0
        """What the carrier gave as a reason (a status code of RFC 3261), where there was one."""
        self.since: int | None = None
        """When it was answered, in milliseconds."""
        self.paid: int | None = None
        """For how many seconds from the answer it is paid for; None: for as long as it lasts."""
        self.ends = False
        """Whether it will be ended once those are over."""
        self.bill: Bill | None = None
        """Set when it has ended, where the node has said it; `billed` waits for that."""
        self.keys = ""
        """Those that the other side has pressed, as far as they were signalled."""
        self._home = home
        self._core = Core(self)
        self._machine = new_telephone_call(self._core)
        self._sound = home.sound(self._flows)
        self._listeners = Listeners[TelephoneCall]()
        self._billing: list[Deferred[Bill | None]] = []
        self._unbilled = False
        """Whether it is over, and the node has still to say what it has cost."""
        self._timer = Timer(home.clock)
        self._seen: object = None
        self._known = False
        """Whether the node knows of it, so that it can have forgotten it."""

    # --- what is to be seen

    @property
    def state(self) -> CallState:
        return self._core.state

    def listen(self, listener: "Callable[[TelephoneCall], None]") -> Callable[[], None]:
        """Call `listener` whenever something of it is different; returns what ends that."""
        return self._listeners.add(listener)

    def reached(self, *states: CallState) -> Awaitable[CallState]:
        """Wait until it is in one of these states, or has ended; the state."""
        return self._home.awaitable(self._core.reached(*states))

    def billed(self) -> Awaitable[Bill | None]:
        """Wait until it has ended and the node has said what it has cost; None: it has not."""
        if self.state is CallState.ENDED and not self._unbilled:
            return self._home.awaitable(succeed(self.bill))
        billed: Deferred[Bill | None] = Deferred()
        self._billing.append(billed)
        return self._home.awaitable(billed)

    # --- what can be done

    def answer(self) -> None:
        """Take it on this device; raises `wrong_call_state` and `call_over`."""
        self._machine.take()

    def decline(self) -> None:
        """Do not take it, on any device: the voicemail may. One that goes on already is hung up."""
        self.hang_up()

    def hang_up(self) -> None:
        """End it, or decline it. What has ended already is left alone."""
        self._machine.over(TelephoneEnd.HANGUP, False)

    def mute(self, muted: bool = True) -> None:
        """Send silence, or what there is to be heard."""
        self.muted = muted
        self._sound.mute(muted)
        self.notify()

    def press(self, keys: str) -> Awaitable[Done]:
        """Press keys of a telephone: 1 to 32 of 0 to 9, *, #, A to D, one after the other.

        Raises `invalid_params`, `wrong_call_state` before it is answered and `call_over`.
        """
        if _KEYS.fullmatch(keys) is None:
            raise local(Code.INVALID_PARAMS, "keys are 0 to 9, *, #, A to D, 32 at the most")
        if self.why is not None or self.since is None:
            raise local(Code.WRONG_CALL_STATE if self.why is None else Code.CALL_OVER)
        return self._home.awaitable(self._home.ask(TelephoneDtmf(self.id, keys), Done))

    # --- what the node tells

    @abstractmethod
    def progressed(self, event: TelephoneProgress) -> None:
        """It rings at the other side."""

    @abstractmethod
    def answered(self, event: TelephoneAnswered) -> None:
        """The other side has taken it."""

    def paid_for(self, event: TelephonePaid) -> None:
        """For so long."""
        self.paid, self.ends = event.seconds, event.last
        self.notify()

    def pressed(self, event: TelephoneKeys) -> None:
        """The other side has pressed keys."""
        self.keys += event.digits
        self.notify()

    def over(self, event: TelephoneOver) -> None:
        """It is over, as the node says."""
        is_late = self._unbilled
        if self.why is None or is_late:
            self.sip, self.bill = event.sip, Bill(event.seconds, event.amount, event.currency)
        self.ended(TelephoneEnd.of(event.reason))
        if is_late:
            self._home.billed(self)
            self._listeners.tell(self)
            self.settle()

    def ended(self, why: TelephoneEnd) -> None:
        """It is over, and the node knows that."""
        self._machine.over(why, True)

    def listed(self, entry: OpenCall | None) -> None:
        """The node was asked, on a new connection, which calls go on; None: this one does not."""
        if not self._known or self.why is not None:
            return
        if entry is None:
            self._over_soon()
        elif entry.since is not None and not entry.here:
            self.ended(TelephoneEnd.ANSWERED_ELSEWHERE)
        elif entry.since is not None:
            self._is_taken(entry.since)

    def close(self) -> None:
        """The client is closed."""
        self._machine.over(TelephoneEnd.CLOSED, False)

    # --- what the machine says: `call_state.Steps`

    @abstractmethod
    def begin(self) -> None:
        """It was taken."""

    def changed(self, state: CallState) -> None:
        self.notify()
        if state is CallState.ENDED and not self._unbilled:
            self.settle()

    def finish(self, why: TelephoneEnd, *, told: bool) -> None:
        self.why = why
        self._timer.stop()
        self._sound.close()
        self._unbilled = not told and why is not TelephoneEnd.CLOSED
        self._home.gone(self, is_billed=not self._unbilled)
        if self._unbilled:
            self._timer.start(BILLED, self.settle)
        if not told:
            self._home.tell(TelephoneHangup(self.id), self._not_hung_up)

    def _not_hung_up(self, error: ClientError) -> None:
        if isinstance(error, RemoteProblem):  # the node knows nothing of it
            self.settle()

    def settle(self) -> None:
        """What it has cost is known, or is not waited for any more."""
        if self._unbilled:
            self._unbilled = False
            self._timer.stop()
            self._home.settled(self)
        billing, self._billing = self._billing, []
        for billed in billing:
            billed.callback(self.bill)

    # --- for both kinds

    def notify(self) -> None:
        """Tell those who listen, where anything is different."""
        seen = (self.state, self.muted, self.since, self.paid, self.ends, self.keys)
        if seen != self._seen:
            self._seen = seen
            self._home.changed(self)
            self._listeners.tell(self)

    @abstractmethod
    def _is_taken(self, since: int) -> None:
        """It was answered then, as the node says only now."""

    def _over_soon(self) -> None:
        self._timer.start(GRACE, lambda: self._machine.over(TelephoneEnd.LOST, False))

    def _flows(self, flow: Flow) -> None:
        if flow is Flow.CONNECTED:
            self._machine.connected()
        elif flow is Flow.FAILED:
            self._machine.over(TelephoneEnd.FAILED, False)
        elif flow is Flow.CLOSED:  # the bridge does that when the other side hangs up
            self._over_soon()
