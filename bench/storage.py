"""What a stored message costs: `python -m bench.storage [URL] [--in-flight N] [--work US]`.

A reactor that spends `--work` microseconds of Python on each message keeps N of them in flight. The same
run with a database that stores nothing tells what storage adds on the one core that all threads share.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred

from safeum_home.ports import WrappedKey
from safeum_home.storage.chats import insert_chat
from safeum_home.storage.database import open_database
from safeum_home.storage.events import append_events
from safeum_home.storage.rows import ChatRow, NewEvent

CHATS = 50
BODY = 300


class Nothing:
    """Stores nothing, and fires at the end of the turn as a database would."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._waiting: list[Deferred[Any]] = []
        self._position = 0

    def next_position(self) -> int:
        self._position += 1
        return self._position

    def append(self, bulk: Any, row: Any) -> Deferred[Any]:
        if not self._waiting:
            self._reactor.callLater(0, self._fire)
        done: Deferred[Any] = Deferred()
        self._waiting.append(done)
        return done

    def _fire(self) -> None:
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.callback(None)


def spin(microseconds: float) -> None:
    """Python work, which holds the GIL as a reactor's does."""
    end = time.thread_time_ns() + microseconds * 1000
    while time.thread_time_ns() < end:
        pass


class Load:
    """`in_flight` messages at any time, for `seconds`; at most `burst` come in one turn."""

    def __init__(self, reactor: Any, database: Any, options: argparse.Namespace) -> None:
        self._reactor = reactor
        self._database = database
        self._in_flight = options.in_flight
        self._burst = options.burst
        self._work = options.work
        self._seconds = options.seconds
        self._ready = 0
        self._open = 0
        self._latencies: list[float] = []
        self._done: Deferred[None] = Deferred()

    def run(self) -> Deferred[None]:
        self._end = time.perf_counter() + self._seconds
        self._ready = self._in_flight
        self._turn()
        return self._done

    def _turn(self) -> None:
        began = time.perf_counter()
        ready = min(self._ready, self._burst)
        self._ready -= ready
        if began < self._end:
            for _ in range(ready):
                spin(self._work)
                self._send()
        if began < self._end or self._open:
            self._reactor.callLater(0 if self._ready else 0.0002, self._turn)
        else:
            self._done.callback(None)

    def _send(self) -> None:
        position = self._database.next_position()
        chat = (position % CHATS).to_bytes(16, "big")
        row = NewEvent(chat, position, os.urandom(BODY), os.urandom(16))
        self._open += 1
        self._database.append(append_events, row).addCallback(self._stored, time.perf_counter())

    def _stored(self, outcome: Any, began: float) -> None:
        assert outcome is None
        self._latencies.append(time.perf_counter() - began)
        self._open -= 1
        self._ready += 1

    def report(self) -> dict[str, float]:
        ordered = sorted(self._latencies)
        count = len(ordered)
        return {
            "per_s": round(count / self._seconds),
            "p50_ms": round(ordered[count // 2] * 1e3, 2),
            "p99_ms": round(ordered[count * 99 // 100] * 1e3, 2),
        }


def thread_cpu() -> dict[str, float]:
    """CPU seconds of each thread by name."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for thread in threading.enumerate():
        fields = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2].split()
        found[thread.name] = (int(fields[11]) + int(fields[12])) / ticks
    return found


async def measure(reactor: Any, url: str, options: argparse.Namespace) -> None:
    idle = Load(reactor, Nothing(reactor), options)
    await idle.run()
    database = await open_database(url, reactor=reactor)
    commits = 0
    commit = database._written

    def counted(*report: Any) -> None:
        nonlocal commits
        commits += 1
        commit(*report)

    database._written = counted  # type: ignore[assignment,method-assign] # counts

    def chats(c: Any) -> None:
        for number in range(CHATS):
            chat = number.to_bytes(16, "big")
            insert_chat(c, ChatRow(chat, 1, b"", WrappedKey(1, b"")), [chat])

    await database.transact(chats)
    load = Load(reactor, database, options)
    before = thread_cpu()
    await load.run()
    spent = {name: used - before.get(name, 0) for name, used in thread_cpu().items()}
    await database.close()
    nothing, stored = idle.report(), load.report()
    print(
        json.dumps(
            {"case": "storage", "in_flight": options.in_flight}
            | stored
            | {
                "rows_per_commit": round(len(load._latencies) / max(commits, 1)),
                "us_per_row": round(1e6 / stored["per_s"] - 1e6 / nothing["per_s"], 1),
                "writer_cpu_us": round(spent["storage writer"] * 1e6 / len(load._latencies), 1),
                "without_storage_per_s": nothing["per_s"],
            }
        )
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.storage")
    parser.add_argument("url", nargs="?")
    parser.add_argument("--in-flight", type=int, default=800)
    parser.add_argument("--burst", type=int, default=20)
    parser.add_argument("--work", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args(arguments)

    def run(reactor: Any) -> Deferred[None]:
        async def in_directory() -> None:
            with tempfile.TemporaryDirectory() as directory:
                await measure(reactor, options.url or f"sqlite:///{directory}/node.db", options)

        return Deferred.fromCoroutine(in_directory())

    task.react(run)


if __name__ == "__main__":
    main(sys.argv[1:])
