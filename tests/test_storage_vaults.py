"""Rows of vaults in the database."""

from safeum_home.storage import vaults
from safeum_home.storage.rows import VaultRow
from tests.storage import OnPostgres, StorageCase, blind


class VaultRowTests(StorageCase):
    async def test_replaced(self) -> None:
        """All of it is in place of all that there was."""
        ann = blind("ann")
        self.assertEqual(await self.read(vaults.version, ann), (0, 0))
        self.assertIsNone(await self.read(vaults.part, ann, 0))
        first = [VaultRow(ann, part, 1, 3, b"sealed %d" % part) for part in range(3)]
        await self.write(vaults.put, ann, first)
        other = [VaultRow(blind("bob"), 0, 2**53 - 1, 1, b"other")]
        await self.write(vaults.put, blind("bob"), other)
        self.assertEqual(await self.read(vaults.parts, ann), first)
        self.assertEqual(await self.read(vaults.part, ann, 2), first[2])
        second = [VaultRow(ann, 0, 2, 1, b"x" * 45_056)]
        await self.write(vaults.put, ann, second)
        self.assertEqual(await self.read(vaults.parts, ann), second)
        self.assertEqual(await self.read(vaults.version, ann), (2, 1))
        self.assertEqual(await self.read(vaults.parts, blind("bob")), other)


class VaultRowPostgresTests(OnPostgres, VaultRowTests):
    """The same on PostgreSQL."""
