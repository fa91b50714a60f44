"""Rows of what becomes of messages, and of what accounts set, on both databases."""

import os
from pathlib import Path

from safeum_home.storage.changes import changes_since, not_seeing, rewrite
from safeum_home.storage.chats import add_members
from safeum_home.storage.erasure import erase_chat, sweep
from safeum_home.storage.events import append_events, event
from safeum_home.storage.reactions import (
    drop_reaction,
    drop_reactions,
    own_reactions,
    put_reaction,
    reaction,
    reactions_to,
)
from safeum_home.storage.rows import ChangeRow, EventRow, MemberRow, NewEvent, ReactionRow, SettingsRow
from safeum_home.storage.settings import drop_drafts, put_settings, settings_of, settings_since
from tests.storage import OnPostgres, StorageCase, blind


class ChangeStorageTests(StorageCase):
    async def test_each_once_in_the_order_of_changes(self) -> None:
        """A message that has changed twice comes once, at the later place, as it is now."""
        await self.chat("one", "ann", "bob")
        await self.chat("two", "ann", "carl")
        await self.chat("other", "bob", "carl")
        first, second, third, other = await self.send("one", "one", "two", "other")
        for row, sealed in ((first, b"1a"), (third, b"3a"), (other, b"x"), (first, b"1b"), (second, b"2a")):
            changed = EventRow(row.chat, row.position, sealed)
            await self.write(rewrite, changed, self.db.next_position())
        found = await self.read(changes_since, blind("ann"), 0, 10)
        self.assertEqual([row.event.sealed for row in found], [b"3a", b"1b", b"2a"])
        self.assertEqual([row.position for row in found], sorted(row.position for row in found))
        self.assertEqual(await self.read(changes_since, blind("ann"), 0, 2), found[:2])
        self.assertEqual(await self.read(changes_since, blind("ann"), found[0].position, 10), found[1:])
        self.assertEqual(await self.read(event, first.chat, first.position), found[1].event)
        self.assertIsInstance(found[0], ChangeRow)

    async def test_what_a_deleted_one_was(self) -> None:
        """It is neither in the file nor in the log of SQLite once it is deleted, with nothing behind it."""
        await self.chat("one", "ann")
        was = os.urandom(200)
        row = NewEvent(blind("one"), self.db.next_position(), was, os.urandom(16))
        await self.db.append(append_events, row)
        if self.url.startswith("sqlite"):
            self.assertTrue(was in self.octets())
            await self.write(
                rewrite, EventRow(row.chat, row.position, b"gone"), self.db.next_position(), True
            )
            await self.write(lambda c: None)  # what follows the commit before has been done
            self.assertFalse(was in self.octets())

    def octets(self) -> bytes:
        """All that is in the files of the database."""
        folder = Path(self.url.removeprefix("sqlite:///")).parent
        return b"".join(path.read_bytes() for path in folder.iterdir())

    async def test_who_does_not_see_it(self) -> None:
        """A member for whom a message is not is told nothing of it, and named to who tells."""
        await self.chat("one", "ann")
        [first] = await self.send("one")
        late = MemberRow(blind("one"), blind("bob"), 0, 0, 0, first.position)
        await self.write(add_members, [late])
        [second] = await self.send("one")
        for row in (first, second):
            await self.write(rewrite, row, self.db.next_position())
        found = await self.read(changes_since, blind("bob"), 0, 10)
        self.assertEqual([row.event for row in found], [second])
        self.assertEqual(await self.read(not_seeing, blind("one"), first.position), [blind("bob")])
        self.assertEqual(await self.read(not_seeing, blind("one"), second.position), [])

    async def test_reactions(self) -> None:
        """One of each account; pages in the order of accounts."""
        await self.chat("one", "ann")
        [row] = await self.send("one")
        rows = [
            ReactionRow(blind("one"), row.position, blind(name), 1, name.encode()) for name in ("a", "b", "c")
        ]
        for each in rows:
            await self.write(put_reaction, each)
        other = rows[0]._replace(position=2, sealed=b"z")
        await self.write(put_reaction, other)
        self.assertEqual(await self.read(reaction, blind("one"), row.position, blind("a")), other)
        page = await self.read(reactions_to, blind("one"), row.position, None, 2)
        self.assertEqual(page, [other, rows[1]])
        rest = await self.read(reactions_to, blind("one"), row.position, blind("b"), 2)
        self.assertEqual(rest, [rows[2]])
        asked = [(blind("one"), row.position), (blind("one"), 99)]
        self.assertEqual(await self.read(own_reactions, blind("b"), asked), [rows[1]])
        self.assertEqual(await self.read(own_reactions, blind("b"), []), [])
        await self.write(drop_reaction, blind("one"), row.position, blind("a"))
        self.assertIsNone(await self.read(reaction, blind("one"), row.position, blind("a")))
        await self.write(drop_reactions, blind("one"), row.position)
        self.assertEqual(await self.read(reactions_to, blind("one"), row.position, None, 9), [])

    async def test_settings(self) -> None:
        """Latest wins, for each account and chat."""
        first = SettingsRow(blind("ann"), blind("one"), 1, b"a", b"begun")
        second = SettingsRow(blind("ann"), blind("two"), 2, b"b")
        others = SettingsRow(blind("bob"), blind("one"), 3, b"c")
        for row in (first, second, others):
            await self.write(put_settings, row)
        later = first._replace(position=4, sealed=b"d")
        await self.write(put_settings, later)
        self.assertEqual(await self.read(settings_since, blind("ann"), 0, 9), [second, later])
        self.assertEqual(await self.read(settings_since, blind("ann"), 2, 9), [later])
        self.assertEqual(await self.read(settings_of, blind("ann"), [blind("one"), blind("x")]), [later])

    async def test_drafts(self) -> None:
        """Those of one chat are dropped for all, and found by whoever was away; without one nothing moves."""
        rows = [
            SettingsRow(blind("ann"), blind("one"), 1, b"a", b"begun"),
            SettingsRow(blind("ann"), blind("two"), 2, b"b", b"begun"),
            SettingsRow(blind("bob"), blind("one"), 3, b"c"),
            SettingsRow(blind("cay"), blind("one"), 4, b"d", b"begun"),
        ]
        for row in rows:
            await self.write(put_settings, row)
        dropped = [row._replace(position=9, draft=None) for row in (rows[0], rows[3])]
        found = await self.write(drop_drafts, blind("one"), 9)
        self.assertEqual(sorted(found), sorted(dropped))
        self.assertEqual(await self.read(settings_since, blind("ann"), 0, 9), [rows[1], dropped[0]])
        self.assertEqual(await self.read(settings_since, blind("bob"), 0, 9), [rows[2]])
        self.assertEqual(await self.write(drop_drafts, blind("one"), 10), [])

    async def test_erased_with_the_chat(self) -> None:
        """Nothing of it is left when all was swept away, and other chats keep theirs."""
        for name in ("one", "two"):
            await self.chat(name, "ann")
            for row in await self.send(name, name, name):
                await self.write(rewrite, row, self.db.next_position())
                await self.write(put_reaction, ReactionRow(*row[:2], blind("ann"), 1, b"x"))
            await self.write(put_settings, SettingsRow(blind("ann"), blind(name), 1, b"s"))
        await self.write(erase_chat, blind("one"), 1)
        while await self.write(sweep, 2, 0):
            pass
        for table in ("changes", "reactions", "settings", "events"):
            found = await self.db.read(
                lambda c, table=table: {
                    bytes(row[0]) for row in c.exec_driver_sql(f"SELECT chat FROM {table}")
                }  # type: ignore[misc]
            )
            self.assertEqual(found, {blind("two")}, table)


class PostgresChangeStorageTests(OnPostgres, ChangeStorageTests):
    """The same on PostgreSQL."""
