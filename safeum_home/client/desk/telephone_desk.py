"""Calls with the telephone network at a desk: each is said to be open, whenever it is shown."""

from typing import TYPE_CHECKING

from safeum_home.client.calling.call_state import CallState
from safeum_home.client.events import Heard
from safeum_home.client.telephony.call import TelephoneCall, TelephoneCallBilled, TelephoneCallChanged
from safeum_home.client.telephony.ending import TelephoneEnd
from safeum_home.client.telephony.incoming import IncomingTelephoneCall
from safeum_home.client.words.money_words import amount
from safeum_home.client.words.telephone_numbers import WITHHELD, shown
from safeum_home.client.words.text import duration, length, safe
from safeum_home.protocol.commands.telephone import MissedCall
from safeum_home.protocol.telephone_events import TelephoneIncoming, TelephoneMissed

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk

OPEN = "open: the telephone network hears it"
ENDED = {
    TelephoneEnd.HANGUP: "The call with {name} is over",
    TelephoneEnd.BUSY: "{name} is busy",
    TelephoneEnd.NO_ANSWER: "{name} has not answered",
    TelephoneEnd.UNALLOCATED: "Nobody has the number {name}",
    TelephoneEnd.REFUSED: "The telephone network does not put you through to {name}",
    TelephoneEnd.UNREACHABLE: "The telephone network cannot be reached now: {name} was not called",
    TelephoneEnd.LOST: "The call with {name} was lost",
    TelephoneEnd.NO_BALANCE: "What you can spend is used up: the call with {name} is over",
    TelephoneEnd.TIME_OVER: "The call with {name} has lasted as long as a call may",
    TelephoneEnd.ANSWERED_ELSEWHERE: "You have answered {name} on another device",
    TelephoneEnd.DECLINED_ELSEWHERE: "You have declined the call of {name} on another device",
    TelephoneEnd.VOICEMAIL: "Your voicemail has taken the call of {name}",
    TelephoneEnd.DECLINED: "The call of {name} is declined",
    TelephoneEnd.FAILED: "No way was found for the sound of the call with {name}, or none any more",
    TelephoneEnd.CLOSED: "The call with {name} is over",
}
MISSED = (TelephoneEnd.HANGUP, TelephoneEnd.NO_ANSWER, TelephoneEnd.LOST, TelephoneEnd.UNREACHABLE)
"""Of calls that were not answered here the node tells by itself that they were missed."""


