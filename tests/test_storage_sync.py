"""A disk that takes writes and fails to sync them: what is in the page cache alone is not told as stored."""

import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.storage import events
from safeum_home.storage.sqlite import Sqlite
from tests.e2e import needs
from tests.storage import StorageCase
from tests.storage_writer import CHAT

FIRST = 12
"""Which sync of the writer's thread fails first: that of a commit, after some, and before any upkeep."""
NEVER = "65535"

_WORDS = {
    "fail": re.compile(r"\(INJECTED\)"),
    "sync": re.compile(r"(fdatasync\(.*|fdatasync resumed>\)) += 0"),
    "again": re.compile(r"pwrite64\(\d+<.*-wal>, .*, 0(\) | <)"),
    "told": re.compile(r" write\(1<"),
}


def read(trace: Path) -> list[str]:
    """What a writer did: synced, failed to, wrote its log from the beginning, told of one that is stored."""
    lines = trace.read_text().splitlines() if trace.exists() else []
    return [word for line in lines for word, shape in _WORDS.items() if shape.search(line)]


class FailedSyncTests(StorageCase):
    """The kernel fails the calls that strace is told to, and goes on showing what was written."""

    def _writer(
        self, failing: str, enough: Callable[[list[str]], bool], first: int = 0
    ) -> tuple[list[str], list[str]]:
        """What a writer did until it was enough, and the lines that it wrote."""
        trace = Path(self.mktemp()).absolute()
        told = Path(self.mktemp()).absolute()
        calls = ["-e", "trace=fsync,fdatasync,pwrite64,write", "-e", "signal=none"]
        inject = ["-e", f"inject=fsync,fdatasync:error=EIO:when={failing}"]
        program = [sys.executable, "-m", "tests.storage_writer", self.url, str(first)]
        strace = [needs.tool("strace"), "-D", "-f", "-y", "-s", "0", "-o", str(trace), *calls, *inject]
        with told.open("wb") as output:
            writer = subprocess.Popen([*strace, *program], cwd=Path(__file__).parent.parent, stdout=output)
        try:
            deadline = time.monotonic() + self.timeout
            while not enough(done := read(trace)):
                self.assertIsNone(writer.poll(), "the writer ended by itself")
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
        finally:
            writer.kill()
            writer.wait()
        return done, told.read_text().rpartition("\n")[0].splitlines()

    async def _assert_stored(self, told: list[str]) -> None:
        await self.reopen()
        stored = [int(event.sealed) for event in await self.read(events.events_after, CHAT, 0, 1_000_000)]
        self.assertEqual(len(stored), len(set(stored)))
        self.assertEqual(set(map(int, told)) - set(stored), set())

    async def test_for_good(self) -> None:
        """From the first sync that fails on nothing is told as stored, whatever the log shows."""
        await self.db.close()
        done, told = self._writer(f"{FIRST}+", lambda done: done.count("fail") > 40)
        first = done.index("fail")
        self.assertIn("told", done[:first])
        self.assertEqual(done[first:].count("told"), 0)
        await self._assert_stored(told)

    async def test_for_a_while(self) -> None:
        """What failed is refused, and the next that is synced is told as stored, with all before it."""

        def goes_on(done: list[str]) -> bool:
            return "fail" in done and "told" in done[done.index("fail") :]

        await self.db.close()
        done, told = self._writer(f"{FIRST}..{FIRST + 1}", goes_on)
        last = len(done) - done[::-1].index("fail")
        self.assertIn("sync", done[last : last + done[last:].index("told")])
        await self._assert_stored(told)

    async def test_opened(self) -> None:
        """A log that a process has left is written and synced once more before anything in it counts."""
        await self.db.close()
        _, told = self._writer(NEVER, lambda done: done.count("told") > 200)
        done, _ = self._writer(NEVER, lambda done: "told" in done, 1_000_000)
        before = done[: done.index("told")]
        self.assertIn("again", before)
        self.assertIn("sync", before[before.index("again") :])
        await self._assert_stored(told)


class IndexTests(SynchronousTestCase):
    """What a commit has left in the log when its sync failed: frames that are whole, and in no index."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.backend = Sqlite(self.folder / "node.db")
        self.backend.open()
        self.addCleanup(self.backend.close)
        self._execute(self.folder, "CREATE TABLE t (x); INSERT INTO t VALUES ('synced')")

    def _execute(self, folder: Path, statements: str) -> None:
        with closing(sqlite3.connect(folder / "node.db", isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.executescript(statements)
            log = folder / "node.db-wal"
            self.left = log.read_bytes()

    def _fail_to_sync(self) -> None:
        """Frames of one more commit, written behind ours by a process that has a copy of everything."""
        elsewhere = Path(self.mktemp())
        shutil.copytree(self.folder, elsewhere)
        self._execute(elsewhere, "INSERT INTO t VALUES ('not synced')")
        (self.folder / "node.db-wal").write_bytes(self.left)

    def _seen(self, backend: Sqlite) -> list[str]:
        with backend.reader() as connection:
            return list(connection.exec_driver_sql("SELECT x FROM t").scalars())

    def test_connections_made_anew(self) -> None:
        """Whoever connects while the process has the database is not shown them."""
        self._fail_to_sync()
        self.assertEqual(self._seen(self.backend), ["synced"])

    def test_found_at_a_start(self) -> None:
        """When a process opens the database they are written and synced again, and count from then on."""
        self._fail_to_sync()
        left = shutil.copytree(self.folder, self.mktemp())
        later = Sqlite(Path(left) / "node.db")
        later.open()
        self.addCleanup(later.close)
        self.assertEqual(self._seen(later), ["synced", "not synced"])
