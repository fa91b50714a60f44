"""All legs of a node, by account and call; and for a while which are over, and why."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from typing import NamedTuple

from safeum_home.calls.leg import Leg
from safeum_home.calls.limits import CallLimits
from safeum_home.calls.machine import new_leg
from safeum_home.calls.stages import ANSWERED, Stage
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.protocol.call_types import Ended
from safeum_home.protocol.federation.events import node_of

REMEMBERED_SECONDS = 3600.0
MOST_REMEMBERED = 20_000
"""For how long, and of how many legs, it is known that they are over: the first ones are forgotten first."""


class Over(NamedTuple):
    """A leg that is over."""

    peer: AccountId
    reason: Ended
    until: float


class Legs:
    """Those of a node. `seconds` is the time now."""

    def __init__(self, limits: CallLimits, seconds: Callable[[], float]) -> None:
        self._limits = limits
        self._seconds = seconds
        self._by_account: dict[AccountId, dict[str, Leg]] = {}
        self._by_node: dict[str, dict[Leg, None]] = {}
        self._over: OrderedDict[tuple[AccountId, str], Over] = OrderedDict()
        self.count = 0

    # --- one

    def find(self, account: AccountId, call: str) -> Leg | None:
        return self._by_account.get(account, {}).get(call)

    def need(self, account: AccountId, call: str) -> Leg:
        """Raises `call_over`, and `not_found`."""
        leg = self.find(account, call)
        if leg is None:
            raise Problem(Code.NOT_FOUND if self.over_before(account, call) is None else Code.CALL_OVER)
        return leg

    def add(self, leg: Leg) -> Leg:
        """A new one: it has a machine from now on."""
        leg.machine = new_leg(leg)
        self._by_account.setdefault(leg.account, {})[leg.call] = leg
        self._by_node.setdefault(node_of(leg.peer), {})[leg] = None
        self._over.pop((leg.account, leg.call), None)
        self.count += 1
        return leg

    def over(self, leg: Leg, reason: Ended) -> None:
        """One is over: it is in nobody's way any more."""
        of_account, of_node = self._by_account[leg.account], self._by_node[node_of(leg.peer)]
        del of_account[leg.call], of_node[leg]
        if not of_account:
            del self._by_account[leg.account]
        if not of_node:
            del self._by_node[node_of(leg.peer)]
        self.count -= 1
        self.remember(leg.account, leg.call, leg.peer, reason)

    def remember(self, account: AccountId, call: str, peer: AccountId, reason: Ended) -> None:
        """A call is over, or never came to be."""
        now = self._seconds()
        self._over.pop((account, call), None)
        self._over[account, call] = Over(peer, reason, now + REMEMBERED_SECONDS)
        while len(self._over) > MOST_REMEMBERED or next(iter(self._over.values())).until <= now:
            self._over.popitem(last=False)

    def over_before(self, account: AccountId, call: str) -> Over | None:
        """What is remembered of one that is over."""
        over = self._over.get((account, call))
        return None if over is None or over.until <= self._seconds() else over

    # --- many

    def of(self, account: AccountId) -> tuple[Leg, ...]:
        return tuple(self._by_account.get(account, {}).values())

    def between(self, account: AccountId, peer: AccountId) -> tuple[Leg, ...]:
        """Those of an account of this node with another one."""
        return tuple(leg for leg in self.of(account) if leg.peer == peer)

    def with_node(self, node: str) -> tuple[Leg, ...]:
        """Those whose other half is there."""
        return tuple(self._by_node.get(node, ()))

    def with_account(self, peer: AccountId) -> tuple[Leg, ...]:
        """Those whose other half is of an account, of whichever node."""
        return tuple(leg for leg in self.with_node(node_of(peer)) if leg.peer == peer)

    def stages(self) -> Counter[Stage]:
        """How many there are in each."""
        return Counter(leg.stage for legs in self._by_account.values() for leg in legs.values())

    def stop(self) -> None:
        """The node stops: nobody is told, for what goes on goes on without it."""
        for leg in [leg for legs in self._by_account.values() for leg in legs.values()]:
            leg.stop()

    # --- whether there is room, and who gives way

    @property
    def full(self) -> bool:
        """For a call between two of this node."""
        return self.count + 2 > self._limits.total

    def has_room(self, account: AccountId) -> bool:
        """Whether one may be in one more."""
        return self.engaged(account) < self._limits.together

    def engaged(self, account: AccountId) -> int:
        """`ports.calls.Engagements`."""
        return sum(leg.is_caller or leg.stage in ANSWERED for leg in self.of(account))

    def may_ring(self, account: AccountId) -> bool:
        """Whether one may be called once more."""
        ringing = sum(leg.stage is Stage.CALLED for leg in self.of(account))
        return ringing < self._limits.ringing and self.has_room(account) and not self.full

    def crossing(
        self, account: AccountId, peer: AccountId, call: str, stages: Collection[Stage]
    ) -> tuple[Leg, ...] | None:
        """The calls the other way round that a new one replaces; None: one of them replaces it.

        Of two who call each other the call with the lower id goes on. Both nodes come to the same.
        """
        others = tuple(leg for leg in self.between(account, peer) if leg.stage in stages)
        return None if any(leg.call < call for leg in others) else others
