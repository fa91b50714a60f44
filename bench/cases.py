"""The cases. Each is a function that yields one line for each of its measurements."""

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter, sleep

from bench import across, apns_rate, load, node, waking
from bench import secure as secure_measures
from bench import sync as sync_measures
from bench.comparing import Line, compared
from bench.fan_out import Ear, FanOut
from bench.flows import Flow
from bench.loop import Job, Loop
from bench.meter import Meter, resident_kib
from bench.options import Options
from bench.subjects import WIDTH, RelaySubject, Subject
from bench.targets import relay

Case = Callable[[Options], Iterator[Line]]
CASES: dict[str, Case] = {}


def case(run: Case) -> Case:
    """Register a case under its function's name."""
    CASES[run.__name__] = run
    return run


@case
def pairs(options: Options) -> Iterator[Line]:
    """Messages between pairs: as fast as acknowledgements come, then by a schedule."""
    busy, many = options.scaled(50), options.scaled(500)
    with relay() as yard, options.subject(pairs=many) as subject:
        for count, in_flight, rate in ((busy, 16, None), (many, 1, None), (busy, None, 200)):
            fields = {"pairs": count, "in_flight": in_flight, "rate": rate}
            measure = partial(_messages, options, count, in_flight, rate)
            yield {**fields, **compared(options, RelaySubject(yard), subject, measure)}


def _messages(
    options: Options, count: int, in_flight: int | None, rate: float | None, subject: Subject, seconds: float
) -> Meter:
    loop, flows = Loop(), list[Flow]()

    async def connect(pair: int) -> None:
        flows.append(await subject.flow(loop, pair))

    loop.run((connect(pair) for pair in range(count)), WIDTH)
    meter = options.meter(subject.target, f"pairs-{count}-{in_flight or rate}")
    if in_flight is not None:
        load.closed(loop, flows, meter, in_flight=in_flight, warm_up=options.warm_up, seconds=seconds)
    if rate is not None:
        load.scheduled(loop, flows, meter, rate=rate, warm_up=options.warm_up, seconds=seconds)
    loop.close()
    return meter


@case
def groups(options: Options) -> Iterator[Line]:
    """One member of a group writes, and all others are online: what is counted are deliveries."""
    size = options.scaled(100) + 1
    with relay() as yard, options.subject(people=size, group=size) as subject:
        for in_flight in (1, 16, 64):
            measure = partial(_fan_out, options, size, in_flight)
            line = compared(options, RelaySubject(yard), subject, measure)
            yield {"recipients": size - 1, "in_flight": in_flight, **line}


def _fan_out(options: Options, size: int, in_flight: int, subject: Subject, seconds: float) -> Meter:
    loop, ears, flows = Loop(), list[Ear](), list[FanOut]()

    async def listen(who: int) -> None:
        ears.append(await subject.ear(loop, who))

    async def write() -> None:
        flows.append(await subject.fan_out(loop, ears))

    loop.run((listen(who) for who in range(1, size)), WIDTH)
    loop.run([write()], 1)
    meter = options.meter(subject.target, f"groups-{in_flight}")
    load.closed(loop, flows, meter, in_flight=in_flight, warm_up=options.warm_up, seconds=seconds)
    loop.close()
    return meter


@case
def sync(options: Options) -> Iterator[Line]:
    """An account with many long chats: what a client waits for that holds nothing, or comes back."""
    if options.target != "node":
        return
    chats, messages = options.scaled(500), options.scaled(1000)
    with node.running() as home:
        subject = home.subject
        subject.sign_up_people(chats + 1)
        subject.befriend_first()
        home.fill_chats(messages)
        for state in ("unread", "read"):
            if state == "read":
                home.read_chats()
            meter = options.meter(subject.target, f"sync-{state}")
            line = sync_measures.fresh(subject, meter, options.seconds / 2)
            yield {"chats": chats, "messages": messages, "what": f"fresh, {state}", **line}
        reached = subject.reached()
        home.fill_chats(2)
        for what, since in (("nothing missed", None), ("some missed", reached)):
            meter = options.meter(subject.target, f"sync-{what.split()[0]}")
            line = sync_measures.returning(subject, meter, options.seconds / 2, since)
            yield {"chats": chats, "messages": messages, "what": what, **line}


