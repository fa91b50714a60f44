"""An operator has a device woken, to see whether that works."""

from contextlib import suppress

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import DeviceId
from safeum_home.ports import Blinder, Database, Owners
from safeum_home.ports.push import Gone, Pushes, Tested
from safeum_home.push.record import PushRecord, open_row
from safeum_home.storage import devices, push
from safeum_home.storage.rows import PushRow


class Trial:
    """`ports.push.Wakes`."""

    def __init__(self, database: Database, blinder: Blinder, owners: Owners, pushes: Pushes) -> None:
        self._database = database
        self._blinder = blinder
        self._owners = owners
        self._pushes = pushes

    def test(self, device: str) -> "Deferred[Tested]":
        return Deferred.fromCoroutine(self._test(DeviceId(device)))

    async def _test(self, device: DeviceId) -> Tested:
        row, record = await self._database.read(lambda c: self._find(c, self._blinder.device(device)))
        outcome = await self._pushes.test(record.provider, record.address)
        if isinstance(outcome, Gone):
            await self._database.transact(lambda c: push.delete_dead(c, row.device, row.address))
        return Tested(record.provider, outcome)

    def _find(self, c: Connection, device: bytes) -> tuple[PushRow, PushRecord]:
        if devices.device(c, device) is None:
            raise Problem(Code.DEVICE_NOT_FOUND)
        if (row := push.push_of(c, device)) is not None:
            with suppress(Tampered):  # its client has to say again where it is woken
                return row, open_row(c, self._owners, row)[1]
        raise Problem(Code.PUSH_UNAVAILABLE)
