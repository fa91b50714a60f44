"""One connection to an SMSC: binding -> bound -> closing -> lost.

binding --bound--> bound --closed--> closing --lost--> lost
   |                 +--------------lost-----------------^ ^
   +---closed--> closing           (from binding too) -----+
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from bridges.sms.smpp.messages import Receipt, message_id, receipt
from bridges.sms.smpp.pdus import RESPONSE, BadPdu, Command, Pdu, Splitter, Status
from bridges.sms.smpp.requests import Requests, Unanswered
from bridges.sms.smpp.statuses import outcome_of
from safeum_home.outgoing.answers import TLS_FAILED, reason_of
from safeum_home.ports.sms import Accepted, Outcome, Permanent, Temporary

_REQUESTS = frozenset({Command.DELIVER_SM, Command.ENQUIRE_LINK, Command.UNBIND})
DISCONNECTED = Temporary("disconnected", handed_over=False)
NO_PASSWORD = Permanent("there is no usable password in the store", account_refused=True)
GOODBYE = 5.0
"""Seconds for the end of a connection, before it is cut off."""


class LinkMachine(Protocol):
    """What can happen to a connection."""

    def bound(self) -> None:
        """The SMSC takes messages from us."""

    def closed(self) -> None:
        """One of the two sides ends it."""

    def lost(self) -> None:
        """The connection is gone."""


@dataclass(slots=True)
class _Core:
    state: str = "binding"


_builder = TypeMachineBuilder(LinkMachine, _Core)
_binding = _builder.state("binding")
_bound = _builder.state("bound")
_closing = _builder.state("closing")
_lost = _builder.state("lost")


@_binding.upon(LinkMachine.bound).to(_bound)
def _now_bound(machine: LinkMachine, core: _Core) -> None:
    core.state = "bound"


@_binding.upon(LinkMachine.closed).to(_closing)
@_bound.upon(LinkMachine.closed).to(_closing)
def _now_closing(machine: LinkMachine, core: _Core) -> None:
    core.state = "closing"


@_binding.upon(LinkMachine.lost).to(_lost)
@_bound.upon(LinkMachine.lost).to(_lost)
@_closing.upon(LinkMachine.lost).to(_lost)
def _now_lost(machine: LinkMachine, core: _Core) -> None:
    core.state = "lost"


_closing.upon(LinkMachine.bound).loop().returns(None)
_closing.upon(LinkMachine.closed).loop().returns(None)
_lost.upon(LinkMachine.bound).loop().returns(None)
_lost.upon(LinkMachine.closed).loop().returns(None)
_new_machine = _builder.build()


class Owner(Protocol):
    """Whom a link tells."""

    def binding(self) -> bytes:
        """The body of bind_transceiver; raises `BadPdu` or `Problem` where there is none."""

    def up(self, link: "Link") -> None:
        """It takes messages."""

    def down(self, link: "Link", why: Outcome) -> None:
        """It takes none (any more)."""

    def received(self, receipt: Receipt) -> None:
        """A delivery receipt came."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Requests that may be unanswered at once; seconds for an answer, and between questions for life."""

    window: int
    answer: float
    enquire: float


