"""Entries of logs of calls in the database."""

from sqlalchemy import text

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

    async def test_mixed(self) -> None:
        """Some rows that were written anew are as before; so are the others."""
        expected = [row(account, str(call)) for account in ("ann", "bob", "cy") for call in range(3)]
        await self.write(calls.put_calls, expected)
        await self.write(calls.mix_calls, FIRST, expected[4][:2])
        await self.write(calls.mix_calls, expected[4][:2], None)
        self.assertEqual(await self.read(calls.calls_behind, FIRST, 10), expected)


class PostgresCallLogTests(OnPostgres, CallLogTests):
    """The same on PostgreSQL."""

    async def test_pairs(self) -> None:
        """Both halves of calls were written together: what was mixed does not tell any more."""
        people = [f"p{number:02}" for number in range(20)]
        for number in range(10):
            both = [row(people[2 * number], str(number)), row(people[19 - 2 * number], f"{number}b")]
            await self.write(calls.put_calls, both)
        self.assertEqual({len(group) for group in await self._written()}, {2})
        await self.write(calls.mix_calls, FIRST, None)
        [written] = await self._written()
        self.assertEqual(len(written), 20)
        self.assertEqual(written, sorted(written))

    async def _written(self) -> list[list[bytes]]:
        """The accounts of rows, as the server has them: by transaction, in the order of their places."""
        found = await self.read(
            lambda c: c.execute(text("SELECT xmin::text, account FROM calls ORDER BY ctid")).all()
        )
        together: dict[str, list[bytes]] = {}
        for transaction, account in found:
            together.setdefault(transaction, []).append(account)
        return list(together.values())
