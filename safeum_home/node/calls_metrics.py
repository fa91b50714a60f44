"""Calls in numbers, for whoever watches this node: how many go on, and what became of those before."""

from collections.abc import Sequence

from safeum_home.admin.metrics import Metric, Sample
from safeum_home.calls.conferences.here import Here
from safeum_home.calls.conferences.hub import Hub
from safeum_home.calls.counts import CallCounts
from safeum_home.calls.legs import Legs
from safeum_home.calls.stages import Stage

_STAGES = {
    "inviting": (Stage.INVITING,),
    "ringing": (Stage.RINGING, Stage.CALLED),
    "active": (Stage.TAKEN, Stage.ACTIVE),
}


def metrics(legs: Legs, counts: CallCounts) -> list[Metric]:
    """A call between two accounts of the node is counted as two halves."""
    stages = legs.stages()
    now = [Sample({"state": name}, sum(stages[stage] for stage in some)) for name, some in _STAGES.items()]
    begun = [Sample({"by": "this" if ours else "other"}, counts.begun[ours]) for ours in (True, False)]
    ended = [
        Sample({"answered": "yes" if answered else "no", "reason": reason.value}, number)
        for (answered, reason), number in sorted(counts.ended.items(), key=lambda each: str(each[0]))
    ]
    return [
        Metric("halves", "gauge", "Halves of calls at this node, by how it is with them.", now),
        Metric("begun", "counter", "Halves of calls that have begun, by which side has called.", begun),
        Metric(
            "answered",
            "counter",
            "Halves of calls that were answered, or known anew.",
            [Sample({}, counts.answered)],
        ),
        Metric("ended", "counter", "Halves of calls that are over, by why.", ended),
    ]


def of_conferences(hub: Hub, here: Here) -> Sequence[Metric]:
    """Those that this node orders, and those of all nodes that its devices are in."""
    ordered = [Sample({}, len(hub))]
    devices = [Sample({}, here.devices)]
    begun = [Sample({}, hub.begun)]
    return (
        Metric("conferences", "gauge", "Conferences in groups of this node.", ordered),
        Metric("conference_devices", "gauge", "Devices of this node in conferences.", devices),
        Metric("conferences_begun", "counter", "Conferences that have begun in groups of this node.", begun),
    )
