"""Calls in numbers, without a name in them."""

from collections import Counter

from safeum_home.protocol.call_types import Ended


class CallCounts:
    """Legs of this node since it was started."""

    def __init__(self) -> None:
        self.begun: Counter[bool] = Counter()
        """By whether the account has called, or is called."""
        self.answered = 0
        self.ended: Counter[tuple[bool, Ended]] = Counter()
        """By whether it was answered, and why; `LOST` where nobody said anything any more."""
