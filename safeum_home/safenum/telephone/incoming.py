"""A call from the telephone network. What its machine does (`telephone.incoming_machine`) is done here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import UNSET

from safeum_home.errors import Problem
from safeum_home.ids import DeviceId
from safeum_home.ports.carrier import (
    BUSY_HERE,
    DECLINED,
    UNAVAILABLE,
    CarrierCall,
    CarrierEnd,
    CarrierListener,
    Incoming,
)
from safeum_home.ports.money import Charged, Released
from safeum_home.ports.voicemail import Unanswered
from safeum_home.protocol.telephone_events import TelephoneAnswered, TelephoneIncoming
from safeum_home.protocol.telephone_types import RING_SECONDS, TelephoneEnded
from safeum_home.safenum.telephone.call import Call
from safeum_home.safenum.telephone.missed import MissedRecord
from safeum_home.safenum.telephone.stages import (
    REQUEST_TERMINATED,
    Ending,
    Stage,
    by_carrier,
    by_device,
    by_node,
)
from safeum_home.spawn import spawn

if TYPE_CHECKING:
    from safeum_home.safenum.telephone.incoming_machine import IncomingMachine

_CODES = {
    Unanswered.NO_ANSWER: UNAVAILABLE,
    Unanswered.BUSY: BUSY_HERE,
    Unanswered.DECLINED: DECLINED,
    Unanswered.OFFLINE: UNAVAILABLE,
    Unanswered.ALWAYS: UNAVAILABLE,
}
_REASONS = {Unanswered.BUSY: TelephoneEnded.BUSY, Unanswered.DECLINED: TelephoneEnded.DECLINED_ELSEWHERE}


@dataclass(eq=False, slots=True, kw_only=True)
class IncomingCall(Call):
    """`offer` is what the carrier has told."""

    offer: Incoming
    machine: "IncomingMachine" = field(init=False)
    why: Unanswered | None = None
    """Why nobody has taken it."""
    recorder: CarrierListener | None = None
    _rings: set[DeviceId] = field(default_factory=set)
    """Devices that were told."""
    _until: float = 0.0
    _end: CarrierEnd = field(default_factory=CarrierEnd)

    # --- until the answer

    def ask(self) -> None:
        """It is looked whose number that is."""
        self.stage = Stage.ASKING

    def ring(self) -> None:
        """Let all devices ring."""
        assert self.account is not None
        self.stage = Stage.RINGING
        self._until = self.means.clock.seconds() + RING_SECONDS
        self.later(RING_SECONDS, self.machine.unanswered, Unanswered.NO_ANSWER)
        for device in self.means.telling.connected(self.account):
            self._rings_on(device)
        self.means.telling.ring(self.account, self._invitation, lambda: self.stage is Stage.RINGING)

    def tell_all(self, device: DeviceId) -> None:
        """A device has come, and may have missed something."""
        if self.stage is Stage.RINGING:
            assert self.account is not None
            self._rings_on(device)
            self.means.telling.tell(self.account, device, self._invitation)
        elif self.stage is Stage.ACTIVE and device == self.device:
            self.tell(TelephoneAnswered(self.call))

    def answer_with(self, sdp: str) -> None:
        """Hand the answer of a device to the carrier; raises `invalid_params`, and it rings on."""
        assert self.line is not None
        self.line.answer(sdp)

    def take(self, device: DeviceId) -> None:
        """A device has answered: the others ring no more."""
        self.stage, self.device = Stage.TAKEN, device
        self.wait_no_more()
        self._stop_ringing(self._ended(TelephoneEnded.ANSWERED_ELSEWHERE), device)
        self.keep_awake(device)

    def answered(self) -> None:
        """The carrier knows."""
        self.activate()
        self.tell(TelephoneAnswered(self.call))
        lasts = by_node(TelephoneEnded.TIME_OVER, is_answered=True)
        self.later(self.means.call_seconds, self.machine.end, lasts)

    @property
    def _invitation(self) -> TelephoneIncoming:
        left = max(0.0, self._until - self.means.clock.seconds())
        return TelephoneIncoming(self.call, self.offer.sdp, left, self.other or UNSET)

    def _rings_on(self, device: DeviceId) -> None:
        self._rings.add(device)
        self.keep_awake(device)

    def _stop_ringing(self, ending: Ending, skip: DeviceId | None) -> None:
        assert self.account is not None
        rings, self._rings = self._rings, set()
        self.means.telling.stops_ringing(self.account, self.event(ending), rings, skip)
        for device in rings:
            self.let_sleep(device)

    def _ended(self, reason: TelephoneEnded) -> Ending:
        return Ending(reason, Released.NODE)

    # --- nobody takes it

    def decline(self, device: DeviceId) -> None:
        """A device does not take it: it rings on none."""
        self._stop_ringing(self._ended(TelephoneEnded.DECLINED_ELSEWHERE), device)
        self.ask_mailbox(Unanswered.DECLINED)

    def ask_mailbox(self, why: Unanswered) -> None:
        """Whether the voicemail takes it."""
        self.stage, self.why = Stage.UNANSWERED, why
        self.wait_no_more()
        spawn(self._ask_mailbox(why), "asking the voicemail")

    async def _ask_mailbox(self, why: Unanswered) -> None:
        assert self.account is not None and self.line is not None
        try:
            listener = await self.means.mailbox.take(self.account, self.line, self.offer, why)
        except Exception as error:
            self.machine.not_recorded(why)
            if not isinstance(error, Problem):  # the storage is away
                raise
            return
        if listener is None:
            self.machine.not_recorded(why)
        else:
            self.machine.recorded(listener)

    def record(self, listener: CarrierListener) -> None:
        """The voicemail has taken it."""
        self.stage, self.recorder = Stage.RECORDED, listener
        if self.is_answered:
            listener.answered(None)
        if self._rings:
            self._stop_ringing(self._ended(TelephoneEnded.VOICEMAIL), None)
        self.later(self.means.call_seconds, self.machine.end, by_node(TelephoneEnded.TIME_OVER, True))

    def recorder_answered(self, sdp: str | None) -> None:
        """The carrier knows that it has."""
        self.answer_noted()
        if self.recorder is not None:
            self.recorder.answered(sdp)

    def give_up(self, why: Unanswered) -> None:
        """It is declined."""
        self.finish(Ending(_REASONS.get(why, TelephoneEnded.NO_ANSWER), Released.CALLEE, _CODES[why]))

    def refuse(self, sip: int) -> None:
        """It does not ring: nobody has this number, or there are too many calls."""
        self.finish(Ending(TelephoneEnded.REFUSED, Released.NODE, sip))

    # --- devices come and go

    def attend(self) -> None:
        """Nobody is waited for: who speaks needs no connection."""

    def without(self, gone: Callable[[DeviceId], bool]) -> None:
        """Devices are gone for good."""
        if self.device is not None and gone(self.device):
            self.machine.end(by_device(self.direction, self.is_answered))
        for device in filter(gone, tuple(self._rings)):
            self._rings.discard(device)
            self.let_sleep(device)

    # --- the end

    def end_by_carrier(self, end: CarrierEnd) -> None:
        ending = by_carrier(end, self.direction, self.is_answered)
        if self.stage is Stage.RECORDED and not end.far:
            ending = ending._replace(reason=TelephoneEnded.VOICEMAIL, released=Released.NODE)
        self.finish(ending)

    def finish(self, ending: Ending) -> None:
        self._end = CarrierEnd(ending.sip, ending.cause, ending.released is Released.CALLER)
        recorder, self.recorder = self.recorder, None
        super(IncomingCall, self).finish(ending)
        if recorder is not None:
            self.end_recorder(recorder)

    def end_recorder(self, recorder: CarrierListener) -> None:
        """The voicemail hears of it, also where it has taken a call that was over."""
        recorder.ended(self._end)

    def let_go(self, line: CarrierCall, ending: Ending) -> None:
        if not self.is_answered:
            line.decline(ending.sip if ending.sip >= 400 else REQUEST_TERMINATED)
        # One that was taken, of which the carrier has not said so yet, cannot be declined any more.
        line.hang_up()

    def settle(self, before: Stage, ending: Ending) -> None:
        account, over = self.account, self.over(ending)
        if account is None:
            self.means.settling.nobody(self.leg, self.began, over)
            return
        if self._rings:
            self._stop_ringing(ending, None)
        elif self.device is not None:
            self.means.telling.ended(account, self.device, self.event(ending))
        if not self.is_noted:
            return
        if self.device is not None or self.why is Unanswered.DECLINED:
            self.means.settling.settle(account, self.call, over)
            return
        record = MissedRecord(self.began, self.other, before is Stage.RECORDED and self.is_answered)
        missed = self.means.missed.note(account, record)
        settled = self.means.settling.settle(account, self.call, over, missed)

        def stored(charged: Charged | None) -> None:
            if charged is not None:
                self.means.telling.missed(account, record.event())

        settled.addCallback(stored)
