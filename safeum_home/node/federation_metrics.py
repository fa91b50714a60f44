"""Other nodes in numbers, for whoever watches this one: how many, what waits, what became of what was told.

Nodes are counted by how it is with them, never named: there may be any number of them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from federation import counts
from federation.counts import Counts
from safeum_home.admin.metrics import Metric, Sample
from safeum_home.ports import Database
from safeum_home.storage import outbox, peers

STATES = ("idle", "sending", "backing off")
_COUNTERS = (
    (counts.SENT, "outcome", "Transactions that were sent, by what came of them."),
    (counts.EVENTS_SENT, "", "Events in transactions that other nodes have taken."),
    (counts.REFUSED_THERE, "code", "Events that other nodes have refused, or will take later."),
    (counts.RECEIVED, "outcome", "Transactions that came, by what became of them."),
    (counts.EVENTS_RECEIVED, "", "Events in transactions that this node has taken."),
    (counts.REFUSED_HERE, "code", "Events that this node has refused, or will take later."),
    (counts.TURNED_AWAY, "code", "Requests of other nodes that nothing came of."),
    (counts.NOW_TOLD, "", "Events of use for a moment alone, such as presence, that other nodes were told."),
    (counts.NOW_LOST, "", "Such events that other nodes were not told after all."),
    (counts.NOW_TAKEN, "", "Such events of other nodes that this one has taken."),
    (counts.NOW_LEFT, "", "Such events of other nodes that this one has left alone."),
)


def metrics(database: Database, counted: Counts, states: Iterable[str]) -> "Deferred[list[Metric]]":
    """`states` are those of the nodes for which there is something to do."""

    def read(c: Connection) -> list[Metric]:
        waiting = peers.waiting(c)
        return [*_now(waiting, Counter(map(_state, states)), outbox.held(c)), *_since_the_start(counted)]

    return database.read(read)


def _state(state: str) -> str:
    return "sending" if "sending" in state else state


def _now(waiting: Mapping[bool, tuple[int, int]], busy: Counter[str], held: int) -> list[Metric]:
    nodes = sum(count for count, _ in waiting.values())
    busy["idle"] = max(0, nodes - busy["sending"] - busy["backing off"])
    rows = {fails: waiting.get(fails, (0, 0))[1] for fails in (False, True)}
    return [
        Metric(
            "nodes",
            "gauge",
            "Nodes that this one has to do with, by what is done for them.",
            [Sample({"state": state.replace(" ", "_")}, busy[state]) for state in STATES],
        ),
        Metric(
            "nodes_failing",
            "gauge",
            "Nodes that cannot be told.",
            [Sample({}, waiting.get(True, (0, 0))[0])],
        ),
        Metric(
            "waiting",
            "gauge",
            "Objects of which nodes are still to be told: those that can be told, and those that cannot.",
            [Sample({"node": "failing" if fails else "well"}, rows[fails]) for fails in (False, True)],
        ),
        Metric("held_back", "gauge", "Of these, those that are told again later.", [Sample({}, held)]),
    ]


def _since_the_start(counted: Counts) -> list[Metric]:
    found = []
    for name, label, text in _COUNTERS:
        labelled = sorted((of, number) for (each, of), number in counted.numbers.items() if each == name)
        samples = [Sample({label: of} if label else {}, number) for of, number in labelled]
        found.append(Metric(name, "counter", text, samples if label or samples else [Sample({}, 0)]))
    return found
