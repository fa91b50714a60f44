"""Brings a database to the schema that this version of the code works with."""

from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from safeum_home.storage.backend import Backend

_ONE_AT_A_TIME = Lock()
"""Alembic has one context for the whole process: several nodes in one would take each other's."""


class SchemaTooNew(Exception):
    """The database was written by a newer version."""

    def __init__(self, found: str, known: str) -> None:
        super().__init__(
            f"the database has schema {found}, and this version of SafeUM Home knows those up to {known}:"
            " run the version that wrote it, or a newer one"
        )
        self.found = found
        self.known = known


def schema_of(connection: Connection) -> str:
    """The schema that a database is at."""
    return str(MigrationContext.configure(connection).get_current_revision())


def migrate(
    backend: Backend, connection: Connection, scripts: str = "safeum_home.storage:migrations"
) -> None:
    """Upgrade in one transaction, after a backup; raises `SchemaTooNew`."""
    config = Config()
    config.set_main_option("script_location", scripts)
    config.attributes["connection"] = connection
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]

    with connection.begin():
        found = MigrationContext.configure(connection).get_current_revision()
    if found == known[0]:
        return
    if found is not None:
        if found not in known:
            raise SchemaTooNew(found, known[0])
        backend.backup(connection, found)
    with _ONE_AT_A_TIME, connection.begin():
        command.upgrade(config, "head")
