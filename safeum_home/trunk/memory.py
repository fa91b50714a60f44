"""What whoever runs Kamailio keeps in memory: calls that go on, and records until the node has them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from safeum_home.grants.trunk import EdgeRecord
from safeum_home.trunk.told import Answered, Begun

MOST_CALLS = 20_000
MOST_RECORDS = 20_000
"""Beyond that the oldest ones go."""
_TABLES = """
CREATE TABLE IF NOT EXISTS calls (
    reference TEXT PRIMARY KEY, cseq INTEGER, session TEXT, entry INTEGER, id INTEGER
);
CREATE TABLE IF NOT EXISTS present (one INTEGER PRIMARY KEY CHECK (one = 1), session TEXT);
CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY AUTOINCREMENT, record BLOB);
"""


class Call(NamedTuple):
    """A call: `entry` and `id` are those of its dialog, None as long as it is not answered."""

    reference: str
    cseq: int
    session: str
    entry: int | None
    id: int | None


class EdgeMemory:
    """Rows in a file that is in memory; each thread has a connection of its own. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as database:
            database.executescript(_TABLES)
            # Kamailio knows no more of them, where it was started anew.
            database.execute("DELETE FROM calls WHERE id IS NULL")

    @property
    def session(self) -> str:
        """Of the Janus that has registered last; empty where none has."""
        with self._open() as database:
            found = database.execute("SELECT session FROM present").fetchone()
        return "" if found is None else str(found[0])

    def present(self, session: str) -> None:
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO present VALUES (1, ?)", (session,))

    def begun(self, told: Begun) -> None:
        with self._open() as database:
            database.execute(
                "INSERT OR REPLACE INTO calls VALUES (?, ?, ?, NULL, NULL)",
                (told.reference, told.cseq, told.session),
            )
            _keep(database, "calls", MOST_CALLS)

    def answered(self, told: Answered) -> None:
        with self._open() as database:
            database.execute(
                "UPDATE calls SET entry = ?, id = ? WHERE reference = ?",
                (told.entry, told.id, told.reference),
            )

    def forget(self, reference: str) -> None:
        with self._open() as database:
            database.execute("DELETE FROM calls WHERE reference = ?", (reference,))

    def others(self, session: str) -> list[Call]:
        """Calls that are not of a session."""
        with self._open() as database:
            rows = database.execute("SELECT * FROM calls WHERE session != ?", (session,))
            return [Call(*row) for row in rows]

    def add(self, record: EdgeRecord) -> int:
        """A call has ended; how many records were given up for it."""
        with self._open() as database:
            database.execute("DELETE FROM calls WHERE reference = ?", (record.reference,))
            database.execute("INSERT INTO records (record) VALUES (?)", (msgspec.json.encode(record),))
            return _keep(database, "records", MOST_RECORDS)

    def oldest(self, limit: int) -> tuple[int, list[EdgeRecord]]:
        """The number of the last of these, and the records."""
        with self._open() as database:
            rows = database.execute("SELECT * FROM records ORDER BY number LIMIT ?", (limit,)).fetchall()
        return (rows[-1][0] if rows else 0), [msgspec.json.decode(row[1], type=EdgeRecord) for row in rows]

    def drop(self, number: int) -> None:
        """Records up to a number are the node's now."""
        with self._open() as database:
            database.execute("DELETE FROM records WHERE number <= ?", (number,))

    def _open(self) -> "_Connection":
        return _Connection(self._path)


class _Connection:
    """A connection for as long as it is used, in a transaction."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, timeout=10.0)
        self._database.execute("PRAGMA synchronous = OFF")

    def __enter__(self) -> sqlite3.Connection:
        self._database.__enter__()
        return self._database

    def __exit__(self, *error: object) -> None:
        with closing(self._database):
            self._database.__exit__(*error)  # type: ignore[arg-type]  # it is what was given


def _keep(database: sqlite3.Connection, table: str, most: int) -> int:
    """Give up the oldest rows beyond so many; how many there were."""
    if table == "records":
        return database.execute(
            "DELETE FROM records WHERE number <= (SELECT max(number) FROM records) - ?", (most,)
        ).rowcount
    return database.execute(
        "DELETE FROM calls WHERE rowid <= (SELECT max(rowid) FROM calls) - ?", (most,)
    ).rowcount
