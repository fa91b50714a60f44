"""Ranges of SafeNUMs and who has which, on SQLite and on PostgreSQL."""

from safeum_home.storage import accounts, numbers
from safeum_home.storage.numbers import NEVER, NumberRow, StockRow
from safeum_home.storage.rows import AccountRow
from tests.storage import OnPostgres, StorageCase, blind, wrap

OPEN, WITHDRAWN = 1, 3
HOUR = 500_000


class SafenumQueryTests(StorageCase):
    async def account(self, name: str) -> bytes:
        row = AccountRow(blind(name), b"sealed", wrap(name))
        await self.write(accounts.insert_account, row, blind(f"login {name}"))
        return row.account

    async def number(self, name: str, owner: bytes | None, free: int = 0) -> bytes:
        row = NumberRow(blind(name), owner, 1, free, b"sealed")
        await self.write(numbers.add_number, row)
        return row.number

    async def free(self, name: bytes) -> int:
        row = await self.read(numbers.one, name)
        assert row is not None
        return int(row.free)

    async def stocked(self) -> None:
        await self.write(numbers.add_stock, StockRow(1, OPEN, b"sealed"))

    async def test_withdrawn_alone(self) -> None:
        """It is never free, neither when its owner gives it back; counted apart from what is quarantined."""
        await self.stocked()
        ann, bob = await self.account("ann"), await self.account("bob")
        mine = await self.number("1", ann)
        await self.write(numbers.change_free, mine, NEVER)
        self.assertEqual(await self.read(numbers.withdrawn), {})
        self.assertTrue(await self.write(numbers.take_back, ann, HOUR + 10))
        self.assertEqual(await self.free(mine), NEVER + HOUR + 10)
        self.assertEqual(await self.read(numbers.withdrawn), {1: 1})
        self.assertEqual(await self.read(numbers.waiting, HOUR), {})
        self.assertIsNone(await self.read(numbers.free_number, HOUR + 100, WITHDRAWN))
        await self.write(numbers.change_free, mine, HOUR + 10)
        self.assertEqual(await self.read(numbers.waiting, HOUR), {1: 1})
        self.assertIsNotNone(await self.read(numbers.free_number, HOUR + 10, WITHDRAWN))
        await self.write(numbers.give, mine, bob)
        self.assertEqual((await self.free(mine), await self.read(numbers.given)), (0, {1: 1}))
        self.assertTrue(await self.write(numbers.take_back, bob, HOUR + 20))
        self.assertEqual(await self.free(mine), HOUR + 20)
        self.assertFalse(await self.write(numbers.take_back, bob, HOUR))

    async def test_without(self) -> None:
        """Accounts without a number, in pages; those with one, and numbers without an account, are none."""
        await self.stocked()
        everybody = sorted([await self.account(str(number)) for number in range(6)])
        await self.number("1", everybody[2])
        await self.number("2", None, HOUR)
        await self.number("3", None, NEVER + HOUR)
        found: list[bytes] = []
        while page := await self.read(numbers.without, found[-1] if found else b"", 2):
            self.assertLessEqual(len(page), 2)
            found += page
        self.assertEqual(found, [each for each in everybody if each != everybody[2]])


class PostgresSafenumQueryTests(OnPostgres, SafenumQueryTests): ...
