"""The log of a SQLite database, folded into its file beside the commits."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

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
        self.began, self.may_go_on, self.folded = Event(), Event(), Event()
        self.times = 0

    def __call__(self) -> sqlite3.Connection:
        self.began.set()
        self.may_go_on.wait(PATIENCE)
        connection = sqlite3.connect(self._path)
        connection.set_trace_callback(self._folds)
        return connection

    def _folds(self, statement: str) -> None:
        self.times += 1
        self.folded.set()


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
        self.assertTrue(NEEDLE in self.path.read_bytes())

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
        self.assertFalse(NEEDLE in self.path.read_bytes())
        self.backend._checkpoints = Checkpoints(self.held)
        self._insert(b"more")
        self._end()
        self.assertTrue(NEEDLE in self.path.read_bytes())

    def test_fails_for_a_while(self) -> None:
        """What could not write at its opening is opened anew: it would fail for ever."""
        opened: list[sqlite3.Connection] = []

        def connect() -> sqlite3.Connection:
            mode = "rw" if opened else "ro"
            opened.append(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode={mode}", uri=True))
            self.failed.set()
            return opened[-1]

        self.failed = Event()
        self._end()
        self.backend._checkpoints = Checkpoints(connect)
        self._insert(NEEDLE)
        self.assertTrue(self.failed.wait(PATIENCE))
        with self.backend._checkpoints.folding:
            self.assertFalse(NEEDLE in self.path.read_bytes())
        self._insert(b"more")
        self._end()
        self.assertEqual(len(opened), 2)
        self.assertTrue(NEEDLE in self.path.read_bytes())

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

    def test_long_and_slow(self) -> None:
        """Who begins the log anew has nobody folding it meanwhile: neither could, and it would only grow."""
        self.patch(sqlite, "_LONG", 0)
        self._hold()
        self._insert(b"first")
        self.held.may_go_on.set()
        self.assertTrue(self.held.folded.wait(PATIENCE))
        alone: list[bool] = []
        folding = self.backend._checkpoints.folding
        with folding:
            self.assertGreater(self.backend._checkpoints.pages, 0)
        driver: Any = self.writer.connection.driver_connection
        driver.set_trace_callback(lambda sql: alone.extend([folding.locked()] * sql.count("checkpoint")))
        self._insert(b"second")
        self._end()
        self.assertEqual(alone, [True])
        self.assertEqual(self.held.times, 1)

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
        self.assertFalse(NEEDLE in self.log.read_bytes())
        self.assertNotIn(SWEPT, self.writer.info)

    def test_swept_before_an_outage(self) -> None:
        """What could not be emptied before the connection was lost is emptied with the next one."""
        self.patch(sqlite, "_CHANGES_PER_TRY", 1)
        self._insert(NEEDLE)
        reader = self.backend.reader()
        reader.exec_driver_sql("SELECT x FROM t").fetchall()
        self.writer.info[SWEPT] = True
        self._commit("DELETE FROM t")
        self.assertTrue(NEEDLE in self.log.read_bytes())
        reader.close()
        self.writer.invalidate()
        self.writer.close()
        self.writer = self.backend.writer()
        self.addCleanup(self.writer.close)
        self._insert(b"more")
        self.assertFalse(NEEDLE in self.log.read_bytes())

    def test_swept_before_a_crash(self) -> None:
        """The same where the process was killed meanwhile: it has left its log."""
        self._hold()
        self._insert(NEEDLE)
        self._commit("DELETE FROM t")
        after = Path(self.mktemp())
        after.write_bytes(self.path.read_bytes())
        Path(f"{after}-wal").write_bytes(self.log.read_bytes())
        self.assertTrue(NEEDLE in Path(f"{after}-wal").read_bytes())
        backend = Sqlite(after)
        backend.open()
        self.addCleanup(backend.close)
        with closing(backend.writer()) as writer:
            with writer.begin():
                writer.exec_driver_sql("INSERT INTO t VALUES ('more')")
            backend.committed(writer)
            self.assertFalse(NEEDLE in Path(f"{after}-wal").read_bytes())
