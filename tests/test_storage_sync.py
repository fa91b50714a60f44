"""A disk that takes writes and fails to sync them: what is in the page cache alone is not told as stored."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from safeum_home.storage import events
from tests.e2e import needs
from tests.storage import StorageCase
from tests.storage_writer import CHAT

FIRST = 12
"""Which sync of the writer's thread fails first: that of a commit, after some, and before any upkeep."""

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

    def _writer(self, failing: str, enough: Callable[[list[str]], bool]) -> tuple[list[str], set[int]]:
        """What a writer did until it was enough, and the numbers of the events that it told of."""
        trace = Path(self.mktemp()).absolute()
        told = Path(self.mktemp()).absolute()
        calls = ["-e", "trace=fsync,fdatasync,pwrite64,write", "-e", "signal=none"]
        inject = ["-e", f"inject=fsync,fdatasync:error=EIO:when={failing}"]
        # Without readers the last connection goes with the writer's, and the next one reads the log anew.
        program = [sys.executable, "-m", "tests.storage_writer", self.url, "0", "0"]
        strace = [needs.tool("strace"), "-D", "-f", "-y", "-s", "0", "-o", str(trace), *calls, *inject]
        with told.open("wb") as output:
            writer = subprocess.Popen([*strace, *program], cwd=Path(__file__).parent.parent, stdout=output)
        try:
            while not enough(done := read(trace)):
                self.assertIsNone(writer.poll(), "the writer ended by itself")
                time.sleep(0.05)
        finally:
            writer.kill()
            writer.wait()
        return done, {int(line) for line in told.read_bytes().splitlines(keepends=True) if line[-1:] == b"\n"}

    async def _assert_stored(self, told: set[int]) -> None:
        await self.reopen()
        stored = [int(event.sealed) for event in await self.read(events.events_after, CHAT, 0, 1_000_000)]
        self.assertEqual(len(stored), len(set(stored)))
        self.assertEqual(told - set(stored), set())

    async def test_for_good(self) -> None:
        """From the first sync that fails on nothing is told as stored, whatever the log shows."""
        await self.db.close()
        done, told = self._writer(f"{FIRST}+", lambda done: done.count("fail") > 40)
        first = done.index("fail")
        self.assertIn("told", done[:first])
        self.assertEqual(done[first:].count("told"), 0)
        await self._assert_stored(told)

    async def test_for_a_while(self) -> None:
        """A commit fails, and folding the log: it is written and synced once more before it is believed."""

        def goes_on(done: list[str]) -> bool:
            return "fail" in done and "told" in done[done.index("fail") :]

        await self.db.close()
        done, told = self._writer(f"{FIRST}..{FIRST + 1}", goes_on)
        last = len(done) - done[::-1].index("fail")
        before = done[last : last + done[last:].index("told")]
        self.assertIn("again", before)
        self.assertIn("sync", before[before.index("again") :])
        await self._assert_stored(told)
