"""Two nodes, and pairs of people of whom one is at each of them.

Both nodes are as in production: processes of their own, TLS between them, each with its own database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from time import perf_counter

from cryptography.hazmat.primitives.serialization import Encoding

from bench import load, people
from bench.both_ways import node_flows, relay_flows
from bench.certificate import self_signed
from bench.comparing import Line, compared
from bench.failure import Failure
from bench.flows import Flow
from bench.loop import Loop
from bench.meter import Meter, MeterOfTwo, resident_kib
from bench.node import STATE, Home, Place, free_port, running
from bench.options import Options
from bench.people import Person
from bench.queued import Queued
from bench.subjects import WIDTH, RelaySubject
from bench.targets import PEER_CORE, TARGET_CORE, Target, beside_two, relay
from safeum_home.ids import ChatId

IN_FLIGHT = 16
RATE = 100
WAITING, MORE = 100_000, 50_000
"""Messages for a node that is away; with the first ones SQLite's cache fills up to what it may hold."""
SETTLED = 2.0
"""Seconds after which two people who have just become contacts can write to each other both ways."""
PATIENCE = 300.0

CONFIG = """
[federation]
mode = "closed"
allow = ["{other}"]
ca = "{ca}"
networks = ["127.0.0.0/8"]
"""


class Across:
    """People 2k are at the first node, people 2k + 1 at the other; 2k and 2k + 1 are a pair."""

    def __init__(self, first: Home, second: Home) -> None:
        self.homes = first, second
        self.settings = first.subject.settings
        self.people: list[Person] = []
        self.chats: list[ChatId] = []

    @property
    def targets(self) -> tuple[Target, Target]:
        first, second = self.homes
        return first.subject.target, second.subject.target

    def sign_up_pairs(self, count: int) -> None:
        """`count` pairs of contacts, without connections left open."""
        loop = Loop()

        async def one(number: int) -> None:
            first, first_line = await people.sign_up(loop, self.targets[0], f"one{number}")
            second, second_line = await people.sign_up(loop, self.targets[1], f"other{number}")
            self.chats.append(await people.befriend_across(first, first_line, second, second_line))
            self.people += first, second
            await first_line.close()
            await second_line.close()

        loop.run((one(number) for number in range(count)), WIDTH)
        loop.run_until(perf_counter() + SETTLED)
        loop.close()

    async def both_ways(self, loop: Loop, pair: int) -> list[Flow]:
        first = await people.resume(loop, self.targets[0], self.people[2 * pair])
        second = await people.resume(loop, self.targets[1], self.people[2 * pair + 1])
        return [*node_flows(first, second, self.chats[pair], token_hex(2))]

    def meter(self, options: Options, name: str) -> Meter:
        first, second = self.targets
        return MeterOfTwo(first.pid, second.pid, options.profiler(name))


class RelayAcross:
    """Both of a pair are at the relay."""

    def __init__(self, relay: RelaySubject) -> None:
        self._relay = relay
        self.settings = relay.settings

    async def both_ways(self, loop: Loop, pair: int) -> list[Flow]:
        return [*relay_flows(*await self._relay.pair(loop, pair))]

    def meter(self, options: Options, name: str) -> Meter:
        return options.meter(self._relay.target, name)


@contextmanager
def two_nodes() -> Iterator[Across]:
    """Two nodes that deal with each other alone, new and open."""
    key, certificate = self_signed()
    ports = free_port(), free_port()
    names = [f"localhost:{port}" for port in ports]
    STATE.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=STATE.resolve(), prefix="bench-ca-") as folder:
        ca = Path(folder, "ca.pem")
        ca.write_bytes(certificate.public_bytes(Encoding.PEM))
        one, other = (
            running(
                place=Place(name, port, core, key, certificate),
                more=CONFIG.format(other=names[1 - number], ca=ca),
            )
            for number, (name, port, core) in enumerate(
                zip(names, ports, (TARGET_CORE, PEER_CORE), strict=True)
            )
        )
        with one as first, other as second:
            yield Across(first, second)


def measures(options: Options) -> Iterator[Line]:
    """Back and forth as fast as it goes, then by the clock; then all waits for one node, and goes to it."""
    pairs = options.scaled(50)
    with relay() as yard, two_nodes() as across:
        across.sign_up_pairs(pairs)
        bare = RelayAcross(RelaySubject(yard))
        for in_flight, rate in ((IN_FLIGHT, None), (None, RATE)):
            # By the clock for as long as it takes to use up what nodes may ask of each other at once.
            run = options if rate is None else replace(options, seconds=options.seconds * 4)
            measure = partial(_messages, run, pairs, in_flight, rate)
            line = compared(run, bare, across, measure)
            yield {"pairs": pairs, "in_flight": in_flight, "rate": rate, **line}
        yield from _away(options, pairs, across)


