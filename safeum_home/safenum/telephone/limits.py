"""How many calls with the telephone network there may be."""

from collections.abc import Callable
from dataclasses import dataclass

from safeum_home.config_limits import LimitSection
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit

KEYS_PER_SECOND, MOST_KEYS = 4.0, 64
"""Keys that a device presses in a call: as many as a bridge can send one after the other; and at once."""
SIZES = ("telephone_calls", "telephone_ringing")


@dataclass(slots=True)
class TelephoneLimits:
    """`total` at this node; `ringing` for one account."""

    total: int
    ringing: int
    dials: RateLimit
    """By account."""
    rings_by_caller: RateLimit
    """By the number that calls, whomever it calls."""
    rings: RateLimit
    """By the number that is called."""
    keys: RateLimit
    """By account and call."""

    @classmethod
    def of(cls, section: LimitSection, seconds: Callable[[], float]) -> "TelephoneLimits":
        """As the configuration says."""

        def rate(name: str) -> RateLimit:
            return RateLimit(getattr(section, name), getattr(section, f"{name}_burst"), seconds)

        return cls(
            section.telephone_calls,
            section.telephone_ringing,
            rate("telephone_dials_per_account"),
            rate("telephone_rings_per_caller"),
            rate("telephone_rings_per_number"),
            RateLimit(KEYS_PER_SECOND, MOST_KEYS, seconds),
        )

    def take_dial(self, account: AccountId) -> None:
        """Raises `rate_limited`."""
        self.dials.take(account)

    def take_ring(self, called: str, caller: str) -> None:
        """Somebody calls; raises `rate_limited`. An empty `caller` is anybody."""
        if caller:
            self.rings_by_caller.take(caller)
        self.rings.take(called)

    @property
    def rates(self) -> dict[str, RateLimit]:
        """By the names of their settings."""
        return {
            "telephone_dials_per_account": self.dials,
            "telephone_rings_per_caller": self.rings_by_caller,
            "telephone_rings_per_number": self.rings,
        }

    def resize(self, section: LimitSection) -> None:
        """Other bounds from now on; what there is stays."""
        self.total, self.ringing = section.telephone_calls, section.telephone_ringing
