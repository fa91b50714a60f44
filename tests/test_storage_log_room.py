"""Room in SQLite's log: commits overwrite what the file system has, and need nothing of its journal."""

import resource
from contextlib import closing
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.storage.log_room import STEP, LogRoom
from safeum_home.storage.sqlite import Sqlite

MOST = 2 * STEP + 4096


class LogRoomTests(SynchronousTestCase):
    """A file that stands for the log."""

    def setUp(self) -> None:
        self.log = Path(self.mktemp())
        self.log.write_bytes(b"what is in it")
        self.room = LogRoom(self.log, MOST)

    def _size(self) -> int:
        return self.log.stat().st_size

    def test_opening(self) -> None:
        """There are zeros behind what the log holds, in blocks that were written."""
        self.room.make()
        self.assertEqual(self.log.read_bytes(), b"what is in it".ljust(STEP, b"\0"))
        self.assertGreaterEqual(self.log.stat().st_blocks * 512, STEP)

    def test_opened_again(self) -> None:
        """What one process left is room enough for the next."""
        self.room.make()
        LogRoom(self.log, MOST).make()
        self.assertEqual(self._size(), STEP)

    def test_used_within(self) -> None:
        """Nothing is done while the log has what it needs."""
        self.room.make()
        before = self.log.stat()
        self.room.look()
        self.assertEqual(self.log.stat(), before)

    def test_outgrown(self) -> None:
        """A log that grew gets a step more, up to the most that it may have."""
        self.room.make()
        for expected in (2 * STEP + 1, MOST):
            with self.log.open("ab") as file:
                file.write(b"x")
            self.room.look()
            self.assertEqual(self._size(), expected)

    def test_cut_off(self) -> None:
        """A log that was emptied has room again."""
        self.room.make()
        self.log.write_bytes(b"")
        self.room.look()
        self.assertEqual(self._size(), STEP)

    def test_no_space(self) -> None:
        """Where the disk has none to give, nothing of it is kept, and it is not asked at each commit."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, limits)
        resource.setrlimit(resource.RLIMIT_FSIZE, (STEP // 2, limits[1]))
        self.room.make()
        self.assertEqual(self.log.read_bytes(), b"what is in it")
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        self.room.look()
        self.assertEqual(self.log.read_bytes(), b"what is in it")

    def test_no_log(self) -> None:
        """A log that is not there is none of its business."""
        self.log.unlink()
        self.room.make()
        self.room.look()
        self.assertFalse(self.log.exists())


class DatabaseTests(SynchronousTestCase):
    """The log of a database."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.backend = Sqlite(self.path)
        self.backend.open()
        self.addCleanup(self.backend.close)
        self.log = Path(f"{self.path}-wal")

    def _insert(self, octets: int) -> None:
        with closing(self.backend.writer()) as connection:
            with connection.begin():
                connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (x)")
                connection.exec_driver_sql("INSERT INTO t VALUES (zeroblob(?))", (octets,))
            self.backend.committed(connection)

    def test_commits_do_not_grow(self) -> None:
        """From the first commit on the log has the size and the blocks that it had."""
        before = self.log.stat()
        for _ in range(3):
            self._insert(100_000)
        after = self.log.stat()
        self.assertNotEqual(after.st_mtime_ns, before.st_mtime_ns)
        self.assertEqual((after.st_size, after.st_blocks), (before.st_size, before.st_blocks))

    def test_a_large_commit(self) -> None:
        """After one that went beyond the room there is more of it for the next."""
        self._insert(STEP + 1)
        grown = self.log.stat()
        self._insert(100_000)
        self.assertGreaterEqual(grown.st_size, 2 * STEP)
        self.assertEqual(self.log.stat().st_size, grown.st_size)

    def test_read_by_the_next(self) -> None:
        """Who opens it finds what was committed, with the zeros behind it."""
        self._insert(1000)
        copy = Path(self.mktemp())
        for suffix in ("", "-wal"):
            Path(f"{copy}{suffix}").write_bytes(Path(f"{self.path}{suffix}").read_bytes())
        later = Sqlite(copy)
        later.open()
        self.addCleanup(later.close)
        with closing(later.reader()) as connection:
            [size] = connection.exec_driver_sql("SELECT length(x) FROM t").scalars()
        self.assertEqual(size, 1000)
