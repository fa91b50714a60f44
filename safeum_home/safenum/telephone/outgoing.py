"""A call that an account makes. What its machine does (`telephone.outgoing_machine`) is done here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall

from safeum_home.errors import Code, Problem
from safeum_home.ids import DeviceId
from safeum_home.ports.money import Charged, Granted, Released
from safeum_home.protocol.commands.telephone import TelephoneDialled
from safeum_home.protocol.telephone_events import TelephoneAnswered, TelephonePaid, TelephoneProgress
from safeum_home.protocol.telephone_types import TelephoneEnded
from safeum_home.safenum.telephone.call import Call
from safeum_home.safenum.telephone.meter import Meter
from safeum_home.safenum.telephone.stages import Ending, Stage, by_device, by_node
from safeum_home.spawn import spawn

if TYPE_CHECKING:
    from safeum_home.safenum.telephone.outgoing_machine import OutgoingMachine

AWAY_SECONDS = 15.0
"""For how long the device that calls may be without connection before somebody answers."""
_NOT_DIALLED = Ending(TelephoneEnded.UNREACHABLE, Released.NODE, 503, there=True)


@dataclass(eq=False, slots=True, kw_only=True)
class Outgoing(Call):
    """`sdp` is the device's offer."""

    sdp: str
    machine: "OutgoingMachine" = field(init=False)
    _granted: Granted | None = None
    _refusal: Problem = field(default_factory=lambda: Problem(Code.CALL_OVER))
    _waiters: list[Deferred[TelephoneDialled]] = field(default_factory=list)
    _paying: Deferred[None] | None = None
    _away: IDelayedCall | None = None
    _progress: TelephoneProgress | None = None
    _answer: TelephoneAnswered | None = None
    _paid: TelephonePaid | None = None

    def dialled(self) -> Deferred[TelephoneDialled]:
        """Fires once it is dialled, and fails where it is not to be."""
        if self.stage is Stage.OVER:
            return fail(self._refusal)
        if self._granted is not None:
            return succeed(self._result)
        waiter: Deferred[TelephoneDialled] = Deferred()
        self._waiters.append(waiter)
        return waiter

    @property
    def _result(self) -> TelephoneDialled:
        assert self._granted is not None
        return TelephoneDialled(self.safenum, self._granted.seconds)

    def ask(self) -> None:
        """Whether it may be dialled: with which number, and for how long that is paid for."""
        assert self.device is not None
        self.stage = Stage.ASKING
        self.keep_awake(self.device)
        spawn(self._ask(), "asking whether a call may be dialled")

    async def _ask(self) -> None:
        assert self.account is not None
        try:
            self.safenum, is_ours = await self.means.callers.line(self.account, self.other)
            if self.stage is Stage.OVER:
                return
            # From here on it is not known that nothing is held, but for a refusal.
            self.is_noted = True
            granted = await self.means.charging.outgoing(self.account, self.call, self.leg, is_ours)
        except Problem as problem:
            if problem.code not in (Code.STORAGE_UNAVAILABLE, Code.SHUTTING_DOWN):
                self.is_noted = False
            self.machine.refused(problem)
        except Exception:
            self.machine.refused(Problem(Code.INTERNAL))
            raise
        else:
            self.machine.granted(granted)

    def dial(self, granted: Granted) -> None:
        """It is paid for."""
        self.stage = Stage.DIALLED
        self._granted = granted
        try:
            found = self.means.carriers.dial(self.safenum, self.other, self.sdp, self.machine)
        except Problem as problem:
            self._fail(problem)
            self.machine.end(_NOT_DIALLED)
            return
        self.trunk, self.line = found
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(self._result)
        self.attend()

    def refuse(self, problem: Problem) -> None:
        """It is not to be dialled."""
        self._fail(problem)
        self.finish(Ending(TelephoneEnded.REFUSED, Released.NODE, there=True))

    def _fail(self, problem: Problem) -> None:
        self._refusal = problem
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.errback(problem)

    # --- what the carrier says

    def tell_progress(self, sdp: str | None) -> None:
        # What a device has of the sound from there is not taken away by a ringing that follows.
        before = None if self._progress is None else self._progress.sdp
        self._progress = TelephoneProgress(self.call, sdp or before)
        self.tell(self._progress)

    def answered(self, sdp: str | None) -> None:
        assert self._granted is not None and self.account is not None
        self.activate()
        self._answer = TelephoneAnswered(self.call, sdp)
        self.tell(self._answer)
        if self._granted.last:
            self._tell_paid(self._granted)
        meter = Meter(
            self.means.clock,
            self.means.charging,
            self.account,
            self.call,
            self.means.hold_seconds,
            self.means.call_seconds,
            self._tell_paid,
        )
        self._paying = spawn(self._pay(meter, self._granted), "paying for a call")

    async def _pay(self, meter: Meter, granted: Granted) -> None:
        try:
            reason = await meter.run(granted)
        except CancelledError:
            raise
        except Exception:
            # Whatever has gone wrong: what nobody pays for does not go on.
            self._paid_no_more(TelephoneEnded.LOST)
            raise
        self._paid_no_more(reason)

    def _paid_no_more(self, reason: TelephoneEnded) -> None:
        self._paying = None
        self.machine.end(by_node(reason, is_answered=True))

    def _tell_paid(self, granted: Granted) -> None:
        self._paid = TelephonePaid(self.call, granted.seconds, granted.last)
        self.tell(self._paid)

    # --- the device comes and goes

    def attend(self) -> None:
        """It is connected, or not: it is waited for, but not for long. Who speaks needs no connection."""
        assert self.account is not None
        is_there = self.device in self.means.telling.connected(self.account)
        if is_there or self.stage is not Stage.DIALLED:
            self._here()
        elif self._away is None:
            lost = by_node(TelephoneEnded.LOST, is_answered=False)
            self._away = self.means.clock.callLater(AWAY_SECONDS, self.machine.end, lost)

    def tell_all(self, device: DeviceId) -> None:
        """A device has come: that of the call may have missed something."""
        if device == self.device:
            for event in (self._progress, self._answer, self._paid):
                if event is not None:
                    self.tell(event)

    def without(self, gone: Callable[[DeviceId], bool]) -> None:
        """Devices are gone for good."""
        if self.device is not None and gone(self.device):
            self.machine.end(by_device(self.direction, self.is_answered))

    def _here(self) -> None:
        if self._away is not None and self._away.active():
            self._away.cancel()
        self._away = None

    # --- the end

    def finish(self, ending: Ending) -> None:
        self._here()
        paying, self._paying = self._paying, None
        if paying is not None:
            paying.cancel()
        self._fail(self._refusal)
        super(Outgoing, self).finish(ending)

    def settle(self, before: Stage, ending: Ending) -> None:
        assert self.account is not None

        def tell(charged: Charged | None) -> None:
            # Who was refused has its answer.
            if self.line is not None and self.account is not None and self.device is not None:
                self.means.telling.ended(self.account, self.device, self.event(ending, charged))

        if not self.is_noted:
            return
        settled = self.means.settling.settle(self.account, self.call, self.over(ending))
        if self.is_answered:
            self.means.settling.soon(settled, tell)
        else:
            tell(None)
