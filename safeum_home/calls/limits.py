"""How many calls there may be."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from safeum_home.config_limits import LimitSection
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.protocol.federation.events import node_of

SIZES = ("calls", "calls_per_account", "calls_ringing")


@dataclass(slots=True)
class CallLimits:
    """`total` halves of calls at this node; of an account, `together` that it is in, and `ringing` for it."""

    total: int
    together: int
    ringing: int
    invites: RateLimit
    """By account, of whichever node."""
    invites_of_node: RateLimit
    rings_by_caller: RateLimit
    """By callee and caller."""
    rings: RateLimit
    """By callee."""
    signals: RateLimit
    """By call and direction."""
    octets: RateLimit
    """Of signals, by account of whichever node."""

    @classmethod
    def of(cls, section: LimitSection, seconds: Callable[[], float]) -> "CallLimits":
        """As the configuration says."""

        def rate(name: str) -> RateLimit:
            return RateLimit(getattr(section, name), getattr(section, f"{name}_burst"), seconds)

        return cls(
            section.calls,
            section.calls_per_account,
            section.calls_ringing,
            rate("call_invites_per_account"),
            rate("call_invites_per_node"),
            rate("call_rings_per_caller"),
            rate("call_rings_per_account"),
            rate("call_signals"),
            rate("call_signal_octets_per_account"),
        )

    def take_invite(self, sender: AccountId) -> None:
        """Somebody at another node calls; raises `rate_limited`, and takes nothing from others there then."""
        self.invites.take(sender)
        self.invites_of_node.take(node_of(sender))

    def take_ring(self, callee: AccountId, caller: AccountId) -> None:
        """It is to ring; raises `rate_limited`."""
        self.rings_by_caller.take((callee, caller))
        self.rings.take(callee)

    def take_signal(self, key: Hashable, sender: AccountId, size: int) -> None:
        """Something is said; raises `rate_limited`. `key` is of the call and direction."""
        self.signals.take(key)
        self.octets.take(sender, size)

    @property
    def rates(self) -> dict[str, RateLimit]:
        """By the names of their settings."""
        return {
            "call_invites_per_account": self.invites,
            "call_invites_per_node": self.invites_of_node,
            "call_rings_per_caller": self.rings_by_caller,
            "call_rings_per_account": self.rings,
            "call_signals": self.signals,
            "call_signal_octets_per_account": self.octets,
        }

    def resize(self, section: LimitSection) -> None:
        """Other bounds from now on; what there is stays."""
        self.total, self.together, self.ringing = (
            section.calls,
            section.calls_per_account,
            section.calls_ringing,
        )
