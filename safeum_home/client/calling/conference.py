"""A conference in a group, for programs: who is in it, and what can be done with it.

This device has a link to each other one that is in it. Where it is not sure who is, after a connection or
a node was away, it asks: the answer has all, and what there is already stays.
"""

from collections.abc import Callable

from msgspec import Struct
from twisted.internet.defer import Deferred

from safeum_home.client.calling.conference_home import Home
from safeum_home.client.calling.conference_machine import ConferenceStage, Core, new_conference
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.mesh import Mesh
from safeum_home.client.calling.peer import Peer
from safeum_home.client.calling.renewal import Renewal
from safeum_home.client.calling.timer import Timer
from safeum_home.client.errors import ClientError, RemoteProblem
from safeum_home.client.listeners import Listeners
from safeum_home.errors import Code
from safeum_home.protocol.call_types import ALIVE_SECONDS, Ended, Media
from safeum_home.protocol.commands.calls import CallAlive, CallHangup
from safeum_home.protocol.commands.conferences import ConferenceStart, Joined
from safeum_home.protocol.events import CallEnded, CallSignalled, ConferenceJoined, ConferenceLeft
from safeum_home.spawn import spawn

TORN = 10.0
"""Seconds after which it is joined anew, with other keys, where there is no way to somebody in it."""
_OVER = (Code.NOT_FOUND, Code.CALL_OVER, Code.CONFERENCE_FULL, Code.LIMIT_REACHED, Code.CALL_EXISTS)


class ConferenceChanged(Struct, frozen=True):
    """Something of a conference is different. Said by the client itself, not by the node."""

    conference: "Conference"


