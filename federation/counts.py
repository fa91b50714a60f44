"""What became of transactions and events since the start, counted. No name of a node is a label of it."""

from collections import Counter
from collections.abc import Iterable

from safeum_home.errors import Code

SENT, RECEIVED = "transactions_sent", "transactions_received"
"""By their outcome."""
EVENTS_SENT, EVENTS_RECEIVED = "events_sent", "events_received"
REFUSED_THERE, REFUSED_HERE = "events_refused_there", "events_refused_here"
"""By their code: what another node has refused, and what this one."""
TURNED_AWAY = "requests_turned_away"
"""By their code: requests of others that nothing came of."""
NOW_TOLD, NOW_LOST = "now_told", "now_lost"
"""Events that are of use for a moment alone: taken by other nodes, or told to nobody after all."""
NOW_TAKEN, NOW_LEFT = "now_taken", "now_left"
"""Those of other nodes."""
DELIVERED, BEGUN_ANEW, SPLIT, FAILED, HINDERED = "delivered", "begun_anew", "split", "failed", "hindered"
APPLIED = "applied"
OTHER = "other"
"""A code that another node has made up."""
_CODES = frozenset(code.code for code in Code)


class Counts:
    """By name and label, of which there are no more than there are codes."""

    def __init__(self) -> None:
        self.numbers: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, label: str = "", number: int = 1) -> None:
        """Count `number` more."""
        self.numbers[name, label] += number

    def codes(self, name: str, codes: Iterable[str]) -> None:
        """Count what was refused."""
        for code in codes:
            self.numbers[name, code if code in _CODES else OTHER] += 1

    def sent(self, events: int, refused: Iterable[str]) -> None:
        """A node has answered to a transaction of so many events."""
        self.add(SENT, DELIVERED)
        self.add(EVENTS_SENT, number=events)
        self.codes(REFUSED_THERE, refused)

    def applied(self, events: int, refused: Iterable[str]) -> None:
        """A transaction of another node, of so many events, was applied."""
        self.add(RECEIVED, APPLIED)
        self.add(EVENTS_RECEIVED, number=events)
        self.codes(REFUSED_HERE, refused)
