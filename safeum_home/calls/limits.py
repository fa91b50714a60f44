"""How many calls there may be."""

from collections.abc import Callable
from dataclasses import dataclass

from safeum_home.config_limits import LimitSection
from safeum_home.limits import RateLimit

SIZES = ("calls", "calls_per_account", "calls_ringing")


@dataclass(slots=True)
class CallLimits:
    """`total` halves of calls at this node; of an account, `together` that it is in, and `ringing` for it."""

    total: int
    together: int
    ringing: int
    invites: RateLimit
    """By account."""
    invites_of_node: RateLimit
    signals: RateLimit
    """By call and direction."""

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
            rate("call_signals"),
        )

    @property
    def rates(self) -> dict[str, RateLimit]:
        """By the names of their settings."""
        return {
            "call_invites_per_account": self.invites,
            "call_invites_per_node": self.invites_of_node,
            "call_signals": self.signals,
        }

    def resize(self, section: LimitSection) -> None:
        """Other bounds from now on; what there is stays."""
        self.total, self.together, self.ringing = (
            section.calls,
            section.calls_per_account,
            section.calls_ringing,
        )
