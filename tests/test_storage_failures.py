"""Nothing acknowledged is lost, and the node goes on: kill -9, a full or read-only disk, a lost server."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import SkipTest

from sqlalchemy import Connection, make_url
from twisted.internet.defer import DeferredList
from twisted.python.failure import Failure

from safeum_home.errors import Code, Problem
from safeum_home.storage import events, keys
from safeum_home.storage.rows import EventRow
from tests import postgres
from tests.storage import OnPostgres, StorageCase, blind, problem, wrap
from tests.storage_writer import CHAT


class KillTests(StorageCase):
    rounds = 3

    def round(self, first: int) -> list[int]:
        """Run a writer, and kill it while it writes; the numbers it was told are stored."""
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.storage_writer", self.url, str(first)],
            cwd=Path(__file__).parent.parent,
            stdout=subprocess.PIPE,
        )
        with writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(500)]
            writer.kill()
            lines += writer.stdout.readlines()
        return [int(line) for line in lines if line.endswith(b"\n")]

    async def test_kill(self) -> None:
        """After kill -9 every event whose Deferred had fired is there, once."""
        acknowledged: list[int] = []
        for number in range(self.rounds):
            await self.db.close()
            acknowledged += self.round(number * 1_000_000)
            await self.reopen()
            stored = await self.read(events.events_after, CHAT, 0, 1_000_000)
            bodies = [int(event.sealed) for event in stored]
            self.assertEqual(len(bodies), len(set(bodies)))
            self.assertEqual(set(acknowledged) - set(bodies), set())
            self.assertLessEqual(stored[-1].position, self.db.committed)
        self.assertGreaterEqual(len(acknowledged), self.rounds * 500)


class PostgresKillTests(OnPostgres, KillTests): ...


class FailureCase(StorageCase):
    async def try_to_send(self, count: int, size: int = 100) -> tuple[list[EventRow], int]:
        """Send `count` events; those that were stored, and the number of refusals, all retryable."""
        stored, refused = [], 0
        for _ in range(0, count, 20):
            rows = [self.new_event("chat")._replace(sealed=bytes(size)) for _ in range(20)]
            done = DeferredList(
                [self.db.append(events.append_events, row) for row in rows], consumeErrors=True
            )
            for row, (success, outcome) in zip(rows, await done, strict=True):
                if success:
                    stored.append(EventRow(*row[:3]))
                else:
                    self.assert_unavailable(outcome)
                    refused += 1
        return stored, refused

    def assert_unavailable(self, outcome: object) -> None:
        assert isinstance(outcome, Failure)
        assert isinstance(outcome.value, Problem)
        self.assertIs(outcome.value.code, Code.STORAGE_UNAVAILABLE)
        self.assertGreater(outcome.value.retry_after or 0, 0)

    async def assert_stored(self, expected: list[EventRow]) -> None:
        self.assertEqual(await self.read(events.events_after, blind("chat"), 0, 100_000), expected)

    async def pragma(self, statement: str) -> None:
        backend: Any = self.db._writer._backend
        upkeep = backend.committed

        def instead(connection: Connection) -> None:
            backend.committed = upkeep
            driver: Any = connection.connection.driver_connection
            driver.execute(f"PRAGMA {statement}").fetchall()

        # Behind a commit, outside of any transaction.
        backend.committed = instead
        await self.db.transact(lambda c: None)


class SqliteFailureTests(FailureCase):
    def mount(self, *arguments: str, at: str | None = None) -> str:
        """A mount point, unmounted after the test."""
        directory = at or str(Path(self.mktemp()).absolute())
        os.makedirs(directory, exist_ok=True)
        if os.geteuid() != 0 or subprocess.run(["mount", *arguments, directory], check=False).returncode:
            raise SkipTest("file systems cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "--lazy", directory], check=True)
        return directory

    def remount(self, directory: str, mode: str) -> None:
        subprocess.run(["mount", "-o", f"remount,bind,{mode}", directory], check=True)

    def fill(self, path: Path) -> None:
        """Leave no space on the disk of `path`."""
        with path.open("wb", buffering=0) as file, self.assertRaises(OSError):
            while True:
                file.write(bytes(4096))

    async def test_disk_full(self) -> None:
        """On a full disk changes are refused, reads are served; with space the node goes on."""
        directory = self.mount("-t", "tmpfs", "-o", "size=2m", "tmpfs")
        self.db = await self.open(f"sqlite:///{directory}/node.db")
        self.addCleanup(self.db.close)
        before, refused = await self.try_to_send(100)
        self.assertEqual(refused, 0)
        ballast = Path(directory, "ballast")
        self.fill(ballast)
        during, refused = await self.try_to_send(400, 2_000)
        self.assertGreater(refused, 0)
        await self.assert_stored(before + during)
        os.unlink(ballast)
        after, refused = await self.try_to_send(100)
        self.assertEqual(refused, 0)
        await self.assert_stored(before + during + after)
        await self.db.close()
        self.db = await self.open(f"sqlite:///{directory}/node.db")
        await self.assert_stored(before + during + after)
        await self.db.close()

    async def test_full(self) -> None:
        """What the database says when there is no space fails the group, not the writer."""
        before, _ = await self.try_to_send(20)
        await self.pragma("max_page_count = 30")
        during, refused = await self.try_to_send(200, 2_000)
        self.assertGreater(refused, 0)
        await self.assert_stored(before + during)

    async def test_read_only(self) -> None:
        """A disk that became read-only refuses changes until it is writable again; reads are served."""
        before, _ = await self.try_to_send(20)
        directory = str(Path(str(make_url(self.url).database)).parent)
        # Open files keep a disk from becoming read-only, so the writer is made to open its anew.
        self.remount(self.mount("--bind", directory, at=directory), "ro")
        await self.pragma("query_only = ON")
        during, refused = await self.try_to_send(60)
        self.assertEqual((during, refused), ([], 60))
        await self.assert_stored(before)
        self.remount(directory, "rw")
        after, refused = await self.try_to_send(60)
        self.assertEqual(refused, 0)
        await self.assert_stored(before + after)

    async def test_query_only(self) -> None:
        """A connection that turned read-only is replaced."""
        await self.pragma("query_only = ON")
        self.assertEqual(
            await problem(self.db.transact(lambda c: keys.LASTING.put_key(c, blind("k"), wrap()))),
            "storage_unavailable",
        )
        await self.try_to_send(20)
        self.assertEqual((await self.try_to_send(20))[1], 0)


class PostgresFailureTests(OnPostgres, FailureCase):
    async def test_server_lost(self) -> None:
        """While the server is away changes and reads are refused; when it is back the node goes on."""
        before, _ = await self.try_to_send(20)
        server = postgres.server()
        server.stop()
        try:
            during, refused = await self.try_to_send(60)
            self.assertEqual((during, refused), ([], 60))
            self.assertEqual(
                await problem(self.db.read(lambda c: keys.LASTING.key(c, b""))), "storage_unavailable"
            )
        finally:
            server.start()
        after, refused = await self.try_to_send(60)
        self.assertEqual(refused, 0)
        await self.assert_stored(before + after)

    async def test_connection_lost(self) -> None:
        """Terminated connections are replaced; a read does not even notice."""
        before, _ = await self.try_to_send(20)
        await self.read(keys.LASTING.key, blind("key"))
        name = make_url(self.url).database
        postgres.server().sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        await self.assert_stored(before)
        during, _ = await self.try_to_send(20)
        after, refused = await self.try_to_send(20)
        self.assertEqual(refused, 0)
        await self.assert_stored(before + during + after)
