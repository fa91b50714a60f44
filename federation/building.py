"""A batch as octets: each object as it is now, signed; what cannot be told is left out with its reason."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection
from twisted.logger import Logger

from federation.own_keys import OwnKeys
from safeum_home.errors import Code, Problem
from safeum_home.ports.federation import SharedKind
from safeum_home.ports.outbox import Batch, Trim, Waiting
from safeum_home.protocol.federation.events import sign_event
from safeum_home.protocol.federation.transactions import FRAME, MOST_OCTETS, body_of

_log = Logger()
Kinds = Callable[[], Mapping[str, SharedKind]]


class Built(NamedTuple):
    """The body of a transaction, and what of the batch is not in it."""

    body: bytes
    trim: Trim

    @property
    def is_whole(self) -> bool:
        return self.trim == Trim()


class Builder:
    """Makes bodies of batches, in the thread of a reading connection."""

    def __init__(self, kinds: Kinds, own: OwnKeys, most: int = MOST_OCTETS) -> None:
        """`most` octets of a body; an event alone is always less."""
        self._kinds = kinds
        self._own = own
        self._most = most

    def build(self, c: Connection, batch: Batch) -> Built:
        """Stops where the body is full."""
        events: list[bytes] = []
        gone: list[Waiting] = []
        poison: list[tuple[Waiting, str]] = []
        size, kinds = FRAME, self._kinds()
        for place, row in enumerate(batch.rows):
            try:
                event = self._event(c, row, kinds)
            except Problem as problem:
                poison.append((row, problem.code.code))
                continue
            if event is None:
                gone.append(row)
            elif size + len(event) + 1 > self._most:
                later = batch.rows[place:]
                return Built(body_of(events), Trim(tuple(gone), tuple(poison), later))
            else:
                events.append(event)
                size += len(event) + 1
        return Built(body_of(events), Trim(tuple(gone), tuple(poison)))

    def _event(self, c: Connection, row: Waiting, kinds: Mapping[str, SharedKind]) -> bytes | None:
        kind = kinds.get(row.type)
        if kind is None:
            raise Problem(Code.UNKNOWN_KIND)
        try:
            event = kind.build(c, row.pointer)
            if event is None:
                return None
            key = self._own.in_use
            return sign_event(event, key.key_id, key.signer)
        except Problem:
            raise
        except Exception:
            if c.invalidated:
                raise
            # What it says may quote what it is about.
            _log.failure("An object of the kind {kind} cannot be told of.", kind=row.type)
            raise Problem(Code.INTERNAL) from None
