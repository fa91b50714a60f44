"""Records of calls that are not ours: what the edge towards a carrier has seen, to compare ours with."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.grants.trunk import EdgeRecord
from safeum_home.ports import Blinder, Keyring
from safeum_home.safenum.money.month_keys import MonthKeys
from safeum_home.safenum.money.months import month_of
from safeum_home.storage import edge_records as rows
from safeum_home.storage.edge_records import EdgeRow

_encoder = msgspec.msgpack.Encoder()


class EdgeBook:
    """Keeps them under the key of their month, each once however often it comes."""

    def __init__(self, keyring: Keyring, blinder: Blinder) -> None:
        self._keys = MonthKeys(keyring, blinder)
        self._blinder = blinder

    def put(self, c: Connection, records: Sequence[EdgeRecord]) -> None:
        """In one transaction."""
        for month in sorted({month_of(record.ended) for record in records}):
            with self._keys.to_seal(c, month) as key:
                found = []
                for record in records:
                    if month_of(record.ended) == month:
                        # The same Call-ID at another time is another call.
                        name = self._blinder.money("edge", f"{record.began} {record.reference}")
                        sealed = key.seal(_encoder.encode(record), _place(month, name))
                        found.append(EdgeRow(month, name, sealed))
            rows.put_edge_records(c, list({row.record: row for row in found}.values()))

    def page(
        self, c: Connection, month: int, after: bytes, limit: int
    ) -> tuple[list[EdgeRecord], bytes | None]:
        """Records of a month behind a name, in no order that tells anything; behind which there are more."""
        found = rows.edge_records_behind(c, month, after, limit)
        with self._keys.to_open(c, month) as key:
            if not found or key is None:
                return [], None

            def opened(row: EdgeRow) -> EdgeRecord:
                plain = key.open(row.sealed, _place(row.month, row.record))
                return msgspec.msgpack.decode(plain, type=EdgeRecord)

            records = undamaged(found, opened, "records of the edge")
        return records, found[-1].record if len(found) == limit else None


def _place(month: int, name: bytes) -> bytes:
    return b"edge" + month.to_bytes(8, "big") + name
