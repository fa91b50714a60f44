"""All that waits for one node, told in transactions: one under way at a time, the next one made meanwhile."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from federation.answers import Failed, code_in, refused_in, seconds_in
from federation.counts import BEGUN_ANEW, SENT, SPLIT, Counts
from federation.greeting import Request
from federation.machine import SOON
from federation.making import Maker, Ready
from federation.slots import Slots
from federation.ways import Way
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.resolving import TOO_MANY_NAMES
from safeum_home.ports.outbox import Batch, Outbox, Refused, Trim
from safeum_home.protocol.federation.group_posts import PASSED_ON
from safeum_home.protocol.federation.transactions import TRANSACTIONS_PATH, stream_name

LONGEST_ANSWER = 128 * 1024
TURN = 0.01
"""Seconds from one transaction to the next one for the same node: what comes meanwhile goes together."""
BEGINNINGS = 3
"""How often in a row a stream is begun anew, before the node is left alone for a while."""
WITHOUT_KEYS = 30.0
"""Seconds for which a node that knows no key of this one is left alone: as often others fetch them."""
_ANEW = frozenset(("stale_stream", "sequence_gap"))
_TOO_MUCH = frozenset(("bad_request", "too_large", "malformed_event"))
"""What a node says of a transaction that it will never take as it is."""
_log = Logger()


class Means(NamedTuple):
    """What all destinations are told with."""

    clock: IReactorTime
    outbox: Outbox
    maker: Maker
    request: Request
    slots: Slots
    counts: Counts


class Telling:
    """One run. Raises `Failed` where the node could not be told, `Problem` where this one is to blame."""

    def __init__(self, means: Means, node: str, way: Way) -> None:
        self._clock, self._outbox, self._maker, self._request, self._slots, self._counts = means
        self._node = node
        self._way = way
        self._beginnings = 0
        self._ready: Ready | None = None
        """The next one, where it was made ahead."""
        self._noting: Deferred[None] | None = None
        """That the node has the one before, while the next one is on its way already."""

    async def run(self) -> None:
        """Until nothing waits."""
        try:
            batch = await self._outbox.next(self._node)
            while batch is not None:
                batch = await self._tell(batch)
        finally:
            with suppress(Problem):  # what has ended it comes first
                await self._noted()

    async def turn(self) -> None:
        """Wait until the next transaction may begin."""
        pause = self._way.begun + TURN - self._clock.seconds()
        if 0 < pause <= TURN:  # else the clock was set back
            await deferLater(self._clock, pause)

    async def _tell(self, batch: Batch) -> Batch | None:
        """Tell it, as far as it can be told; what comes next."""
        way = self._way
        await self.turn()
        way.begun = self._clock.seconds()
        slot = await self._slots.acquire(self._node, way.core.since is not None and not way.is_there)
        try:
            batch, answer = await self._put_made(batch)
        finally:
            self._slots.release(slot)
        await self._noted()
        if answer is None:
            return await self._outbox.next(self._node)
        if answer.status == 200:
            return await self._taken(batch, refused_in(answer.body, batch))
        return await self._not_taken(batch, answer)

    async def _put_made(self, batch: Batch) -> tuple[Batch, Answer | None]:
        """The batch as it was put, and its answer; None where nothing is left of it."""
        (batch, built), self._ready = await self._maker.made(self._node, batch, self._ready), None
        if not batch.rows:
            return batch, None
        putting = Deferred.fromCoroutine(self._put(batch, built.body))
        ahead = self._maker.ahead(self._node, batch, self._way.arrivals)
        try:
            answer = await putting
        except Exception:
            await ahead.answered()  # whatever the answer is: it uses the database
            raise
        self._ready = await ahead.answered()
        return batch, answer

    async def _put(self, batch: Batch, body: bytes) -> Answer:
        path = f"{TRANSACTIONS_PATH}{stream_name(batch.stream)}/{batch.number}"
        try:
            return await self._request(self._node, "PUT", path, body, LONGEST_ANSWER)
        except NoAnswer as error:
            if error.reason in (TOO_MANY, TOO_MANY_NAMES) and not error.handed_over:
                raise Problem(Code.BUSY) from None
            raise Failed(error.reason) from None

    async def _taken(self, batch: Batch, refused: Sequence[Refused]) -> Batch | None:
        if self._is_without_keys(batch, refused):
            # The answer stands for this transaction: what is asked again is asked in another one.
            await self._outbox.new_stream(self._node)
            raise Failed("unknown_key", WITHOUT_KEYS)
        self._counts.sent(len(batch.rows), (each.code for each in refused))
        made = None if self._ready is None else self._ready.batch
        if made is not None and made.rows and not refused and not self._outbox.hurries(self._node):
            # Both nodes would stand still until that is committed. After a crash before it is, the node has
            # one more than is known here: the stream is begun anew, and what it has is recognised.
            self._noting = self._outbox.followed(self._node, batch, made)
            following: Batch | None = made
        else:
            following = await self._outbox.delivered(self._node, batch, refused, made)
        self._way.machine.told()
        self._slots.told(self._node)
        self._way.error, self._beginnings = "", 0
        return following

    async def _not_taken(self, batch: Batch, answer: Answer) -> Batch | None:
        code = code_in(answer.body)
        if code in _ANEW and self._beginnings < BEGINNINGS:
            _log.info("A stream to another node is begun anew: {code}.", code=code)
            self._beginnings += 1
            self._counts.add(SENT, BEGUN_ANEW)
            return await self._outbox.new_stream(self._node)
        if code in _TOO_MUCH:
            self._counts.add(SENT, SPLIT)
            await self._split(batch, code)
            return await self._outbox.next(self._node)
        raise Failed(code or f"status {answer.status}", seconds_in(answer.retry_after))

    async def _noted(self) -> None:
        noting, self._noting = self._noting, None
        if noting is not None:
            await noting

    def _is_without_keys(self, batch: Batch, refused: Sequence[Refused]) -> bool:
        """Whether a node knows no key of this one for now, which says nothing of what it was told.

        Of what is passed on it says that of the keys of a third node, for which nobody else is to wait.
        """
        since = self._way.core.since
        passes = since is None or self._clock.seconds() - since < SOON
        own = any(row.type not in PASSED_ON for row in batch.rows)
        return passes and own and [each.code for each in refused] == ["unknown_key"] * len(batch.rows)

    async def _split(self, batch: Batch, code: str) -> None:
        """A node will not take it as a whole: so it gets half, and one event that it will not take goes."""
        half = len(batch.rows) // 2
        if half:
            await self._outbox.trim(self._node, batch, Trim(later=batch.rows[half:]))
        else:
            await self._outbox.trim(self._node, batch, Trim(poison=((batch.rows[0], code),)))
