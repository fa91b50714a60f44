"""The generator's event loop: epoll, and coroutines for what is not hot."""

import select
from collections.abc import Callable, Coroutine, Iterable
from time import perf_counter
from typing import Any

from bench.failure import Failure
from bench.wire import Line

TICK = 0.2
Job = Coroutine[Any, None, None]


class Task:
    """A coroutine that waits for one line at a time."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.done = False
        self.step()

    def step(self) -> None:
        try:
            line: Line = self._job.send(None)
        except StopIteration:
            self.done = True
        else:
            line.waiter = self


class Loop:
    """Serves lines until told otherwise; `on_tick` is called every 200 ms."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._lines: dict[int, Line] = {}
        self._next_tick = 0.0
        self.on_tick: Callable[[], None] = lambda: None

    def add(self, fd: int, line: Line) -> None:
        self._lines[fd] = line
        self._epoll.register(fd, select.EPOLLIN)

    def watch(self, fd: int, *, writable: bool) -> None:
        self._epoll.modify(fd, select.EPOLLIN | (select.EPOLLOUT if writable else 0))

    def remove(self, fd: int) -> None:
        del self._lines[fd]
        self._epoll.unregister(fd)

    def close(self) -> None:
        """Drop every connection, without a goodbye."""
        for line in list(self._lines.values()):
            line.drop()

    def turn(self, until: float) -> float:
        """Serve what is ready, waiting for it until the moment `until` at the most. Returns the time."""
        now = perf_counter()
        if now >= self._next_tick:
            self._next_tick = now + TICK
            self.on_tick()
        wait = min(until, self._next_tick) - now
        # epoll_wait counts in whole milliseconds, rounded up: too coarse for a schedule.
        if 0 < wait < 0.02:
            select.select([self._epoll], [], [], wait)
            wait = 0
        for fd, event in self._epoll.poll(max(0.0, wait)):
            line = self._lines.get(fd)
            if line is not None:
                line.ready(bool(event & select.EPOLLOUT))
        return perf_counter()

    def run_until(self, moment: float) -> None:
        """Serve until the clock (`perf_counter`) says `moment`."""
        while self.turn(moment) < moment:
            pass

    def run(self, jobs: Iterable[Job], width: int, patience: float = 60.0) -> None:
        """Run all jobs, at most `width` at a time; raises `Failure` when for `patience` s none ends."""
        source = iter(jobs)
        running: list[Task] = []
        more = True
        deadline = perf_counter() + patience
        while True:
            while more and len(running) < width:
                job = next(source, None)
                if job is None:
                    more = False
                else:
                    running.append(Task(job))
            if not running:
                return
            if self.turn(deadline) > deadline:
                raise Failure(f"nothing was answered for {patience:.0f} s")
            left = [task for task in running if not task.done]
            if len(left) < len(running):
                deadline = perf_counter() + patience
            running = left
