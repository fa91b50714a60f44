"""The links of a device to all others in a conference, with the keys that it has joined with once.

Where it joins anew, which takes other keys, there is another mesh.
"""

from collections.abc import Callable, Iterable

from safeum_home.client.calling.conference_home import Home
from safeum_home.client.calling.link import LinkState
from safeum_home.client.calling.peer import Peer
from safeum_home.protocol.call_types import MOST_TOGETHER, Media
from safeum_home.protocol.commands.calls import CallSignal
from safeum_home.protocol.commands.conferences import Joined, Participant
from safeum_home.protocol.events import CallSignalled, ConferenceJoined, ConferenceLeft


class Mesh:
    """`changed` is called with each peer of which something is different."""

    def __init__(self, home: Home, chat: str, changed: Callable[[Peer], None]) -> None:
        self._home = home
        self._chat = chat
        self._changed = changed
        self._opening = home.opening(MOST_TOGETHER - 1)
        self._call = ""
        self._video = False
        self._mine: Participant | None = None
        self._peers: dict[str, Peer] = {}
        self.muted = self.shows = False

    @property
    def hello(self) -> str:
        """What it joins with."""
        return self._opening.hello

    @property
    def since(self) -> int | None:
        """When it has joined; None: it has not yet."""
        return None if self._mine is None else self._mine.since

    @property
    def peers(self) -> list[Peer]:
        """The others that are in it, the oldest first."""
        return sorted(self._peers.values(), key=lambda peer: (peer.since, peer.account))

    @property
    def is_whole(self) -> bool:
        """Whether all are connected with this device."""
        return all(peer.state is LinkState.CONNECTED for peer in self._peers.values())

    @property
    def is_torn(self) -> bool:
        """Whether this device is to see to it that there is another connection to somebody."""
        return any(peer.is_lost for peer in self._peers.values())

    def own(self, joined: Joined) -> Participant | None:
        """What an answer says of this device, as it has asked for it."""
        own = self._home.account, self._home.device, self.hello
        found = (each for each in joined.participants if (each.account, each.device, each.hello) == own)
        return next(found, None)

    def follow(self, joined: Joined, mine: Participant) -> None:
        """These are in it; where that is all of them, nobody else is."""
        self._call, self._video, self._mine = joined.call, joined.media is Media.VIDEO, mine
        others = {each.account: each for each in joined.participants if each.account != mine.account}
        gone = [account for account in self._peers if account not in others] if joined.whole else []
        for account in gone:
            self._peers.pop(account).close(bye=False)
        self._meet(others.values())

    def came(self, event: ConferenceJoined) -> None:
        """Somebody has come, or has other keys."""
        if len(self._peers) < MOST_TOGETHER:
            self._meet([Participant(event.account, event.device, event.hello, event.since)])

    def went(self, event: ConferenceLeft) -> None:
        """Somebody has gone."""
        peer = self._peers.get(event.account)
        if peer is not None and peer.device == event.device:
            self._peers.pop(event.account).close(bye=False)

    def signalled(self, event: CallSignalled) -> None:
        """Somebody says something."""
        peer = self._peers.get(event.account)
        if peer is not None and peer.device == event.device:
            peer.signal(event.data)

    def control(self, *, muted: bool, shows: bool) -> None:
        """What is sent of this side, to whoever comes too."""
        self.muted, self.shows = muted, shows
        for peer in self._peers.values():
            peer.control(muted=muted, video=shows)

    def close(self, *, bye: bool) -> None:
        """That was it; with `bye` the others are told."""
        peers, self._peers = self._peers, {}
        for peer in peers.values():
            peer.close(bye=bye)
        self._opening.wipe()

    def _meet(self, others: Iterable[Participant]) -> None:
        for other in others:
            known = self._peers.get(other.account)
            if known is not None and (known.device, known.hello) == (other.device, other.hello):
                known.since = other.since  # it will join anew, where it had left for its hub
                continue
            if known is not None:
                known.close(bye=False)
            if self._mine is not None and other.account != self._mine.account:
                peer = self._peer(self._mine, other)
                self._peers[other.account] = peer
                peer.begin(muted=self.muted, video=self.shows)

    def _peer(self, mine: Participant, other: Participant) -> Peer:
        call, chat = self._call, self._chat

        def say(data: str) -> None:
            self._home.tell(CallSignal(call, other.device, data, other.account))

        return Peer(self._home, call, chat, mine, other, self._opening, say, self._told, video=self._video)

    def _told(self, peer: Peer) -> None:
        if self._peers.get(peer.account) is peer:
            self._changed(peer)
