"""The connection to one other device in a call: what is said between the two, and the way that media takes.

Calls of two have one, conferences one for each other device.
"""

from collections.abc import Callable
from enum import Enum

from safeum_home.client.calling.channel import Channel, Means, Say
from safeum_home.client.calling.directory import Bound
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.handshake import Pair, Tampered, octets_of
from safeum_home.client.calling.link_machine import WITHOUT, Core, new_link
from safeum_home.client.calling.media import Flow
from safeum_home.client.calling.opening import Opening
from safeum_home.client.calling.payloads import (
    Again,
    Bye,
    Candidate,
    Control,
    Description,
    DescriptionKind,
    Payload,
)
from safeum_home.client.calling.timer import Timer
from safeum_home.client.calling.way import Way
from safeum_home.client.sas import Words

SAY_AGAIN = 4.0
"""Seconds until a responder that hears nothing says its response again."""


class LinkState(Enum):
    """How far it is."""

    AGREEING = "agreeing"
    CONNECTING = "connecting"
    """Also where it was connected already, and is to be again."""
    CONNECTED = "connected"
    OVER = "over"


class Link:
    """`told` is called with it whenever something of it has changed."""

    def __init__(
        self,
        means: Means,
        pair: Pair,
        role: Opening | str,
        way: Way,
        say: Say,
        told: "Callable[[Link], None]",
    ) -> None:
        """Of the device that has called, or joined, `role` is the opening; of the other, the hello that it
        got: raises `Tampered` where that is none, `TooMany` where one has to wait. `way` may have begun."""
        self.pair = pair
        self.muted = self.video = False
        """What the other says of itself: that nothing is to be heard, that there is something to be seen."""
        self.why: CallEnd | None = None
        """Set when it is over."""
        self.wrong = ""
        """Why, where it was refused: nothing of what was said is in it."""
        self.said_bye = False
        """Whether the other has said that it is over, and not merely closed its media."""
        self._way = way
        self._told = told
        self._initiator = isinstance(role, Opening)
        self._core = Core(means.clock, self, initiator=self._initiator)
        self._machine = new_link(self._core)
        self._channel = Channel(
            means, pair, say, self, role if isinstance(role, Opening) else octets_of(role)
        )
        self._core.timer.start(WITHOUT, lambda: self._machine.over(CallEnd.FAILED))
        self._say = say
        self._again = Timer(means.clock)
        self._control = Control(video=pair.kind == "video")

    @property
    def state(self) -> LinkState:
        return LinkState(self._core.state)

    @property
    def words(self) -> Words | None:
        """What people compare; known once both have agreed on keys."""
        return self._channel.words

    @property
    def bound(self) -> Bound:
        """What says whose the other device is; known once both have agreed on keys."""
        return self._channel.bound

    @property
    def response(self) -> str:
        """A responder's hello."""
        return self._channel.response

    # --- for those who use it

    def respond(self) -> None:
        """Say the response, until the other opens its commitment."""
        if self.state is LinkState.AGREEING and not self._initiator:
            self._say(self.response)
            self.respond_later()

    def respond_later(self) -> None:
        """The response was told already: say it where it seems to be lost."""
        self._again.start(SAY_AGAIN, self.respond)

    def signal(self, data: str) -> None:
        """The other device has said something."""
        if self.state is not LinkState.OVER:
            self._channel.signal(data)

    def control(self, *, muted: bool, video: bool) -> None:
        """Send no sound, or pictures, from now on; the other is told."""
        self._control = Control(muted, video)
        self._way.send(audio=not muted, video=video)
        self._channel.tell(self._control)

    def close(self, *, bye: bool = True) -> None:
        """End it, and say so unless the other knows; nobody is told here. Twice is harmless."""
        self._told = _nobody
        if bye:
            self._channel.tell(Bye())
        self._machine.over(CallEnd.HANGUP)

    # --- what the machine says: `link_machine.Steps`

    def try_way(self) -> None:
        begun = self._way.attach(self)
        if self._initiator and not begun:
            self._way.offer()

    def changed(self) -> None:
        self._told(self)

    def finish(self, why: CallEnd) -> None:
        self.why = why
        self._again.stop()
        if why is CallEnd.FAILED:
            self._channel.tell(Bye(failed=True))
        self._channel.close()
        self._way.close()
        self._told(self)

    # --- what comes through the channel: `channel.Heard`

    def agreed(self) -> None:
        self._channel.tell(self._control)
        self._machine.agreed()

    def payload(self, payload: Payload) -> None:
        if isinstance(payload, Description):
            self._described(payload)
        elif isinstance(payload, Candidate):
            if payload.line:
                self._way.candidate(payload.epoch, payload.line)
        elif isinstance(payload, Control):
            self.muted, self.video = payload.muted, payload.video
            self._told(self)
        elif isinstance(payload, Again):
            if not self._initiator:
                raise Tampered("an initiator that asks to be offered something")
            if payload.epoch == self._way.epoch:
                self._machine.failed()
        else:
            self.said_bye = not payload.failed
            self._machine.over(CallEnd.FAILED if payload.failed else CallEnd.HANGUP)

    def missed(self) -> None:
        self.respond()

    def _described(self, said: Description) -> None:
        if self._initiator:
            self._way.answered(said.epoch, said.sdp)
        elif not self._way.is_newer(said.epoch):
            raise Tampered("an offer that is not newer than the last")
        else:
            self._machine.offered()
            self._way.offered(said.epoch, said.sdp)

    def refused(self, error: Exception) -> None:
        self.wrong = str(error)
        self._machine.over(CallEnd.TAMPERED if isinstance(error, Tampered) else CallEnd.FAILED)

    # --- what comes of the way: `way.Described`

    def describe(self, kind: DescriptionKind, epoch: int, sdp: str) -> None:
        if not self._channel.describe(kind, epoch, sdp):
            self._machine.failed()

    def say(self, payload: Candidate) -> None:
        self._channel.tell(payload)

    def flow(self, flow: Flow) -> None:
        if flow is Flow.CONNECTED:
            self._machine.connected()
        elif flow is Flow.CLOSED:
            self._machine.closed()
        elif flow is Flow.FAILED:
            if not self._initiator:
                self._channel.tell(Again(self._way.epoch))
            self._machine.failed()


def _nobody(_link: Link) -> None:
    """Nobody is told any more."""