def _messages(
    options: Options,
    pairs: int,
    in_flight: int | None,
    rate: float | None,
    subject: Across | RelayAcross,
    seconds: float,
) -> Meter:
    with beside_two():
        loop, flows = Loop(), list[Flow]()

        async def connect(pair: int) -> None:
            flows.extend(await subject.both_ways(loop, pair))

        loop.run((connect(pair) for pair in range(pairs)), WIDTH)
        meter = subject.meter(options, f"federation-{in_flight or rate}")
        if in_flight is not None:
            load.closed(loop, flows, meter, in_flight=in_flight, warm_up=options.warm_up, seconds=seconds)
        if rate is not None:
            load.scheduled(loop, flows, meter, rate=rate, warm_up=options.warm_up, seconds=seconds)
        loop.close()
    return meter


def _away(options: Options, pairs: int, across: Across) -> Iterator[Line]:
    """Messages for a node that is away; when it is back, their recipients come back, too."""
    most = options.scaled(WAITING + MORE) // pairs
    with beside_two():
        loop = Loop()
        waiting = Waiting(across, loop, pairs)
        across.homes[1].stop()
        flows = waiting.senders()
        target = across.targets[0]
        before, first = resident_kib(target.pid), most * pairs * WAITING // (WAITING + MORE)
        meter = options.meter(target, "federation-queued")
        with meter.window():
            _store(loop, flows, meter, first)
        full = resident_kib(target.pid)
        _store(loop, flows, meter, most * pairs)
        grown = {"grown_kib": full - before, "later_kib": resident_kib(target.pid) - full}
        yield {"what": "queued", "waiting": first, **_without_times(meter), **grown}

        across.homes[1].start()
        meter = across.meter(options, "federation-caught-up")
        waiting.recipients(flows)
        deadline = perf_counter() + PATIENCE
        with meter.window():
            for flow in flows:
                flow.meter = meter
            while any(flow.under_way for flow in flows):
                loop.turn(perf_counter() + 0.2)
                for flow in flows:
                    flow.tick()
                if perf_counter() > deadline:
                    raise Failure("what waited does not come")
        yield {"what": "caught up", "waiting": most * pairs, **_without_times(meter)}
        loop.close()


def _store(loop: Loop, flows: list[Queued], meter: Meter, count: int) -> None:
    """Let the senders send until so many are stored."""
    for flow in flows:
        flow.meter = meter
        flow.send_up_to(count // len(flows), IN_FLIGHT)
    deadline = perf_counter() + PATIENCE
    while sum(flow.stored for flow in flows) < count:
        loop.turn(perf_counter() + 0.2)
        if perf_counter() > deadline:
            raise Failure("what is sent is not stored")


def _without_times(meter: Meter) -> Line:
    """How long something waited while the other node was away says nothing."""
    return {name: value for name, value in meter.line().items() if name not in ("p50_ms", "p99_ms")}


class Waiting:
    """The people of both nodes around an outage of the second one."""

    def __init__(self, across: Across, loop: Loop, pairs: int) -> None:
        """Those at the second node take note of how far they are."""
        self._across, self._loop, self._pairs = across, loop, pairs
        self._reached: dict[int, str] = {}

        async def leave(pair: int) -> None:
            line = await people.connected(loop, across.targets[1])
            opened = await people.call(line, "session.resume", {"token": across.people[2 * pair + 1].token})
            self._reached[pair] = opened["cursor"]
            await line.close()

        loop.run((leave(pair) for pair in range(pairs)), WIDTH)

    def senders(self) -> list[Queued]:
        """Those at the first node."""
        flows = list[Queued]()

        async def connect(pair: int) -> None:
            sender = await people.resume(self._loop, self._across.targets[0], self._across.people[2 * pair])
            flows.append(Queued(sender, self._across.chats[pair], token_hex(2), pair))

        self._loop.run((connect(pair) for pair in range(self._pairs)), WIDTH)
        return flows

    def recipients(self, flows: list[Queued]) -> None:
        """Those at the second node come back, for what they have missed and for what still comes."""

        async def come_back(flow: Queued) -> None:
            line = await people.connected(self._loop, self._across.targets[1])
            token = self._across.people[2 * flow.pair + 1].token
            resume = {"token": token, "since": self._reached[flow.pair]}
            await people.call(line, "session.resume", resume)
            flow.receive_on(line)

        self._loop.run((come_back(flow) for flow in flows), WIDTH)
