"""What waits for other nodes, and how far they got, on SQLite and on PostgreSQL."""

from sqlalchemy import Connection

from safeum_home.ports.outbox import Waiting
from safeum_home.storage import lines, outbox, peers
from safeum_home.storage.outbox import NOT_URGENT
from safeum_home.storage.peers import KEPT, KEPT_OF_PEER, InRow
from tests.storage import OnPostgres, StorageCase, blind

B, C = blind("b"), blind("c")
LASTING = ("lasting",)


def row(place: int, what: str = "", urgent: bool = False) -> Waiting:
    return Waiting(place + (0 if urgent else NOT_URGENT), "kind", (what or str(place)).encode())


class OutboxTests(StorageCase):
    """Rows for the nodes b and c."""

    async def note(self, *rows: Waiting, peer: bytes = B, hour: int = 1) -> int:
        return await self.write(outbox.note, peer, rows, hour)

    async def test_once(self) -> None:
        """An object waits once for each node, until it is part of a batch; then once more."""
        self.assertEqual(await self.note(row(1, "x"), row(2, "y"), row(3, "x")), 2)
        self.assertEqual(await self.note(row(4, "x")), 0)
        self.assertEqual(await self.note(row(5, "x"), peer=C), 1)
        fixed = await self.write(outbox.fix, B, 1, 10)
        self.assertEqual(fixed, (row(1, "x"), row(2, "y")))
        self.assertEqual(await self.note(row(6, "x"), row(7, "x")), 1)
        self.assertEqual(await self.read(outbox.fixed, B, 1), fixed)
        self.assertEqual(await self.read(outbox.fixed, C, 1), ())
        self.assertEqual(await self.write(outbox.remove_fixed, B, 1), 2)
        self.assertEqual(await self.write(outbox.fix, B, 2, 10), (row(6, "x"),))

    async def test_many(self) -> None:
        """A thousand at once, taken in their order."""
        rows = [row(number) for number in range(1, 1001)]
        self.assertEqual(await self.note(*rows), 1000)
        taken: list[Waiting] = []
        for number in range(1, 4):
            taken += await self.write(outbox.fix, B, number, 400)
            await self.write(outbox.remove_fixed, B, number)
        self.assertEqual(taken, rows)
        self.assertEqual(await self.write(outbox.fix, B, 4, 400), ())

    async def test_enough(self) -> None:
        """Whether so many wait, that are in no batch, not held back and for this node."""
        await self.note(*(row(number) for number in range(1, 6)))
        await self.note(row(6), peer=C)
        self.assertTrue(await self.read(outbox.are_free, B, 5))
        self.assertFalse(await self.read(outbox.are_free, B, 6))
        await self.write(outbox.fix, B, 1, 2)
        await self.write(lines.hold, B, [row(3)])
        self.assertTrue(await self.read(outbox.are_free, B, 2))
        self.assertFalse(await self.read(outbox.are_free, B, 3))

    async def test_urgent(self) -> None:
        """What is urgent comes first; what was not and is now, once."""
        await self.note(row(1, "x"), row(2, "y"))
        self.assertEqual(await self.write(outbox.note, B, (), 1, [row(3, "y", urgent=True)]), 0)
        self.assertEqual(await self.note(row(4, "y")), 0)
        self.assertEqual(await self.write(outbox.fix, B, 1, 10), (row(3, "y", urgent=True), row(1, "x")))

    async def test_let_go(self) -> None:
        """What goes back waits again in its place, once, though it has changed and waits already."""
        await self.note(row(1, "x"), row(2, "y"), row(3, "z"))
        await self.write(outbox.fix, B, 1, 10)
        await self.note(row(4, "y"), row(5, "z"))
        self.assertFalse(await self.read(outbox.is_overtaken, B))
        fixed = await self.read(outbox.fixed, B, 1)
        self.assertEqual(await self.read(outbox.unchanged, B, 1, fixed), [row(1, "x")])
        self.assertEqual(await self.write(outbox.let_go, B, 1, row(3).position), 1)
        self.assertEqual(await self.read(outbox.fixed, B, 1), (row(1, "x"), row(2, "y")))
        await self.write(outbox.note, B, (), 1, [row(6, "w", urgent=True)])
        self.assertTrue(await self.read(outbox.is_overtaken, B))
        self.assertEqual(await self.write(outbox.let_go, B), 1)
        every = (row(6, "w", urgent=True), row(1, "x"), row(2, "y"), row(3, "z"))
        self.assertEqual(await self.write(outbox.fix, B, 2, 10), every)
        self.assertFalse(await self.read(outbox.is_overtaken, B))

    async def test_two_batches(self) -> None:
        """One behind the other: what goes back does so once, in its first place."""
        await self.note(row(1, "x"), row(2, "y"), row(3, "z"))
        first = await self.write(outbox.fix, B, 1, 2)
        await self.note(row(4, "x"), row(5, "w"))
        second = await self.write(outbox.fix, B, 2, 9)
        self.assertEqual(second, (row(3, "z"), row(4, "x"), row(5, "w")))
        self.assertEqual(await self.read(outbox.fixed, B, 1), first)
        self.assertEqual(await self.read(outbox.unchanged, B, 1, first), [row(2, "y")])
        self.assertEqual(await self.read(outbox.unchanged, B, 2, second), list(second))
        await self.note(row(6, "w"))
        self.assertEqual(await self.write(outbox.let_go, B, 1, row(2).position), 1)
        self.assertEqual(await self.read(outbox.fixed, B, 2), ())
        self.assertEqual(await self.read(outbox.fixed, B, 1), first[:1])
        await self.write(outbox.fix, B, 2, 9)
        self.assertEqual(await self.write(outbox.let_go, B), 1)
        every = (row(1, "x"), row(2, "y"), row(3, "z"), row(5, "w"))
        self.assertEqual(await self.write(outbox.fix, B, 3, 9), every)
        self.assertEqual(await self.write(outbox.remove_fixed, B, 2), 0)
        self.assertEqual(await self.write(outbox.remove_fixed, B, 3), 4)

    async def test_urgent_by_now(self) -> None:
        """What has become urgent since goes first, and nowhere else."""
        await self.note(row(1, "x"), row(2, "y"))
        await self.write(outbox.fix, B, 1, 10)
        await self.write(outbox.note, B, (), 1, [row(3, "y", urgent=True)])
        self.assertEqual(await self.write(outbox.let_go, B), 1)
        every = (row(3, "y", urgent=True), row(1, "x"))
        self.assertEqual(await self.write(outbox.fix, B, 2, 10), every)

    async def test_withdrawn(self) -> None:
        """What is withdrawn waits no more, nor is it held back; what is in a batch is."""
        await self.note(row(1, "a1"), row(2, "a2"), row(3, "a3"), row(4, "a4"), row(5, "b1"), row(6, "a5"))
        await self.note(row(7, "a3"), peer=C)
        await self.write(outbox.fix, B, 1, 3)
        await self.write(outbox.hold, B, [(row(1, "a1"), 9)])
        await self.write(lines.hold, B, [row(2, "a2")])
        self.assertEqual(await self.write(outbox.withdraw, B, "other", b"a", b"b"), 0)
        self.assertEqual(await self.write(outbox.withdraw, B, "kind", b"a1", b"a5"), 3)
        self.assertEqual(await self.read(outbox.held), 0)
        self.assertEqual(await self.read(outbox.fixed, B, 1), (row(3, "a3"),))
        self.assertEqual(await self.read(outbox.first, B, 9), (row(5, "b1"), row(6, "a5")))
        self.assertEqual(await self.read(outbox.first, C, 9), (row(7, "a3"),))

    async def test_dropped(self) -> None:
        """What is too old goes, of one node, also where it was fixed."""
        await self.note(row(1), hour=1)
        await self.note(row(2), hour=5)
        await self.note(row(3), hour=1, peer=C)
        await self.write(outbox.fix, B, 1, 1)
        self.assertEqual(await self.read(outbox.older, B, 5, (), -1, 9), (row(1),))
        self.assertEqual(await self.read(outbox.older, B, 6, (), row(1).position, 9), (row(2),))
        self.assertEqual(await self.read(outbox.older, B, 6, (), -1, 1), (row(1),))
        self.assertEqual(await self.write(outbox.drop_older, B, 5, ()), 1)
        self.assertEqual(await self.write(outbox.fix, B, 2, 9), (row(2),))
        self.assertEqual(await self.write(outbox.fix, C, 2, 9), (row(3),))

    async def test_lasting(self) -> None:
        """What is lasting is never too old to be told."""
        changed = row(1)._replace(type=LASTING[0])
        await self.note(changed, row(2), hour=1)
        self.assertEqual(await self.read(outbox.older, B, 5, LASTING, -1, 9), (row(2),))
        self.assertEqual(await self.write(outbox.drop_older, B, 5, LASTING), 1)
        self.assertEqual(await self.write(outbox.fix, B, 1, 9), (changed,))

    async def test_held_back(self) -> None:
        """What is held back is in no batch until it is released, and waits once then."""
        await self.note(row(1, "x"), row(2, "y"), row(3, "z"))
        await self.note(row(1, "x"), peer=C)
        batch = await self.write(outbox.fix, B, 1, 9)
        self.assertEqual(await self.write(outbox.hold, B, [(each, 9) for each in batch[:2]]), 0)
        self.assertEqual(await self.read(outbox.holding), [B])
        self.assertEqual(await self.read(outbox.held), 2)
        self.assertEqual(await self.read(outbox.waiting_since, B, row(2)), 1)
        self.assertEqual(await self.read(outbox.waiting_since, B, row(9)), 0)
        self.assertEqual(await self.write(outbox.remove_fixed, B, 1), 1)
        self.assertEqual(await self.write(outbox.fix, B, 2, 9), ())
        # One changes, and is held back again; the other has changed when both are released.
        await self.note(row(4, "x"))
        batch = await self.write(outbox.fix, B, 2, 9)
        self.assertEqual(await self.write(outbox.hold, B, [(each, 9) for each in batch]), 1)
        await self.note(row(5, "y"))
        self.assertEqual(await self.write(outbox.release, B, 9, 99), 1)
        self.assertEqual(await self.write(outbox.release, B, 9, 99), 0)
        self.assertEqual(await self.read(outbox.holding), [])
        self.assertEqual(await self.write(outbox.fix, B, 3, 9), (row(4, "x"), row(5, "y")))
        # What waits anew already when it is to be held back is not.
        await self.note(row(6, "x"))
        self.assertEqual(await self.write(outbox.hold, B, [(row(4, "x"), 9)]), 1)
        self.assertEqual(await self.read(outbox.holding), [])

    async def test_each_at_its_time(self) -> None:
        """One that waits for long keeps no other one; nor does one wait for ever as a clock was ahead."""
        await self.note(row(1, "x"), row(2, "y"), row(3, "z"))
        batch = await self.write(outbox.fix, B, 1, 9)
        times = zip(batch, (100, 50, 10_000), strict=True)
        await self.write(outbox.hold, B, list(times))
        self.assertEqual(await self.read(outbox.first_due, B), 50)
        await self.write(outbox.release, B, 49, 99_999)
        self.assertEqual(await self.read(outbox.first, B, 9), ())
        await self.write(outbox.release, B, 50, 99_999)
        self.assertEqual(await self.read(outbox.first, B, 9), (row(2, "y"),))
        self.assertEqual(await self.read(outbox.first_due, B), 100)
        await self.write(outbox.release, B, 50, 1800)
        self.assertEqual(await self.read(outbox.first, B, 9), (row(2, "y"), row(3, "z")))
        await self.write(outbox.release, B, 100, 1800)
        self.assertIsNone(await self.read(outbox.first_due, B))

    async def test_removed(self) -> None:
        """Rows that are taken out."""
        await self.note(row(1), row(2), row(3))
        self.assertEqual(await self.write(outbox.remove, B, [row(1), row(3), row(9)]), 2)
        self.assertEqual(await self.write(outbox.fix, B, 1, 9), (row(2),))

    async def test_last_position(self) -> None:
        """The highest place that was used, urgent or not."""
        self.assertEqual(await self.read(outbox.last_position), 0)
        await self.write(outbox.note, B, (), 1, [row(7, urgent=True)])
        self.assertEqual(await self.read(outbox.last_position), 7)
        await self.note(row(3), row(8))
        self.assertEqual(await self.read(outbox.last_position), 8)


