"""Whether a test would notice: it is run once more with a defence taken out, and has to fail then."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, NamedTuple
from unittest import TestCase, TestResult
from unittest.mock import patch

from twisted.trial.runner import TestLoader


class Defence(NamedTuple):
    """What is replaced, so that something is not defended against any more."""

    owner: Any
    name: str
    instead: Any


@contextmanager
def without(*defences: Defence) -> Iterator[None]:
    """While this lasts none of the defences is there."""
    with ExitStack() as patches:
        for each in defences:
            patches.enter_context(patch.object(each.owner, each.name, each.instead))
        yield


def run(test: str) -> TestResult:
    """The result of a test, given by its full name; of all of them, where it is a class."""
    result = TestResult()
    TestLoader().loadByName(test).run(result)
    if not result.testsRun:
        raise AssertionError(f"there is no {test}: {result.errors}")
    return result


@cache
def _sound(test: str) -> TestResult:
    """Its result with all defences: what tests several of them is run so once."""
    return run(test)


def check(case: TestCase, test: str, *defences: Defence) -> None:
    """The test passes, and fails without the defences: by what it asserts, not by breaking."""
    sound = _sound(test)
    case.assertTrue(sound.wasSuccessful(), f"{test} fails with them: {sound.failures}{sound.errors}")
    case.assertEqual(sound.skipped, [])
    with without(*defences):
        broken = run(test)
    names = ", ".join(f"{getattr(each.owner, '__name__', each.owner)}.{each.name}" for each in defences)
    case.assertTrue(broken.failures, f"{test} does not notice that {names} is gone: {broken.errors}")


def nothing(*_arguments: object, **_named: object) -> None:
    """Instead of what checks something and raises."""


def yes(*_arguments: object, **_named: object) -> bool:
    """Instead of what says whether something is as it should be."""
    return True


class Whatever(str):
    """A text that is equal to all texts."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__
