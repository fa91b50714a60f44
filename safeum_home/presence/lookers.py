"""Accounts of other nodes that look at ours: as their nodes have said, and for a while."""

from collections import Counter
from typing import Any

from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Acquaintance, Acquaintances
from safeum_home.presence.foreign import Foreign, Looker, Others
from safeum_home.presence.loading import Loading
from safeum_home.presence.peers import Peers
from safeum_home.presence.people import Person
from safeum_home.presence.telling import Telling
from safeum_home.protocol.federation.events import node_of
from safeum_home.rounds import Rounds

LASTS = 720.0
"""Seconds for which it is believed that somebody looks, and what another node has told."""
LOOKERS, LOOKERS_OF_NODE = 200_000, 20_000
"""How many may look, in all and of one node."""
_AT_ONCE = 500
_ANSWER_RATE, _ANSWER_BURST = 1 / 60, 5.0
"""How often each is told all anew, since its node has said again that it looks."""


class Lookers:
    """Each is told of its contacts, as a device of ours is. `clock` provides IReactorTime."""

    def __init__(
        self, clock: Any, rounds: Rounds, others: Others, telling: Telling, mutual: Acquaintances
    ) -> None:
        """`mutual` are their contacts."""
        self._clock = clock
        self._others = others
        self._telling = telling
        self._of_node: Counter[str] = Counter()
        self._count = 0
        self._answers = RateLimit(_ANSWER_RATE, _ANSWER_BURST, clock.seconds)
        self._loading = Loading(clock, mutual, self._read)
        self._ending = rounds.queue(LASTS, _AT_ONCE, self.end)

    def __len__(self) -> int:
        return self._count

    def stop(self) -> None:
        """Read nothing any more."""
        self._loading.stop()

    def looks(self, account: AccountId, at: int, look: bool) -> None:
        """One wants to know how it is with its contacts here, or does so no more, since `at`."""
        foreign = self._others.find(account)
        if foreign is None:
            if not look or not self._has_room(node_of(account)):
                return
            foreign = self._others.need(account)
        if at < foreign.looked_at:
            return
        foreign.looked_at = at
        if not look:
            self.end(foreign)
        elif foreign.looking:
            self._ending.drop(foreign)
            self._ending.add(foreign, self._clock.seconds())
            if foreign.peers is not None and self._is_answered(account):
                self._begin(foreign)
        elif self._has_room(foreign.node):
            device = Looker(foreign)
            foreign.devices[device.subscriber.device] = device
            self._of_node[foreign.node] += 1
            self._count += 1
            self._ending.add(foreign, self._clock.seconds())
            self._loading.want(foreign)

    def related(self, foreign: Foreign, blind: bytes, accepted: bool) -> None:
        """It and one of ours have accepted each other from now on, or not any more."""
        self._loading.changed(foreign)
        if foreign.peers is None:
            return
        change = foreign.peers.add if accepted else foreign.peers.discard
        change(blind)
        if not len(foreign.peers):
            self.end(foreign)

    def end(self, foreign: Foreign) -> None:
        """It looks no more."""
        if foreign.looking:
            foreign.devices.clear()
            self._count -= 1
            self._of_node[foreign.node] -= 1
            if not self._of_node[foreign.node]:
                del self._of_node[foreign.node]
        foreign.peers = None
        self._loading.drop(foreign)
        self._ending.drop(foreign)
        self._others.release(foreign)

    def _read(self, person: Person, acquaintance: Acquaintance) -> None:
        assert isinstance(person, Foreign)
        person.peers = Peers(acquaintance.peers)
        if len(person.peers):
            self._begin(person)
        else:
            self.end(person)  # a stranger

    def _begin(self, foreign: Foreign) -> None:
        for device in foreign.devices.values():
            self._telling.begin(device)

    def _is_answered(self, account: AccountId) -> bool:
        try:
            self._answers.take(account)
        except Problem:
            return False
        return True

    def _has_room(self, node: str) -> bool:
        return self._of_node[node] < LOOKERS_OF_NODE and self._count < LOOKERS
