"""What it costs a node to bring a client up to date: one that holds nothing, and one that comes back."""

from time import perf_counter
from typing import Any

import msgspec

from bench import people
from bench.failure import Failure
from bench.flows import ACK_EVERY, CURSOR, EVENT
from bench.framing import frame
from bench.loop import Loop
from bench.meter import Meter, precise_cpu_seconds
from bench.subjects import NodeSubject
from bench.wire import Line

SETTLED = 1.0
_ACK = {"jsonrpc": "2.0", "method": "session.ack"}


def fresh(subject: NodeSubject, meter: Meter, seconds: float) -> dict[str, Any]:
    """`sync.start` of person 0: right after a start of the node, then again and again."""
    loop = Loop()
    first, sizes = list[float](), set[int]()

    async def measure() -> None:
        line = await people.resume(loop, subject.target, subject.people[0])
        spent = precise_cpu_seconds(subject.target.pid)
        first.append(await once(line))
        first.append(precise_cpu_seconds(subject.target.pid) - spent)
        with meter.window():
            end = perf_counter() + seconds
            while perf_counter() < end:
                meter.latencies.append(await once(line))
                meter.count += 1
        await line.close()

    async def once(line: Line) -> float:
        began = perf_counter()
        answer = await people.ask(line, "sync.start", {})
        took = perf_counter() - began
        if b'"result":{"own":' not in answer[:64]:
            raise Failure(f"refused: {answer[:300]!r}")
        sizes.add(len(answer))
        return took

    loop.run([measure()], 1)
    loop.close()
    if len(sizes) != 1:
        raise Failure(f"answers of different sizes: {sorted(sizes)}")
    wall, cpu = (round(seconds * 1000, 3) for seconds in first)
    return {"first_ms": wall, "first_cpu_ms": cpu, "octets": sizes.pop(), **_spent(meter)}


def returning(subject: NodeSubject, meter: Meter, seconds: float, since: str | None) -> dict[str, Any]:
    """Person 0 comes back with the cursor `since`, again and again; with None it has missed nothing."""
    loop = Loop()
    events = set[int]()

    async def once() -> None:
        line = await people.connected(loop, subject.target)
        began = perf_counter()
        await people.call(line, "session.resume", {"token": subject.people[0].token, "since": since})
        count, said = 0, await line.message()
        while b'"method":"session.synced"' not in said[:64]:
            count += 1
            if said.startswith(EVENT) and not count % ACK_EVERY:
                cursor = said[len(EVENT) : len(EVENT) + CURSOR].decode()
                line.send(frame(msgspec.json.encode({**_ACK, "params": {"cursor": cursor}})))
            said = await line.message()
        if meter.measuring:
            meter.latencies.append(perf_counter() - began)
            meter.count += 1
        events.add(count)
        await line.close()

    async def measure() -> None:
        with meter.window():
            end = perf_counter() + seconds
            while perf_counter() < end:
                await once()

    settled, since = since, since or subject.reached()
    for _ in range(2):
        loop.run([once()], 1)
        # That it now holds what it had not got is noted, and is an event for it too.
        loop.run_until(perf_counter() + SETTLED)
    events.clear()
    since = settled or subject.reached()
    loop.run([measure()], 1)
    loop.close()
    if len(events) != 1:
        raise Failure(f"different numbers of events: {sorted(events)}")
    return {"events": events.pop(), **_spent(meter)}


def _spent(meter: Meter) -> dict[str, Any]:
    """With the CPU time of the node for each answer."""
    return {**meter.line(), "cpu_ms": round(1000 * meter.target_cpu * meter.seconds / meter.count, 3)}
