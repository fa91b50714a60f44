"""All test modules, by several processes: each takes the next one when it is done.

What a module prints comes when it is over; what failed is named once more at the end.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

FIRST = (
    "test_bench_cases",
    "test_lint",
    "test_e2e_",
    "test_client_node",
    "test_node_",
    "test_demo",
    "test_files_stores",
    "test_secure_javascript",
    "test_docs",
    "test_chats_model",
    "test_storage_model",
)
"""What takes long begins early, so that no core is idle at the end: most of it runs whole nodes, and
waits for much of its time."""


MOST = 15
"""How many modules are named of those that took most."""


class Work(Struct):
    """A module that is to be run."""

    module: str


class Outcome(Struct):
    """What became of it: how many tests passed, failed and were skipped, and what they printed.

    It took so many seconds, and so much time of the processor: its own, and that of what it has started.
    """

    passed: int
    failed: int
    skipped: int
    output: str
    seconds: float = 0.0
    processor: float = 0.0


class Total(NamedTuple):
    """Of all modules."""

    passed: int
    failed: int
    skipped: int
    bad: list[str]
    longest: list[tuple[str, Outcome]]
    """Those modules that took longest."""
    costliest: list[tuple[str, Outcome]]
    """Those that took most of a processor, as far as that is known: not of nodes that others have started."""


def modules(folder: Path) -> list[str]:
    """The names of the test modules in a folder, in the order in which they are begun."""
    found = [path.stem for path in folder.glob("test_*.py")]
    return [f"tests.{name}" for name in sorted(found, key=lambda name: (_place(name), name))]


def _place(name: str) -> int:
    return next((place for place, prefix in enumerate(FIRST) if name.startswith(prefix)), len(FIRST))


def run_all(names: Iterable[str], processes: int, backwards: int = 0) -> Total:
    """Run modules, and print as they end. A process that dies has failed with its module.

    Some of them, `backwards`, begin with the last module: what needs nothing but a processor has what is left
    of it by what waits.
    """
    waiting = deque(names)
    done: list[tuple[str, Outcome]] = []
    ways = [waiting.pop] * backwards + [waiting.popleft] * (processes - backwards)
    threads = [Thread(target=_feed, args=(take, done)) for take in ways]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        waiting.clear()
        raise
    bad = sorted(name for name, outcome in done if outcome.failed)
    outcomes = [outcome for _, outcome in done]
    return Total(
        sum(outcome.passed for outcome in outcomes),
        sum(outcome.failed for outcome in outcomes),
        sum(outcome.skipped for outcome in outcomes),
        bad,
        sorted(done, key=lambda each: -each[1].seconds)[:MOST],
        sorted(done, key=lambda each: -each[1].processor)[:MOST],
    )


def _feed(take: Callable[[], str], done: list[tuple[str, Outcome]]) -> None:
    process: subprocess.Popen[bytes] | None = None
    while True:
        try:
            name = take()
        except IndexError:
            break
        if process is None:
            process = _worker()
        outcome = _ask(process, name)
        if outcome is None:
            status = process.wait()
            process = None
            outcome = Outcome(0, 1, 0, f"{name}: the process ended with {status}\n")
        done.append((name, outcome))
        sys.stdout.write(outcome.output)
        sys.stdout.flush()
    if process is not None and process.stdin is not None:
        process.stdin.close()
        process.wait()


def _worker() -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.runner", "--worker"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _ask(process: "subprocess.Popen[bytes]", name: str) -> Outcome | None:
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(msgspec.json.encode(Work(name)) + b"\n")
        process.stdin.flush()
    except OSError:
        return None
    line = process.stdout.readline()
    return msgspec.json.decode(line, type=Outcome) if line.endswith(b"\n") else None


@contextmanager
def _own_streams() -> Iterator[tuple[Any, Any]]:
    """The pipes to the parent, out of reach of what is tested: that prints to where errors go."""
    read, write = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    with open(read, "rb") as asked, open(write, "wb") as told:
        yield asked, told


def work(run: Any) -> None:
    """What a worker does until there is nothing more: `run` takes a module's name and makes an `Outcome`."""
    with _own_streams() as (asked, told):
        for line in asked:
            told.write(msgspec.json.encode(run(msgspec.json.decode(line, type=Work).module)) + b"\n")
            told.flush()
