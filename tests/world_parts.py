"""What stands in for threads and for providers of text messages in a `World`."""

from collections.abc import Callable
from copy import copy
from functools import cache
from typing import Any

from twisted.internet.defer import Deferred, fail

from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.accounts.work_pool import WorkPool
from safeum_home.config import PasswordSection
from safeum_home.sealing.memory import Arena, Level


class InlinePool:
    """A thread pool without threads; while `hold`, its work waits for `run`."""

    def __init__(self) -> None:
        self.hold = False
        self.hashed = 0
        self._waiting: list[Callable[[], None]] = []

    def callInThreadWithCallback(
        self, done: Callable[[bool, Any], None], function: Callable[..., Any], *args: Any
    ) -> None:
        def work() -> None:
            self.hashed += 1
            done(True, function(*args))

        if self.hold:
            self._waiting.append(work)
        else:
            work()

    def run(self, count: int | None = None) -> None:
        """Do what waits, the oldest first."""
        count = len(self._waiting) if count is None else count
        waiting, self._waiting = self._waiting[:count], self._waiting[count:]
        for work in waiting:
            work()


class RecordedTexts:
    """`ports.TextMessages` that keeps what was sent; `failing` is what it fails with, `hold` who waits."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.entered: list[str] = []
        self.failing: Exception | None = None
        self.hold: list[Deferred[None]] | None = None

    def used(self, number: str) -> None:
        self.entered.append(number)

    def send(self, number: str, text: str, host: str) -> "Deferred[None]":
        if self.failing is not None:
            return fail(self.failing)
        self.sent.append((number, text, host))
        done: Deferred[None] = Deferred()
        if self.hold is None:
            done.callback(None)
        else:
            self.hold.append(done)
        return done

    @property
    def code(self) -> str:
        """The digits of the last one."""
        return "".join(char for char in self.sent[-1][1] if char.isdigit())[:6]


class _SameThread:
    def callFromThread(self, call: Callable[..., object], *args: Any) -> None:
        call(*args)


@cache
def arena() -> Arena:
    return Arena(floor=Level.UNLOCKED)


def cheap_hasher(queue: int = 1000) -> tuple[PasswordHasher, InlinePool]:
    """The real hasher at libsodium's lowest cost, in the test's own thread."""
    hasher, pool, threads = copy(_hasher(queue)), InlinePool(), _SameThread()
    hasher._pool = WorkPool(threads, "passwords", 1, queue)  # type: ignore[arg-type]  # no more of it is used
    hasher._pool._pool = pool
    return hasher, pool


@cache
def _hasher(queue: int) -> Any:
    """To be copied: making one hashes once at the cost of its section."""
    section = PasswordSection(memory_mib=8, operations=1, threads=1, queue=queue)
    hasher: Any = PasswordHasher(_SameThread(), section)  # type: ignore[arg-type]  # no more of it is used
    hasher._memory = 8192
    hasher._pin_cost = 1, 8192
    hasher._dummy = _DUMMY
    return hasher


_DUMMY = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
