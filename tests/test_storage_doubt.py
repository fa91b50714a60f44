"""A commit whose answer is lost: what was stored is told as stored, or made up for."""

from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from safeum_home.storage import events, writer
from safeum_home.storage.events import append_events
from safeum_home.storage.writer import WrittenByAnother
from tests.storage import OnPostgres, StorageCase, blind, problem


class AnswerLost(Exception):
    """The connection went away with the answer to COMMIT."""


class DoubtTests(StorageCase):
    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        await super().setUp()
        self.patch(writer, "PAUSE", 0.01)
        self.late: list[str] = []
        self.db.stored_late = lambda: self.late.append("late")
        self.backend: Any = self.db._writer._backend
        await self.chat("chat", "member")

    def lose_answer(self, stored: bool, unreachable: int = 0) -> None:
        """The next commit is carried out or not, and fails; the next connections cannot be made."""
        connection: Any = self.db._writer._connection
        dialect, commit = connection.dialect, connection.dialect.do_commit
        connect, left = self.backend.writer, [unreachable]

        def failing(driver: Any) -> None:
            dialect.do_commit = commit
            (commit if stored else dialect.do_rollback)(driver)
            raise AnswerLost

        def refusing() -> Connection:
            if left[0]:
                left[0] -= 1
                raise AnswerLost
            found: Connection = connect()
            return found

        dialect.do_commit = failing
        self.patch(self.backend, "writer", refusing)

    def send(self, *chats: str) -> "Deferred[Any]":  # type: ignore[override] # one, and its outcome
        return self.db.append(append_events, self.new_event("chat"))

    async def count(self) -> int:
        return len(await self.read(events.events_after, blind("chat"), 0, 100))

    async def test_stored(self) -> None:
        """It is told as stored, and publishing goes on as ever."""
        self.lose_answer(stored=True, unreachable=3)
        self.assertIsNone(await self.send())
        self.assertEqual((await self.count(), self.late), (1, []))

    async def test_not_stored(self) -> None:
        self.lose_answer(stored=False, unreachable=3)
        self.assertEqual(await problem(self.send()), "storage_unavailable")
        self.assertIsNone(await self.send())
        self.assertEqual((await self.count(), self.late), (1, []))

    async def test_found_stored_later(self) -> None:
        """Nobody answered for long: it was refused, and when it is found all are told to look anew."""
        self.lose_answer(stored=True, unreachable=writer.TRIES + 1)
        self.assertEqual(await problem(self.send()), "storage_unavailable")
        self.assertEqual(await problem(self.send()), "storage_unavailable")
        self.assertEqual(self.late, [])
        self.assertIsNone(await self.send())
        await deferLater(self.db._reactor, 0)
        self.assertEqual((await self.count(), self.late), (2, ["late"]))

    async def test_found_missing_later(self) -> None:
        self.lose_answer(stored=False, unreachable=writer.TRIES)
        self.assertEqual(await problem(self.send()), "storage_unavailable")
        self.assertIsNone(await self.send())
        self.assertEqual((await self.count(), self.late), (1, []))

    async def test_written_by_another(self) -> None:
        """Then this process' positions are stale: it writes no more."""
        sql = "UPDATE node SET value = value + 3"

        def elsewhere() -> Connection:
            connection: Connection = connect()
            connection.exec_driver_sql(sql)
            connection.commit()
            return connection

        self.lose_answer(stored=False)
        connect = self.backend.writer
        self.patch(self.backend, "writer", elsewhere)
        self.assertEqual(await problem(self.send()), "storage_unavailable")
        self.patch(self.backend, "writer", connect)
        for _ in range(2):
            self.assertEqual(await problem(self.send()), "storage_unavailable")
        self.assertEqual(self.db._outage, WrittenByAnother.__name__)
        self.assertEqual(await self.count(), 0)

    async def test_positions_begin_behind(self) -> None:
        """After a restore from a backup no position is given out a second time."""
        await self.reopen(first=10_000)
        self.assertEqual(self.db.next_position(), 10_001)
        await self.write(lambda c: None)
        await self.reopen(first=5)
        self.assertEqual(self.db.next_position(), 10_002)

    async def test_what_was_given_out(self) -> None:
        """Cursors from before a backup was put back are told from those that the database knows."""
        await self.send()
        known = self.db.committed
        await self.reopen(first=10_000)
        self.assertTrue(all(map(self.db.gave_out, (0, known, 10_000))))
        self.assertFalse(any(map(self.db.gave_out, (known + 1, 9_999, 10_001))))
        await self.send()
        await self.reopen(first=20_000)
        self.assertTrue(all(map(self.db.gave_out, (known, 10_000, 10_001, 20_000))))
        self.assertFalse(any(map(self.db.gave_out, (10_002, 19_999, 20_001))))


class PostgresDoubtTests(OnPostgres, DoubtTests): ...
