"""Carriers in numbers, for whoever watches this node."""

from collections.abc import Callable

from safeum_home.admin.metrics import Metric, Sample
from safeum_home.node.carriers import NodeCarriers
from safeum_home.node.carriers_counting import IN, OUT, Outcome
from safeum_home.ports.carrier import Carrier


def of_carriers(node: NodeCarriers) -> list[Metric]:
    """Labels are names of the configuration, directions and outcomes: there are never more of them."""

    def each(of: Callable[[Carrier], int]) -> list[Sample]:
        return [Sample({"carrier": name}, of(carrier)) for name, carrier in node.carriers.items()]

    ended = [
        Sample({"carrier": name, "direction": way, "outcome": outcome.value}, node.counts[name, way, outcome])
        for name in node.carriers
        for way in (OUT, IN)
        for outcome in Outcome
    ]
    up = "1 where calls with the telephone network can go out and come in through it."
    lost, missed = "How often the way to it was lost.", "Calls that came in and found all lines taken."
    refused = "How often a call was refused before it reached the carrier."
    return [
        Metric("carrier_up", "gauge", up, each(lambda carrier: int(carrier.is_up))),
        Metric("carrier_lines", "gauge", "Lines that there are.", each(lambda carrier: carrier.lines[1])),
        Metric("carrier_taken", "gauge", "Lines that are taken.", each(lambda carrier: carrier.lines[0])),
        Metric("carrier_lost", "counter", lost, each(lambda carrier: carrier.counts.lost)),
        Metric("carrier_missed", "counter", missed, each(lambda carrier: carrier.counts.missed)),
        Metric("carrier_refused", "counter", refused, each(lambda carrier: carrier.counts.refused)),
        Metric("carrier_ended", "counter", "Calls that are over, by what became of them.", ended),
    ]
