"""A conference in a group, for programs: who is in it, and what can be done with it.

This device has a link to each other one that is in it. Where it is not sure who is, after a connection or
a node was away, it asks: the answer has all, and what there is already stays.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct
from twisted.logger import Logger

from safeum_home.client.calling.conference_home import Home
from safeum_home.client.calling.conference_machine import ConferenceStage, Core, new_conference
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.link import LinkState
from safeum_home.client.calling.peer import Peer
from safeum_home.client.calling.timer import Timer
from safeum_home.client.errors import ClientError, RemoteProblem
from safeum_home.errors import Code
from safeum_home.protocol.call_types import ALIVE_SECONDS, MOST_TOGETHER, Ended, Media
from safeum_home.protocol.commands.calls import CallAlive, CallHangup, CallSignal
from safeum_home.protocol.commands.conferences import ConferenceStart, Joined, Participant
from safeum_home.protocol.events import CallEnded, CallSignalled, ConferenceJoined, ConferenceLeft
from safeum_home.spawn import spawn

AGAIN = (10.0, 30.0, 90.0)
"""Seconds after which it is joined anew, with other keys, where no way to somebody in it is found.

That breaks the ways to all others for a moment: so it is not tried for ever.
"""
_OVER = {Code.NOT_FOUND, Code.CALL_OVER, Code.CONFERENCE_FULL, Code.LIMIT_REACHED, Code.CALL_EXISTS}
_log = Logger()


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
        self._opening = home.opening(MOST_TOGETHER - 1)
        self._mine: Participant | None = None
        self._peers: dict[str, Peer] = {}
        self._alive_timer, self._again_timer = Timer(home.means.clock), Timer(home.means.clock)
        self._tries = 0
        self._listeners: list[Callable[[Conference], None]] = []

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
        return sorted(self._peers.values(), key=lambda peer: (peer.since, peer.account))

    @property
    def since(self) -> int | None:
        """When this device has joined, by the clock of the group's node, in milliseconds."""
        return None if self._mine is None else self._mine.since

    def listen(self, listener: "Callable[[Conference], None]") -> Callable[[], None]:
        """Call `listener` whenever something of it is different; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

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
        for peer in self._peers.values():
            peer.control(muted=self.muted, video=self.shows)
        self.notify()

    # --- what the node tells

    async def join(self) -> None:
        """Raises what the node refuses it with; then it has ended."""
        try:
            await self._home.ready()
            self._is_in(await self._start())
        except ClientError:
            self._machine.over(CallEnd.LOST, False)
            raise

    def take(self, event: Struct) -> None:
        """An event of the conference with this id."""
        if isinstance(event, CallSignalled):
            peer = self._peers.get(event.account)
            if peer is not None and peer.device == event.device:
                peer.signal(event.data)
        elif isinstance(event, ConferenceJoined):
            came = Participant(event.account, event.device, event.hello, event.since)
            if self._mine is not None and len(self._peers) < MOST_TOGETHER:
                self._meet(came)
                self.notify()
        elif isinstance(event, ConferenceLeft):
            peer = self._peers.get(event.account)
            if peer is not None and peer.device == event.device:
                self._part(event.account)
                self.notify()
        elif isinstance(event, CallEnded):
            if event.reason is Ended.REPLACED:
                self._join_anew("joining the one that goes on")
            else:
                self._machine.over(CallEnd.of(event.reason), True)

    def online(self) -> None:
        """There is another connection to the node, which may not know of it any more."""
        if self._mine is not None and self.stage is ConferenceStage.JOINED:
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
        self._again_timer.stop()
        for account in list(self._peers):
            self._part(account, bye=not told)
        self._opening.wipe()
        if not told:
            self._home.tell(CallHangup(self.id))

    def notify(self) -> None:
        """Tell those who listen."""
        self._told(self)
        for listener in list(self._listeners):
            try:
                listener(self)
            except Exception:
                _log.failure("A listener failed")

    # --- being in it

    async def _start(self, since: int | None = None) -> Joined:
        start = ConferenceStart(self.id, self.chat, self.media, self._opening.hello, since)
        joined: Joined = await self._home.ask(start, Joined)
        return joined

    def _is_in(self, joined: Joined) -> None:
        mine = next((each for each in joined.participants if each.account == self._home.account), None)
        if self.stage is ConferenceStage.ENDED:
            self._home.tell(CallHangup(joined.call))  # it was left meanwhile
        elif mine is None or (mine.device, mine.hello) != (self._home.device, self._opening.hello):
            self._machine.over(CallEnd.LOST, False)
        else:
            self.id, self.media, self._mine = joined.call, joined.media, mine
            self._alive_timer.start(ALIVE_SECONDS, self._alive)
            self._follow(joined.participants)
            self._machine.joined()

    def _follow(self, participants: Iterable[Participant]) -> None:
        """These are in it, and nobody else is."""
        others = {each.account: each for each in participants if each.account != self._home.account}
        for account in list(self._peers):
            if account not in others:
                self._part(account)
        for each in others.values():
            self._meet(each)
        self.notify()

    def _meet(self, other: Participant) -> None:
        """Somebody is in it: unless that was known, a link is made."""
        known = self._peers.get(other.account)
        if other.account == self._home.account or self._mine is None:
            return
        if known is not None and (known.device, known.hello) == (other.device, other.hello):
            return
        if known is not None:
            self._part(other.account)

        def say(data: str) -> None:
            self._home.tell(CallSignal(self.id, other.device, data, other.account))

        video = self.media is Media.VIDEO
        peer = Peer(self._home, self.id, self._mine, other, self._opening, say, self._linked, video=video)
        self._peers[other.account] = peer
        peer.begin(muted=self.muted, video=self.shows)

    def _part(self, account: str, *, bye: bool = False) -> None:
        self._peers.pop(account).close(bye=bye)

    def _linked(self, peer: Peer) -> None:
        if self._peers.get(peer.account) is not peer:
            return
        if peer.state is LinkState.CONNECTED and all(
            each.state is LinkState.CONNECTED for each in self._peers.values()
        ):
            self._tries = 0
        elif peer.is_lost and self._tries < len(AGAIN):
            pause, self._tries = AGAIN[self._tries], self._tries + 1
            self._again_timer.start(pause, self._try_again)
        self.notify()

    def _try_again(self) -> None:
        """Whoever has said good-bye has left meanwhile, unless he was told that this one had."""
        if any(peer.is_lost for peer in self._peers.values()):
            self._join_anew("joining a conference anew")

    def _join_anew(self, what: str) -> None:
        """With other keys: what was shown of the old ones is not shown again."""
        self._machine.again()
        if self.stage is ConferenceStage.JOINING:
            self._mine = None
            for account in list(self._peers):
                self._part(account)
            self._opening.wipe()
            self._opening = self._home.opening(MOST_TOGETHER - 1)
            spawn(self._anew(), what)

    async def _anew(self) -> None:
        try:
            self._is_in(await self._start())
        except ClientError:
            self._machine.over(CallEnd.LOST, False)

    # --- staying in it

    def _alive(self) -> None:
        self._alive_timer.start(ALIVE_SECONDS, self._alive)
        self._home.tell(CallAlive(self.id, self.since or 0), self._not_alive)

    def _not_alive(self, error: ClientError) -> None:
        if isinstance(error, RemoteProblem) and (error.of(Code.NOT_FOUND) or error.of(Code.CALL_OVER)):
            self.online()

    async def _look(self) -> None:
        """Who is in it, this device among them; media go on whatever the node says."""
        call, hello = self.id, self._opening.hello
        try:
            joined = await self._start(self.since)
        except RemoteProblem as problem:
            if any(problem.of(code) for code in _OVER):
                self._machine.over(CallEnd.LOST, True)
            return
        except ClientError:
            return  # it is asked again when there is another connection, or with the next `call.alive`
        if self._opening.hello != hello or self.stage is not ConferenceStage.JOINED:
            return  # it was joined anew meanwhile
        mine = next((each for each in joined.participants if each.account == self._home.account), None)
        if joined.call != call or mine is None or mine.since != self.since:
            # For the others it was over, or this device had left it: what it has shown them is of no use now.
            self._join_anew("joining a conference that goes on")
        else:
            self._is_in(joined)
