"""Calls with the telephone network in numbers, for whoever watches this node; no number of a telephone."""

from collections import Counter

from safeum_home.admin.metrics import Metric, Sample
from safeum_home.node.telephone import TelephoneParts
from safeum_home.ports.money import Direction
from safeum_home.protocol.telephone_types import TelephoneEnded
from safeum_home.safenum.telephone.stages import Stage


def of_telephone(parts: TelephoneParts) -> list[Metric]:
    """By direction, and how it is with them or what became of them."""
    stages = Counter((call.direction, call.stage) for call in parts.table.all)
    now = [
        Sample({"direction": direction.value, "state": stage.value}, stages[direction, stage])
        for direction in Direction
        for stage in Stage
        if stage not in (Stage.NEW, Stage.OVER)
    ]
    ended = [
        Sample({"direction": direction.value, "answered": answered, "reason": reason.value}, number)
        for direction in Direction
        for answered in ("yes", "no")
        for reason in TelephoneEnded
        if (number := parts.counts.ended[direction, answered == "yes", reason])
    ]
    return [
        Metric("telephone", "gauge", "Calls with the telephone network.", now),
        Metric("telephone_ended", "counter", "Those that are over, by why.", ended),
        Metric(
            "telephone_flooded",
            "counter",
            "Calls that came in and were refused, since there were too many.",
            [Sample({}, parts.counts.flooded)],
        ),
        Metric(
            "telephone_unsettled",
            "gauge",
            "Calls that are over, and wait for the database to be settled.",
            [Sample({}, len(parts.settling))],
        ),
    ]
