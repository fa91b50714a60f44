"""Vaults: what accounts' clients have encrypted for themselves, replaced as a whole or not at all.

A node cannot read one. It seals it under the account's own key besides, so that it goes with the account.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.limits import RateLimit
from safeum_home.ports import Bus, Caller, Committed, Database, Owner, Owners, Published
from safeum_home.protocol import frames
from safeum_home.protocol.commands.vault import (
    MOST_OCTETS,
    PART,
    VaultGet,
    VaultKept,
    VaultPart,
    VaultPut,
)
from safeum_home.protocol.events import VaultChanged
from safeum_home.protocol.signing import decode_octets, encode_octets
from safeum_home.storage import vaults
from safeum_home.storage.rows import VaultRow

FURTHEST = 2**20
"""Versions beyond the one that there is: more than any backup is behind."""
WAITS = 600.0
"""Seconds after which a part that nothing follows on is dropped."""
ROOM = 64 * 1024 * 1024
"""Octets of parts that wait for those that follow, of all accounts. For more the oldest ones are dropped."""


@dataclass(slots=True)
class _Coming:
    """A vault of which not all parts are there."""

    account: AccountId
    n: int
    after: int
    parts: int
    since: float
    octets: list[bytes] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(map(len, self.octets))


class _Waiting:
    """What devices have begun to send, the oldest first: one vault of each device."""

    def __init__(self, seconds: Callable[[], float], room: int) -> None:
        self._seconds = seconds
        self._room = room
        self._coming: dict[DeviceId, _Coming] = {}

    def add(self, caller: Caller, params: VaultPut, octets: bytes) -> _Coming:
        """The vault with one part more. Raises `vault_incomplete`, `too_large`."""
        coming = self._coming.pop(caller.device, None)
        if params.part == 0:
            coming = _Coming(caller.account, params.n, params.follows, params.parts, self._seconds())
        follows = (params.n, params.follows, params.parts, params.part)
        if coming is None or (coming.n, coming.after, coming.parts, len(coming.octets)) != follows:
            raise Problem(Code.VAULT_INCOMPLETE)
        coming.octets.append(octets)
        if coming.size > MOST_OCTETS:
            raise Problem(Code.TOO_LARGE)
        if len(coming.octets) < coming.parts:
            coming.since = self._seconds()
            self._coming[caller.device] = coming
            self._make_room()
        return coming

    def forget_account(self, account: AccountId) -> None:
        for device in [device for device, coming in self._coming.items() if coming.account == account]:
            del self._coming[device]

    def _make_room(self) -> None:
        taken = sum(coming.size for coming in self._coming.values())
        for device, coming in list(self._coming.items()):
            if taken <= self._room and coming.since > self._seconds() - WAITS:
                break
            taken -= coming.size
            del self._coming[device]


class Vaults:
    """The commands `vault.get` and `vault.put`."""

    def __init__(
        self,
        database: Database,
        owners: Owners,
        bus: Bus,
        limit: RateLimit,
        seconds: Callable[[], float],
        room: int = ROOM,
    ) -> None:
        self._database = database
        self._owners = owners
        self._bus = bus
        self._limit = limit
        self._waiting = _Waiting(seconds, room)

    def forget_account(self, account: AccountId) -> None:
        self._waiting.forget_account(account)

    async def get(self, caller: Caller, params: VaultGet) -> VaultPart:
        """Raises `vault_conflict`, and `not_found` for a part that there is not, or that is damaged."""
        self._limit.take(caller.account)
        owner = await self._owners.need(caller.account)

        def read(c: Connection) -> tuple[int, int, VaultRow | None]:
            return *vaults.version(c, owner.blind), vaults.part(c, owner.blind, params.part)

        n, parts, row = await self._database.read(read)
        if params.n not in (None, n):
            raise _conflict(n)
        if n == 0:
            return VaultPart(0, 0, "")
        rows = [] if row is None else [row]
        opened = undamaged(rows, lambda row: owner.key.open(row.sealed, _context(row)), "vaults")
        if not opened:
            raise Problem(Code.NOT_FOUND)
        return VaultPart(n, parts, encode_octets(opened[0]))

    async def put(self, caller: Caller, params: VaultPut) -> Committed[VaultKept]:
        """Raises `vault_conflict`, `vault_incomplete`, `too_large`, `invalid_params`."""
        self._limit.take(caller.account)
        octets = decode_octets(params.data, len(params.data) * 3 // 4)
        if octets is None or len(octets) > PART or params.part >= params.parts:
            raise Problem(Code.INVALID_PARAMS)
        if not params.follows < params.n <= params.follows + FURTHEST:
            raise Problem(Code.INVALID_PARAMS)
        owner = await self._owners.need(caller.account)
        present = await self._database.read(lambda c: vaults.version(c, owner.blind)[0])
        if present not in (params.n, params.follows):
            raise _conflict(present)
        coming = self._waiting.add(caller, params, octets)
        if len(coming.octets) < coming.parts:
            return Committed(VaultKept(present), _nothing)
        is_new = await self._database.transact(lambda c: self._store(c, owner, coming))
        event = Published(frames.text_frame(frames.encode_event(VaultChanged(coming.n))), skip=caller.device)

        def publish() -> None:
            self._bus.publish(caller.account, event)

        return Committed(VaultKept(coming.n), publish if is_new else _nothing)

    def _store(self, c: Connection, owner: Owner, coming: _Coming) -> bool:
        """Whether it was not there already."""
        self._owners.must_be_there(c, owner)
        present = vaults.version(c, owner.blind)[0]
        if present == coming.n:
            rows = vaults.parts(c, owner.blind)
            held = undamaged(rows, lambda row: owner.key.open(row.sealed, _context(row)), "vaults")
            if b"".join(held) == b"".join(coming.octets):
                return False  # the answer was lost
        if present != coming.after:
            raise _conflict(present)
        rows = []
        for part, octets in enumerate(coming.octets):
            row = VaultRow(owner.blind, part, coming.n, coming.parts, b"")
            rows.append(row._replace(sealed=owner.key.seal(octets, _context(row))))
        vaults.put(c, owner.blind, rows)
        return True


def _context(row: VaultRow) -> bytes:
    numbers = (row.part, row.version, row.parts)
    return b"vault" + row.account + b"".join(number.to_bytes(8, "big") for number in numbers)


def _conflict(present: int) -> Problem:
    return Problem(Code.VAULT_CONFLICT, str(present))


def _nothing() -> None:
    """Nobody is to be told."""
