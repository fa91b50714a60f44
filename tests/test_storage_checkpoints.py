"""The log of a SQLite database, folded into its file beside the commits."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.storage import sqlite
from safeum_home.storage.backend import SWEPT
from safeum_home.storage.checkpoints import Checkpoints
from safeum_home.storage.sqlite import Sqlite

PATIENCE = 30.0
NEEDLE = b"needle"


class Held:
    """Opens connections that fold nothing before they are let go."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.began, self.may_go_on = Event(), Event()

    def __call__(self) -> sqlite3.Connection:
        self.began.set()
        self.may_go_on.wait(PATIENCE)
        return sqlite3.connect(self._path)


class CheckpointTests(SynchronousTestCase):
    """Each change is worth a checkpoint here."""

    def setUp(self) -> None:
        self.patch(sqlite, "_CHANGES_PER_CHECKPOINT", 1)
        self.path = Path(self.mktemp())
        self.log = Path(f"{self.path}-wal")
        self.backend = Sqlite(self.path)
        self.backend.open()
        self.addCleanup(self.backend.close)
        self.writer = self.backend.writer()
        self.addCleanup(self.writer.close)
        self._commit("CREATE TABLE t (x)")
        self.held = Held(self.path)
        self.addCleanup(self.held.may_go_on.set)

    def _commit(self, *statements: str) -> None:
        with self.writer.begin():
            for statement in statements:
                self.writer.exec_driver_sql(statement)
        self.backend.committed(self.writer)

    def _insert(self, text: bytes) -> None:
        self._commit(f"INSERT INTO t VALUES ('{text.decode()}')")

    def _hold(self) -> None:
        """Let the next checkpoint wait."""
        self._end()
        self.held.may_go_on.clear()
        self.backend._checkpoints = Checkpoints(self.held)

    def _end(self) -> None:
        """Wait until what was asked for is done."""
        self.held.may_go_on.set()
        self.backend._checkpoints.close()

    def _stored(self) -> list[str]:
        with closing(self.backend.reader()) as connection:
            return list(connection.exec_driver_sql("SELECT x FROM t").scalars())

    def test_folded(self) -> None:
        """What was committed gets into the file while it is open."""
        self._insert(NEEDLE)
        self._end()
        self.assertIn(NEEDLE, self.path.read_bytes())

    def test_commits_go_on(self) -> None:
        """While the log is folded others commit, and they are folded with the next."""
        self._hold()
        self._insert(b"first")
        self.assertTrue(self.held.began.wait(PATIENCE))
        self._insert(b"second")
        self.assertNotIn(b"first", self.path.read_bytes())
        self.assertEqual(self._stored(), ["first", "second"])
        self._end()
        self.assertIn(b"second", self.path.read_bytes())

    def test_fails(self) -> None:
        """One that fails costs no commit, and the next folds what it has left."""

        def fail() -> sqlite3.Connection:
            raise sqlite3.OperationalError("disk I/O error")

        self._end()
        self.backend._checkpoints = Checkpoints(fail)
        self._insert(NEEDLE)
        self._end()
        self.assertNotIn(NEEDLE, self.path.read_bytes())
        self.backend._checkpoints = Checkpoints(self.held)
        self._insert(b"more")
        self._end()
        self.assertIn(NEEDLE, self.path.read_bytes())

    def test_long(self) -> None:
        """A log that has become long is begun anew, though there was a commit while it was folded."""
        self.patch(sqlite, "_LONG", 0)
        self._hold()
        self._insert(b"first")
        self.patch(sqlite, "_CHANGES_PER_CHECKPOINT", 1_000)
        with self.writer.begin():
            self.writer.exec_driver_sql("INSERT INTO t VALUES ('second')")
            self._end()
        before = self._sequence()
        self.backend.committed(self.writer)
        self._insert(b"third")
        self.assertEqual(self._sequence(), before + 1)
        self.assertEqual(self._stored(), ["first", "second", "third"])

    def _sequence(self) -> int:
        """How often the log was begun (sqlite.org/fileformat2.html, section 4.1)."""
        return int.from_bytes(self.log.read_bytes()[12:16], "big")

    def test_swept(self) -> None:
        """Whoever has to empty the log waits for what is folded: nothing that was erased stays in there."""
        self._hold()
        self._insert(NEEDLE)
        self.assertTrue(self.held.began.wait(PATIENCE))
        self.writer.info[SWEPT] = True
        self.held.may_go_on.set()
        self._commit("DELETE FROM t")
        self.assertNotIn(NEEDLE, self.log.read_bytes())
        self.assertNotIn(SWEPT, self.writer.info)
