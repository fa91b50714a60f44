"""A call of two, for programs: what can be done with it, and what is to be seen of it."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from msgspec import Struct

from safeum_home.client.calling.call_machine import new_call
from safeum_home.client.calling.call_state import CallState, Core
from safeum_home.client.calling.directory import Bound
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.handshake import Pair
from safeum_home.client.calling.home import Home
from safeum_home.client.calling.link import Link, LinkState
from safeum_home.client.calling.opening import Opening
from safeum_home.client.calling.timer import Timer
from safeum_home.client.errors import ClientError, RemoteProblem
from safeum_home.client.listeners import Listeners
from safeum_home.client.sas import Words
from safeum_home.errors import Code
from safeum_home.protocol.call_types import ALIVE_SECONDS, Media
from safeum_home.protocol.commands.calls import CallAlive, CallHangup, CallSignal
from safeum_home.protocol.events import CallAnswered, CallRings, CallSignalled


class CallChanged(Struct, frozen=True):
    """Something of a call is different. Said by the client itself, not by the node."""

    call: "Call"


class Call(ABC):
    """One that this program has begun, or that somebody else has (`incoming`).

    Nothing that is done with it has to be waited for: what comes of it is to be seen in `state`.
    """

    incoming: bool

    def __init__(self, home: Home, call: str, peer: str, media: Media) -> None:
        self.id = call
        self.peer = peer
        """The other's account."""
        self.peer_device: str | None = None
        """Once it is known which of theirs it is."""
        self.media = media
        self.muted = False
        self.shows = media is Media.VIDEO
        """Whether pictures of this side are sent."""
        self.why: CallEnd | None = None
        """Set when it has ended."""
        self.since: int | None = None
        """When it was answered, in milliseconds."""
        self.verified = False
        """For its user to set, who has compared `words` with the other."""
        self._home = home
        self._core = Core(self)
        self._machine = new_call(self._core)
        self._way = home.way(video=media is Media.VIDEO)
        self._link: Link | None = None
        self._listeners = Listeners[Call]()
        self._timer = Timer(home.means.clock)
        self._seen: object = None

    # --- what is to be seen

    @property
    def state(self) -> CallState:
        return self._core.state

    @property
    def words(self) -> Words | None:
        """What both compare, by voice: where they are the same, nobody is between the two devices."""
        return None if self._link is None else self._link.words

    @property
    def bound(self) -> Bound:
        """What says whose the other device is, once there are words."""
        return Bound.NONE if self._link is None else self._link.bound

    @property
    def other_muted(self) -> bool:
        """Whether the other says that nothing is to be heard of it."""
        return self._link is not None and self._link.muted

    @property
    def other_shows(self) -> bool:
        """Whether the other says that it sends pictures."""
        return self._link is not None and self._link.video

    @property
    def wrong(self) -> str:
        """Why, of one that was refused: `TAMPERED`, or `FAILED` since it could not be told who it is."""
        return "" if self._link is None else self._link.wrong

    def listen(self, listener: "Callable[[Call], None]") -> Callable[[], None]:
        """Call `listener` whenever something of it is different; returns what ends that."""
        return self._listeners.add(listener)

    def reached(self, *states: CallState) -> Awaitable[CallState]:
        """Wait until it is in one of these states, or has ended; the state."""
        return self._home.awaitable(self._core.reached(*states))

    # --- what can be done

    def answer(self, *, video: bool = True) -> None:
        """Take it on this device; `video=False`: show no pictures. Raises `wrong_call_state`, `call_over`."""
        self._machine.take()

    def decline(self, *, busy: bool = False) -> None:
        """Do not take it, on any device. One that goes on already is hung up."""
        self.hang_up()

    def hang_up(self) -> None:
        """End it, or decline it. What has ended already is left alone."""
        self._machine.over(CallEnd.HANGUP, False)

    def mute(self, muted: bool = True) -> None:
        """Send no sound, or send it again."""
        self.muted = muted
        self._control()

    def show(self, shows: bool = True) -> None:
        """Send pictures, or none; in a call without video nothing comes of it."""
        self.shows = shows and self.media is Media.VIDEO
        self._control()

    def _control(self) -> None:
        if self._link is not None:
            self._link.control(muted=self.muted, video=self.shows)
        self.notify()

    # --- what the node tells

    @abstractmethod
    def rang(self, event: CallRings) -> None:
        """A device of theirs rings."""

    @abstractmethod
    def answered(self, event: CallAnswered) -> None:
        """A device of theirs has taken it."""

    @abstractmethod
    def signalled(self, event: CallSignalled) -> None:
        """A device says something."""

    def ended(self, why: CallEnd) -> None:
        """It is over, as the node says."""
        self._machine.over(why, True)

    def online(self) -> None:
        """There is another connection to the node."""
        if self.since is not None:
            self._alive()

    def close(self) -> None:
        """The client is closed."""
        self._machine.over(CallEnd.CLOSED, False)

    # --- what the machine says: `call_state.Steps`

    @abstractmethod
    def begin(self) -> None:
        """It was taken."""

    def changed(self, state: CallState) -> None:
        self.notify()

    def finish(self, why: CallEnd, *, told: bool) -> None:
        self.why = why
        self._timer.stop()
        if self._link is not None:
            self._link.close(bye=not told)
        self._way.close()
        if not told:
            self._home.tell(CallHangup(self.id))
        self._home.gone(self)

    # --- for both kinds

    def notify(self) -> None:
        """Tell those who listen, where anything is different."""
        seen = (self.state, self.words, self.muted, self.shows, self.other_muted, self.other_shows)
        if seen == self._seen:
            return
        self._seen = seen
        self._home.changed(self)
        self._listeners.tell(self)

    def _make_link(self, device: str, role: Opening | str) -> Link:
        """With the other's `device`; raises `Tampered`."""
        mine, theirs = (self._home.account, self._home.device), (self.peer, device)
        pair = Pair(self.id, self.media.value, *((*theirs, *mine) if self.incoming else (*mine, *theirs)))

        def say(data: str) -> None:
            self._home.tell(CallSignal(self.id, device, data))

        self.peer_device = device
        link = self._link = Link(self._home.means, pair, role, self._way, say, self._linked)
        return link

    def _linked(self, link: Link) -> None:
        if link.state is LinkState.OVER:
            self._machine.over(link.why or CallEnd.FAILED, False)
        elif link.state is LinkState.CONNECTED:
            self._machine.connected()
        else:
            self._machine.interrupted()
        self.notify()

    def _goes_on(self) -> None:
        """It was answered now."""
        self.since = self._home.milliseconds()
        self._timer.start(ALIVE_SECONDS, self._alive)

    def _alive(self) -> None:
        self._timer.start(ALIVE_SECONDS, self._alive)
        self._home.tell(CallAlive(self.id, self.since or 0, self.peer), self._not_alive)

    def _not_alive(self, error: ClientError) -> None:
        if isinstance(error, RemoteProblem) and error.of(Code.CALL_OVER):
            self.ended(CallEnd.LOST)
