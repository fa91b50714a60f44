"""The rows of what is kept of other nodes' files: room, growth, and what goes. On SQLite and PostgreSQL."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from safeum_home.storage import fetched, file_upkeep, files
from safeum_home.storage.rows import FetchedRow, FileRow
from tests.storage import OnPostgres, StorageCase, blind

ANN, BOB = blind("ann"), blind("bob")


def copy(name: str, used: int = 1, account: bytes = BOB, **changed: Any) -> FetchedRow:
    row = FetchedRow(blind(name), account, blind(f"s-{name}"), 0, used, 100)
    return row._replace(**changed)


class FetchedRowTests(StorageCase):
    """Each function, as the domain uses it."""

    async def do(self, fn: Callable[..., Any], *arguments: Any) -> Any:
        return await self.write(fn, *arguments)

    async def arrived(self, *names: str, size: int = 10) -> None:
        """Messages with files of another node."""

        def store(c: Connection) -> None:
            for name in names:
                fetched.add_foreign(c, blind(name), ANN, size)
                position = 1 + files.used(c, ANN)
                row = FileRow(blind("chat"), position, ANN, blind(f"f-{name}"), blind(name), 0, b"sealed")
                files.attach(c, row)

        await self.do(store)

    async def begin(self, row: FetchedRow, most: int = 30, busy: set[bytes] | None = None) -> bool:
        began: bool = await self.do(fetched.begin_copy, row, 10, most, busy or set())
        return began

    async def copy(self, name: str) -> FetchedRow:
        row = await self.read(fetched.copy_of, blind(name))
        assert row is not None
        return row

    async def kept(self) -> list[bytes]:
        """The names in the store of what is kept."""
        names = [blind(f"s-{name}") for name in "abcdefgh"]
        return sorted(await self.read(fetched.stored_among, names))

    async def dropped(self) -> list[bytes]:
        return sorted(await self.read(file_upkeep.dropped_blobs, b"", 100))

    async def test_grows(self) -> None:
        """A copy is begun, noted as it grows, and another one of the same blob is not taken for it."""
        await self.arrived("a")
        self.assertEqual(
            await self.read(fetched.copy_of, blind("a")), FetchedRow(blind("a"), ANN, b"", 0, 0, 0)
        )
        self.assertTrue(await self.begin(copy("a")))
        self.assertEqual(await self.read(fetched.copy_of, blind("a")), copy("a"))
        grown = copy("a", used=2, received=10, ends=0)
        self.assertTrue(await self.do(fetched.advance_copy, grown))
        self.assertEqual(await self.read(fetched.copy_of, blind("a")), grown)
        self.assertFalse(await self.do(fetched.advance_copy, grown._replace(stored=blind("other"))))
        self.assertFalse(await self.do(fetched.advance_copy, copy("b")))
        for used in (9, 3):
            await self.do(fetched.touch_copy, blind("a"), used)
        self.assertEqual(await self.read(fetched.copy_of, blind("a")), grown._replace(used=9))
        self.assertIsNone(await self.read(fetched.copy_of, blind("b")))

    async def test_room(self) -> None:
        """What was not used for longest goes, but for what is in use, and what others were sent from here."""
        await self.arrived(*"abcdef")
        for name, used in (("a", 3), ("b", 1), ("c", 2)):
            self.assertTrue(await self.begin(copy(name, used)))
        self.assertTrue(await self.begin(copy("d", 4)))
        self.assertEqual(await self.kept(), [blind(f"s-{name}") for name in "acd"])
        self.assertEqual(await self.dropped(), [blind("s-b")])
        use = FileRow(blind("other"), 1, BOB, blind("f-c"), blind("c"), 0, b"sealed")
        await self.do(files.attach, use)
        self.assertTrue(await self.begin(copy("e", 5), busy={blind("a")}))
        self.assertEqual(await self.kept(), [blind(f"s-{name}") for name in "ace"])
        self.assertFalse(await self.begin(copy("f", 6), busy={blind("a"), blind("e")}))
        self.assertEqual(await self.kept(), [blind(f"s-{name}") for name in "ace"])
        self.assertEqual((await self.copy("f")).stored, b"")
        self.assertTrue(await self.begin(copy("f", 6, account=blind("eve"))))

    async def test_forgotten(self) -> None:
        """What is given up is deleted from the store, and can be begun again under another name."""
        await self.arrived("a")
        await self.begin(copy("a"))
        await self.do(fetched.forget_copy, blind("a"), blind("other"))
        self.assertEqual(await self.dropped(), [])
        for _ in range(2):
            await self.do(fetched.forget_copy, blind("a"), blind("s-a"))
        self.assertEqual(await self.dropped(), [blind("s-a")])
        self.assertEqual((await self.copy("a")).ends, 0)
        self.assertTrue(await self.begin(copy("a", stored=blind("again"))))

    async def test_abandoned(self) -> None:
        """What is not whole goes in time; what is stays."""
        await self.arrived("a", "b", "c")
        for name, ends in (("a", 100), ("b", 0), ("c", 101)):
            await self.begin(copy(name, ends=ends))
        self.assertEqual(await self.do(fetched.drop_abandoned, 100, 10), 1)
        self.assertEqual(await self.do(fetched.drop_abandoned, 100, 10), 0)
        self.assertEqual(await self.kept(), [blind("s-b"), blind("s-c")])

    async def test_message_gone(self) -> None:
        """With the last message that has it its copy goes; what is forwarded counts for who has done that."""
        await self.arrived("a", "b")
        await self.begin(copy("a"))
        use = FileRow(blind("other"), 1, BOB, blind("f-a"), blind("a"), 0, b"sealed")
        await self.do(files.attach, use)
        await self.do(files.drop_chat, blind("chat"))
        self.assertEqual(await self.dropped(), [blind("b")])
        self.assertEqual((await self.read(files.used, BOB), await self.read(files.used, ANN)), (10, 0))
        self.assertEqual(await self.kept(), [blind("s-a")])
        await self.do(files.drop_chat, blind("other"))
        self.assertEqual(await self.dropped(), [blind("a"), blind("b"), blind("s-a")])
        self.assertIsNone(await self.read(fetched.copy_of, blind("a")))

    async def test_store(self) -> None:
        """A copy is known in the store by its name there; the blob itself is not missed."""
        await self.arrived("a", "b")
        await self.begin(copy("a"))
        names = [blind("a"), blind("s-a"), blind("s-b")]
        self.assertEqual(await self.read(file_upkeep.without_rows, names), [blind("s-b")])
        self.assertEqual(await self.read(file_upkeep.blobs_after, b"", 10), [])

    async def test_closed(self) -> None:
        """An account is closed: what is left of what was kept for it counts for nobody."""
        await self.arrived("a")
        await self.begin(copy("a"))
        await self.do(files.drop_account, BOB)
        self.assertEqual((await self.copy("a")).account, files.NOBODY)


class PostgresFetchedRowTests(OnPostgres, FetchedRowTests):
    """The same on PostgreSQL."""