@case
def login(options: Options) -> Iterator[Line]:
    """A connection and a session for each login; hashing a password costs what it does by default."""
    with relay() as yard, options.subject(people=2 * WIDTH, real_passwords=True) as subject:
        for method, name in (("token", "arrive"), ("password", "log_in")):
            measure = partial(_visits, options, name)
            yield {"method": method, **compared(options, RelaySubject(yard), subject, measure)}


def _visits(options: Options, how: str, subject: Subject, seconds: float) -> Meter:
    loop, free = Loop(), deque(range(2 * WIDTH))
    meter = options.meter(subject.target, f"login-{how}")

    async def visit() -> None:
        who = free.popleft()
        began = perf_counter()
        line = await getattr(subject, how)(loop, who)
        if meter.measuring:
            meter.count += 1
            meter.latencies.append(perf_counter() - began)
        await line.close()
        free.append(who)

    def visits(end: float) -> Iterator[Job]:
        while perf_counter() < end:
            yield visit()

    loop.run(visits(perf_counter() + options.warm_up), WIDTH)
    with meter.window():
        loop.run(visits(perf_counter() + seconds), WIDTH)
    return meter


@case
def idle(options: Options) -> Iterator[Line]:
    """Memory for each connection that is logged in and silent, and how fast they come."""
    steps = [options.scaled(2000), options.scaled(5000)]
    with relay() as yard:
        bare = list(_idle(options, RelaySubject(yard), steps))
    with options.subject(people=steps[-1], restarted=True) as subject:
        for line, relay_line in zip(_idle(options, subject, steps), bare, strict=True):
            line["relay_ratio"] = round(line["per_s"] / relay_line["per_s"], 3)
            line["relay_per_s"], line["relay_kib_per_conn"] = relay_line["per_s"], relay_line["kib_per_conn"]
            yield line


def _idle(options: Options, subject: Subject, steps: list[int]) -> Iterator[Line]:
    loop, settle = Loop(), min(2.0, options.seconds)

    async def first(who: int) -> None:
        await (await subject.arrive(loop, who)).close()

    async def stay(who: int) -> None:
        began = perf_counter()
        await subject.arrive(loop, who)
        meter.latencies.append(perf_counter() - began)
        meter.count += 1

    # What a server makes at the first connections, and keeps, is not theirs.
    loop.run((first(who) for who in range(min(2 * WIDTH, steps[0]))), WIDTH)
    sleep(settle)
    before, there = resident_kib(subject.target.pid), 0
    for step in steps:
        meter = options.meter(subject.target, f"idle-{step}")
        with meter.window():
            loop.run((stay(who) for who in range(there, step)), WIDTH)
        there = step
        loop.run_until(perf_counter() + settle)
        grown = (resident_kib(subject.target.pid) - before) / step
        yield {"connections": step, **meter.line(), **subject.settings, "kib_per_conn": round(grown, 1)}
    loop.close()


@case
def federation(options: Options) -> Iterator[Line]:
    """Pairs across two nodes, who write to each other; and what waits while one of the nodes is away."""
    if options.target == "node":
        yield from across.measures(options)


@case
def push(options: Options) -> Iterator[Line]:
    """Devices that sleep: from a message to their push provider; and how many go through one connection."""
    if options.target != "node":
        return
    rate = 20.0
    warm_up = round(rate * options.warm_up)
    count = warm_up + round(rate * options.seconds)
    with waking.push_service() as service, node.running(more=service.more) as home:
        home.subject.sign_up_people(count + 1)
        home.subject.befriend_first()
        yield {"what": "one message, one wake", "rate": rate} | waking.latencies(
            home.subject, service, rate, warm_up
        )
    yield {"what": "one connection to APNs", **apns_rate.rate(max(100, options.scaled(10_000)))}


@case
def secure(options: Options) -> Iterator[Line]:
    """What secure chats cost clients; no node takes part in it."""
    if options.target == "node":
        yield from secure_measures.measures(options)
