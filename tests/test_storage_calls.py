"""Entries of logs of calls in the database."""

from safeum_home.storage import calls
from safeum_home.storage.calls import FIRST, CallRow
from tests.storage import OnPostgres, StorageCase, blind


def row(account: str, call: str, times: str = "times") -> CallRow:
    return CallRow(blind(account), blind(call), times.encode())


class CallLogTests(StorageCase):
    async def test_rows(self) -> None:
        """One for each account and call, the last that was stored; they are found, and go."""
        await self.write(calls.put_calls, [row("ann", "1"), row("ann", "2"), row("bob", "1")])
        await self.write(calls.put_calls, [row("ann", "1", "later"), row("ann", "3")])
        self.assertEqual(await self.read(calls.call_row, blind("ann"), blind("1")), row("ann", "1", "later"))
        self.assertIsNone(await self.read(calls.call_row, blind("bob"), blind("2")))
        expected = {row("ann", "1", "later"), row("ann", "2"), row("ann", "3")}
        self.assertEqual(set(await self.read(calls.calls_of, blind("ann"))), expected)
        self.assertEqual(await self.read(calls.count_calls, blind("ann")), 3)
        await self.write(calls.delete_calls, [row("ann", "2"), row("bob", "1"), row("eve", "1")])
        self.assertEqual(await self.read(calls.count_calls, blind("ann")), 2)
        self.assertEqual(await self.read(calls.count_calls, blind("bob")), 0)
        await self.write(calls.forget_calls, blind("ann"))
        self.assertEqual(await self.read(calls.calls_of, blind("ann")), [])

    async def test_some(self) -> None:
        """All rows are gone through in their order, a few at a time."""
        expected = [row(account, str(call)) for account in ("ann", "bob", "cy") for call in range(3)]
        await self.write(calls.put_calls, expected)
        found: list[CallRow] = []
        place = FIRST
        while page := await self.read(calls.calls_behind, place, 4):
            found += page
            place = page[-1][:2]
        self.assertEqual(found, expected)


class PostgresCallLogTests(OnPostgres, CallLogTests):
    """The same on PostgreSQL."""
