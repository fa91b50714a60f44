"""Group commit: order, failures within a group, bounds, snapshots, closing; on SQLite and PostgreSQL."""

from collections.abc import Sequence
from threading import Event, get_ident
from typing import Any

from sqlalchemy import Connection, event
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.internet.task import deferLater

from safeum_home.storage import events, keys, node
from safeum_home.storage.chats import put_markers
from safeum_home.storage.rows import EventRow, Marker
from tests.storage import OnPostgres, StorageCase, blind, never, problem, wrap


class GroupTests(StorageCase):
    def hold(self) -> Event:
        """Keep the writer busy until the event is set, so that all else waits together."""
        held = Event()
        self.addCleanup(held.set)
        self.db.transact(lambda c: held.wait(30))
        return held

    async def next_turn(self) -> None:
        await deferLater(reactor, 0)

    async def test_order(self) -> None:
        """Changes are made, and their Deferreds fire, in the order in which they were handed in."""
        made: list[int] = []
        fired: list[int] = []

        def change(number: int) -> Deferred[None]:
            done = self.db.transact(lambda c: made.append(number))
            return done.addCallback(lambda _: fired.append(number))

        waiting = []
        for number in range(0, 100, 4):
            waiting += [change(number), change(number + 1)]
            await self.next_turn()
            waiting += [change(number + 2), change(number + 3)]
        await gatherResults(waiting)
        self.assertEqual(made, list(range(100)))
        self.assertEqual(fired, list(range(100)))

    async def test_threads(self) -> None:
        """Functions run off the reactor's thread, Deferreds fire in it."""
        here = get_ident()
        self.assertNotEqual(await self.db.transact(lambda c: get_ident()), here)
        self.assertNotEqual(await self.db.read(lambda c: get_ident()), here)
        self.assertEqual(get_ident(), here)

    async def test_one_commit(self) -> None:
        """What waits together is committed once, and rows reach their bulk together."""
        await self.chat("c", "a")
        held = self.hold()
        await self.next_turn()
        calls: list[list[int]] = []

        def bulk(c: Connection, rows: Sequence[int]) -> list[int]:
            calls.append(list(rows))
            return [-row for row in rows]

        committed: list[int] = []
        done: list[Deferred[Any]] = []
        for row in range(6):
            done.append(self.db.append(bulk, row))
            done.append(self.db.append(put_markers, Marker(blind("c"), blind("a"), row, 0, row)))
            await self.next_turn()
        done.append(self.db.transact(lambda c: committed.append(node.committed(c))))
        done.append(self.db.append(bulk, 7))
        held.set()
        outcomes = await gatherResults(done)
        self.assertEqual(calls, [[0, 1, 2, 3, 4, 5], [7]])
        self.assertEqual(outcomes[0:12:2], [0, -1, -2, -3, -4, -5])
        moved = [marker is not None for marker in outcomes[1:12:2]]
        self.assertEqual(moved, [False, True, True, True, True, True])
        self.assertEqual(outcomes[13], -7)

    async def test_raises(self) -> None:
        """What a function raises undoes its own changes, and no one else's."""
        held = self.hold()
        await self.next_turn()

        def half(c: Connection) -> None:
            keys.LASTING.put_key(c, blind("half"), wrap())
            raise ValueError("its own")

        def refused(c: Connection) -> None:
            """The database's own complaint."""
            keys.LASTING.put_key(c, blind("refused"), wrap())
            c.exec_driver_sql("INSERT INTO node (name, value) VALUES ('committed', 7)")

        before = self.write(keys.LASTING.put_key, blind("before"), wrap())
        failing = DeferredList([self.db.transact(half), self.db.transact(refused)], consumeErrors=True)
        after = self.write(keys.LASTING.put_key, blind("after"), wrap())
        held.set()
        await before
        (first, _), (second, _) = await failing
        await after
        self.assertEqual((first, second), (False, False))
        self.assertEqual(await self.read(keys.LASTING.key, blind("before")), wrap())
        self.assertEqual(await self.read(keys.LASTING.key, blind("after")), wrap())
        self.assertIsNone(await self.read(keys.LASTING.key, blind("half")))
        self.assertIsNone(await self.read(keys.LASTING.key, blind("refused")))

    async def test_bad_row(self) -> None:
        """A row that its bulk cannot store fails alone."""
        await self.send("chat")
        good = [self.new_event("chat") for _ in range(3)]
        clash = self.new_event("chat")._replace(position=1)
        rows = [good[0], clash, *good[1:]]
        done = [self.db.append(events.append_events, row) for row in rows]
        outcomes = await DeferredList(done, consumeErrors=True)
        self.assertEqual([success for success, _ in outcomes], [True, False, True, True])
        found = await self.read(events.events_after, blind("chat"), 1, 9)
        self.assertEqual(found, [EventRow(*row[:3]) for row in good])
        # And what it recognises is undone too: it can be sent again.
        again = clash._replace(position=self.db.next_position())
        self.assertIsNone(await self.db.append(events.append_events, again))

    async def test_positions(self) -> None:
        """Positions go on after a restart, from the last that was committed."""
        self.assertEqual((self.db.committed, self.db.next_position()), (0, 1))
        sent = await self.send("a", "b", "c")
        self.assertEqual([event.position for event in sent], [2, 3, 4])
        self.assertEqual(self.db.committed, 4)
        await self.reopen()
        self.assertEqual((self.db.committed, self.db.next_position()), (4, 5))

    async def test_position_and_change_in_one_commit(self) -> None:
        """No snapshot ever claims a position that it does not hold."""
        done = [self.db.append(events.append_events, self.new_event("chat")) for _ in range(10)]
        while not all(each.called for each in done):
            held, count = await self.db.read(
                lambda c: (node.committed(c), len(events.events_after(c, blind("chat"), 0, 99)))
            )
            self.assertEqual(held, count)
            done.append(self.db.append(events.append_events, self.new_event("chat")))
            if len(done) > 50:
                await done[-1]
        await gatherResults(done)

    async def test_snapshot(self) -> None:
        """A read sees one state of the database, whatever is committed meanwhile; and cannot write."""
        seen, changed = Event(), Event()

        def twice(c: Connection) -> tuple[object, object]:
            first = keys.LASTING.key(c, blind("key"))
            seen.set()
            changed.wait(30)
            return first, keys.LASTING.key(c, blind("key"))

        reading = self.db.read(twice)
        await self.db.transact(lambda c: seen.wait(30))
        await self.write(keys.LASTING.put_key, blind("key"), wrap())
        changed.set()
        self.assertEqual(await reading, (None, None))
        self.assertEqual(await self.read(keys.LASTING.key, blind("key")), wrap())

    async def test_read_raises(self) -> None:
        """What a read raises is passed on, and the next read is served."""
        with self.assertRaises(KeyError):
            await self.db.read(lambda c: {"key": 1}["missing"])
        self.assertIsNone(await self.read(keys.LASTING.key, blind("key")))

    async def test_busy(self) -> None:
        """What does not fit the queue fails at once; what does fit is done."""
        await self.reopen(queue=3, readers=1)
        held = self.hold()
        kept = [self.write(keys.LASTING.put_key, blind(str(number)), wrap()) for number in range(2)]
        waiting = [Deferred.fromCoroutine(each) for each in kept]
        self.assertEqual(self.successResultOf(problem(self.db.transact(never))), "busy")
        row = self.new_event("chat")
        self.assertEqual(self.successResultOf(problem(self.db.append(events.append_events, row))), "busy")
        reading = [self.db.read(lambda c: held.wait(30)) for _ in range(3)]
        self.assertEqual(self.successResultOf(problem(self.db.read(never))), "busy")
        held.set()
        await gatherResults(waiting)
        await gatherResults(reading)
        self.assertEqual(await self.read(keys.LASTING.key, blind("1")), wrap())
        await self.write(keys.LASTING.put_key, blind("more"), wrap())

    async def test_close(self) -> None:
        """Closing finishes what waits and takes nothing more."""
        held = self.hold()
        row = self.new_event("chat")
        writing = self.db.append(events.append_events, row)
        reading = self.read(keys.LASTING.key, blind("key"))
        waiting = Deferred.fromCoroutine(reading)
        closed, again = self.db.close(), self.db.close()
        self.assertEqual(self.successResultOf(problem(self.db.transact(never))), "shutting_down")
        self.assertEqual(self.successResultOf(problem(self.db.read(never))), "shutting_down")
        held.set()
        self.assertIsNone(await writing)
        self.assertIsNone(await waiting)
        await gatherResults([closed, again])
        await self.db.close()
        await self.reopen()
        self.assertEqual(await self.read(events.event, row.chat, row.position), EventRow(*row[:3]))

    async def test_cancelled(self) -> None:
        """A waiter that gives up disturbs no one; its change is made all the same."""
        held = self.hold()
        row = self.new_event("chat")
        given_up = self.db.append(events.append_events, row)
        given_up.cancel()
        self.failureResultOf(given_up)
        held.set()
        await self.send("chat")
        self.assertIsNotNone(await self.read(events.event, row.chat, row.position))


class PostgresGroupTests(OnPostgres, GroupTests): ...


class SqliteCommitTests(StorageCase):
    async def test_one_transaction(self) -> None:
        """A turn's changes are one transaction of the database."""
        begun = 0

        def begin(c: Connection) -> None:
            nonlocal begun
            begun += 1

        backend = self.db._writer._backend
        event.listen(backend._writers, "begin", begin)  # type: ignore[attr-defined] # it is SQLite's
        await self.send(*["chat"] * 500)
        self.assertEqual(begun, 1)

    async def test_settings(self) -> None:
        """A commit is on the disk, and what is deleted is overwritten."""

        def settings(c: Connection) -> list[Any]:
            names = ("journal_mode", "synchronous", "secure_delete")
            return [c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

        self.assertEqual(await self.db.transact(settings), ["wal", 2, 1])

    async def test_reader_cannot_write(self) -> None:
        """A reading connection refuses to write."""
        self.assertEqual(
            await problem(self.db.read(lambda c: keys.LASTING.delete_key(c, blind("key")))),
            "storage_unavailable",
        )