class TelephoneDesk:
    """What a desk knows of them; `take` begins to."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._seen: dict[str, CallState] = {}
        self._begun: set[str] = set()
        """Calls of this person's that the node has taken: of others it was said why not."""
        self._warned: set[str] = set()
        """Calls of which it was said that they will be ended."""
        self._keys: dict[str, int] = {}
        """How many keys of the other side's were told."""

    def take(self) -> None:
        """Ring from now on."""
        self._desk.client.listen(self._heard)
        if (telephone := self._desk.client.telephone) is not None:
            telephone.on_call(self._rings)

    @property
    def calls(self) -> list[TelephoneCall]:
        """Those of this device."""
        telephone = self._desk.client.telephone
        return [] if telephone is None else telephone.calls

    @property
    def waiting(self) -> list[IncomingTelephoneCall]:
        """Those that ring here."""
        return [call for call in self.calls if isinstance(call, IncomingTelephoneCall) and call.rings]

    @property
    def current(self) -> TelephoneCall | None:
        """The one that one speaks in, or has begun."""
        waiting = self.waiting
        return next((call for call in self.calls if call not in waiting), None)

    def called(self, text: str) -> list[IncomingTelephoneCall]:
        """Those that ring and are meant by this: the end of a number, or that it is withheld."""
        wanted = " ".join(text.split()).casefold()
        if wanted and WITHHELD.removeprefix("a ").startswith(wanted.removeprefix("a ")):
            return [call for call in self.waiting if call.number is None]
        digits = "".join(each for each in text if each.isdecimal())
        return [call for call in self.waiting if len(digits) > 2 and (call.number or "").endswith(digits)]

    def words(self, call: IncomingTelephoneCall, alone: bool) -> str:
        """Who calls, and what can be done; `alone`: nothing else rings."""
        name = "" if alone else f" {shown(call.number)}"
        who = shown(call.number).capitalize()
        return f"{who} is calling your number ({OPEN}): /answer{name} or /decline{name}"

    def line(self) -> str:
        """How it is, for the last line of the screen; empty where nothing is."""
        call = self.current
        if call is None:
            return ""
        about = length(self._seconds(call)) if call.state is CallState.ACTIVE else call.state.value
        muted = ", muted" if call.muted else ""
        return f"open call with {shown(call.number)}: {about}{muted}"

    def begun(self, call: TelephoneCall, price: str) -> None:
        """This person calls somebody."""
        self._begun.add(call.id)
        costs = f" {price}." if price else ""
        self._desk.tell(f"Calling {shown(call.number)} ({OPEN}).{costs} /hangup ends it.")
        if call.state is CallState.ENDED:
            self._ended(call)

    def _seconds(self, call: TelephoneCall) -> float:
        """Since it was answered."""
        return 0.0 if call.since is None else (self._desk.now() - call.since) / 1000

    def _rings(self, call: IncomingTelephoneCall) -> None:
        self._desk.bell()
        self._desk.tell(self.words(call, self._desk.calls.ringing == 1), "contact")

    def _heard(self, event: Heard) -> None:
        if isinstance(event, TelephoneCallChanged):
            self._changed(event.call)
            self._desk.refresh()
        elif isinstance(event, TelephoneCallBilled):
            self._billed(event.call)
        elif isinstance(event, TelephoneMissed):
            self._desk.tell(f"You have missed a call of {missed(event)}.", "contact")
        elif isinstance(event, TelephoneIncoming) and self._desk.client.telephone is None:
            who = shown(event.caller or None).capitalize()
            why = self._desk.calls.phone.why
            self._desk.tell(f"{who} is calling your number, and cannot be answered here. {why}.", "contact")

    def _changed(self, call: TelephoneCall) -> None:
        name, state = shown(call.number), call.state
        if self._seen.get(call.id) is not state:
            self._seen[call.id] = state
            self._state(call, name)
        if len(call.keys) > self._keys.get(call.id, 0):
            self._desk.tell(f"{name.capitalize()} has pressed {call.keys[self._keys.get(call.id, 0) :]}.")
            self._keys[call.id] = len(call.keys)
        if call.ends and call.paid is not None and call.id not in self._warned:
            self._warned.add(call.id)
            left = duration(call.paid - self._seconds(call))
            self._desk.tell(f"The call can last for {left} more.", "alert")
        if state is CallState.ENDED:
            self._seen.pop(call.id, None)
            self._keys.pop(call.id, None)
            self._warned.discard(call.id)
            self._desk.calls.over()

    def _state(self, call: TelephoneCall, name: str) -> None:
        if call.state is CallState.RINGING and not call.incoming:
            self._desk.tell(f"It rings at {name}.")
        elif call.state is CallState.CONNECTING:
            self._desk.tell(f"You and {name} are being connected…")
        elif call.state is CallState.ACTIVE:
            self._desk.tell(f"You are connected with {name} ({OPEN}).")
        elif call.state is CallState.ENDED and (call.incoming or call.id in self._begun):
            self._ended(call)

    def _ended(self, call: TelephoneCall) -> None:
        self._begun.discard(call.id)
        why, bill = call.why or TelephoneEnd.LOST, call.bill
        words = ENDED[why]
        if call.incoming and call.since is None and why in MISSED:
            return
        lasted = ""
        if why is TelephoneEnd.REFUSED and call.sip:
            lasted = f" (SIP {call.sip})"
        elif call.since is not None:
            lasted = f", after {length(self._seconds(call) if bill is None else bill.seconds)}"
        if bill is not None and bill.amount:
            lasted += f", for {amount(bill.amount)} {safe(bill.currency)}"
        said = words.format(name=shown(call.number))
        self._desk.tell(f"{said[:1].upper()}{said[1:]}{lasted}.")

    def _billed(self, call: TelephoneCall) -> None:
        if call.bill is not None and call.bill.amount:
            cost = f"{amount(call.bill.amount)} {safe(call.bill.currency)}"
            self._desk.tell(f"The call with {shown(call.number)} has cost {cost}.")


def missed(told: TelephoneMissed | MissedCall) -> str:
    """Who has called, and whether the voicemail has answered."""
    return f"{shown(told.caller or None)}{': the voicemail has answered' if told.voicemail else ''}"
