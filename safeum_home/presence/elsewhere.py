"""Presence across nodes: whom ours know elsewhere, what their nodes tell of them, and who is to tell it.

A node tells of its accounts those nodes alone that have said that a contact of them looks, and for a while:
it has to be said again. All of it is in memory, and bounded.
"""

from collections.abc import Iterable
from typing import Any

from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Acquaintances
from safeum_home.ports.expiring import SayNow
from safeum_home.presence.foreign import Foreign, Others
from safeum_home.presence.lookers import LASTS, Lookers
from safeum_home.presence.peers import Peers
from safeum_home.presence.people import People, Person
from safeum_home.presence.telling import Telling
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.now import LOOKING
from safeum_home.protocol.presence import Presence, PresenceState
from safeum_home.rounds import Rounds

ARRANGE = 1.0
"""For how many seconds it is waited whether one that has begun or ceased to look goes on with that."""
RENEW = 300.0
"""Seconds after which it is said again that somebody looks."""
AGAIN = 20.0
"""Seconds after which a node is asked again that could not be told who looks."""
DOUBT = 60.0
"""Seconds within which a node that may have forgotten what it told has to tell it again."""
_NEWS = 0.5
_LATE, _OFTEN = 5.0, 5.0
"""Seconds between two times that its contacts are told of one that changes all the time; so often before."""
_AT_ONCE, _FAN_OUTS, _FORGOTTEN = 200, 50, 500
_ANEW_RATE, _ANEW_BURST = 1 / 30, 3.0
"""How often a node is told all anew that has said that it is there again."""


