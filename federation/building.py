"""A batch as octets: each object as it is now, signed; what cannot be told is left out with its reason."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection
from twisted.logger import Logger

from federation.own_keys import KeyInUse, OwnKeys
from safeum_home.errors import Code, Problem
from safeum_home.ports.federation import SharedKind
from safeum_home.ports.outbox import Batch, Trim, Waiting
from safeum_home.protocol.federation.events import Event, sign_event
from safeum_home.protocol.federation.transactions import FRAME, MOST_OCTETS, body_of

_log = Logger()
Kinds = Callable[[], Mapping[str, SharedKind]]
Build = Callable[[bytes], Event | None]
"""An object's event, by its pointer."""


class Built(NamedTuple):
    """The body of a transaction, what of the batch is not in it, and the id of the key that has signed it.

    It can be sent while that key is the one in use.
    """

    body: bytes
    trim: Trim
    key_id: str

    @property
    def is_whole(self) -> bool:
        return self.trim == Trim()


class Builder:
    """Makes bodies of batches, in the thread of a reading connection."""

    def __init__(
        self, kinds: Kinds, own: OwnKeys, is_outage: Callable[[BaseException], bool], most: int = MOST_OCTETS
    ) -> None:
        """`is_outage` as of `ports.Database`. `most` octets of a body; an event alone is always less."""
        self._kinds = kinds
        self._own = own
        self._is_outage = is_outage
        self._most = most

    def build(self, c: Connection, batch: Batch) -> Built:
        """Stops where the body is full."""
        events: list[bytes] = []
        gone: list[Waiting] = []
        poison: list[tuple[Waiting, str]] = []
        # One for all of it, though it may be replaced meanwhile.
        size, building, key = FRAME, self._building(c, batch.rows), self._own.in_use
        for place, row in enumerate(batch.rows):
            try:
                event = self._event(row, building.get(row.type), key)
            except Problem as problem:
                poison.append((row, problem.code.code))
                continue
            if event is None:
                gone.append(row)
            elif size + len(event) + 1 > self._most:
                later = batch.rows[place:]
                return Built(body_of(events), Trim(tuple(gone), tuple(poison), later), key.key_id)
            else:
                events.append(event)
                size += len(event) + 1
        return Built(body_of(events), Trim(tuple(gone), tuple(poison)), key.key_id)

    def _building(self, c: Connection, rows: Sequence[Waiting]) -> dict[str, Build]:
        """What makes the events of each kind."""
        kinds, pointers = self._kinds(), dict[str, list[bytes]]()
        for row in rows:
            if row.type in kinds:
                pointers.setdefault(row.type, []).append(row.pointer)
        return {of_type: self._of_kind(c, kinds[of_type], each) for of_type, each in pointers.items()}

    def _of_kind(self, c: Connection, kind: SharedKind, pointers: Sequence[bytes]) -> Build:
        building = getattr(kind, "building", None)
        if building is not None and len(pointers) > 1:
            try:
                together: Build = building(c, pointers)
                return together
            except Exception as error:
                if self._is_outage(error):
                    raise
                # One of them spoils the others: let it fail alone.
                _log.failure("Objects of the kind {kind} cannot be read together.", kind=kind.type)
        return partial(kind.build, c)

    def _event(self, row: Waiting, build: Build | None, key: KeyInUse) -> bytes | None:
        if build is None:
            raise Problem(Code.UNKNOWN_KIND)
        try:
            event = build(row.pointer)
            if event is None:
                return None
            return sign_event(event, key.key_id, key.signer)
        except Problem:
            raise
        except Exception as error:
            if self._is_outage(error):
                raise
            # What it says may quote what it is about.
            _log.failure("An object of the kind {kind} cannot be told of.", kind=row.type)
            raise Problem(Code.INTERNAL) from None