class Link(TwistedProtocol):
    """The protocol of a connection. `clock` provides IReactorTime."""

    def __init__(self, clock: Any, owner: Owner, pace: Pace) -> None:
        self._clock = clock
        self._owner = owner
        self._pace = pace
        self._splitter = Splitter()
        self._requests = Requests(clock, pace.window, pace.answer, self._write)
        self._core = _Core()
        self._machine = _new_machine(self._core)
        self._enquiry: Any = None
        self._abort: Any = None
        self._why: Outcome = DISCONNECTED

    @property
    def state(self) -> str:
        return self._core.state

    def submit(self, body: bytes) -> Deferred[Outcome]:
        """Hand a message over; never fails."""
        if self.state != "bound":
            return succeed(DISCONNECTED)
        return self._requests.send(Command.SUBMIT_SM, body).addCallbacks(self._taken, self._unanswered)

    def unbind(self) -> Deferred[None]:
        """End it politely: done when the SMSC has agreed, or does not in time."""
        self._machine.closed()
        self._requests.fail_all("stopped")
        return self._requests.send(Command.UNBIND, urgent=True).addBoth(lambda _: self._hang_up())

    # --- Twisted's side

    def connectionMade(self) -> None:
        try:
            body = self._owner.binding()
        except Exception:
            # Its text might quote what was wrong with the password.
            self._end(NO_PASSWORD)
            return
        asked = self._requests.send(Command.BIND_TRANSCEIVER, body, urgent=True)
        asked.addCallbacks(self._bind_answered, self._silent)

    def dataReceived(self, data: bytes) -> None:
        try:
            for pdu in self._splitter.feed(data):
                self._received(pdu)
        except BadPdu:
            self._write(Pdu(Command.GENERIC_NACK, 0, Status.INVALID_COMMAND_LENGTH))
            self._end(Temporary("not SMPP"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.state == "binding" and self._why is DISCONNECTED and reason_of(reason) == TLS_FAILED:
            self._why = replace(DISCONNECTED, reason=TLS_FAILED)
        self._machine.lost()
        self._cancel(self._enquiry)
        self._cancel(self._abort)
        self._owner.down(self, self._why)
        self._requests.fail_all("disconnected")

    # --- what the SMSC says

    def _received(self, pdu: Pdu) -> None:
        if pdu.command & RESPONSE:
            self._requests.answered(pdu)
        elif pdu.command not in _REQUESTS:
            self._write(Pdu(Command.GENERIC_NACK, pdu.sequence, Status.INVALID_COMMAND))
        elif pdu.command == Command.DELIVER_SM:
            self._delivered(pdu)
        else:
            self._write(pdu.answer())
            if pdu.command == Command.UNBIND:
                self._end(DISCONNECTED)

    def _delivered(self, pdu: Pdu) -> None:
        try:
            found = receipt(pdu.body)
        except BadPdu:
            # Not to be sent again: it would be no better.
            self._write(pdu.answer(Status.PERMANENT_ERROR))
            return
        if found is not None:
            self._owner.received(found)
        self._write(pdu.answer(body=b"\0"))

    def _bind_answered(self, pdu: Pdu) -> None:
        if pdu.status != Status.OK:
            self._end(outcome_of(pdu.status))
            return
        self._machine.bound()
        if self.state == "bound":
            self._enquiry = self._clock.callLater(self._pace.enquire, self._enquire)
            self._owner.up(self)

    def _taken(self, pdu: Pdu) -> Outcome:
        if pdu.command == Command.GENERIC_NACK and pdu.status == Status.OK:
            return outcome_of(Status.INVALID_COMMAND)
        if pdu.status != Status.OK:
            return outcome_of(pdu.status)
        try:
            return Accepted(message_id(pdu.body))
        except BadPdu:
            # It was taken, whatever it is called.
            return Accepted()

    def _unanswered(self, failure: Failure) -> Outcome:
        failure.trap(Unanswered)
        error: Any = failure.value
        return Temporary(str(error), handed_over=error.written)

    # --- whether it lives

    def _enquire(self) -> None:
        self._enquiry = self._clock.callLater(self._pace.enquire, self._enquire)
        self._requests.send(Command.ENQUIRE_LINK, urgent=True).addErrback(self._silent)

    def _silent(self, failure: Failure) -> None:
        failure.trap(Unanswered)
        if self.state != "lost":
            self._end(Temporary("silent"))

    # --- the end

    def _end(self, why: Outcome) -> None:
        self._machine.closed()
        self._why = why
        self._hang_up()

    def _hang_up(self) -> None:
        self._cancel(self._enquiry)
        if self.state != "lost" and self._abort is None:
            self._abort = self._clock.callLater(GOODBYE, self._transport.abortConnection)
            self._transport.loseConnection()

    def _write(self, pdu: Pdu) -> None:
        if self.state != "lost":
            self._transport.write(pdu.encode())

    def _cancel(self, timer: Any) -> None:
        if timer is not None and timer.active():
            timer.cancel()

    @property
    def _transport(self) -> Any:
        return self.transport
