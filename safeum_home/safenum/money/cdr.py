"""Records of calls (CDR): in the columns that carriers use, by number, and naming no account.

They are sealed under a key of their month, which is destroyed when the month is kept no longer: then nobody
can open them, on whichever copy of the disk.
"""

from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.ports import Blinder, Keyring
from safeum_home.ports.money import Direction, Disposition, Over, Released
from safeum_home.safenum.money.amounts import divided_up
from safeum_home.safenum.money.month_keys import MonthKeys
from safeum_home.safenum.money.months import month_of
from safeum_home.storage import cdrs as rows
from safeum_home.storage.cdrs import CdrRow
from safeum_home.storage.edge_records import drop_edge_month, edge_months
from safeum_home.storage.keys import LASTING

COLUMNS = (
    "a_number",
    "b_number",
    "direction",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "sip_code",
    "q850_cause",
    "release_side",
    "trunk",
    "call_id",
)
LONGEST = 128
"""Characters of what is kept of a name or a Call-ID, which are a carrier's."""
_encoder = msgspec.msgpack.Encoder()


class Cdr(Struct, frozen=True):
    """A call; times in milliseconds, `answered` 0 where it was not."""

    caller: str
    called: str
    direction: Direction
    began: int
    answered: int
    ended: int
    disposition: Disposition
    sip: int
    cause: int
    released: Released
    trunk: str
    reference: str

    @property
    def safenum(self) -> str:
        """The number of this node that took part in it."""
        return self.caller if self.direction is Direction.OUT else self.called

    def fields(self) -> list[str]:
        """Its `COLUMNS`."""
        return [
            self.caller,
            self.called,
            self.direction.value,
            _utc(self.began),
            _utc(self.answered) if self.answered else "",
            _utc(self.ended),
            str(divided_up(max(self.ended - self.began, 0), 1000)),
            str(talked(self.answered, self.ended)),
            self.disposition.value,
            str(self.sip or ""),
            str(self.cause or ""),
            self.released.value,
            self.trunk,
            self.reference,
        ]


def talked(answered: int, ended: int) -> int:
    """For how many seconds a call was spoken in: those begun, one at least where it was answered."""
    return max(divided_up(max(ended - answered, 0), 1000), 1) if answered else 0


class CdrBook:
    """Writes records in the transaction of what they are about, and reads them."""

    def __init__(self, keyring: Keyring, blinder: Blinder) -> None:
        self._keys = MonthKeys(keyring, blinder)
        self._blinder = blinder

    def put(self, c: Connection, record: Cdr) -> None:
        month = month_of(record.ended)
        with self._keys.to_seal(c, month) as key:
            plain = _encoder.encode(record)
            safenum = self._blinder.cdr(record.safenum)
            rows.add_cdr(c, month, safenum, lambda number: key.seal(plain, _place(month, number)))

    def page(self, c: Connection, month: int, after: int, limit: int) -> tuple[list[Cdr], int | None]:
        """Records of a month behind a number; and behind which there are more, or None."""
        found = rows.cdrs_behind(c, month, after, limit)
        with self._keys.to_open(c, month) as key:
            if not found or key is None:
                return [], None

            def opened(row: CdrRow) -> Cdr:
                return msgspec.msgpack.decode(key.open(row.sealed, _place(row.month, row.number)), type=Cdr)

            records = undamaged(found, opened, "records of calls")
        return records, found[-1].number if len(found) == limit else None

    def drop_before(self, c: Connection, month: int, epoch: int) -> int:
        """Destroy the records of before a month, those of the edge too; how many months there were.

        `epoch` is the keyring's.
        """
        old = sorted(each for each in {*rows.months(c), *edge_months(c)} if each < month)
        for each in old:
            rows.drop_month(c, each)
            drop_edge_month(c, each)
            self._keys.destroy(c, each)
        if old:
            LASTING.mark_erased(c, epoch)
        return len(old)


def record_of(
    caller: str, called: str, direction: Direction, began: int, trunk: str, reference: str, over: Over
) -> Cdr:
    """The record of a call that has ended."""
    return Cdr(
        caller,
        called,
        direction,
        began,
        over.answered,
        over.ended,
        over.disposition,
        over.sip,
        over.cause,
        over.released,
        (over.trunk or trunk)[:LONGEST],
        (over.reference or reference)[:LONGEST],
    )


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _place(month: int, number: int) -> bytes:
    return b"cdr" + month.to_bytes(8, "big") + number.to_bytes(8, "big")
