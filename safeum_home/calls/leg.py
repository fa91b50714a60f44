"""A half of a call: of the caller, or of the callee. What its machine does (`calls.machine`) is done here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from safeum_home.calls.means import LegMeans
from safeum_home.calls.stages import (
    ANSWERED,
    LOST,
    NO_ANSWER,
    OUTGOING,
    UNREACHABLE,
    WITHDRAWN,
    Ending,
    Stage,
)
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Hold
from safeum_home.protocol.call_types import LOST_SECONDS, RING_SECONDS, Ended, Media
from safeum_home.protocol.events import CallAnswered, CallInvitation, CallRings, CallSignalled
from safeum_home.protocol.federation.calls import Answer, End, GoesOn, Invite, Ringing, Said, Word

if TYPE_CHECKING:
    from safeum_home.calls.machine import LegMachine

AWAY_SECONDS = 15.0
"""For how long the caller's device may be without connection before somebody answers."""
MOST_RINGING = 50
"""Devices of one account."""


@dataclass(eq=False, slots=True)
class Leg:
    """`account` is of this node. `hello` is the caller's; `device` ours that the call is of, if there is one.

    `peer_device` is the other's: the caller's from the start, the callee's since it has answered.
    """

    means: LegMeans
    call: str
    account: AccountId
    peer: AccountId
    is_caller: bool
    media: Media = Media.AUDIO
    hello: str = ""
    device: DeviceId | None = None
    peer_device: DeviceId | None = None
    stage: Stage = Stage.NEW
    rings: dict[DeviceId, str] = field(default_factory=dict)
    """Devices of the callee that ring, with the hello of each."""
    machine: "LegMachine" = field(init=False)
    _holds: dict[DeviceId, Hold] = field(default_factory=dict)
    _timer: IDelayedCall | None = None
    _away: IDelayedCall | None = None
    _until: float = 0.0
    _seen: int = 0

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self.means.clock.seconds() * 1000)

    @property
    def seconds(self) -> float:
        """For how much longer it rings."""
        return max(0.0, self._until - self.means.clock.seconds())

    # --- for whom it is

    def is_with(self, account: AccountId) -> bool:
        """Whether an account is the other one, and has something to say in it."""
        return account == self.peer

    def is_of(self, device: DeviceId) -> bool:
        """Whether the call is of this device of ours."""
        return device == self.device

    def rings_on(self, device: DeviceId) -> bool:
        """Whether a device of the callee has said that it rings: that one may answer, and speak."""
        return device in self.rings

    def must_be(self, device: DeviceId) -> None:
        """Raises `call_over` for a device of ours that is not in the call."""
        if not self.is_of(device):
            raise Problem(Code.CALL_OVER)

    def must_have_taken(self, device: DeviceId) -> None:
        """Raises `call_over`, and `wrong_call_state` where it is ours who has called."""
        if self.is_caller:
            raise Problem(Code.WRONG_CALL_STATE, "it is a call of one's own")
        self.must_be(device)

    def meets(self, device: DeviceId) -> bool:
        """Whether this is the other's device. A node that was started anew learns it from the first word."""
        if self.peer_device is None:
            self.peer_device = device
        return device == self.peer_device

    # --- until the answer

    def begin(self, stage: Stage) -> None:
        """It rings from now on."""
        self.stage = stage
        self.means.counts.begun[self.is_caller] += 1
        self._until = self.means.clock.seconds() + RING_SECONDS
        self._timer = self.means.clock.callLater(RING_SECONDS, self.machine.end, NO_ANSWER)

    def call_out(self) -> None:
        """Call the other."""
        assert self.device is not None
        self._hold(self.device)
        self.attend()
        self.invite()

    def invite(self) -> None:
        """The other half is told, or told again: it may have been forgotten."""
        assert self.device is not None
        self._must_say(Invite(self.call, self.peer, self.device, self.media, self.hello))

    def call_in(self) -> None:
        """Let all devices of ours ring."""
        self.means.telling.ring(self.account, self.invitation, lambda: self.stage is Stage.CALLED)

    @property
    def invitation(self) -> CallInvitation:
        assert self.peer_device is not None
        return CallInvitation(self.call, self.peer, self.peer_device, self.media, self.hello, self.seconds)

    def ring(self, device: DeviceId, hello: str) -> None:
        """A device of ours rings: the caller is told, once."""
        if device not in self.rings and len(self.rings) < MOST_RINGING:
            self.rings[device] = hello
            self._hold(device)
            self._must_say(Ringing(self.call, self.peer, device, hello))

    def note_ringing(self, device: DeviceId, hello: str) -> None:
        """One of the other's rings."""
        if device not in self.rings and len(self.rings) < MOST_RINGING:
            self.rings[device] = hello
            self._tell(CallRings(self.call, device, hello))

    def take(self, device: DeviceId) -> None:
        """A device of ours has answered: the others ring no more."""
        self.device = device
        for other in self.rings.keys() - {device}:
            self._holds.pop(other).end()
        others = tuple(self.rings)
        self.activate(self.now)
        self.stage = Stage.TAKEN
        self.means.telling.ended(self.account, self.call, Ended.ANSWERED_ELSEWHERE, others, device)
        self._must_say(Answer(self.call, self.peer, device))

    def tell_answered(self) -> None:
        """Our caller's device hears who has answered."""
        assert self.peer_device is not None
        self._tell(CallAnswered(self.call, self.peer_device))

    def say_again(self) -> None:
        """The caller's node may have forgotten how it is, or may not have heard."""
        for device, hello in self.rings.items():
            self.say(Ringing(self.call, self.peer, device, hello))
        if self.stage in ANSWERED and self.device is not None:
            self.say(Answer(self.call, self.peer, self.device))

    # --- while it goes on

    def activate(self, since: int) -> None:
        """The two speak."""
        assert self.device is not None
        self.stage = Stage.ACTIVE
        self.stop()
        self._hold(self.device)
        self._seen = self.now
        self._timer = self.means.clock.callLater(LOST_SECONDS, self._lapse)
        self.means.times.begun(self.account, self.call, since)
        self.means.counts.answered += 1

    def note_alive(self) -> None:
        """The device of ours is in it still."""
        assert self._timer is not None
        self._seen = self.now
        self._timer.reset(LOST_SECONDS)
        self.means.times.alive(self.account, self.call, self._seen)

    def confirm(self) -> None:
        """The other half knows who has answered."""
        self.stage = Stage.ACTIVE

    def say_it_goes_on(self) -> None:
        assert self.device is not None
        self.say(GoesOn(self.call, self.peer, self.device, self.peer_device))

    def speak(self, device: DeviceId, target: DeviceId, data: str) -> None:
        self.say(Said(self.call, self.peer, device, target, data))

    def tell_signal(self, device: DeviceId, target: DeviceId, data: str) -> None:
        """A device of ours is told what the other's says; dropped where it is not connected."""
        self.means.telling.tell(self.account, target, CallSignalled(self.call, self.peer, device, data))

    # --- devices come and go

    def attend(self) -> None:
        """The caller's device is connected, or not: it is waited for, but not for long."""
        assert self.device is not None
        is_there = self.means.telling.is_connected(self.account, self.device)
        if self._away is not None:
            if is_there:
                self._away.cancel()
                self._away = None
        elif not is_there and self.stage in OUTGOING:
            self._away = self.means.clock.callLater(AWAY_SECONDS, self._is_lost)

    def tell_all(self, device: DeviceId) -> None:
        """A device of ours has come, and may have missed something."""
        if self.stage is Stage.CALLED:
            self.means.telling.tell(self.account, device, self.invitation)
        elif self.is_caller and device == self.device:
            for other, hello in self.rings.items():
                self._tell(CallRings(self.call, other, hello))
            if self.stage is Stage.ACTIVE and self.rings:
                self.tell_answered()

    def without(self, gone: Callable[[DeviceId], bool]) -> None:
        """Devices of ours are gone for good."""
        if self.device is not None and gone(self.device):
            self.machine.end(WITHDRAWN)
        elif self.stage is Stage.CALLED:
            for device in [device for device in self.rings if gone(device)]:
                del self.rings[device]
                self._holds.pop(device).end()

    # --- the end

    def finish(self, ending: Ending) -> None:
        """It is over."""
        before, self.stage = self.stage, Stage.OVER
        self.stop()
        for hold in self._holds.values():
            hold.end()
        self._holds.clear()
        self.means.over(self, ending.reason)
        self.means.counts.ended[before in ANSWERED, ending.reason] += 1
        if before in ANSWERED:
            until = self.now if ending.until is None else ending.until
            self.means.times.over(self.account, self.call, until)
        if ending.here is not None:
            self._tell_ended(before, ending.here, ending.skip)
        if ending.there is not None:
            self.say(End(self.call, self.peer, ending.there))

    def say(self, word: Word) -> bool:
        """Where it cannot be said it is lost."""
        return self.means.line.say(self.account, word)

    def _must_say(self, word: Word) -> None:
        if not self.say(word):
            self.machine.end(UNREACHABLE)

    def _tell(self, event: CallRings | CallAnswered) -> None:
        assert self.device is not None
        self.means.telling.tell(self.account, self.device, event)

    def _tell_ended(self, before: Stage, reason: Ended, skip: DeviceId | None) -> None:
        if before is Stage.CALLED:
            self.means.telling.ended(self.account, self.call, reason, tuple(self.rings), skip)
        elif self.device is not None and self.device != skip:
            self.means.telling.ended_on(self.account, self.call, reason, self.device)

    def _hold(self, device: DeviceId) -> None:
        if device not in self._holds:
            self._holds[device] = self.means.busy.hold(device)

    def _lapse(self) -> None:
        self.machine.end(Ending(None, None, until=self._seen))

    def _is_lost(self) -> None:
        self._away = None
        self.machine.end(LOST)

    def stop(self) -> None:
        """It is waited for nothing any more."""
        for timer in (self._timer, self._away):
            if timer is not None and timer.active():
                timer.cancel()
        self._timer = self._away = None
