"""Files of what waits for the node of a group, as their rows are kept. On SQLite and PostgreSQL."""

from collections.abc import Callable
from typing import Any

from safeum_home.storage import erasure, fetched, file_upkeep, files, posts
from safeum_home.storage.posts import PostState
from safeum_home.storage.rows import FetchedRow, FilePlace, FileRow, PostRow, UploadRow
from tests.storage import OnPostgres, StorageCase, blind


class PostedFileTests(StorageCase):
    """Ann and Bob have each posted a file into a group, at 5 and 6; Ann's upload is one into another."""

    async def do(self, fn: Callable[..., Any], *arguments: Any) -> Any:
        return await self.write(fn, *arguments)

    async def posted(self) -> None:
        for position, account in ((5, "ann"), (6, "bob")):
            who, file, blob = blind(account), blind(f"f-{account}"), blind(f"b-{account}")
            row = UploadRow(file, blind("group"), blob, 0, 100, b"sealed", b"")
            await self.do(files.begin_upload, row, who, 10)
            await self.do(files.attach, FileRow(blind("group"), position, who, file, blob, 0, b"sealed"))
            await self.do(
                posts.put_post,
                PostRow(position, blind("group"), who, position, 1, PostState.WAITING, b"sealed"),
                None,
            )
        other = UploadRow(blind("f"), blind("other"), blind("b"), 0, 100, b"sealed", b"")
        await self.do(files.begin_upload, other, blind("ann"), 10)

    async def dropped(self) -> list[bytes]:
        return sorted(await self.read(file_upkeep.dropped_blobs, b"", 100))

    async def test_not_alone(self) -> None:
        """While it waits it is no file without a message; afterwards it is."""
        await self.posted()
        after = FilePlace(b"", 0)
        found = await self.read(file_upkeep.files_after, after, 9)
        self.assertEqual([(place.position, alone) for place, alone in found], [(5, False), (6, False)])
        await self.do(posts.drop_post, 5)
        found = await self.read(file_upkeep.files_after, after, 9)
        self.assertEqual([(place.position, alone) for place, alone in found], [(5, True), (6, False)])

    async def test_moved(self) -> None:
        """Where its message comes it is from then on; it counts as before."""
        await self.posted()
        row = await self.read(files.file, blind("group"), 5)
        assert row is not None
        await self.do(files.move, row, row._replace(position=9, sealed=b"anew"))
        self.assertIsNone(await self.read(files.file, blind("group"), 5))
        self.assertEqual(
            await self.read(files.file, blind("group"), 9), row._replace(position=9, sealed=b"anew")
        )
        self.assertEqual((await self.dropped(), await self.read(files.used, blind("ann"))), ([], 20))

    async def test_copy_over(self) -> None:
        """With the copy of the group they go, and uploads for it; those for others stay."""
        await self.posted()
        row = UploadRow(blind("u"), blind("group"), blind("b-u"), 0, 100, b"sealed", b"")
        await self.do(files.begin_upload, row, blind("bob"), 10)
        await self.do(erasure.forget_copy, blind("group"))
        gone = sorted([blind("b-ann"), blind("b-bob"), blind("b-u")])
        self.assertEqual(await self.dropped(), gone)
        self.assertEqual(await self.read(files.used, blind("ann")), 10)

    async def test_closed(self) -> None:
        """With an account its own go."""
        await self.posted()
        await self.do(files.drop_account, blind("ann"))
        self.assertEqual(await self.dropped(), sorted([blind("b-ann"), blind("b")]))
        self.assertIsNotNone(await self.read(files.file, blind("group"), 6))

    async def test_fetched_for_a_closed_account(self) -> None:
        """What was kept for it goes, but for what was forwarded, and what is kept for others."""
        for name, reader, places in (("x", "ann", (7,)), ("y", "ann", (8, 9)), ("z", "bob", (10,))):
            blob = blind(name)
            await self.do(fetched.add_foreign, blob, blind("eve"), 10)
            row = FetchedRow(blob, blind(reader), blind(f"s-{name}"), 10, 1, 0)
            await self.do(fetched.begin_copy, row, 10, 99, ())
            for place in places:
                use = FileRow(blind("group"), place, blind("eve"), blind(name), blob, 0, b"sealed")
                await self.do(files.attach, use)
        await self.do(files.drop_account, blind("ann"))
        self.assertEqual(await self.do(fetched.drop_abandoned, 50, 9), 1)
        self.assertEqual(await self.dropped(), [blind("s-x")])
        kept = [await self.read(fetched.copy_of, blind(name)) for name in "xyz"]
        self.assertEqual(
            [each and (each.stored, each.account) for each in kept],
            [
                (fetched.NONE, files.NOBODY),
                (blind("s-y"), files.NOBODY),
                (blind("s-z"), blind("bob")),
            ],
        )


class PostgresPostedFileTests(OnPostgres, PostedFileTests):
    """The same on PostgreSQL."""
