"""All calls of a node with the telephone network, by account and id; and for a while which are over."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports.calls import Engagements
from safeum_home.protocol.telephone_types import TelephoneEnded
from safeum_home.safenum.telephone.call import Call
from safeum_home.safenum.telephone.counts import TelephoneCounts
from safeum_home.safenum.telephone.limits import TelephoneLimits
from safeum_home.safenum.telephone.stages import ENGAGED, Stage

REMEMBERED_SECONDS, MOST_REMEMBERED = 3600.0, 20_000
"""For how long, and of how many calls, it is known that they are over: the first ones are forgotten first."""
_FULL_AGAIN = 10.0


class Table:
    """Those of a node. `seconds` is the time now, `network` know of calls that are none of these.

    Of one account `at_once` may go on, those with the network included.
    """

    def __init__(
        self,
        limits: TelephoneLimits,
        network: Sequence[Engagements],
        at_once: int,
        counts: TelephoneCounts,
        seconds: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._network = network
        self._at_once = at_once
        self._counts = counts
        self._seconds = seconds
        self._all: dict[Call, None] = {}
        self._by_account: dict[AccountId, dict[str, Call]] = {}
        self._over: OrderedDict[tuple[AccountId, str], float] = OrderedDict()
        self.first: Callable[[], None] = lambda: None
        """Called where there is a call, and was none before."""

    def __len__(self) -> int:
        return len(self._all)

    # --- one

    def add(self, call: Call) -> None:
        """A new one; of one that comes in `known` tells later whose it is."""
        self._all[call] = None
        if call.account is not None:
            self.known(call, call.account)
        if len(self._all) == 1:
            self.first()

    def known(self, call: Call, account: AccountId) -> None:
        """It is one of this account."""
        call.account = account
        self._by_account.setdefault(account, {})[call.call] = call

    def find(self, account: AccountId, call: str) -> Call | None:
        return self._by_account.get(account, {}).get(call)

    def need(self, account: AccountId, call: str) -> Call:
        """Raises `call_over`, and `not_found`."""
        found = self.find(account, call)
        if found is None:
            raise Problem(Code.CALL_OVER if self.is_over(account, call) else Code.NOT_FOUND)
        return found

    def over(self, call: Call, reason: TelephoneEnded) -> None:
        """One is over: it is in nobody's way any more."""
        del self._all[call]
        self._counts.ended[call.direction, call.is_answered, reason] += 1
        if call.account is None:
            return
        of_account = self._by_account[call.account]
        del of_account[call.call]
        if not of_account:
            del self._by_account[call.account]
        if not call.is_noted:
            return  # it was refused, and may be tried again
        now = self._seconds()
        self._over[call.account, call.call] = now + REMEMBERED_SECONDS
        while len(self._over) > MOST_REMEMBERED or next(iter(self._over.values())) <= now:
            self._over.popitem(last=False)

    def is_over(self, account: AccountId, call: str) -> bool:
        """Whether it is remembered that there was such a call."""
        return self._over.get((account, call), 0.0) > self._seconds()

    # --- many

    def of(self, account: AccountId) -> tuple[Call, ...]:
        return tuple(self._by_account.get(account, {}).values())

    @property
    def all(self) -> Collection[Call]:
        return tuple(self._all)

    # --- whether there is room

    @property
    def is_full(self) -> bool:
        return len(self._all) >= self._limits.total

    def check_full(self) -> None:
        """Raises `busy`."""
        if self.is_full:
            raise Problem(Code.BUSY, retry_after=_FULL_AGAIN)

    def has_room(self, account: AccountId) -> bool:
        """Whether one may be in one more call."""
        mine = sum(call.stage in ENGAGED and call.device is not None for call in self.of(account))
        others = sum(each.engaged(account) for each in self._network)
        return mine + others < self._at_once

    def check_room(self, account: AccountId) -> None:
        """Raises `limit_reached`."""
        if not self.has_room(account):
            raise Problem(Code.LIMIT_REACHED, "calls at once")

    def may_ring(self, account: AccountId) -> bool:
        """Whether one may be called once more."""
        ringing = sum(call.stage is Stage.RINGING for call in self.of(account))
        return ringing < self._limits.ringing and self.has_room(account)
