"""Migrations: the schema they lead to, backups, and databases of a newer version."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, make_url, text
from twisted.internet import reactor

import safeum_home.storage.migrations
from safeum_home.storage import events
from safeum_home.storage.database import backend_for, open_database
from safeum_home.storage.migrate import SchemaTooNew, migrate, schema_of
from safeum_home.storage.schema import metadata
from tests.storage import OnPostgres, StorageCase, blind

_VERSIONS = Path(safeum_home.storage.migrations.__file__).parent / "versions"
LAST = max(path.name[:4] for path in _VERSIONS.glob("0*.py"))
NEXT = f"{int(LAST) + 1:04}"
SECOND = f"""
from alembic import op
revision = "{NEXT}"
down_revision = "{LAST}"
def upgrade():
    op.execute("CREATE TABLE more (value BIGINT)")
    op.execute({{more!r}})
"""


class MigrateScripts(StorageCase):
    has_schema = False

    def scripts(self, more: str = "SELECT 1") -> str:
        """The migrations, and one more."""
        directory = Path(self.mktemp())
        shutil.copytree(Path(safeum_home.storage.migrations.__file__).parent, directory)
        (directory / "versions" / f"{NEXT}_second.py").write_text(SECOND.format(more=more))
        return str(directory)

    async def upgrade(self, scripts: str) -> None:
        """Close the database and upgrade it to the schema of `scripts`."""
        await self.db.close()
        backend = backend_for(self.url)
        connection = backend.writer()
        try:
            migrate(backend, connection, scripts)
        finally:
            connection.close()


class MigrateTests(MigrateScripts):
    async def test_schema(self) -> None:
        """The migrations lead to what `schema` says."""

        def differences(c: Connection) -> Any:
            return compare_metadata(MigrationContext.configure(c), metadata)

        self.assertEqual(await self.db.transact(differences), [])

    async def test_several_at_once(self) -> None:
        """Nodes in one process open their databases at the same time."""

        def make(path: str) -> str:
            backend = backend_for(f"sqlite:///{path}")
            connection = backend.writer()
            try:
                migrate(backend, connection)
                return schema_of(connection)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(make, [self.mktemp() for _ in range(4)]))
        self.assertEqual(made, [LAST] * 4)

    async def test_again(self) -> None:
        """Opening a database of the current schema changes nothing."""
        sent = await self.send("chat")
        await self.reopen()
        self.assertEqual(await self.read(events.events_after, blind("chat"), 0, 9), sent)

    async def test_newer(self) -> None:
        """A newer schema is refused, naming both, and left alone."""
        await self.upgrade(self.scripts())
        with self.assertRaises(SchemaTooNew) as raised:
            await open_database(self.url, reactor=reactor)
        self.assertEqual((raised.exception.found, raised.exception.known), (NEXT, LAST))
        self.assertIn(f"has schema {NEXT}", str(raised.exception))
        self.assertIn(f"up to {LAST}", str(raised.exception))

    async def test_upgrade(self) -> None:
        """An upgrade keeps what was stored."""
        await self.send("chat")
        await self.upgrade(self.scripts())
        connection = backend_for(self.url).reader()
        self.addCleanup(connection.close)
        kept = events.events_before(connection, blind("chat"), None, 9)
        self.assertEqual([event.position for event in kept], [1])
        self.assertEqual(connection.execute(text("SELECT count(*) FROM more")).scalar(), 0)

    async def test_failing_upgrade(self) -> None:
        """An upgrade that fails changes nothing, and the database goes on as it was."""
        sent = await self.send("chat")
        with self.assertRaises(Exception):  # noqa: B017 - what the driver says
            await self.upgrade(self.scripts("SELECT nonsense"))
        await self.reopen()
        self.assertEqual(await self.read(events.events_after, blind("chat"), 0, 9), sent)
        self.assertFalse(await self.read(lambda c: inspect(c).has_table("more")))


class PostgresMigrateTests(OnPostgres, MigrateTests): ...


class SqliteFileTests(MigrateScripts):
    def path(self) -> Path:
        return Path(str(make_url(self.url).database))

    def modes(self) -> dict[str, str]:
        return {each.name: oct(each.stat().st_mode & 0o777) for each in self.path().parent.iterdir()}

    async def test_modes(self) -> None:
        """No one but the owner reads the files."""
        await self.send("chat")
        names = ("node.db", "node.db.lock", "node.db-wal", "node.db-shm")
        self.assertEqual(self.modes(), dict.fromkeys(names, "0o600"))
        await self.db.close()
        self.assertEqual(self.modes(), dict.fromkeys(names[:2], "0o600"))

    async def test_backup(self) -> None:
        """Before an upgrade, a copy is made beside the file."""
        await self.send("chat")
        await self.upgrade(self.scripts())
        backup = f"node.db.schema-{LAST}.backup"
        self.assertEqual(self.modes(), dict.fromkeys(("node.db", "node.db.lock", backup), "0o600"))
        copy = sqlite3.connect(self.path().with_name(backup))
        self.addCleanup(copy.close)
        self.assertEqual(copy.execute("SELECT version_num FROM alembic_version").fetchall(), [(LAST,)])
        self.assertEqual(copy.execute("SELECT position FROM events").fetchall(), [(1,)])

    async def test_no_backup(self) -> None:
        """A new file, and one of the current schema, need none."""
        await self.reopen()
        await self.db.close()
        self.assertEqual(set(self.modes()), {"node.db", "node.db.lock"})

    async def test_urls(self) -> None:
        """A database in memory, or of another kind, is refused."""
        for url in ("sqlite://", "sqlite:///:memory:", "mysql://host/database"):
            with self.assertRaises(ValueError):
                await open_database(url, reactor=reactor)
