"""Which of many phone numbers can be found on the node, without telling it which they are.

The numbers are blinded here (RFC 9497) and evaluated by the node; the outputs are looked up here as well, in
the node's set, all of which is fetched. Both are kept in memory: what has not changed is not asked for again.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

from safeum_home.client.errors import BadAnswer, RemoteProblem, local
from safeum_home.errors import Code
from safeum_home.ids import is_number
from safeum_home.protocol import commands as c
from safeum_home.protocol import contact_sync as wire
from safeum_home.protocol import oprf, ristretto

R = TypeVar("R", bound=c.Result)
MOST_NUMBERS = 50_000
"""Numbers whose outputs are kept; more at once are refused."""
_BATCH = 250
"""Numbers of a command, of the 1,000 that it may have: the reactor is held up for some 40 ms by each."""
_TRIES = 8
_PATIENCE = 10.0
"""Seconds: what the node refuses for no longer than that is asked for again."""
Wait = Callable[[float], Awaitable[object]]


class Ask(Protocol):
    """Gives a command of an open session."""

    def __call__(self, params: c.Params, result: type[R], /) -> Awaitable[R]: ...


class ContactFinder:
    """What is known of a node's set, and of numbers under its present key."""

    def __init__(self) -> None:
        self._period: int | None = None
        self._outputs: dict[str, bytes] = {}
        self._pages: list[tuple[bytes, bytes]] = []
        """Version and entries of each page."""
        self._finding = False

    async def find(self, ask: Ask, wait: Wait, own: str, numbers: Iterable[str]) -> dict[str, c.ContactFound]:
        """Those of `numbers` (E.164) that can be found: number -> account and address.

        `own` is the asking account, which is left out. Raises `RemoteProblem`: `invalid_params` for what is
        no number, `sync_unavailable`, `rate_limited` (what was evaluated by then is kept).
        """
        wanted = set(numbers)
        if len(wanted) > MOST_NUMBERS:
            raise local(Code.LIMIT_REACHED, f"{MOST_NUMBERS} numbers are the most")
        if not all(map(is_number, wanted)):
            raise local(Code.INVALID_PARAMS, "a number is `+` and 7 to 15 digits")
        if not ristretto.available():
            raise local(Code.SYNC_UNAVAILABLE, "libsodium is not installed on this computer")
        if not wanted:
            return {}
        if self._finding:
            raise local(Code.BUSY, "numbers are being looked up already")
        self._finding = True
        try:
            return await self._patiently(ask, wait, own, wanted)
        finally:
            self._finding = False

    async def _patiently(self, ask: Ask, wait: Wait, own: str, wanted: set[str]) -> dict[str, c.ContactFound]:
        for left in reversed(range(_TRIES)):
            try:
                return await self._find(ask, own, wanted)
            except RemoteProblem as problem:
                if not left or not _passing(problem):
                    raise
                if problem.retry_after is not None:
                    await wait(problem.retry_after)
        raise AssertionError("the last refusal was raised")

    async def _find(self, ask: Ask, own: str, wanted: set[str]) -> dict[str, c.ContactFound]:
        directory = await ask(c.ContactsDirectory(), c.Directory)
        if directory.period != self._period:
            self._period, self._outputs, self._pages = directory.period, {}, []
        await self._evaluate(ask, directory.period, sorted(wanted - self._outputs.keys()))
        await self._fetch(ask, directory)
        node = own.partition(":")[2]
        found = {}
        for number in sorted(wanted):
            account = self._look_up(self._outputs[number], node)
            if account is not None and account != own:
                found[number] = c.ContactFound(account, f"{number}@{node}")
        if len(self._outputs) > MOST_NUMBERS:
            self._outputs = {number: self._outputs[number] for number in wanted}
        return found

    async def _evaluate(self, ask: Ask, period: int, numbers: list[str]) -> None:
        for start in range(0, len(numbers), _BATCH):
            batch = [number.encode("ascii") for number in numbers[start : start + _BATCH]]
            blinded = [oprf.blind(number) for number in batch]
            points = [each.element for each in blinded]
            answer = await ask(c.ContactsSync(period, points), c.Evaluated)
            if len(answer.points) != len(points):
                raise BadAnswer("not as many points as were sent")
            try:
                for number, (scalar, _), point in zip(batch, blinded, answer.points, strict=True):
                    self._outputs[number.decode("ascii")] = oprf.finalize(number, scalar, point)
            except ristretto.NotAnElement:
                raise BadAnswer("the node's points are none") from None

    async def _fetch(self, ask: Ask, directory: c.Directory) -> None:
        """Fetch all pages that have changed: which are fetched depends on the set alone, on no number."""
        if len(self._pages) != len(directory.pages):
            self._pages = [(b"", b"")] * len(directory.pages)
        for number, version in enumerate(directory.pages):
            if self._pages[number][0] == version:
                continue
            page = await ask(c.ContactsPage(directory.period, number), c.DirectoryPage)
            if page.pages != len(directory.pages):
                raise local(Code.PERIOD_OVER, "the set was split meanwhile")
            if len(page.entries) % wire.ENTRY:
                raise BadAnswer("a page that ends within an entry")
            self._pages[number] = (page.page, page.entries)

    def _look_up(self, output: bytes, node: str) -> str | None:
        tag = wire.tag(output)
        entries = self._pages[wire.page_of(tag, len(self._pages))][1]
        at = wire.place(entries, tag)
        entry = entries[at : at + wire.ENTRY]
        return wire.open_entry(output, entry, node) if entry[: wire.TAG] == tag else None


def _passing(problem: RemoteProblem) -> bool:
    if problem.of(Code.PERIOD_OVER):
        return True
    wait = problem.retry_after
    return problem.of(Code.RATE_LIMITED, Code.BUSY) and wait is not None and wait <= _PATIENCE
