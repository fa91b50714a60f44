"""One statement over many rows, in the way that is cheapest for each database."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection

# sqlite3 gives up the GIL for each statement it steps, and a busy reactor thread keeps it for a while each
# time: so not executemany, but few statements of many rows. The sizes are fixed, so that sqlite3's cache
# of prepared statements is hit.
_CHUNKS = (256, 128, 64, 32, 16, 8, 4, 2, 1)
_WITHIN = "IN ({rows})"


@dataclass(frozen=True, slots=True)
class Many:
    """SQL that holds `{rows}` where the rows go, good for SQLite and PostgreSQL alike.

    `types` are PostgreSQL's names for the types of a row's columns. `{rows}` may stand behind
    `INSERT INTO t (...)`, or within `IN (...)`.
    """

    sql: str
    types: tuple[str, ...]

    def change(self, c: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run it; the number of rows that were changed."""
        return sum(cursor.rowcount for cursor in self._run(c, rows))

    def fetch(self, c: Connection, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Run it; the rows that were found."""
        return [found for cursor in self._run(c, rows) for found in cursor.fetchall()]

    def _run(self, c: Connection, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        if not rows:
            return []
        driver: Any = c.connection.driver_connection
        if c.dialect.name == "postgresql":
            columns = [list(column) for column in zip(*rows, strict=True)]
            return [driver.execute(_unnest(self), columns)]
        flat = list(chain.from_iterable(rows))
        cursors, start = [], 0
        for size in _CHUNKS:
            while len(flat) - start >= size * len(self.types):
                end = start + size * len(self.types)
                cursors.append(driver.execute(_values(self, size), flat[start:end]))
                start = end
        return cursors


@cache
def _values(many: Many, size: int) -> str:
    row = f"({', '.join('?' * len(many.types))})"
    rows = f"VALUES {', '.join([row] * size)}"
    if _WITHIN in many.sql:
        # For several columns in a bare list of several rows SQLite looks at each row of the table.
        rows = f"SELECT * FROM ({rows})"  # noqa: S608 - of constants alone
    return many.sql.format(rows=rows)


@cache
def _unnest(many: Many) -> str:
    arrays = ", ".join(f"%b::{kind}[]" for kind in many.types)
    return many.sql.format(rows=f"SELECT * FROM unnest({arrays})")  # noqa: S608 - of constants alone
