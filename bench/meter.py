"""What is measured: completions and latencies in a window, and the CPU time of both sides."""

import os
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from bench.profile import Profiler

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def precise_cpu_seconds(pid: int) -> float:
    """The same to the nanosecond, of the threads that are there: for what takes less than a tick."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def resident_kib(pid: int) -> int:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def percentile(values: "array[float]", share: float) -> float | None:
    """The value in milliseconds that `share` of all `values` (seconds) do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 3)


class Meter:
    """Counts inside its window; what ends outside of it is checked all the same, and not counted."""

    def __init__(self, pid: int, profiler: Profiler | None = None) -> None:
        self._pid, self._profiler = pid, profiler
        self.measuring = False
        self.count = 0
        self.latencies = array("d")
        self.ack_latencies = array("d")
        self.seconds = self.generator_cpu = self.target_cpu = 0.0

    @property
    def per_s(self) -> float:
        return self.count / self.seconds

    @property
    def busiest(self) -> float:
        """CPU time over wall time of what is measured."""
        return self.target_cpu

    @property
    def per_cpu_second(self) -> float:
        """What the target does in a second of its own CPU time, whoever else is using its core."""
        return self.per_s / max(self.busiest, 0.01)

    @contextmanager
    def window(self) -> Iterator[None]:
        """Measure for as long as the block takes."""
        with self._profiler.of(self._pid) if self._profiler is not None else nullcontext():
            wall, own, target = perf_counter(), process_time(), cpu_seconds(self._pid)
            self.measuring = True
            try:
                yield
            finally:
                self.measuring = False
            self.seconds = perf_counter() - wall
            self.generator_cpu = (process_time() - own) / self.seconds
            self.target_cpu = (cpu_seconds(self._pid) - target) / self.seconds

    def line(self) -> dict[str, Any]:
        """The fields that every case prints."""
        fields = {
            "per_s": round(self.per_s, 1),
            "p50_ms": percentile(self.latencies, 0.50),
            "p99_ms": percentile(self.latencies, 0.99),
            "generator_cpu": round(self.generator_cpu, 3),
            "target_cpu": round(self.target_cpu, 3),
        }
        if self.ack_latencies:
            fields["ack_p50_ms"] = percentile(self.ack_latencies, 0.50)
            fields["ack_p99_ms"] = percentile(self.ack_latencies, 0.99)
        return fields


class MeterOfTwo(Meter):
    """Of two processes that do it together: each has half of the work."""

    def __init__(self, pid: int, peer: int, profiler: Profiler | None = None) -> None:
        super().__init__(pid, profiler)
        self._peer = peer
        self.peer_cpu = 0.0

    @property
    def busiest(self) -> float:
        return max(self.target_cpu, self.peer_cpu)

    @contextmanager
    def window(self) -> Iterator[None]:
        before = cpu_seconds(self._peer)
        with super().window():
            yield
        self.peer_cpu = (cpu_seconds(self._peer) - before) / self.seconds

    def line(self) -> dict[str, Any]:
        return {
            **super().line(),
            "peer_cpu": round(self.peer_cpu, 3),
            "per_core_s": round(self.per_cpu_second, 1),
        }
