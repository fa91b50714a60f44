"""Aliases that change, aliases that nobody has, and claims, on SQLite and on PostgreSQL."""

from safeum_home.storage import accounts, claims
from safeum_home.storage.rows import AccountRow, ClaimRow
from tests.storage import OnPostgres, StorageCase, blind, wrap


class NumberQueryTests(StorageCase):
    async def account(self, name: str, number: str | None = None) -> AccountRow:
        row = AccountRow(blind(name), b"sealed " + name.encode(), wrap(name))
        await self.write(accounts.insert_account, row, blind(number or f"login {name}"))
        return row

    async def test_nearest(self) -> None:
        """The account with an alias; where nobody has it, some other one, always the same, with its key."""
        self.assertIsNone(await self.read(accounts.nearest_account, blind("login 0")))
        rows = [await self.account(str(number)) for number in range(5)]
        for number, row in enumerate(rows):
            self.assertEqual(await self.read(accounts.nearest_account, blind(f"login {number}")), row)
        strangers = [blind(f"{number}x") for number in range(5)]
        found = [await self.read(accounts.nearest_account, alias) for alias in strangers]
        self.assertEqual(found, [await self.read(accounts.nearest_account, alias) for alias in strangers])
        for one in (*found, await self.read(accounts.nearest_account, b"\xff" * 16)):
            self.assertIn(one, rows)
        self.assertGreater(len({one.account for one in found if one}), 1)

    async def test_change_alias(self) -> None:
        """An account goes by another alias, and the one it had is free."""
        row = await self.account("ann", "number")
        await self.write(accounts.change_alias, row.account, blind("number"), blind("id"))
        self.assertEqual(await self.read(accounts.account_by_alias, blind("id")), row)
        self.assertIsNone(await self.read(accounts.account_by_alias, blind("number")))
        second = await self.account("bob", "number")
        self.assertEqual(await self.read(accounts.account_by_alias, blind("number")), second)
        self.assertEqual(await self.read(accounts.count), 2)

    async def test_nobody_elses_alias(self) -> None:
        """What another account goes by is neither taken from it nor taken over."""
        ann, bob = await self.account("ann"), await self.account("bob")
        with self.assertRaises(accounts.AliasTaken):
            await self.write(accounts.change_alias, ann.account, blind("login ann"), blind("login bob"))
        await self.write(accounts.change_alias, ann.account, blind("login bob"), blind("new"))
        self.assertEqual(await self.read(accounts.account_by_alias, blind("login bob")), bob)
        self.assertEqual(await self.read(accounts.account_by_alias, blind("login ann")), ann)

    async def test_claims(self) -> None:
        """One for each number, the last one that was put."""
        for account in ("ann", "bob"):
            row = ClaimRow(blind("number"), blind(account), b"sealed")
            await self.write(claims.put_claim, row)
            self.assertEqual(await self.read(claims.claim, blind("number")), row)
        self.assertIsNone(await self.read(claims.claim, blind("other")))
        await self.write(claims.delete_claim, blind("other"))
        self.assertEqual(await self.read(claims.claim, blind("number")), row)
        await self.write(claims.delete_claim, blind("number"))
        self.assertIsNone(await self.read(claims.claim, blind("number")))


class PostgresNumberQueryTests(OnPostgres, NumberQueryTests): ...
