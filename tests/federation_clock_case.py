"""A clock that stands still."""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from tests.federation import NOW


class ClockCase(SynchronousTestCase):
    """A clock that stands at `NOW`."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)

    def milliseconds(self) -> int:
        return int(self.clock.seconds() * 1000)

    def refused(self, code: Code, call: Callable[..., object], *arguments: object) -> Problem:
        with self.assertRaises(Problem) as caught:
            call(*arguments)
        problem: Problem = caught.exception
        self.assertIs(problem.code, code)
        return problem

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> "Deferred[Any]":
        return Deferred.fromCoroutine(coroutine)

    def problem(self, deferred: "Deferred[Any]") -> Problem:
        failure: Failure = self.failureResultOf(deferred, Problem)
        assert isinstance(failure.value, Problem)
        return failure.value
