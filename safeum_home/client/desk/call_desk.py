"""Calls at a desk: who rings, with whom one speaks, and what has become of it, in words."""

from typing import TYPE_CHECKING

from safeum_home.client.calling.call import Call, CallChanged
from safeum_home.client.calling.call_state import CallState
from safeum_home.client.calling.conference import Conference
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.desk.conference_desk import ConferenceDesk
from safeum_home.client.desk.phone import NO_PHONE, Phone
from safeum_home.client.desk.telephone_desk import TelephoneDesk
from safeum_home.client.events import Heard
from safeum_home.client.telephony.call import TelephoneCall
from safeum_home.client.words.call_words import standing, to_compare
from safeum_home.client.words.telephone_numbers import shown
from safeum_home.client.words.text import length, safe
from safeum_home.protocol.call_types import Media
from safeum_home.protocol.events import CallInvitation

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk

ENDED = {
    CallEnd.HANGUP: "The call with {name} is over",
    CallEnd.DECLINED: "{name} does not take the call",
    CallEnd.BUSY: "{name} is in another call",
    CallEnd.NO_ANSWER: "{name} has not answered",
    CallEnd.ANSWERED_ELSEWHERE: "You have answered {name} on another device",
    CallEnd.DECLINED_ELSEWHERE: "You have declined the call of {name} on another device",
    CallEnd.REPLACED: "{name} is calling you, too: that call goes on",
    CallEnd.UNREACHABLE: "{name} cannot be reached now",
    CallEnd.LOST: "The call with {name} was lost",
    CallEnd.TAMPERED: "⚠ Somebody between you and {name} has interfered: the call was ended",
    CallEnd.FAILED: "No way was found between your devices and {name}'s",
    CallEnd.CLOSED: "The call with {name} is over",
}
UNPROVEN = "It could not be told whether that is {name}"
ONLY = "nothing but a relay may be used here (--call-relay-only), and perhaps none works"
MISSED = {
    CallEnd.HANGUP: "{name} has called you",
    CallEnd.NO_ANSWER: "{name} has called you",
    CallEnd.DECLINED: "The call of {name} is declined",
    CallEnd.BUSY: "The call of {name} is declined",
    CallEnd.LOST: "{name} has called you",
}
"""Of calls that were not answered here, where it is otherwise."""


