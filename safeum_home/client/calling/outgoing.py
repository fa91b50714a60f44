"""A call that this program has begun: it is committed to keys, and shows them to the device that answers."""

from safeum_home.client.calling.call import Call
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.home import Home
from safeum_home.client.calling.opening import Opening
from safeum_home.protocol.call_types import RING_SECONDS, Media
from safeum_home.protocol.commands.calls import CallInvite
from safeum_home.protocol.events import CallAnswered, CallRings, CallSignalled

MOST_RINGING = 50
"""Devices whose responses are kept until one of them answers."""
MARGIN = 15.0
"""Seconds after which the node has said that nobody answers, if it says anything."""


class OutgoingCall(Call):
    """While it rings the first description is made already: once it is answered there is less to wait for."""

    incoming = False

    def __init__(self, home: Home, call: str, peer: str, media: Media) -> None:
        super().__init__(home, call, peer, media)
        self._opening = Opening(home.means.launch.signing.public, 1)
        self._responses: dict[str, str] = {}

    @property
    def invitation(self) -> CallInvite:
        """What is asked of the node."""
        return CallInvite(self.id, self.peer, self.media, self._opening.hello)

    def invited(self, seconds: float) -> None:
        """It rings for so long."""
        if self.since is None and self.why is None:
            self._timer.start(
                min(seconds, RING_SECONDS) + MARGIN, lambda: self._machine.over(CallEnd.NO_ANSWER, False)
            )

    def rang(self, event: CallRings) -> None:
        if self._link is not None or len(self._responses) >= MOST_RINGING:
            return
        if not self._responses:
            self._home.means.directory.expect(self.peer)
            self._way.offer()
        self._responses.setdefault(event.device, event.hello)
        self._machine.rings()

    def answered(self, event: CallAnswered) -> None:
        if self.peer_device is None:
            self.peer_device = event.device
            self._machine.taken()

    def begin(self) -> None:
        device = self.peer_device or ""
        self._goes_on()
        link = self._make_link(device, self._opening)
        link.control(muted=self.muted, video=self.shows)
        if (response := self._responses.get(device)) is not None:
            link.signal(response)

    def signalled(self, event: CallSignalled) -> None:
        if self._link is not None and (event.account, event.device) == (self.peer, self.peer_device):
            self._link.signal(event.data)

    def online(self) -> None:
        super().online()
        if self.since is None:  # the node may have forgotten it
            self._home.tell(self.invitation, self._not_alive)

    def finish(self, why: CallEnd, *, told: bool) -> None:
        super().finish(why, told=told)
        self._opening.wipe()
        self._responses.clear()
        self._home.means.directory.forget(self.peer)
