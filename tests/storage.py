"""Storage for tests: a database on SQLite, and the same tests once more on PostgreSQL."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from safeum_home.ports import WrappedKey
from safeum_home.storage.chats import insert_chat
from safeum_home.storage.database import NodeDatabase, backend_for, open_database
from safeum_home.storage.events import append_events
from safeum_home.storage.migrate import migrate
from safeum_home.storage.rows import ChatRow, EventRow, NewEvent
from tests import postgres

T = TypeVar("T")


def blind(text: str) -> bytes:
    """A readable blind index."""
    return text.encode().ljust(16, b".")


def wrap(text: str = "wrap", epoch: int = 1) -> WrappedKey:
    return WrappedKey(epoch, text.encode())


@cache
def _migrated() -> Path:
    """A database with the schema alone: migrating takes longer than most tests do, copying does not."""
    folder = Path(tempfile.mkdtemp(prefix="safeum-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder)
    _migrate(f"sqlite:///{folder}/empty.db")
    return folder / "empty.db"


@cache
def _migrated_postgres() -> str:
    """The same on this process's server: its name."""
    _migrate(url := postgres.url())
    return postgres.name_of(url)


def _migrate(url: str) -> None:
    backend = backend_for(url)
    backend.open()
    connection = backend.writer()
    try:
        migrate(backend, connection)
    finally:
        connection.close()
        backend.close()


class StorageCase(TestCase):
    """A fresh database in `self.db`; `reopen` closes it and opens it again."""

    timeout = 60
    has_schema = True
    """Whether there is a database, with the schema, before it is opened; else opening makes both."""

    def new_url(self) -> str:
        directory = Path(self.mktemp())
        directory.mkdir(parents=True)
        file = directory.absolute() / "node.db"
        if self.has_schema:
            shutil.copyfile(_migrated(), file)
        return f"sqlite:///{file}"

    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        self.url = self.new_url()
        self.db = await self.open(self.url)

    async def open(self, url: str, **options: Any) -> NodeDatabase:
        db = await open_database(url, reactor=reactor, **options)
        self.addCleanup(db.close)
        return db

    async def reopen(self, **options: Any) -> None:
        await self.db.close()
        self.db = await self.open(self.url, **options)

    async def write(self, fn: Callable[..., T], *arguments: Any) -> T:
        return await self.db.transact(lambda c: fn(c, *arguments))

    async def read(self, fn: Callable[..., T], *arguments: Any) -> T:
        return await self.db.read(lambda c: fn(c, *arguments))

    def new_event(self, chat: str, client_id: str | None = None) -> NewEvent:
        position = self.db.next_position()
        recognised = os.urandom(16) if client_id is None else blind(client_id)
        return NewEvent(blind(chat), position, b"event %d" % position, recognised)

    async def chat(self, chat: str, *members: str) -> None:
        row = ChatRow(blind(chat), 1, b"sealed", wrap(chat))
        assert await self.write(insert_chat, row, [blind(member) for member in members])

    async def send(self, *chats: str) -> list[EventRow]:
        """Store one event in each of the chats, in this order."""
        events = [self.new_event(chat) for chat in chats]
        outcomes = await gatherResults([self.db.append(append_events, event) for event in events])
        assert outcomes == [None] * len(events)
        return [EventRow(*event[:3]) for event in events]


class OnPostgres(StorageCase):
    """Mix in first, to run the tests of a `StorageCase` on PostgreSQL."""

    def new_url(self) -> str:
        return postgres.url(_migrated_postgres()) if self.has_schema else postgres.url()


def never(c: Connection) -> None:
    """A function that must not be run."""
    raise AssertionError("it was run")


def problem(deferred: Deferred[Any]) -> Deferred[str]:
    """The code of the `Problem` that this fails with."""
    from safeum_home.errors import Problem

    def code(failure: Any) -> str:
        failure.trap(Problem)
        return str(failure.value.code.code)

    def stored(result: Any) -> str:
        raise AssertionError(f"no problem, but {result!r}")

    return deferred.addCallbacks(stored, code)
