"""Work behind the scenes that has to be done for certain, however often the database is away meanwhile.

What is left of it is in the database, so that it can be begun anew at any time: after a pause, or by the next
start of the node.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from safeum_home.errors import Problem
from safeum_home.spawn import AWAY, spawn

T = TypeVar("T")
_log = Logger()

AGAIN = 5.0
"""Seconds after which it is tried again, where the database was away or had too much to do."""


async def again(clock: Any, what: str, do: Callable[[], Awaitable[T]], until: float = float("inf")) -> T:
    """What `do` gives, as soon as the database lets it; `clock` provides IReactorTime, `what` is for the log.

    Raises the last `Problem` of the database where no time is left `until` then, and any other error at once.
    """
    told = False
    while True:
        try:
            return await do()
        except Problem as problem:
            if problem.code not in AWAY or clock.seconds() + AGAIN > until:
                raise
            if not told:
                _log.warn("{what} waits for the database: {code}.", what=what, code=problem.code.code)
        told = True
        await deferLater(clock, AGAIN)


class Job(Protocol):
    """Work that is done as a whole: by one run at a time, which begins after it was asked for.

    idle --ask--> running --done--> idle, running --ask--> running, to be run again, any --stop--> stopped.
    """

    def ask(self) -> None:
        """Have it done; where it is under way, once more after that."""

    def done(self) -> None:
        """A run has ended."""

    def stop(self) -> None:
        """Begin nothing more; what is under way ends where it waits for something."""


@dataclass(slots=True)
class _Core:
    clock: Any
    what: str
    work: Callable[[], Awaitable[object]]
    run: Deferred[None] | None = None


_builder = TypeMachineBuilder(Job, _Core)
_idle = _builder.state("idle")
_running = _builder.state("running")
_asked = _builder.state("running, and asked for meanwhile")
_stopped = _builder.state("stopped")


@_idle.upon(Job.ask).to(_running)
@_asked.upon(Job.done).to(_running)
def _begin(job: Job, core: _Core) -> None:
    run = spawn(again(core.clock, core.what, core.work), core.what)
    if not run.called:
        core.run = run
    run.addCallback(lambda _: job.done())


@_running.upon(Job.stop).to(_stopped)
@_asked.upon(Job.stop).to(_stopped)
def _stop(job: Job, core: _Core) -> None:
    if core.run is not None:
        core.run.cancel()


_running.upon(Job.ask).to(_asked).returns(None)
_asked.upon(Job.ask).loop().returns(None)
_running.upon(Job.done).to(_idle).returns(None)
_idle.upon(Job.stop).to(_stopped).returns(None)
for _input in (Job.ask, Job.done, Job.stop):
    _stopped.upon(_input).loop().returns(None)

_new_job = _builder.build()


class Jobs:
    """All of a node, which end with it. `clock` provides IReactorTime."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._jobs: list[Job] = []

    def job(self, what: str, work: Callable[[], Awaitable[object]]) -> Job:
        """Another one. `work` finds by itself what is to be done; `what` names it in the log."""
        job = _new_job(_Core(self._clock, what, work))
        self._jobs.append(job)
        return job

    def stop(self) -> None:
        """What is left is done after the next start."""
        for job in self._jobs:
            job.stop()
