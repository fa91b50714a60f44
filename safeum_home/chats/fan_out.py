"""What it costs an account to have many told: by how many they are, and how much it is."""

from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit

OCTETS = 1024
"""A member who is told of up to this much is one delivery."""
UNREAD = 4096
"""What a message is taken for before it was read; it is settled when it is told."""


class FanOut:
    """Deliveries to members of groups, for each account that causes them.

    Not for each group: there a few who write without an end would silence all the others, while each of
    them can be removed.
    """

    def __init__(self, rate: RateLimit) -> None:
        self.rate = rate

    def take(self, account: AccountId, members: int, octets: int) -> None:
        """Before `members` are told of so much; raises `rate_limited`, with `retry_after`."""
        self.rate.take(account, self._cost(members, octets))

    def settle(self, account: AccountId, members: int, octets: int, taken: int = UNREAD) -> None:
        """It is this much instead of what was `taken` before."""
        self.rate.settle(account, self._cost(members, octets) - self._cost(members, taken))

    def _cost(self, members: int, octets: int) -> float:
        # What costs more than there can ever be would be refused for ever.
        return min(float(members * (1 + octets // OCTETS)), self.rate.burst)
