"""Which conversations with support are open, on SQLite and on PostgreSQL."""

from safeum_home.storage import support
from safeum_home.storage.rows import SupportRow
from tests.storage import OnPostgres, StorageCase, blind


class SupportQueryTests(StorageCase):
    """Asked, answered, closed."""

    async def _open(self) -> list[SupportRow]:
        return await self.read(support.conversations, None, 10)

    async def test_waiting_since_the_first(self) -> None:
        """It waits from the first unanswered message on; an answer ends that, or moves it on."""
        await self.write(support.asked, blind("a"), 10)
        await self.write(support.asked, blind("a"), 20)
        self.assertEqual(await self._open(), [SupportRow(blind("a"), 20, 10)])
        await self.write(support.answered, SupportRow(blind("a"), 30, 0))
        self.assertEqual(await self._open(), [SupportRow(blind("a"), 30, 0)])
        await self.write(support.asked, blind("a"), 40)
        await self.write(support.answered, SupportRow(blind("a"), 50, 40))
        self.assertEqual(await self._open(), [SupportRow(blind("a"), 50, 40)])

    async def test_order_and_pages(self) -> None:
        """The newest first, from a place on."""
        for place, name in enumerate("abcd", 1):
            await self.write(support.asked, blind(name), place)
        await self.write(support.asked, blind("b"), 9)
        self.assertEqual([row.chat for row in await self._open()], [blind(name) for name in "bdca"])
        page = await self.read(support.conversations, 4, 2)
        self.assertEqual([row.chat for row in page], [blind("c"), blind("a")])

    async def test_close(self) -> None:
        """One is closed, the others stay; it opens again with the next message, or answer."""
        for name in "ab":
            await self.write(support.asked, blind(name), 1)
        await self.write(support.close, blind("a"))
        self.assertEqual([row.chat for row in await self._open()], [blind("b")])
        await self.write(support.close, blind("a"))
        await self.write(support.answered, SupportRow(blind("a"), 5, 0))
        self.assertEqual([row.chat for row in await self._open()], [blind("a"), blind("b")])


class PostgresSupportQueryTests(OnPostgres, SupportQueryTests):
    """The same on PostgreSQL."""
