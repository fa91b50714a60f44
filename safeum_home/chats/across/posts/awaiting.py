"""Commands that wait for a group's node to say what became of them: for a moment, and in memory."""

from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from safeum_home.errors import Problem
from safeum_home.ids import DeviceId

PATIENCE = 3.0
"""Seconds that a command waits; then it is answered that what it is about is on its way."""


@dataclass(slots=True)
class _Wait:
    """Who waits for one post."""

    hub: str
    device: DeviceId
    answers: list["Deferred[Any]"] = field(default_factory=list)
    timer: Any = None


class Awaiting:
    """Each post by its position. Who was waited for in vain is not waited for until it is heard of."""

    def __init__(self, clock: Any, patience: float = PATIENCE) -> None:
        """`clock` provides IReactorTime."""
        self._clock = clock
        self._patience = patience
        self._waits: dict[int, _Wait] = {}
        self._slow: set[str] = set()

    def begin(self, post: int, hub: str, device: DeviceId) -> "Deferred[Any]":
        """Fires with what `settle` is told, or None when the time is over; fails with a `Problem`."""
        wait = self._waits.get(post)
        if wait is None:
            wait = self._waits[post] = _Wait(hub, device)
            patience = 0.0 if hub in self._slow else self._patience
            wait.timer = self._clock.callLater(patience, self._over, post)
        answer: Deferred[Any] = Deferred()
        wait.answers.append(answer)
        return answer

    def device(self, post: int) -> DeviceId | None:
        """The device that is going to be answered; None where nobody waits any more."""
        wait = self._waits.get(post)
        return None if wait is None else wait.device

    def settle(self, post: int, outcome: object) -> None:
        """A post is over: with this, or with a `Problem`."""
        self._end(post, Failure(outcome) if isinstance(outcome, Problem) else outcome)

    def drop(self, post: int) -> None:
        """It was never stored."""
        self._end(post, None)

    def heard(self, hub: str) -> None:
        """A node tells something."""
        self._slow.discard(hub)

    def stop(self) -> None:
        """No timer is left behind; who waits is told that it is on its way."""
        for post in list(self._waits):
            self._end(post, None)

    def _over(self, post: int) -> None:
        self._slow.add(self._waits[post].hub)
        self._end(post, None)

    def _end(self, post: int, outcome: object) -> None:
        if (wait := self._waits.pop(post, None)) is None:
            return
        if wait.timer.active():
            wait.timer.cancel()
        for answer in wait.answers:
            answer.callback(outcome)  # a `Failure` makes it fail
