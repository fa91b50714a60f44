"""Somebody else in a conference: a device, and the connection to it."""

from collections.abc import Callable
from hashlib import blake2b

from safeum_home.client.calling.channel import Say
from safeum_home.client.calling.conference_home import Home
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.handshake import Pair, Tampered
from safeum_home.client.calling.link import Link, LinkState
from safeum_home.client.calling.opening import Opening
from safeum_home.client.sas import Words
from safeum_home.protocol.commands.conferences import Participant
from safeum_home.protocol.signing import encode_octets

KIND = "conference"
"""Of all pairs in conferences, whatever media they send."""


class Peer:
    """`verified` is for its user to set, who has compared `words` with them."""

    def __init__(
        self,
        home: Home,
        call: str,
        mine: Participant,
        theirs: Participant,
        opening: Opening,
        say: Say,
        told: "Callable[[Peer], None]",
        *,
        video: bool,
    ) -> None:
        """`mine` is this device itself, with the `opening` whose hello it has joined with."""
        self.account = theirs.account
        self.device = theirs.device
        self.since = theirs.since
        self.hello = theirs.hello
        self.verified = False
        self._told = told
        self._wrong = ""
        self._link: Link | None = None
        self.begins = (mine.since, mine.account) > (theirs.since, theirs.account)
        """Whether this side begins to agree on keys: the younger one does."""
        self._tag = _tag(*((mine, theirs) if self.begins else (theirs, mine)))
        here, there = (mine.account, mine.device), (theirs.account, theirs.device)
        pair = Pair(call, KIND, *(here if self.begins else there), *(there if self.begins else here))
        role = opening if self.begins else theirs.hello
        try:
            self._link = home.link(pair, role, lambda data: say(self._tag + data), self._changed, video=video)
        except Tampered as error:
            self._wrong = str(error)

    def begin(self, *, muted: bool, video: bool) -> None:
        """Whoever does not begin answers what the other has joined with."""
        if self._link is not None:
            self._link.control(muted=muted, video=video)
            if not self.begins:
                self._link.respond()

    # --- what is to be seen

    @property
    def state(self) -> LinkState:
        return LinkState.OVER if self._link is None else self._link.state

    @property
    def words(self) -> Words | None:
        """What both compare, by voice: where they are the same, nobody is between the two devices."""
        return None if self._link is None else self._link.words

    @property
    def muted(self) -> bool:
        """Whether they say that nothing is to be heard of them."""
        return self._link is not None and self._link.muted

    @property
    def shows(self) -> bool:
        """Whether they say that they send pictures."""
        return self._link is not None and self._link.video

    @property
    def why(self) -> CallEnd | None:
        """Set where there is no connection to them any more, though they are in it."""
        return CallEnd.TAMPERED if self._link is None else self._link.why

    @property
    def wrong(self) -> str:
        """What was found, where somebody has tampered with it."""
        return self._wrong if self._link is None else self._link.wrong

    @property
    def is_lost(self) -> bool:
        """Whether this side is to see to it that there is another connection."""
        return self.why is CallEnd.HANGUP or (self.why is CallEnd.FAILED and self.begins)

    # --- for the conference

    def signal(self, data: str) -> None:
        """What was said before one of the two has joined anew is left alone."""
        if self._link is not None and data.startswith(self._tag):
            self._link.signal(data[len(self._tag) :])

    def control(self, *, muted: bool, video: bool) -> None:
        if self._link is not None:
            self._link.control(muted=muted, video=video)

    def close(self, *, bye: bool) -> None:
        if self._link is not None:
            self._link.close(bye=bye)

    def _changed(self, _link: Link) -> None:
        self._told(self)


def _tag(younger: Participant, older: Participant) -> str:
    """What all that the two say to each other begins with: which joining of each of them it is of."""
    hellos = f"{younger.hello}\0{older.hello}".encode("ascii")
    return encode_octets(blake2b(hellos, digest_size=6, person=b"safeum mesh").digest())
