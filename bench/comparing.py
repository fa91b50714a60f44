"""A measurement between two of the relay."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from bench.meter import Meter
from bench.options import Options

Line = dict[str, Any]


class Measured(Protocol):
    """What was set for the measurement only is printed with it."""

    @property
    def settings(self) -> Mapping[str, object]: ...


M = TypeVar("M", bound=Measured)


def compared(options: Options, yard: M, subject: M, measure: Callable[[M, float], Meter]) -> Line:
    """A measurement, with a run of the relay before and one after: the machine may not be ours alone."""
    before = measure(yard, options.relay_seconds)
    own = measure(subject, options.seconds)
    after = measure(yard, options.relay_seconds)
    per_s = (before.per_s + after.per_s) / 2
    per_cpu_second = (before.per_cpu_second + after.per_cpu_second) / 2
    bare = after.line()
    return {
        **own.line(),
        **subject.settings,
        "relay_ratio": round(own.per_s / per_s, 3),
        "relay_per_s": round(per_s, 1),
        "relay_p50_ms": bare["p50_ms"],
        "relay_p99_ms": bare["p99_ms"],
        "cpu_ratio": round(own.per_cpu_second / per_cpu_second, 3),
    }
