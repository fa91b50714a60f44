"""What stands in line for other nodes, chat by chat, on SQLite and on PostgreSQL."""

from sqlalchemy import Connection

from safeum_home.ports.outbox import Waiting
from safeum_home.storage import lines, outbox
from safeum_home.storage.lines import Released
from safeum_home.storage.outbox import NOT_URGENT
from tests.storage import OnPostgres, StorageCase, blind

B, C = blind("b"), blind("c")


def row(place: int, chat: str, what: str = "", urgent: bool = False) -> Waiting:
    position = place + (0 if urgent else NOT_URGENT)
    return Waiting(position, "kind", blind(chat) + (what or str(place)).encode())


class LineTests(StorageCase):
    """Rows for the nodes b and c, of the chats x, y and z."""

    async def note(self, *rows: Waiting, peer: bytes = B) -> None:
        await self.write(outbox.note, peer, [each for each in rows if each.position >= NOT_URGENT], 1)
        await self.write(outbox.note, peer, (), 1, [each for each in rows if each.position < NOT_URGENT])

    async def next(self, peer: bytes = B) -> tuple[Waiting, ...]:
        """What comes next, with what stands in line behind others sorted out."""
        while not (await self.write(lines.sort, peer, 9, 1))[1]:
            """There is more to sort."""
        return await self.read(outbox.first, peer, 9)

    async def test_in_its_order(self) -> None:
        """Behind what stands in line all of its chat does, of no other one, and for no other node."""
        rows = [row(1, "x"), row(2, "y"), row(3, "x"), row(4, "z"), row(5, "x"), row(6, "x")]
        await self.note(*rows)
        await self.note(*rows, peer=C)
        self.assertEqual(await self.write(lines.hold, B, [rows[2]]), 0)
        # What is before it may still be told.
        self.assertEqual(await self.next(), (rows[0], rows[1], rows[3]))
        self.assertEqual(await self.next(C), tuple(rows))
        await self.note(row(7, "x"), row(8, "y"))
        self.assertEqual(await self.next(), (rows[0], rows[1], rows[3], row(8, "y")))
        released = await self.write(lines.release, B, 2, 9)
        self.assertEqual(released, Released(0, blind("x"), True))
        self.assertEqual(await self.next(), (*rows[:5], row(8, "y")))
        self.assertFalse((await self.write(lines.release, B, 2, 9)).rest)
        self.assertEqual(await self.next(), (*rows, row(7, "x"), row(8, "y")))

    async def test_round(self) -> None:
        """Where it is too much for once each chat has its turn."""
        chats = sorted("xyz", key=blind)
        rows = {chat: [row(10 * place + n, chat) for n in range(4)] for place, chat in enumerate(chats)}
        await self.note(*(each for of_chat in rows.values() for each in of_chat))
        for of_chat in rows.values():
            await self.write(lines.hold, B, of_chat)
        after, turns = b"", []
        for _ in range(6):
            released = await self.write(lines.release, B, 2, 1, after)
            after = released.after
            turns.append(after)
        self.assertEqual(turns, [blind(chat) for chat in (*chats, *chats)])
        self.assertFalse(released.rest)
        self.assertFalse((await self.write(lines.release, B, 2, 1, after)).rest)

    async def test_once(self) -> None:
        """An object that has changed waits once, in its first place; or where it is urgent by now."""
        await self.note(row(1, "x", "a"), row(2, "x", "b"), row(3, "x", "c"))
        await self.write(lines.hold, B, await self.next())
        await self.note(row(4, "x", "a"))
        self.assertEqual(await self.write(lines.sort, B, 9, 9), (1, True))
        await self.note(row(5, "x", "b"), row(6, "x", "c", urgent=True))
        asked = [("kind", blind("x") + b"a"), ("kind", blind("x") + b"other")]
        self.assertEqual(await self.read(outbox.waiting, B, asked), asked[:1])
        self.assertEqual((await self.write(lines.release, B, 9, 9)).fewer, 2)
        both = (row(1, "x", "a"), row(2, "x", "b"))
        self.assertEqual(await self.next(), (row(6, "x", "c", urgent=True), *both))

    async def test_held_for_itself(self) -> None:
        """What is held back for itself stands in no line, nor is it released with one."""
        await self.note(row(1, "x"), row(2, "x"), row(3, "y"))
        await self.write(outbox.hold, B, [(row(1, "x"), 9)])
        await self.write(lines.hold, B, [row(3, "y")])
        self.assertEqual(await self.next(), (row(2, "x"),))
        self.assertFalse((await self.write(lines.release, B, 9, 9)).rest)
        self.assertEqual(await self.next(), (row(2, "x"), row(3, "y")))
        await self.write(lines.hold, B, [row(3, "y")])
        await self.write(outbox.release, B, 9, 99)
        self.assertEqual(await self.next(), (row(1, "x"), row(2, "x")))


class PostgresLineTests(OnPostgres, LineTests):
    """The same on PostgreSQL."""


class PlanTests(StorageCase):
    async def test_by_their_index(self) -> None:
        """Which is empty as a rule, and has each chat's rows in their order."""

        def plans(c: Connection) -> list[str]:
            found = []
            for statement in (lines._FRONT, lines._FOLLOWING, lines._FIRST):
                text = str(statement.compile(dialect=c.dialect))
                rows = c.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", (b"",) * text.count("?")).all()
                found.append("; ".join(str(each[3]) for each in rows))
            return found

        for plan in await self.read(plans):
            self.assertIn("ix_outbox_lines", plan)
            self.assertNotIn("TEMP B-TREE", plan)
