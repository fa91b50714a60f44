"""What a node has to reach: held by `--check`, against the relay of the same minute."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Bound(NamedTuple):
    """`field` has to be at least, or at most, `value`, in lines that have all of `where`."""

    where: Mapping[str, Any]
    field: str
    value: float
    at_least: bool

    def missed(self, line: Mapping[str, Any]) -> str | None:
        """In words, where a line does not keep to it."""
        if any(line.get(name) != value for name, value in self.where.items()):
            return None
        found = line[self.field]
        if found >= self.value if self.at_least else found <= self.value:
            return None
        return (
            f"{self.field} is {found}, and has to be at {'least' if self.at_least else 'most'} {self.value}"
        )


BOUNDS = (
    Bound({"case": "pairs", "in_flight": 16}, "relay_ratio", 0.35, True),
    Bound({"case": "pairs", "in_flight": 1}, "relay_ratio", 0.45, True),
    Bound({"case": "pairs", "rate": 200}, "p99_ms", 5.0, False),
    Bound({"case": "groups", "in_flight": 16}, "per_s", 100_000.0, True),
    Bound({"case": "groups", "in_flight": 16}, "relay_ratio", 1.0, True),
    Bound({"case": "sync", "what": "fresh, unread"}, "first_cpu_ms", 50.0, False),
    Bound({"case": "sync", "what": "fresh, unread"}, "p50_ms", 50.0, False),
    Bound({"case": "sync", "what": "fresh, read"}, "first_cpu_ms", 50.0, False),
    Bound({"case": "sync", "what": "fresh, unread"}, "octets", 65_536.0, False),
    Bound({"case": "sync", "what": "nothing missed"}, "p50_ms", 50.0, False),
    Bound({"case": "idle"}, "kib_per_conn", 45.0, False),
    Bound({"case": "federation", "in_flight": 16}, "per_core_s", 5_000.0, True),
    Bound({"case": "federation", "rate": 100}, "p99_ms", 50.0, False),
    # SQLite's cache may hold 64 MiB.
    Bound({"case": "federation", "what": "queued"}, "grown_kib", 81_920.0, False),
    Bound({"case": "federation", "what": "queued"}, "later_kib", 4_096.0, False),
    Bound({"case": "push", "rate": 20.0}, "p99_ms", 20.0, False),
    Bound({"case": "push", "what": "one connection to APNs"}, "per_core_s", 2_000.0, True),
    Bound({"case": "login", "method": "token"}, "per_s", 700.0, True),
    Bound({"case": "secure"}, "say_us", 150.0, False),
    Bound({"case": "secure"}, "take_us", 150.0, False),
)


def missed(line: Mapping[str, Any]) -> list[str]:
    """What a line of a full-sized run against the node does not reach."""
    return [words for bound in BOUNDS if (words := bound.missed(line)) is not None]
