"""All conferences of a client: those that it is in, and those that ring."""

from collections.abc import Callable

from msgspec import Struct

from safeum_home.client.calling.calling import new_id
from safeum_home.client.calling.conference import Conference, ConferenceChanged
from safeum_home.client.calling.conference_home import Home
from safeum_home.client.calling.conference_machine import ConferenceStage
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.timer import Timer
from safeum_home.client.errors import local
from safeum_home.client.listeners import Listeners
from safeum_home.errors import Code
from safeum_home.protocol.call_types import RING_SECONDS, Media
from safeum_home.protocol.commands.calls import CallDecline
from safeum_home.protocol.events import (
    CallEnded,
    CallSignalled,
    ConferenceJoined,
    ConferenceLeft,
    ConferenceRings,
)

MOST_CONFERENCES = 2
MOST_RINGING = 8
"""At once; for more this device does not ring."""


class Ringing:
    """A conference that rings: `account` has begun it in a group. It may be joined (`Client.conference`)."""

    def __init__(self, home: Home, event: ConferenceRings, over: "Callable[[Ringing], None]") -> None:
        self.id = event.call
        self.chat = event.chat
        self.account = event.account
        self.media = event.media
        self.over = False
        """Whether it rings no more."""
        self.why: CallEnd | None = None
        """Set then, unless this device has joined it."""
        self._home = home
        self._gone = over
        self._listeners = Listeners[Ringing]()
        self._timer = Timer(home.means.clock)
        seconds = min(max(event.seconds, 0.0), RING_SECONDS)
        self._timer.start(seconds, lambda: self.end(CallEnd.NO_ANSWER))

    def decline(self) -> None:
        """Let it ring on no device of this account any more."""
        if not self.over:
            self._home.tell(CallDecline(self.id))
            self.end(CallEnd.DECLINED)

    def listen(self, listener: "Callable[[Ringing], None]") -> Callable[[], None]:
        """Call `listener` when it rings no more; returns what ends that."""
        return self._listeners.add(listener)

    def end(self, why: CallEnd | None) -> None:
        """It rings no more."""
        if not self.over:
            self.over, self.why = True, why
            self._timer.stop()
            self._gone(self)
            self._listeners.tell(self)


class Conferences:
    """`taker.Taker`."""

    def __init__(self, home: Home, say: Callable[[Struct], None]) -> None:
        """`say` tells who listens to the client."""
        self._home = home
        self._say = say
        self._conferences: list[Conference] = []
        self._ringing: dict[str, Ringing] = {}
        self._listeners = Listeners[Ringing]()
        self._closed = False

    async def join(self, chat: str, video: bool = False) -> Conference:
        """Join the conference of a group, or begin one; raises what the node refuses it with."""
        known = next((each for each in self._conferences if each.chat == chat), None)
        if known is not None:
            return known
        if self._closed or len(self._conferences) >= MOST_CONFERENCES:
            raise local(Code.CALL_OVER if self._closed else Code.LIMIT_REACHED)
        media = Media.VIDEO if video else Media.AUDIO
        conference = Conference(self._home, new_id(), chat, media, self._changed)
        self._conferences.append(conference)
        await conference.join()
        for ringing in [ringing for ringing in self._ringing.values() if ringing.chat == chat]:
            ringing.end(None)
        return conference

    def on_ring(self, listener: Callable[[Ringing], None]) -> Callable[[], None]:
        """Call `listener` with each conference that rings, or does already; returns what ends that."""
        return self._listeners.add(listener, list(self._ringing.values()))

    @property
    def conferences(self) -> list[Conference]:
        """Those that this device is in, or is joining."""
        return list(self._conferences)

    # --- `taker.Taker`

    def take(self, event: Struct) -> None:
        if isinstance(event, ConferenceRings):
            self._rings(event)
        elif isinstance(event, ConferenceJoined | ConferenceLeft | CallSignalled | CallEnded):
            for conference in self.conferences:
                if conference.id == event.call:
                    conference.take(event)
            if isinstance(event, CallEnded) and event.call in self._ringing:
                self._ringing[event.call].end(CallEnd.of(event.reason))

    def online(self) -> None:
        for conference in self.conferences:
            conference.online()

    def close(self) -> None:
        self._closed = True
        for ringing in list(self._ringing.values()):
            ringing.end(CallEnd.CLOSED)
        for conference in self.conferences:
            conference.close()

    def _rings(self, event: ConferenceRings) -> None:
        is_in = any(each.chat == event.chat for each in self._conferences)
        if self._closed or is_in or event.call in self._ringing or len(self._ringing) >= MOST_RINGING:
            return
        ringing = Ringing(self._home, event, self._gone)
        self._ringing[event.call] = ringing
        self._listeners.tell(ringing)

    def _gone(self, ringing: Ringing) -> None:
        self._ringing.pop(ringing.id, None)

    def _changed(self, conference: Conference) -> None:
        if conference.stage is ConferenceStage.ENDED and conference in self._conferences:
            self._conferences.remove(conference)
        self._say(ConferenceChanged(conference))
