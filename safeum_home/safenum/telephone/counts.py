"""Calls with the telephone network in numbers, without a number of a telephone in them."""

from collections import Counter

from safeum_home.ports.money import Direction
from safeum_home.protocol.telephone_types import TelephoneEnded


class TelephoneCounts:
    """Those of this node since it was started."""

    def __init__(self) -> None:
        self.ended: Counter[tuple[Direction, bool, TelephoneEnded]] = Counter()
        """By direction, whether it was answered, and why it is over."""
        self.flooded = 0
        """Calls that came in, and were refused since there were too many."""
