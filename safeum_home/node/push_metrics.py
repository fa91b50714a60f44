"""Push providers in numbers, for whoever watches this node: what waits, and what became of wakes."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from bridges.push.sender import Standing
from bridges.push.tally import Became, Failed
from safeum_home.admin.metrics import Metric, Sample


def metrics(standings: Sequence[Standing]) -> list[Metric]:
    """Labels are names of the configuration, classes and outcomes: there are never more of them."""

    def each(of: Callable[[Standing], int]) -> list[Sample]:
        return [Sample({"provider": standing.name}, of(standing)) for standing in standings]

    waiting = [
        Sample({"provider": standing.name, "class": wake.value}, count)
        for standing in standings
        for wake, count in standing.waiting.items()
    ]
    return [
        Metric("waiting", "gauge", "Wakes that wait for their provider, by class.", waiting),
        Metric(
            "under_way", "gauge", "Wakes that a provider has not answered for.", each(lambda s: s.under_way)
        ),
        Metric(
            "left_alone",
            "gauge",
            "1 where a provider is asked nothing for a while, since it is in trouble or says so.",
            each(lambda s: int(s.left_alone)),
        ),
        Metric("wakes", "counter", "Wakes that are over, by outcome.", _counted(standings, Became)),
        Metric("failures", "counter", "Attempts that failed, by how.", _counted(standings, Failed)),
    ]


def _counted(standings: Sequence[Standing], kinds: Iterable[StrEnum]) -> list[Sample]:
    return [
        Sample({"provider": standing.name, "outcome": str(kind)}, standing.counts.get(str(kind), 0))
        for standing in standings
        for kind in kinds
    ]