class Elsewhere:
    """Accounts of other nodes, as far as they matter. `clock` provides IReactorTime."""

    def __init__(
        self, clock: Any, rounds: Rounds, people: People, telling: Telling, mutual: Acquaintances, say: SayNow
    ) -> None:
        """`mutual` are contacts of accounts of other nodes."""
        self._clock = clock
        self._people = people
        self._telling = telling
        self._say = say
        self._others = Others(people)
        self.lookers = Lookers(clock, rounds, self._others, telling, mutual)
        self._anew = RateLimit(_ANEW_RATE, _ANEW_BURST, clock.seconds)
        self._quiet: set[str] = set()
        """Nodes that could not be told."""
        self._others.released = self._quiet.discard
        self._arranging = rounds.queue(ARRANGE, _AT_ONCE, self._arrange)
        self._renewing = rounds.queue(RENEW, _AT_ONCE, self._renew)
        self._asking_again = rounds.queue(AGAIN, _FAN_OUTS, self._ask_again)
        self._news = rounds.queue(_NEWS, _FAN_OUTS, self._tell)
        self._late_news = rounds.queue(_LATE, _FAN_OUTS, telling.fan_out)
        self._often = RateLimit(1 / _LATE, _OFTEN, clock.seconds)
        self._lapsing = rounds.queue(LASTS, _FORGOTTEN, self._lapse)
        self._doubting = rounds.queue(DOUBT, _FORGOTTEN, self._doubt)

    def find(self, account: AccountId) -> Foreign | None:
        """One that matters here."""
        return self._others.find(account)

    def matters(self, account: AccountId) -> bool:
        """Whether one elsewhere is a contact of somebody who is connected."""
        foreign = self.find(account)
        return foreign is not None and bool(foreign.here)

    def stop(self) -> None:
        """Read nothing any more."""
        self.lookers.stop()

    # --- our own, and whom they know

    def read(self, person: Person, peers: Peers, accounts: Iterable[AccountId]) -> None:
        """One of ours was read: its `peers`, to which its contacts elsewhere are added."""
        before, person.peers = self._others.contacts(person), peers
        for account in accounts:
            self._meet(person, account)
        for foreign in before:
            if foreign.blind not in peers:
                self._lose(foreign, person)
        self.look(person)

    def gone(self, person: Person) -> None:
        """One of ours goes: before its `peers` are forgotten."""
        self._arranging.drop(person)
        self._renewing.drop(person)
        if person.watching:
            person.watching = False
            self._say_of(person)
        for foreign in self._others.contacts(person):
            self._lose(foreign, person)

    def related(self, ours: AccountId, theirs: AccountId, accepted: bool) -> None:
        """The two have accepted each other from now on, or not any more; ours may not be there."""
        person, blind = self._people.here(ours), self._people.blind(ours)
        if (foreign := self.find(theirs)) is not None:
            self.lookers.related(foreign, blind, accepted)
        if person is not None and person.peers is not None:
            if accepted:
                self._meet(person, theirs)
                if person.watching:
                    self._say(node_of(theirs), LOOKING, person.account)
                else:
                    self.look(person)
            elif foreign is not None:
                person.peers.discard(foreign.blind)
                self._lose(foreign, person)
        if accepted:
            self._telling.met(self._people.behind(blind), self.find(theirs))

    def look(self, person: Person) -> None:
        """One of ours may have begun or ceased to look."""
        self._arranging.add(person, self._clock.seconds())

    def forget(self, account: AccountId) -> None:
        """One elsewhere was closed."""
        if (foreign := self.find(account)) is not None:
            for person in map(self._people.behind, tuple(foreign.here)):
                if person is not None and person.peers is not None:
                    person.peers.discard(foreign.blind)
                    self._lose(foreign, person)
            self.lookers.end(foreign)

    # --- what other nodes say, and whether they are there

    def told(self, presence: Presence, at: int) -> None:
        """How it is with one elsewhere, whoever that is."""
        foreign = self.find(AccountId(presence.account))
        if foreign is None or not foreign.here or at < foreign.told_at:
            return
        foreign.told_at, foreign.doubted = at, False
        self._lapsing.drop(foreign)
        self._lapsing.add(foreign, self._clock.seconds())
        self._become(foreign, presence)

    def lost(self, node: str) -> None:
        """What it has told is believed for a moment still: it may be there again at once."""
        if self._others.of(node):
            self._quiet.add(node)
            self._asking_again.add(node, self._clock.seconds())
        self._mistrust(node)

    def back(self, node: str) -> None:
        """A node may have forgotten who looks: it is told again, and tells again what it knows."""
        self._quiet.discard(node)
        if self._others.of(node):
            try:
                self._anew.take(node)
            except Problem:
                return
            self._mistrust(node)
            self._say_all(node)

    # --- what comes of it

    def _meet(self, person: Person, account: AccountId) -> None:
        foreign = self._others.need(account)
        if person.peers is not None:
            person.peers.add(foreign.blind)
            foreign.here.add(person.blind)
        self._others.release(foreign)

    def _lose(self, foreign: Foreign, person: Person) -> None:
        foreign.here.discard(person.blind)
        if not foreign.here:
            for queue in (self._lapsing, self._news, self._late_news, self._doubting):
                queue.drop(foreign)
            foreign.forget_told()
        self._others.release(foreign)

    def _arrange(self, person: Person) -> None:
        if person.peers is None:
            return  # gone, or still to be read
        looks = any(device.looks for device in person.devices.values())
        if looks is person.watching or (looks and not self._others.contacts(person)):
            return
        person.watching = looks
        self._say_of(person)
        if looks:
            self._renewing.add(person, self._clock.seconds())
        else:
            self._renewing.drop(person)

    def _renew(self, person: Person) -> None:
        if person.watching:
            self._say_of(person)
            self._renewing.add(person, self._clock.seconds())

    def _say_of(self, person: Person) -> None:
        for node in {foreign.node for foreign in self._others.contacts(person)}:
            self._say(node, LOOKING, person.account)

    def _say_all(self, node: str) -> None:
        """Say of all of ours that look at accounts of a node that they do."""
        blinds = {blind for foreign in self._others.of(node) for blind in foreign.here}
        for person in map(self._people.behind, blinds):
            if person is not None and person.watching:
                self._say(node, LOOKING, person.account)

    def _ask_again(self, node: str) -> None:
        if node in self._quiet:
            self._asking_again.add(node, self._clock.seconds())
            self._say_all(node)

    def _mistrust(self, node: str) -> None:
        now = self._clock.seconds()
        for foreign in self._others.of(node):
            if foreign.told.state is not PresenceState.UNKNOWN:
                foreign.doubted = True
                self._doubting.add(foreign, now)

    def _doubt(self, foreign: Foreign) -> None:
        if foreign.doubted:
            foreign.doubted = False
            self._lapsing.drop(foreign)
            self._lapse(foreign)

    def _lapse(self, foreign: Foreign) -> None:
        foreign.told_at = 0
        self._become(foreign, Presence(foreign.account, PresenceState.UNKNOWN))

    def _tell(self, foreign: Foreign) -> None:
        try:
            self._often.take(foreign.blind)
        except Problem:
            self._late_news.add(foreign, self._clock.seconds())
        else:
            self._telling.fan_out(foreign)

    def _become(self, foreign: Foreign, presence: Presence) -> None:
        if presence != foreign.told:
            foreign.told = presence
            self._news.add(foreign, self._clock.seconds())
