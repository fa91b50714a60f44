"""What is kept of chats across nodes whose history is off: receipts owed, and names of what is gone."""

from sqlalchemy import Connection, text

from safeum_home.ports.outbox import Waiting
from safeum_home.storage import erasure, outbox, owed, passed
from tests.storage import OnPostgres, StorageCase, blind


class OwedTests(StorageCase):
    async def test_owed(self) -> None:
        """Each chat is there once, page after page, until it is given."""
        chats = sorted(blind(name) for name in ("one", "two", "three"))
        for chat in (*chats, chats[0]):
            await self.write(owed.owe, chat)
        self.assertEqual(await self.read(owed.some, b"", 2), chats[:2])
        self.assertEqual(await self.read(owed.some, chats[1], 2), chats[2:])
        await self.write(owed.given, chats[1])
        self.assertEqual(await self.read(owed.some, b"", 9), [chats[0], chats[2]])

    async def test_with_its_chat(self) -> None:
        """Where the chat is erased as a whole nothing of it is left."""
        await self.chat("chat", "ann", "bob")
        await self.write(owed.owe, blind("chat"))
        await self.write(passed.put, blind("chat"), 1, b"name")
        await self.write(erasure.erase_chat, blind("chat"), 1)
        while await self.write(erasure.sweep, 10, 0):
            pass
        self.assertEqual(await self.read(owed.some, b"", 9), [])
        self.assertIsNone(await self.read(passed.last, blind("chat"), 9, 0))


class PassedTests(StorageCase):
    async def test_last(self) -> None:
        """The newest up to a place, behind what was erased, in that chat."""
        for position in (3, 5, 9):
            await self.write(passed.put, blind("chat"), position, b"%d" % position)
        await self.write(passed.put, blind("other"), 7, b"other")
        for upto, erased, found in ((2, 0, None), (3, 0, 3), (8, 0, 5), (8, 5, None), (99, 5, 9)):
            expected = None if found is None else (found, b"%d" % found)
            self.assertEqual(await self.read(passed.last, blind("chat"), upto, erased), expected)

    async def test_bounded(self) -> None:
        """The newest ones of each chat stay."""
        for position in range(1, passed.KEPT + 5):
            await self.write(passed.put, blind("chat"), position, b"s")
        self.assertIsNone(await self.read(passed.last, blind("chat"), 4, 0))
        self.assertEqual(await self.read(passed.last, blind("chat"), 5, 0), (5, b"s"))

    async def test_forgotten(self) -> None:
        """What is not recognised any more has no name either."""
        await self.chat("chat", "ann", "bob")
        await self.send("chat", "one")

        def position(c: Connection) -> int:
            return int(c.execute(text("SELECT max(position) FROM dedupe")).scalar_one())

        place = await self.db.read(position)
        for each in (place, place + 1):
            await self.write(passed.put, blind("chat"), each, b"s")
        await self.write(passed.forget)
        self.assertEqual(await self.read(passed.last, blind("chat"), place + 9, 0), (place, b"s"))


class WaitingTests(StorageCase):
    async def test_waiting(self) -> None:
        """Of some objects those that wait for a node, be it in a batch that is under way."""
        peer, other = blind("peer"), blind("other")
        rows = [Waiting(place + outbox.NOT_URGENT, "chat.message", b"%d" % place) for place in (1, 2)]
        await self.write(outbox.note, peer, rows[:1], 1)
        await self.write(outbox.fix, peer, 1, 10)
        await self.write(outbox.note, peer, rows[1:], 1)
        asked = [("chat.message", b"1"), ("chat.message", b"2"), ("chat.message", b"3"), ("other", b"1")]
        self.assertEqual(await self.read(outbox.waiting, peer, asked), asked[:2])
        self.assertEqual(await self.read(outbox.waiting, other, asked), [])
        await self.write(outbox.remove_fixed, peer, 1)
        self.assertEqual(await self.read(outbox.waiting, peer, asked), asked[1:2])


class OwedOnPostgresTests(OnPostgres, OwedTests):
    """The same on PostgreSQL."""


class PassedOnPostgresTests(OnPostgres, PassedTests):
    """The same on PostgreSQL."""


class WaitingOnPostgresTests(OnPostgres, WaitingTests):
    """The same on PostgreSQL."""
