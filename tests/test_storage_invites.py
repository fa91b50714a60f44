"""Invites and the mode of registration as they are stored, on SQLite and on PostgreSQL."""

from safeum_home.storage import invites, keys, node
from safeum_home.storage.rows import InviteRow
from tests.storage import OnPostgres, StorageCase, blind, wrap


class InviteQueryTests(StorageCase):
    """Invites with their keys."""

    async def invite(self, name: str, left: int, ends: int) -> InviteRow:
        row = InviteRow(blind(name), left, ends, b"sealed " + name.encode(), wrap(name))
        await self.write(invites.insert, row)
        return row

    async def test_used(self) -> None:
        """It is counted down until nothing is left, and not after its end."""
        row = await self.invite("a", 2, 1_000)
        self.assertTrue(await self.read(invites.is_good, row.invite, 999))
        self.assertFalse(await self.read(invites.is_good, row.invite, 1_000))
        self.assertFalse(await self.read(invites.is_good, blind("b"), 1))
        self.assertFalse(await self.write(invites.use, row.invite, 1_000))
        self.assertEqual(
            [await self.write(invites.use, row.invite, 1) for _ in range(3)], [True, True, False]
        )
        self.assertFalse(await self.read(invites.is_good, row.invite, 1))
        self.assertEqual(await self.read(invites.every), [row._replace(left=0)])

    async def test_removed(self) -> None:
        """With its key; of several those that have ended."""
        first, second, third = [
            await self.invite(name, 1, ends) for name, ends in zip("abc", (3, 1, 2), strict=True)
        ]
        self.assertEqual(await self.read(invites.every), [second, third, first])
        await self.write(invites.remove_ended, 2)
        self.assertEqual(await self.read(invites.every), [first])
        self.assertEqual([await self.read(keys.LASTING.key, blind(name)) for name in "bc"], [None, None])
        await self.write(invites.remove, first.invite)
        self.assertEqual(
            (await self.read(invites.count), await self.read(keys.LASTING.key, blind("a"))), (0, None)
        )

    async def test_registration(self) -> None:
        """Set, set to something else, unset; what the writer keeps in that table is left alone."""
        for mode in (None, 2, 3, None):
            await self.write(node.set_registration, mode)
            self.assertEqual(await self.read(node.registration), mode)
        await self.write(node.set_registration, 1)
        await self.reopen()
        self.assertEqual(await self.read(node.registration), 1)


class PostgresInviteQueryTests(OnPostgres, InviteQueryTests):
    """The same on PostgreSQL."""
