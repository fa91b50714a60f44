"""A call of somebody else: this device rings, and shows its keys to the one that calls."""

from collections.abc import Callable

from safeum_home.client.calling.call import Call
from safeum_home.client.calling.call_state import CallState
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.home import Home
from safeum_home.client.errors import ClientError, RemoteProblem
from safeum_home.errors import Code
from safeum_home.protocol.call_types import RING_SECONDS, Declined
from safeum_home.protocol.commands.calls import CallAnswer, CallDecline, CallRinging
from safeum_home.protocol.events import CallAnswered, CallInvitation, CallRings, CallSignalled

MOST_EARLY = 16
"""Signals that wait until its user answers: whoever merely calls is told nothing more."""
MARGIN = 15.0


class IncomingCall(Call):
    """Until it is answered nothing goes to the caller but keys: no address."""

    incoming = True

    def __init__(self, home: Home, event: CallInvitation) -> None:
        super().__init__(home, event.call, event.account, event.media)
        self._hello = event.hello
        self._device = event.device
        self._until = home.means.clock.seconds() + min(event.seconds, RING_SECONDS)
        self._early: list[str] = []

    @property
    def rings(self) -> bool:
        """Whether it is to be answered."""
        return self.state is CallState.RINGING

    def ring(self) -> None:
        """This device rings: the node is told; raises `Tampered` where the hello is none, and `TooMany`."""
        if self.why is not None:
            return
        left = self._until - self._home.means.clock.seconds()
        link = self._make_link(self._device, self._hello)
        self._home.means.directory.expect(self.peer)
        self._way.expect()
        self._home.tell(CallRinging(self.id, link.response), self._refused)
        self._timer.start(left + MARGIN, lambda: self.ended(CallEnd.NO_ANSWER))
        self._machine.offered()

    def ring_later(self, seconds: float, then: Callable[[], object]) -> None:
        """It may not yet: after so many seconds, if it rings so long."""
        if self._home.means.clock.seconds() + seconds < self._until:
            self._timer.start(seconds, then)
        else:
            self.ended(CallEnd.NO_ANSWER)

    def ring_again(self) -> None:
        """The node tells of it again: started anew, it may have forgotten that this device rings."""
        if self.rings and self._link is not None:
            self._home.tell(CallRinging(self.id, self._link.response), self._refused)

    def answer(self, *, video: bool = True) -> None:
        if not video:
            self.shows = False
        super().answer()

    def decline(self, *, busy: bool = False) -> None:
        if self.since is not None:
            self.hang_up()
        elif self.why is None:
            self._home.tell(CallDecline(self.id, Declined.BUSY if busy else Declined.DECLINED))
            self.ended(CallEnd.BUSY if busy else CallEnd.DECLINED)

    def hang_up(self) -> None:
        if self.since is None:
            self.decline()
        else:
            super().hang_up()

    def begin(self) -> None:
        assert self._link is not None
        self._goes_on()
        self._home.tell(CallAnswer(self.id), self._refused)
        self._link.control(muted=self.muted, video=self.shows)
        self._link.respond_later()
        early, self._early = self._early, []
        for data in early:
            self._link.signal(data)

    def _refused(self, error: ClientError) -> None:
        """The node takes neither that it rings nor that it is answered: then it is over, or never was."""
        if isinstance(error, RemoteProblem) and error.of(Code.CALL_OVER, Code.NOT_FOUND):
            self.ended(CallEnd.LOST)
        else:
            self._machine.over(CallEnd.LOST, False)

    def rang(self, event: CallRings) -> None:
        """It is the caller who is told so."""

    def answered(self, event: CallAnswered) -> None:
        """It is the caller who is told so."""

    def signalled(self, event: CallSignalled) -> None:
        if self._link is None or (event.account, event.device) != (self.peer, self._device):
            return
        if self.since is not None:
            self._link.signal(event.data)
        elif len(self._early) < MOST_EARLY:
            self._early.append(event.data)

    def finish(self, why: CallEnd, *, told: bool) -> None:
        """To hang up what was not answered would decline it on all devices: that its user alone does."""
        super().finish(why, told=told or self.since is None)
        self._early.clear()
        self._home.means.directory.forget(self.peer)
