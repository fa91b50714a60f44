"""Numbers for whoever watches a node: how they travel to the command line, and how that writes them."""

from typing import Literal

from msgspec import Struct


class Sample(Struct, frozen=True):
    """A number, and what it is of."""

    labels: dict[str, str]
    value: int


class Metric(Struct, frozen=True):
    """Of a `counter` since the start, of a `gauge` now. A name without what all of them begin with."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: list[Sample]


class Metrics(Struct, frozen=True):
    metrics: list[Metric]


def written(sort: str, metrics: Metrics) -> list[str]:
    """Lines in Prometheus' text format, named `safeum_SORT_…`. Labels are the node's, and need no escape."""
    return [line for metric in metrics.metrics for line in _written(sort, metric)]


def _written(sort: str, metric: Metric) -> list[str]:
    total = "_total" if metric.kind == "counter" else ""
    name = f"safeum_{sort}_{metric.name}{total}"
    lines = [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
    for sample in metric.samples:
        labels = ",".join(f'{label}="{value}"' for label, value in sample.labels.items())
        lines.append(f"{name}{{{labels}}} {sample.value}" if labels else f"{name} {sample.value}")
    return lines
