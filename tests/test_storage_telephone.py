"""Signs of life, and calls that were missed, on SQLite and on PostgreSQL."""

from safeum_home.storage import beats, missed_calls
from tests.storage import OnPostgres, StorageCase, blind

MOST = 3


class TelephoneRowTests(StorageCase):
    async def test_beats(self) -> None:
        """The last one of each process; those of all others can be dropped."""
        for number in range(3):
            for run in ("one", "two"):
                await self.write(beats.put_beat, blind(run), f"{run} {number}".encode())
        self.assertEqual(await self.read(beats.beat, blind("one")), b"one 2")
        await self.write(beats.drop_beats, blind("two"))
        self.assertIsNone(await self.read(beats.beat, blind("one")))
        self.assertEqual(await self.read(beats.beat, blind("two")), b"two 2")

    async def test_missed(self) -> None:
        """Each account has its own, the newest first, and so many at the most."""
        for number in range(5):
            await self.add("ann", month=number)
        await self.add("bob", month=0)
        self.assertEqual(await self.numbers("ann"), [5, 4, 3])
        self.assertEqual(await self.numbers("ann", before=5, limit=1), [4])
        self.assertEqual(await self.write(missed_calls.drop_missed, 4), 3)
        self.assertEqual((await self.numbers("ann"), await self.numbers("bob")), ([5], []))
        await self.write(missed_calls.forget_missed, blind("ann"))
        self.assertEqual(await self.numbers("ann"), [])

    async def add(self, name: str, month: int) -> None:
        await self.write(missed_calls.add_missed, blind(name), month, lambda number: b"sealed", MOST)

    async def numbers(self, name: str, before: int = 100, limit: int = 100) -> list[int]:
        rows = await self.read(missed_calls.missed_before, blind(name), before, limit)
        return [row.number for row in rows]


class PostgresTelephoneRowTests(OnPostgres, TelephoneRowTests): ...
