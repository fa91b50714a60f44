"""Rate tables: the one in force is in memory, and stored with those before it."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.ports import Database, Key
from safeum_home.safenum.money.rating import Rate
from safeum_home.storage import rates as rows

MOST_KEPT = 10
"""Tables that are stored, the one in force among them. A call keeps the rate under which it began itself."""
_IN_PART = 500
_TABLE, _PART = b"rate table", b"rates"
_encoder = msgspec.msgpack.Encoder()


class TableRecord(Struct, frozen=True):
    """When a table was put in force, in milliseconds, and how many rates it has."""

    at: int
    count: int


class Version(NamedTuple):
    """A table that is stored."""

    version: int
    at: int
    rates: int


class RateTable:
    """Rates by prefix. It is made anew as a whole."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._by_prefix: dict[str, list[Rate]] = {}
        for rate in rates:
            self._by_prefix.setdefault(rate.prefix, []).append(rate)
        self._longest = max(map(len, self._by_prefix), default=0)

    def __len__(self) -> int:
        return sum(map(len, self._by_prefix.values()))

    def find(self, number: str, day: int) -> Rate | None:
        """The rate of the longest prefix of a number (E.164) that has one in force on a day."""
        digits = number.removeprefix("+")
        for length in range(min(self._longest, len(digits)), 0, -1):
            for rate in self._by_prefix.get(digits[:length], ()):
                if rate.begins <= day and (rate.ends is None or day < rate.ends):
                    return rate
        return None

    def page(self, begins: str, after: str, limit: int) -> list[Rate]:
        """Those of prefixes that begin so, behind a prefix: `limit` prefixes with all of theirs."""
        prefixes = sorted(each for each in self._by_prefix if each.startswith(begins) and each > after)
        return [rate for prefix in prefixes[:limit] for rate in self._by_prefix[prefix]]


class RateTables:
    """Stores tables, and has the one in force in memory."""

    def __init__(self, database: Database, key: Key, now: Callable[[], int]) -> None:
        self._database = database
        self._key = key
        self._now = now
        self.table = RateTable(())
        self.version: Version | None = None

    async def load(self) -> None:
        """Read what is in force; raises as `Database.read` does, and `Tampered`."""
        version, rates = await self._database.read(self._read)
        if version is not None:
            self._put_in_force(version, RateTable(rates))

    async def replace(self, rates: list[Rate], table: RateTable) -> Version:
        """Put a table in force: in one commit, and in one turn of the reactor."""
        version = await self._database.transact(lambda c: self._write(c, rates))
        self._put_in_force(version, table)
        return version

    def _put_in_force(self, version: Version, table: RateTable) -> None:
        # Another one may have come behind it, and have been quicker.
        if self.version is None or version.version > self.version.version:
            self.table, self.version = table, version

    def _write(self, c: Connection, rates: list[Rate]) -> Version:
        versions = rows.versions(c)
        record = TableRecord(self._now(), len(rates))
        number = versions[-1] + 1 if versions else 1
        rows.add_table(c, number, self._key.seal(_encoder.encode(record), _place(_TABLE, number)))
        for part, start in enumerate(range(0, len(rates), _IN_PART)):
            plain = _encoder.encode(rates[start : start + _IN_PART])
            rows.add_part(c, number, part, self._key.seal(plain, _place(_PART, number, part)))
        for old in versions[: -(MOST_KEPT - 1)]:
            rows.drop_table(c, old)
        return Version(number, record.at, record.count)

    def _read(self, c: Connection) -> tuple[Version | None, list[Rate]]:
        versions = rows.versions(c)
        if not versions:
            return None, []
        number = versions[-1]
        sealed = self._key.open(rows.table(c, number), _place(_TABLE, number))
        record = msgspec.msgpack.decode(sealed, type=TableRecord)
        rates: list[Rate] = []
        for part, each in enumerate(rows.parts(c, number)):
            plain = self._key.open(each, _place(_PART, number, part))
            rates.extend(msgspec.msgpack.decode(plain, type=list[Rate]))
        return Version(number, record.at, record.count), rates


def _place(what: bytes, *numbers: int) -> bytes:
    return b"\0".join([what, *(number.to_bytes(8, "big") for number in numbers)])