class Conference:
    """One that this device is in, or is about to be: `id`, `chat`, `media`, and the `peers`."""

    def __init__(
        self, home: Home, call: str, chat: str, media: Media, told: "Callable[[Conference], None]"
    ) -> None:
        self.id = call
        self.chat = chat
        self.media = media
        self.muted = False
        self.shows = media is Media.VIDEO
        """Whether pictures of this side are sent."""
        self.why: CallEnd | None = None
        """Set when it has ended."""
        self._home = home
        self._told = told
        self._core = Core(self)
        self._machine = new_conference(self._core)
        self._mesh = Mesh(home, chat, self._linked)
        self._alive_timer = Timer(home.means.clock)
        self._renewal = Renewal(home.means.clock, self._renew)
        self._gone: CallEnd | None = None
        """Set where this device is not in it any more, for the node or the others, and has to join anew."""
        self._renewing = False
        self._whole = True
        """Whether the node has said of everybody who is in it."""
        self._listeners = Listeners[Conference]()

    # --- what is to be seen

    @property
    def stage(self) -> ConferenceStage:
        return self._core.stage

    @property
    def account(self) -> str:
        """This side."""
        return self._home.account

    @property
    def peers(self) -> list[Peer]:
        """The others that are in it, the oldest first."""
        return self._mesh.peers

    @property
    def since(self) -> int | None:
        """When this device has joined, by the clock of the group's node, in milliseconds."""
        return self._mesh.since

    def listen(self, listener: "Callable[[Conference], None]") -> Callable[[], None]:
        """Call `listener` whenever something of it is different; returns what ends that."""
        return self._listeners.add(listener)

    # --- what can be done

    def leave(self) -> None:
        """Be in it no more. What has ended already is left alone."""
        self._machine.over(CallEnd.HANGUP, False)

    def mute(self, muted: bool = True) -> None:
        """Send no sound, or send it again."""
        self.muted = muted
        self._control()

    def show(self, shows: bool = True) -> None:
        """Send pictures, or none; in one without video nothing comes of it."""
        self.shows = shows and self.media is Media.VIDEO
        self._control()

    def _control(self) -> None:
        self._mesh.control(muted=self.muted, shows=self.shows)
        self.notify()

    # --- what the node tells

    async def join(self) -> None:
        """Raises what the node refuses it with; then it has ended."""
        try:
            await self._home.ready()
            answered: Deferred[None] = Deferred()
            # Where nobody waits for it any more the answer is heard all the same: then it is left.
            asked = Deferred.fromCoroutine(self._start(self._mesh))
            asked.addCallback(self._is_in).chainDeferred(answered)
            await answered
        except BaseException:  # cancelled too
            self._machine.over(CallEnd.LOST, False)
            raise

    def take(self, event: Struct) -> None:
        """An event of the conference with this id."""
        if isinstance(event, CallSignalled):
            self._mesh.signalled(event)
        elif isinstance(event, ConferenceJoined):
            self._mesh.came(event)
            self.notify()
        elif isinstance(event, ConferenceLeft):
            self._mesh.went(event)
            self.notify()
        elif isinstance(event, CallEnded) and event.reason is Ended.REPLACED:
            self._join_anew(CallEnd.REPLACED)
        elif isinstance(event, CallEnded):
            self._machine.over(CallEnd.of(event.reason), True)

    def online(self) -> None:
        """There is another connection to the node, which may not know of it any more.

        Where it is being joined anew what it was joined with before is not said again.
        """
        if self.stage is ConferenceStage.JOINED and not self._renewing:
            spawn(self._look(), "looking who is in a conference")

    def close(self) -> None:
        """The client is closed."""
        self._machine.over(CallEnd.CLOSED, False)

    # --- what the machine says: `conference_machine.Steps`

    def changed(self, stage: ConferenceStage) -> None:
        self.notify()

    def finish(self, why: CallEnd, *, told: bool) -> None:
        self.why = why
        self._alive_timer.stop()
        self._renewal.stop()
        self._mesh.close(bye=not told)
        if not told:
            self._home.tell(CallHangup(self.id))

    def notify(self) -> None:
        """Tell those who listen."""
        self._told(self)
        self._listeners.tell(self)

    # --- being in it

    async def _start(self, mesh: Mesh) -> Joined:
        start = ConferenceStart(self.id, self.chat, self.media, mesh.hello, mesh.since)
        joined: Joined = await self._home.ask(start, Joined)
        return joined

    def _is_in(self, joined: Joined) -> None:
        mine = self._mesh.own(joined)
        if self.stage is ConferenceStage.ENDED:
            self._home.tell(CallHangup(joined.call))  # it was left meanwhile
        elif mine is None:
            self._machine.over(CallEnd.LOST, False)
        else:
            self.id, self.media, self._whole = joined.call, joined.media, joined.whole
            self._alive_timer.start(ALIVE_SECONDS, self._alive)
            self._mesh.control(muted=self.muted, shows=self.shows)
            self._mesh.follow(joined, mine)
            self._machine.joined()
            self.notify()

    def _linked(self, peer: Peer) -> None:
        if peer.is_lost:
            self._renewal.wanted(TORN)
        self.notify()

    def _join_anew(self, gone: CallEnd) -> None:
        """With other keys: what was shown of those that there are is not shown again.

        Where it was done so often already it is over, and its user may join again.
        """
        if self.stage is ConferenceStage.JOINED:
            self._gone = gone
            if not self._renewal.wanted():
                self._machine.over(gone, False)

    def _renew(self) -> None:
        """Whoever has closed the way has left meanwhile, unless he was told that this one had."""
        if not self._renewing and (self._gone is not None or self._mesh.is_torn):
            self._renewing = True
            spawn(self._anew(), "joining a conference anew")

    async def _anew(self) -> None:
        """All goes on as it is until the node has answered."""
        mesh = Mesh(self._home, self.chat, self._linked)
        try:
            joined = await self._start(mesh)
        except ClientError as error:
            mesh.close(bye=False)
            self._not_alive(error, again=False)
            if self.stage is ConferenceStage.JOINED:
                self._renewal.wanted(ALIVE_SECONDS)
        else:
            self._renewal.done()
            self._gone = None
            self._mesh.close(bye=False)
            self._mesh = mesh
            self._is_in(joined)
        self._renewing = False

    # --- staying in it

    def _alive(self) -> None:
        self._alive_timer.start(ALIVE_SECONDS, self._alive)
        self._home.tell(CallAlive(self.id, self.since or 0), self._not_alive)
        if not self._whole:
            self.online()

    def _not_alive(self, error: ClientError, again: bool = True) -> None:
        """Where the node knows nothing of it any more it is asked `again`; else it is over."""
        if isinstance(error, RemoteProblem) and any(map(error.of, _OVER)):
            if again:
                self.online()
            else:
                self._machine.over(CallEnd.LOST, True)

    async def _look(self) -> None:
        """Who is in it, this device among them; media go on whatever the node says."""
        call, mesh = self.id, self._mesh
        try:
            joined = await self._start(mesh)
        except ClientError as error:
            # Else it is asked again when there is another connection, or with the next `call.alive`.
            self._not_alive(error, again=False)
            return
        if self._mesh is mesh and self.stage is ConferenceStage.JOINED:
            mine = mesh.own(joined)
            if joined.call == call and mine is not None and mine.since == mesh.since:
                self._is_in(joined)
            else:
                # For the others it had left: of what it has shown them nothing is of use any more.
                self._join_anew(CallEnd.LOST)
