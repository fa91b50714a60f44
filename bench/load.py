"""How messages are offered: as fast as their acknowledgements allow, or by a schedule."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol

from bench.failure import Failure
from bench.loop import Loop
from bench.meter import Meter

DRAIN = 15.0


class Offered(Protocol):
    """What is offered to a target: messages of a pair, or to a group."""

    meter: Meter
    refill: bool

    @property
    def under_way(self) -> int: ...
    def push(self, count: int, at: float) -> None: ...
    def tick(self) -> None: ...


def closed(
    loop: Loop, flows: Sequence[Offered], meter: Meter, *, in_flight: int, warm_up: float, seconds: float
) -> None:
    """`in_flight` messages under way in each flow, at any time."""
    with _serving(loop, flows, meter):
        for flow in flows:
            flow.refill = True
            flow.push(in_flight, perf_counter())
        loop.run_until(perf_counter() + warm_up)
        with meter.window():
            loop.run_until(perf_counter() + seconds)


def scheduled(
    loop: Loop, flows: Sequence[Offered], meter: Meter, *, rate: float, warm_up: float, seconds: float
) -> None:
    """`rate` messages a second, by the clock, whatever the answers do: latencies count from the schedule."""
    with _serving(loop, flows, meter):
        began = perf_counter()
        sent = _send_until(loop, flows, began, rate, 0, began + warm_up)
        with meter.window():
            _send_until(loop, flows, began, rate, sent, began + warm_up + seconds)


def _send_until(
    loop: Loop, flows: Sequence[Offered], began: float, rate: float, sent: int, end: float
) -> int:
    now = perf_counter()
    while now < end:
        due = began + sent / rate
        if now >= due:
            flows[sent % len(flows)].push(1, due)
            sent += 1
        else:
            now = loop.turn(min(due, end))
    return sent


@contextmanager
def _serving(loop: Loop, flows: Sequence[Offered], meter: Meter) -> Iterator[None]:
    def tick() -> None:
        for flow in flows:
            flow.tick()

    for flow in flows:
        flow.meter = meter
    loop.on_tick = tick
    gc.collect()
    gc.disable()
    try:
        yield
        _drain(loop, flows)
    finally:
        gc.enable()
        loop.on_tick = lambda: None


def _drain(loop: Loop, flows: Sequence[Offered]) -> None:
    """Let all that is under way arrive; raises `Failure` where something does not."""
    for flow in flows:
        flow.refill = False
    deadline = perf_counter() + DRAIN
    while left := sum(flow.under_way for flow in flows):
        if perf_counter() > deadline:
            raise Failure(f"{left} messages were lost")
        loop.turn(perf_counter() + 0.05)
    loop.run_until(perf_counter() + 0.25)  # anything that comes now is doubled, and fails the case
