"""Somebody else in a conference: a device, and the connection to it."""

from collections.abc import Callable
from hashlib import blake2b

from safeum_home.client.calling.channel import Say
from safeum_home.client.calling.conference_home import Home
from safeum_home.client.calling.directory import Bound
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.handshake import Pair, Tampered, TooMany
from safeum_home.client.calling.link import Link, LinkState
from safeum_home.client.calling.opening import Opening
from safeum_home.client.calling.timer import Timer
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
        chat: str,
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
        self._home = home
        self._say = say
        self._told = told
        self._why: CallEnd | None = None
        self._wrong = ""
        self._link: Link | None = None
        self._later = Timer(home.means.clock)
        self._sends = False, video
        self._video = video
        self.begins = (mine.since, mine.account) > (theirs.since, theirs.account)
        """Whether this side begins to agree on keys: the younger one does."""
        self._tag = _tag(*((mine, theirs) if self.begins else (theirs, mine)))
        here, there = (mine.account, mine.device), (theirs.account, theirs.device)
        who = (*here, *there) if self.begins else (*there, *here)
        self._pair = Pair(call, KIND, *who, chat)
        self._role = opening if self.begins else theirs.hello

    def begin(self, *, muted: bool, video: bool) -> None:
        """Whoever does not begin answers what the other has joined with, as soon as it may."""
        self._sends = muted, video
        self._connect()

    def _connect(self) -> None:
        try:
            link = self._home.link(
                self._pair,
                self._role,
                lambda data: self._say(self._tag + data),
                self._changed,
                video=self._video,
            )
        except TooMany as error:
            self._wrong = str(error)
            self._later.start(error.seconds, self._connect)
        except Tampered as error:
            self._why, self._wrong = CallEnd.TAMPERED, str(error)
        else:
            self._link = link
            link.control(muted=self._sends[0], video=self._sends[1])
            if not self.begins:
                link.respond()

    # --- what is to be seen

    @property
    def state(self) -> LinkState:
        if self._link is None:
            return LinkState.AGREEING if self._why is None else LinkState.OVER
        return self._link.state

    @property
    def words(self) -> Words | None:
        """What both compare, by voice: where they are the same, nobody is between the two devices."""
        return None if self._link is None else self._link.words

    @property
    def bound(self) -> Bound:
        """What says whose the other device is, once there are words."""
        return Bound.NONE if self._link is None else self._link.bound

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
        return self._why if self._link is None else self._link.why

    @property
    def wrong(self) -> str:
        """Why, where it was refused."""
        return self._wrong if self._link is None else self._link.wrong

    @property
    def is_lost(self) -> bool:
        """Whether this side is to see to it that there is another connection.

        Who has said good-bye, and stays in it, does not want one: that would break those to all others.
        """
        if self._link is None or self._link.said_bye:
            return False
        return self.why is CallEnd.HANGUP or (self.why is CallEnd.FAILED and self.begins)

    # --- for the conference

    def signal(self, data: str) -> None:
        """What was said before one of the two has joined anew is left alone."""
        if self._link is not None and data.startswith(self._tag):
            self._link.signal(data[len(self._tag) :])

    def control(self, *, muted: bool, video: bool) -> None:
        self._sends = muted, video
        if self._link is not None:
            self._link.control(muted=muted, video=video)

    def close(self, *, bye: bool) -> None:
        self._later.stop()
        if self._link is not None:
            self._link.close(bye=bye)

    def _changed(self, _link: Link) -> None:
        self._told(self)


def _tag(younger: Participant, older: Participant) -> str:
    """What all that the two say to each other begins with: which joining of each of them it is of."""
    hellos = f"{younger.hello}\0{older.hello}".encode("ascii")
    return encode_octets(blake2b(hellos, digest_size=6, person=b"safeum mesh").digest())