class PeerTests(StorageCase):
    """How far the nodes b and c got."""

    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        await super().setUp()
        for peer in (B, C):
            self.assertFalse(await self.read(peers.is_there, peer))
            await self.write(peers.add, peer, b"sealed", b"s" * 16, 10)
            self.assertTrue(await self.read(peers.is_there, peer))

    async def test_outgoing(self) -> None:
        """Stream, number, how much waits, since when it fails."""
        self.assertEqual(await self.read(peers.count), 2)
        self.assertIsNone(await self.read(peers.outgoing, blind("nobody")))
        for more in (5, -2, 0):
            await self.write(peers.counted, B, more)
        await self.write(peers.set_sent, B, 7)
        await self.write(peers.set_failing, B, 99)
        self.assertEqual(await self.read(peers.outgoing, B), (b"s" * 16, 7, 3, 99))
        await self.write(peers.counted, C, 4)
        self.assertEqual(await self.read(peers.waiting), {True: (1, 3), False: (1, 4)})
        await self.write(peers.set_delivered, B, 100)
        self.assertEqual(await self.read(peers.waiting), {False: (2, 7)})
        await self.write(peers.set_stream, B, b"t" * 16)
        self.assertEqual(await self.read(peers.outgoing, B), (b"t" * 16, 0, 3, 0))
        self.assertEqual(await self.read(peers.outgoing, C), (b"s" * 16, 0, 4, 0))
        [first, second] = await self.read(peers.page, b"", 9)
        self.assertEqual((first, second.peer), ((B, b"sealed", 3, 0, 100), C))
        self.assertEqual(await self.read(peers.page, B, 9), [second])
        self.assertEqual(await self.read(peers.page, b"", 1), [first])

    async def test_incoming(self) -> None:
        """Nothing at first, and then what was stored last."""
        self.assertIsNone(await self.read(peers.incoming, blind("nobody")))
        self.assertEqual(await self.read(peers.incoming, B), (None, 0, 0, None, None))
        for there in (InRow(b"i" * 16, 1, 2, b"d" * 32, b"[]"), InRow(b"i" * 16, 2, 0, b"e" * 32, None)):
            await self.write(peers.set_reached, B, there, 50)
            self.assertEqual(await self.read(peers.incoming, B), there)
        self.assertEqual(await self.read(peers.incoming, C), (None, 0, 0, None, None))

    async def test_aside(self) -> None:
        """Of what was refused the newest of each node is kept, and the newest of all."""
        await self.write(peers.keep_aside, C, 1, [b"of c"])
        for at in range(2, 12):
            await self.write(peers.keep_aside, B, at, [b"%d" % at] * 15)
        found = await self.read(peers.aside, 1000)
        newest = [b"%d" % at for at in range(11, 5, -1) for _ in range(15)] + [b"5"] * 10
        self.assertEqual([each[3] for each in found], [*newest, b"of c"])
        self.assertEqual(found[-1], (C, b"sealed", 1, b"of c"))
        self.assertEqual(len(await self.read(peers.aside, 3)), 3)
        await self.write(peers.keep_aside, B, 12, [])
        await self.write(peers.keep_aside, B, 13, [b"x"] * 500)
        self.assertEqual(len(await self.read(peers.aside, 1000)), KEPT_OF_PEER + 1)

        def fill(c: Connection) -> None:
            for number in range(KEPT // KEPT_OF_PEER + 3):
                peer = b"%16d" % number
                peers.add(c, peer, b"sealed", b"s" * 16, 10)
                peers.keep_aside(c, peer, 100 + number, [b"x"] * KEPT_OF_PEER)

        await self.write(fill)
        found = await self.read(peers.aside, KEPT * 2)
        self.assertEqual(len(found), KEPT)
        self.assertEqual(found[-1][2], 103)

    async def test_forgotten(self) -> None:
        """The oldest ones go for which nothing waits, with what was refused of them; not those in use."""

        def store(c: Connection) -> None:
            for seen, name in enumerate("defghijklmnop"):
                peers.add(c, blind(name), b"sealed", b"s" * 16, seen)
            for peer in (C, blind("f")):
                peers.counted(c, peer, 1)
            peers.keep_aside(c, blind("d"), 1, [b"refused"])

        await self.write(store)
        self.assertEqual(await self.write(peers.forget_idle, 2, {blind("e")}), 2)
        held = {each.peer for each in await self.read(peers.page, b"", 99)}
        self.assertEqual(held, {B, C, *map(blind, "efhijklmnop")})
        self.assertEqual(await self.read(_refused), 0)
        self.assertEqual(await self.write(peers.forget_idle, 99, {blind("e")}), 10)
        self.assertEqual(await self.write(peers.forget_idle, 99, {blind("e")}), 0)
        self.assertEqual(await self.read(peers.count), 3)


def _refused(c: Connection) -> int:
    return int(c.exec_driver_sql("SELECT count(*) FROM set_aside").scalar_one())


class PostgresOutboxTests(OnPostgres, OutboxTests):
    """The same on PostgreSQL."""


class PostgresPeerTests(OnPostgres, PeerTests):
    """The same on PostgreSQL."""


class PlanTests(StorageCase):
    """How SQLite looks for rows among a hundred thousand."""

    async def test_no_scan(self) -> None:
        """By indexes alone."""

        def plans(c: Connection) -> list[str]:
            found = []
            for statement in (
                "SELECT position FROM outbox WHERE destination = ? AND batch > 0 ORDER BY position",
                "SELECT position FROM outbox WHERE destination = ? AND batch = 0 ORDER BY position LIMIT 5",
                "DELETE FROM outbox WHERE destination = ? AND batch > 0",
            ):
                rows = c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", (b"",)).all()
                found.append("; ".join(str(each[3]) for each in rows))
            return found

        for plan in await self.read(plans):
            self.assertIn("SEARCH outbox", plan)
            self.assertNotIn("TEMP B-TREE", plan)

    async def test_what_is_held_back(self) -> None:
        """By its own index, which is empty as a rule."""

        def plans(c: Connection) -> list[str]:
            found = []
            for statement in (
                outbox._RELEASE,
                outbox._DELETE_HELD_OLDER,
                outbox._HOLDING,
                outbox._COUNT_HELD,
                outbox._WITHDRAW[1],
                outbox._FIRST_DUE,
            ):
                text = str(statement.compile(dialect=c.dialect))
                values = (b"",) * text.count("?")
                rows = c.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()
                found.append("; ".join(str(each[3]) for each in rows))
            return found

        for plan in await self.read(plans):
            self.assertIn("ix_outbox_held", plan)
