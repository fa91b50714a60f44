"""The keys of other nodes, in RAM: fetched when they are needed, believed for as long as they say.

Where others pass on what accounts of a node do, its keys are kept elsewhere as well, for when it is away and
this one has just started: so a restart takes away nothing that was known, and holds nothing up.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.errors import Code, Problem
from safeum_home.limits import RateLimit
from safeum_home.protocol.federation.keys import VerifyKeys, read_document

MOST_NODES = 4096
"""Whose documents are held: those not asked for longest are forgotten."""
MOST_FETCHES = 128
"""Documents that are fetched at one time; half of them at the most from nodes that nobody knows, so that a
stranger with many names, none of which ever answers, keeps nobody else from being heard."""
MOST_WAITING = 256
"""Who wait for one document."""
MOST_UNPROVEN = 256
"""Documents as they were fetched, by which nothing that was passed on was verified yet."""
PATIENCE = 30.0
"""Seconds for which anybody waits for a document."""
BURST, EVERY = 5, 30.0
"""Fetches from one node: so many at once, then one in so many seconds."""

Fetch = Callable[[str], "Deferred[bytes]"]
"""Fetches the document of a node from that very node; it bounds size and time itself."""
Wanted = Callable[[VerifyKeys], bool]


class Kept(Protocol):
    """Documents that survive a restart."""

    def keep(self, node: str, octets: bytes, fetched: int) -> None:
        """A document that was verified, and when it was fetched (milliseconds)."""

    def kept(self, node: str) -> "Deferred[tuple[bytes, int] | None]":
        """What was kept last, with that time."""


class NothingKept:
    """`Kept`, for who has nothing to keep it in."""

    def keep(self, node: str, octets: bytes, fetched: int) -> None:
        """It is forgotten."""

    def kept(self, node: str) -> "Deferred[tuple[bytes, int] | None]":
        return succeed(None)


_log = Logger()


class KeyCache:
    """Verified documents by node.

    Nodes are handed in by their written names, after the policy has let them pass. Of a node whose key is
    not known the document is fetched again, for it may have a new one; requests that come meanwhile wait for
    the same fetch.
    """

    def __init__(
        self,
        fetch: Fetch,
        clock: IReactorTime,
        is_known: Callable[[str], bool] = lambda node: False,
        most: int = MOST_NODES,
        most_fetches: int = MOST_FETCHES,
        kept: Kept | None = None,
    ) -> None:
        """`is_known` says of which nodes anything was ever heard, besides those whose documents are held."""
        self._fetch = fetch
        self._is_known = is_known
        self._kept = kept or NothingKept()
        self._clock = clock
        self._most, self._most_fetches = most, most_fetches
        self._held: OrderedDict[str, VerifyKeys] = OrderedDict()
        self._unproven: OrderedDict[str, tuple[bytes, int]] = OrderedDict()
        self._waiting: dict[str, list[Deferred[VerifyKeys]]] = {}
        self._limit = RateLimit(1 / EVERY, BURST, clock.seconds, most * 2)

    def __len__(self) -> int:
        return len(self._held)

    async def key(self, node: str, key_id: str) -> bytes:
        """A key (32 octets) that a node signs with now.

        Raises `Problem`: `unknown_key`, where it has no such key or not any more; `node_unreachable`, where
        that cannot be found out; `busy`. All with `retry_after` where trying again may help.
        """
        keys = await self.keys(node, lambda keys: key_id in keys.current)
        if key_id not in keys.current:
            raise Problem(Code.UNKNOWN_KEY, retry_after=EVERY)
        return keys.current[key_id]

    async def keys(self, node: str, wanted: Wanted = lambda keys: True) -> VerifyKeys:
        """The keys of a node, fetched anew where those that are held are over or not `wanted`.

        What is answered may still not be `wanted`. Raises as `key` does.
        """
        held = self.held(node)
        if held is not None and wanted(held):
            return held
        if node not in self._waiting:
            try:
                self._begin(node)
            except Problem:
                if held is not None:
                    return held
                raise
        waiting = self._waiting[node]
        if len(waiting) >= MOST_WAITING:
            raise Problem(Code.BUSY, "too many wait for the keys of this node", retry_after=1)
        waiter: Deferred[VerifyKeys] = Deferred()
        waiting.append(waiter)
        try:
            return await waiter
        except Problem as problem:
            # What is held is good still. An outage of the other node must not make its keys unknown.
            if held is not None and problem.code is Code.NODE_UNREACHABLE:
                return held
            raise

    def held(self, node: str) -> VerifyKeys | None:
        """The keys of a node as far as they are here and good; fetches nothing."""
        keys = self._held.get(node)
        if keys is None or keys.good_until <= self._milliseconds():
            return None
        self._held.move_to_end(node)
        return keys

    def proven(self, node: str) -> None:
        """What others passed on of that node was verified: what it published is worth keeping."""
        fetched = self._unproven.pop(node, None)
        if fetched is not None:
            self._kept.keep(node, *fetched)

    def _begin(self, node: str) -> None:
        known = node in self._held or self._is_known(node)
        if len(self._waiting) >= self._most_fetches // (1 if known else 2):
            raise Problem(Code.BUSY, "the keys of too many nodes are being fetched", retry_after=1)
        try:
            self._limit.take(node)
        except Problem as problem:
            raise Problem(
                Code.NODE_UNREACHABLE, "its keys were fetched too often", retry_after=problem.retry_after
            ) from None
        self._waiting[node] = []
        # Begun in a turn of its own, so that nobody is answered before he waits.
        self._clock.callLater(0, self._start, node)

    def _start(self, node: str) -> None:
        try:
            fetching = self._fetch(node)
        except Exception:
            _log.failure("Fetching keys failed at once.")
            self._answer(
                node, Problem(Code.NODE_UNREACHABLE, "its keys cannot be fetched", retry_after=EVERY)
            )
            return
        fetching.addTimeout(PATIENCE, self._clock)
        outcome = fetching.addCallback(lambda octets: self._read(node, octets)).addErrback(self._failed)
        # Those who wait are answered whatever goes wrong: nothing else is asked of the node until then.
        outcome.addCallback(lambda found: self._or_kept(node, found)).addErrback(self._failed)
        outcome.addCallback(lambda found: self._answer(node, found))

    def _read(self, node: str, octets: bytes) -> VerifyKeys | Problem:
        try:
            keys = read_document(octets, node, self._milliseconds())
        except Problem as problem:
            return Problem(Code.NODE_UNREACHABLE, problem.detail, retry_after=EVERY)
        self._hold(keys)
        self._unproven[node] = octets, self._milliseconds()
        self._unproven.move_to_end(node)
        if len(self._unproven) > MOST_UNPROVEN:
            self._unproven.popitem(last=False)
        return keys

    def _hold(self, keys: VerifyKeys) -> None:
        self._held[keys.node] = keys
        self._held.move_to_end(keys.node)
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    def _or_kept(self, node: str, found: VerifyKeys | Problem) -> "VerifyKeys | Problem | Deferred[Any]":
        """Of a node that cannot be asked: what it said before a restart is as good as what is held."""
        is_away = isinstance(found, Problem) and found.code is Code.NODE_UNREACHABLE
        if not is_away or node in self._held:
            return found

        def good(kept: tuple[bytes, int] | None) -> VerifyKeys | Problem:
            try:
                keys = None if kept is None else read_document(kept[0], node, kept[1])
            except Problem:
                return found
            if keys is None or keys.good_until <= self._milliseconds():
                return found
            self._hold(keys)
            return keys

        return self._kept.kept(node).addCallback(good)

    def _failed(self, failure: Failure) -> Problem:
        if isinstance(failure.value, Problem):
            return failure.value
        # What else it says may name a node, or come from one.
        _log.info("Keys could not be fetched: {kind}.", kind=type(failure.value).__name__)
        return Problem(Code.NODE_UNREACHABLE, "its keys cannot be fetched", retry_after=EVERY)

    def _answer(self, node: str, outcome: VerifyKeys | Problem) -> None:
        for waiter in self._waiting.pop(node):
            if isinstance(outcome, Problem):
                waiter.errback(Problem(outcome.code, outcome.detail, outcome.retry_after))
            else:
                waiter.callback(outcome)

    def _milliseconds(self) -> int:
        return int(self._clock.seconds() * 1000)
