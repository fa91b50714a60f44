"""Hashes of keys in the database, and who is concerned by them."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite

from safeum_home.storage import accounts, chats, contacts, key_log
from safeum_home.storage.key_log import FoundKeys, KeyLogRow
from safeum_home.storage.rows import AccountRow, ChatRow, ContactRow
from tests.storage import OnPostgres, StorageCase, blind, wrap


class KeyLogTests(StorageCase):
    """Ann is in a chat with Bob and one with Cy; Eve is in none."""

    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        await super().setUp()
        await self.write(accounts.insert_account, AccountRow(blind("ann"), b"a", wrap("ann")), blind("l"))
        for chat, members in (("c1", ("ann", "bob")), ("c2", ("ann", "cy")), ("c3", ("ann", "bob"))):
            row = ChatRow(blind(chat), 4, b"sealed", wrap())
            await self.write(chats.insert_chat, row, [blind(member) for member in members])

    async def put(self, account: str, number: int, position: int) -> KeyLogRow:
        row = KeyLogRow(blind(account), number, position, b"%d" % number)
        await self.write(key_log.put_keys, row)
        return row

    async def test_entries(self) -> None:
        """The newest, one, and those before it; with the account's own key where it is of this node."""
        rows = [await self.put("ann", number, number) for number in range(3)]
        ann, own = blind("ann"), wrap("ann")
        self.assertEqual(await self.read(key_log.newest_keys, ann), FoundKeys(rows[2], own))
        self.assertEqual(await self.read(key_log.keys_entry, ann, 1), FoundKeys(rows[1], own))
        self.assertIsNone(await self.read(key_log.keys_entry, blind("ann"), 3))
        self.assertIsNone(await self.read(key_log.newest_keys, blind("eve")))
        found = await self.read(key_log.keys_before, blind("ann"), 2, 10)
        self.assertEqual([each.row for each in found], [rows[1], rows[0]])
        foreign = await self.put("bob", 0, 0)
        self.assertEqual(await self.read(key_log.newest_keys, blind("bob")), FoundKeys(foreign, None))
        await self.write(key_log.forget_keys, blind("ann"), 1)
        self.assertEqual(len(await self.read(key_log.keys_before, blind("ann"), 9, 10)), 1)

    async def test_told_later(self) -> None:
        """An entry with a number that is there takes its place."""
        await self.put("ann", 0, 0)
        again = await self.put("ann", 0, 7)
        found = await self.read(key_log.keys_before, blind("ann"), 9, 10)
        self.assertEqual([each.row for each in found], [again])

    async def test_since(self) -> None:
        """Changes of oneself and of those with whom one is in a chat, in order, as far as they were told."""
        first = [await self.put(name, 0, 0) for name in ("ann", "bob", "eve")]
        told = [await self.put(*row) for row in (("bob", 1, 5), ("ann", 1, 6), ("eve", 1, 7), ("cy", 1, 8))]
        self.assertEqual(len(first), 3)
        ways = key_log._SINCE, key_log._SINCE_FAR
        for who, after, expected in (
            ("ann", 0, [told[0], told[1], told[3]]),
            ("ann", 5, [told[1], told[3]]),
            ("bob", 0, [told[0], told[1]]),
            ("cy", 0, [told[1], told[3]]),
            ("eve", 0, [told[2]]),
        ):
            for statement in ways:
                self.patch(key_log, "_SINCE", statement)
                found = await self.read(key_log.keys_since, blind(who), after, 10)
                self.assertEqual([each.row for each in found], expected, who)
                self.assertEqual(len(await self.read(key_log.keys_since, blind("ann"), 0, 2)), 2)

    async def test_far(self) -> None:
        """What many others have changed since is not gone through for each who comes back."""
        for place in range(3, key_log.WALKED + 3):
            await self.put(f"other{place}", 1, place)
        last = await self.put("bob", 1, 2 * key_log.WALKED)
        seen: list[Any] = []
        self.patch(key_log, "_SINCE", None)
        for after in (0, 2):
            seen += await self.read(key_log.keys_since, blind("ann"), after, 10)
        self.assertEqual([each.row for each in seen], [last, last])

    async def test_interlocutors(self) -> None:
        """Who is in a chat with whom."""
        self.assertEqual(
            await self.read(key_log.interlocutors, blind("ann")), {blind(n) for n in ("ann", "bob", "cy")}
        )
        asked = [blind(name) for name in ("bob", "cy", "eve", "nobody")]
        self.assertEqual(await self.read(key_log.in_chat_with, blind("ann"), asked), set(asked[:2]))
        self.assertEqual(await self.read(key_log.in_chat_with, blind("cy"), asked), {blind("cy")})
        self.assertEqual(await self.read(key_log.in_chat_with, blind("ann"), []), set())
        self.assertTrue(await self.read(key_log.is_in_any_chat, blind("cy")))
        self.assertFalse(await self.read(key_log.is_in_any_chat, blind("eve")))

    async def test_contacts(self) -> None:
        """Who has accepted whom, and the other way round."""
        for owner, peer, state in (("ann", "bob", 3), ("bob", "ann", 3), ("ann", "cy", 3), ("cy", "ann", 1)):
            await self.write(
                contacts.put_contact, ContactRow(blind(owner), blind(peer), blind("c"), state, 1, b"")
            )
        asked = [blind("bob"), blind("cy")]
        self.assertEqual(await self.read(contacts.in_contact_with, blind("ann"), asked), {blind("bob")})


class PlanTests(StorageCase):
    """How SQLite looks for it."""

    async def plan(self, sql: str, *values: bytes) -> list[str]:
        def explain(c: Connection) -> list[str]:
            rows = c.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
            return [row[3] for row in rows]

        return await self.read(explain)

    async def test_strangers(self) -> None:
        """One's own chats come first: so it takes as long for whom there is not as for a stranger."""
        plan = await self.plan(key_log._WITH.sql.format(rows="VALUES (?, ?)"), blind("a"), blind("b"))
        searched = [step for step in plan if step.startswith("SEARCH")]
        self.assertEqual(len(searched), 2, plan)
        self.assertRegex(searched[0], r"^SEARCH a USING .*\(account=\?\)$")
        self.assertRegex(
            searched[1], r"^SEARCH b USING .*\((account=\? AND chat=\?|chat=\? AND account=\?)\)$"
        )

    async def test_since(self) -> None:
        """Of all changes those alone are looked at that came behind the position."""
        compiled = str(key_log._SINCE.compile(dialect=sqlite.dialect(paramstyle="qmark")))
        plan = await self.plan(compiled, *[b"1"] * compiled.count("?"))
        self.assertRegex(plan[0], r"^SEARCH key_log USING INDEX ix_key_log_position \(position>\?\)$")
        self.assertFalse([step for step in plan if "TEMP B-TREE" in step], plan)

    async def test_since_far(self) -> None:
        """Where there are many, those of one's own people alone."""
        compiled = str(key_log._SINCE_FAR.compile(dialect=sqlite.dialect(paramstyle="qmark")))
        plan = await self.plan(compiled, *[b"1"] * compiled.count("?"))
        self.assertRegex(plan[0], r"^SEARCH key_log USING .*\(account=\?\)$")
        self.assertFalse([step for step in plan if step.startswith("SCAN members")], plan)


class PostgresKeyLogTests(OnPostgres, KeyLogTests):
    """The same on PostgreSQL."""
