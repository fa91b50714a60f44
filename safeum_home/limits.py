"""Rate limits in bounded memory: a token bucket for each key. Pure: the clock is handed in."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address

from safeum_home.errors import Code, Problem


def network(host: str) -> str:
    """What counts as one peer: an IPv4 address, or an IPv6 /64, since one customer is given all of that.

    What is not an IPv6 address counts as itself.
    """
    return _block(host, 64)


def site(host: str) -> str:
    """As `network`, but an IPv6 /48: a customer may be given all of that too (RFC 6177)."""
    return _block(host, 48)


def _block(host: str, length: int) -> str:
    if ":" not in host:
        return host
    try:
        address = IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    rest = 128 - length
    return f"{IPv6Address(int(address) >> rest << rest)}/{length}"


class RateLimit:
    """`burst` at once and `rate` per second on average, for each key.

    Held for a key is one number: the time at which its bucket will be full again (the generic cell
    rate algorithm, ITU-T I.371), so a bucket that is full needs no entry. At most `size` keys are
    held; beyond that the one not seen for longest is forgotten, which errs towards allowing.
    """

    def __init__(
        self, rate: float, burst: float, now: Callable[[], float], size: int = 65536, debts: bool = False
    ) -> None:
        """`debts`: what is settled afterwards may empty a bucket, and as much again."""
        self._rate, self._burst = rate, burst
        self._spans = 2 if debts else 1
        self._cost = 1.0 / rate
        self._span = burst / rate
        self._now = now
        self._size = size
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    @property
    def burst(self) -> float:
        """How many may come at once."""
        return self._burst

    def take(self, key: Hashable, cost: float = 1.0) -> None:
        """Take `cost` tokens of `key`; raises `Problem(rate_limited)` with `retry_after`, taking none."""
        now = self._now()
        held = self._full_at
        begins = max(held.get(key, now), now)
        if begins > (latest := now + self._span * self._spans):
            # The clock was set back: nobody can owe more than that, so it is not the client's doing.
            begins = held[key] = latest
        full_at = begins + cost * self._cost
        wait = full_at - now - self._span
        if wait > 1e-9:
            if key in held:
                held.move_to_end(key)
            raise Problem(Code.RATE_LIMITED, retry_after=wait)
        held[key] = full_at
        held.move_to_end(key)
        self._expire(now)

    def settle(self, key: Hashable, cost: float) -> None:
        """What was taken before turns out to be so much more, or less where that is negative."""
        now = self._now()
        full_at = max(self._full_at.get(key, now), now) + cost * self._cost
        self._full_at[key] = min(full_at, now + self._span * self._spans)
        self._full_at.move_to_end(key)
        self._expire(now)

    def give_back(self, key: Hashable, cost: float = 1.0) -> None:
        """Undo a `take`: what it was taken for was not done."""
        full_at = self._full_at.get(key)
        if full_at is not None:
            self._full_at[key] = full_at - cost * self._cost

    def forget(self, key: Hashable) -> None:
        """Fill the bucket of `key`: after a success that makes up for its failures."""
        self._full_at.pop(key, None)

    def change(self, rate: float, burst: float) -> None:
        """Limit to something else from now on; what each key has taken stays taken."""
        if (rate, burst) == (self._rate, self._burst):
            return
        now, before = self._now(), self._cost
        self._rate, self._burst = rate, burst
        self._cost, self._span = 1.0 / rate, burst / rate
        for key, full_at in self._full_at.items():
            owed = (full_at - now) / before * self._cost
            self._full_at[key] = now + min(owed, self._span * self._spans)

    def held_back(self) -> int:
        """How many keys would be refused a token now."""
        latest = self._now() + self._span - self._cost + 1e-9
        return sum(full_at > latest for full_at in self._full_at.values())

    def _expire(self, now: float) -> None:
        """Drop the oldest entries: all beyond `size`, and up to two that are full again."""
        held = self._full_at
        while len(held) > self._size:
            held.popitem(last=False)
        for _ in range(2):
            oldest = next(iter(held), None)
            if oldest is None or held[oldest] > now:
                return
            del held[oldest]