class CallDesk:
    """What a desk knows of its calls; `take` begins to."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._seen: dict[str, CallState] = {}
        self._compared: set[str] = set()
        """Calls of which it was said what to compare."""
        self._silent: set[str] = set()
        """Calls of which it was said that the other has muted the microphone."""
        self._begun: set[str] = set()
        """Calls of this person's that the node has taken: of others it was said why not."""
        self._spoken: dict[str, int] = {}
        """Since when two are connected: it may be later than the answer."""
        self._troubles: set[str] = set()
        """What was said not to work in what goes on now."""
        self.phone: Phone = NO_PHONE
        self.conferences = ConferenceDesk(desk)
        self.telephone = TelephoneDesk(desk)

    def take(self, phone: Phone) -> None:
        """Ring from now on, and be able to call."""
        self.phone = phone
        phone.trouble = self._trouble
        client = self._desk.client
        client.listen(self._heard)
        if phone.source is not None:
            phone.attach(client)
            client.on_call(self._rings)
            self.conferences.take()
        self.telephone.take()

    @property
    def waiting(self) -> list[Call]:
        """Those that ring here."""
        return [call for call in self._all() if call.incoming and call.since is None]

    @property
    def ringing(self) -> int:
        """How many calls and conferences ring."""
        return len(self.waiting) + len(self.conferences.waiting) + len(self.telephone.waiting)

    @property
    def callers(self) -> list[str]:
        """Who calls, as they are shown."""
        numbers = [shown(call.number) for call in self.telephone.waiting]
        return [*(self._name(call) for call in self.waiting), *numbers]

    @property
    def spoken_in(self) -> Call | TelephoneCall | Conference | None:
        """What one speaks in, or has begun."""
        return self.current or self.telephone.current or self.conferences.current

    def rings(self) -> str:
        """Who rings, and what can be done; empty where nobody does."""
        calls, conferences = self.waiting, self.conferences.waiting
        alone = self.ringing == 1
        said = [self.telephone.words(each, alone) for each in self.telephone.waiting]
        said += [self.conferences.words(each, alone) for each in conferences]
        if len(calls) == 1:
            said.insert(0, self._words(calls[0], alone))
        elif calls:
            callers = " and ".join(self._name(call) + _video(call) for call in calls)
            said.insert(0, f"{callers} are calling: /answer NAME or /decline NAME")
        return "; ".join(said)

    def _words(self, call: Call, alone: bool) -> str:
        name = "" if alone else f" {self._name(call)}"
        return f"{self._name(call)} is calling{_video(call)}: /answer{name} or /decline{name}"

    def decline(self, call: Call | TelephoneCall) -> None:
        """It is not taken; who speaks to somebody else is busy."""
        if isinstance(call, TelephoneCall):
            call.decline()
        else:
            call.decline(busy=self.current is not None or self.telephone.current is not None)

    @property
    def current(self) -> Call | None:
        """The one that one speaks in, or has begun."""
        others = [call for call in self._all() if not call.incoming or call.since is not None]
        return others[0] if others else None

    def begun(self, call: Call) -> None:
        """This person calls somebody."""
        self._begun.add(call.id)
        self._tell(call, f"Calling {self._name(call)}… /hangup ends it.")

    def end(self) -> None:
        """Its person leaves."""
        calls: list[Call | TelephoneCall] = [*self._all(), *self.telephone.calls]
        for call in calls:
            call.hang_up()
        if (conference := self.conferences.current) is not None:
            conference.leave()

    def line(self) -> str:
        """How it is, for the last line of the screen; empty where nothing is."""
        call = self.current
        if call is None:
            if self.telephone.current is not None or not (callers := self.callers):
                return self.telephone.line() or self.conferences.line()
            return f"{' and '.join(callers)} {'is' if len(callers) == 1 else 'are'} calling"
        about = call.state.value
        if call.state is CallState.ACTIVE:
            about = length(self._seconds(call))
        words = "" if call.words is None else standing(self._desk, call.peer, call.bound)
        known = f" ({words})" if words else ""
        muted = ", muted" if call.muted else ""
        return f"call with {self._name(call)}{known}: {about}{muted}"

    def over(self) -> None:
        """What was heard is over, and what did not work in it is told anew the next time."""
        self._troubles.clear()

    def _trouble(self, text: str) -> None:
        if text not in self._troubles:  # a connection that is made anew has the same
            self._troubles.add(text)
            self._desk.tell(f"{text}.", "error")

    def _seconds(self, call: Call) -> float:
        now = self._desk.now()
        return (now - self._spoken.get(call.id, now)) / 1000

    def _all(self) -> list[Call]:
        return [call for call in self._desk.client.calls if call.state is not CallState.ENDED]

    def _name(self, call: Call) -> str:
        return self._desk.names.name(call.peer)

    def _tell(self, call: Call, text: str, style: str = "notice") -> None:
        contact = self._desk.state.contacts.get(call.peer)
        self._desk.tell(text, style, about=None if contact is None else contact.chat)

    def _rings(self, call: Call) -> None:
        self._desk.bell()
        self._tell(call, self._words(call, self.ringing == 1), "contact")

    def _heard(self, event: Heard) -> None:
        if isinstance(event, CallChanged):
            self._changed(event.call)
        elif isinstance(event, CallInvitation) and self.phone.source is None:
            name = self._desk.names.name(event.account)
            self._desk.tell(f"{name} is calling, and cannot be answered here. {self.phone.why}.", "contact")

    def _changed(self, call: Call) -> None:
        before, state = self._seen.get(call.id), call.state
        self._seen[call.id] = state
        if state is not before:
            self._state(call, before)
        if call.words is not None and call.since is not None and call.id not in self._compared:
            self._compared.add(call.id)
            self._tell(call, to_compare(self._name(call), call.words, call.bound), "alert")
        if call.other_muted != (call.id in self._silent) and state is CallState.ACTIVE:
            self._silent ^= {call.id}
            heard = "is not to be heard" if call.other_muted else "is to be heard again"
            self._tell(call, f"{self._name(call)} {heard}.")
        if state is CallState.ENDED:
            self._seen.pop(call.id, None)
            self._compared.discard(call.id)
            self._silent.discard(call.id)
            self._begun.discard(call.id)
            self._spoken.pop(call.id, None)
            self.over()
        self._desk.refresh()

    def _state(self, call: Call, before: CallState | None) -> None:
        name = self._name(call)
        state = call.state
        if state is CallState.RINGING and not call.incoming:
            self._tell(call, f"It rings at {name}.")
        elif state is CallState.CONNECTING:
            again = "The connection has broken, and is made anew…"
            self._tell(call, again if before is CallState.ACTIVE else f"You and {name} are being connected…")
        elif state is CallState.ACTIVE:
            self._spoken.setdefault(call.id, self._desk.now())
            self._tell(call, f"You are connected with {name}.")
        elif state is CallState.ENDED and (call.incoming or call.id in self._begun):
            self._ended(call, name)

    def _ended(self, call: Call, name: str) -> None:
        why = call.why or CallEnd.LOST
        words = UNPROVEN if why is CallEnd.FAILED and call.wrong else ENDED[why]
        if call.incoming and call.since is None:
            words = MISSED.get(why, words)
        lasted = ""
        if call.id in self._spoken and why in (CallEnd.HANGUP, CallEnd.LOST, CallEnd.CLOSED):
            lasted = f", after {length(self._seconds(call))}"
        elif why is CallEnd.FAILED and call.wrong:
            lasted = f": {safe(call.wrong)}"
        elif why is CallEnd.FAILED and self.phone.relay_only:
            lasted = f": {ONLY}"
        self._tell(
            call, f"{words.format(name=name)}{lasted}.", "error" if why is CallEnd.TAMPERED else "notice"
        )


def _video(call: Call) -> str:
    return " with video" if call.media is Media.VIDEO else ""
