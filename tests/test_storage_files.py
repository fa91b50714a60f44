"""The rows of files: what counts, what is noted when the last of them goes. On SQLite and PostgreSQL."""

from collections.abc import Callable
from typing import Any

from safeum_home.ports.files import CHUNK
from safeum_home.storage import erasure, file_upkeep, files, keys
from safeum_home.storage.chats import add_members
from safeum_home.storage.rows import FilePlace, FileRow, MemberRow, UploadRow
from tests.storage import OnPostgres, StorageCase, blind, wrap


def upload(name: str, chat: str = "chat", ends: int = 100) -> UploadRow:
    return UploadRow(blind(name), blind(chat), blind(f"b-{name}"), 0, ends, b"sealed", b"")


def use(name: str, position: int, chat: str = "chat", ends: int = 0, account: str = "ann") -> FileRow:
    return FileRow(blind(chat), position, blind(account), blind(name), blind(f"b-{name}"), ends, b"sealed")


class FileRowTests(StorageCase):
    """Each function, as the domain uses it."""

    async def do(self, fn: Callable[..., Any], *arguments: Any) -> Any:
        return await self.write(fn, *arguments)

    async def dropped(self) -> list[bytes]:
        return sorted(await self.read(file_upkeep.dropped_blobs, b"", 100))

    async def test_upload(self) -> None:
        """An upload is noted as it grows, from where it was only."""
        await self.do(files.begin_upload, upload("a"), blind("ann"), 10)
        self.assertEqual(await self.read(files.upload, blind("a")), upload("a"))
        self.assertIsNone(await self.read(files.upload, blind("b")))
        self.assertTrue(await self.do(files.advance, blind("a"), 0, 7, b"tail", 200))
        self.assertFalse(await self.do(files.advance, blind("a"), 0, 9, b"", 200))
        self.assertFalse(await self.do(files.advance, blind("b"), 0, 9, b"", 200))
        row = await self.read(files.upload, blind("a"))
        assert row is not None
        self.assertEqual((row.received, row.tail, row.ends), (7, b"tail", 200))

    async def test_share(self) -> None:
        """What counts is what there is, of whomever it is."""
        for name, size in (("a", 10), ("b", 2**40)):
            await self.do(files.begin_upload, upload(name), blind("ann"), size)
        await self.do(files.begin_upload, upload("c"), blind("bob"), 5)
        self.assertEqual(await self.read(files.used, blind("ann")), 10 + 2**40)
        self.assertEqual(await self.read(files.waiting, blind("ann")), 2)
        await self.do(files.attach, use("a", 1))
        self.assertEqual(await self.read(files.waiting, blind("ann")), 1)
        self.assertEqual(await self.read(files.used, blind("ann")), 10 + 2**40)
        await self.do(files.drop, blind("chat"), 1)
        self.assertEqual(await self.read(files.used, blind("ann")), 2**40)
        self.assertEqual(await self.read(files.used, blind("eve")), 0)
        await self.do(files.drop_account, blind("ann"))
        self.assertEqual(await self.read(files.used, blind("ann")), 0)
        self.assertEqual(await self.dropped(), [blind("b-a"), blind("b-b")])
        self.assertEqual(await self.read(files.used, blind("bob")), 5)

    async def test_references(self) -> None:
        """A blob stays for as long as anything refers to it."""
        await self.do(files.begin_upload, upload("a"), blind("ann"), 10)
        for chat, position in (("chat", 1), ("chat", 2), ("other", 3)):
            await self.do(files.attach, use("a", position, chat))
        self.assertIsNone(await self.read(files.upload, blind("a")))
        await self.do(files.drop, blind("chat"), 1)
        await self.do(files.drop, blind("chat"), 1)
        await self.do(files.drop_chat, blind("chat"))
        self.assertEqual(await self.dropped(), [])
        self.assertTrue(await self.read(files.is_there, blind("b-a")))
        self.assertFalse(await self.do(files.drop_some, blind("other"), 2, 10))
        self.assertEqual(await self.dropped(), [])
        self.assertTrue(await self.do(files.drop_some, blind("other"), 3, 10))
        self.assertEqual(await self.dropped(), [blind("b-a")])
        self.assertFalse(await self.read(files.is_there, blind("b-a")))
        await self.do(file_upkeep.deleted, [blind("b-a")])
        self.assertEqual(await self.dropped(), [])

    async def test_strays(self) -> None:
        """When a blob was first seen that no row knows stays, until it is not seen any more."""
        one, two, three = sorted(blind(f"b-{each}") for each in "abc")
        await self.do(file_upkeep.note_strays, [one, two], [], 5)
        await self.do(file_upkeep.note_strays, [two, three], [one], 9)
        self.assertEqual(await self.read(file_upkeep.strays_after, b"", None), {two: 5, three: 9})
        self.assertEqual(await self.read(file_upkeep.strays_after, two, None), {three: 9})
        self.assertEqual(await self.read(file_upkeep.strays_after, b"", two), {two: 5})

    async def test_drop_upload(self) -> None:
        """An upload that is thrown away leaves its blob to be deleted; a chat's go with it."""
        for name, chat in (("a", "chat"), ("b", "chat"), ("c", "other")):
            await self.do(files.begin_upload, upload(name, chat), blind("ann"), 1)
        await self.do(files.drop_upload, blind("a"))
        await self.do(files.drop_upload, blind("a"))
        self.assertEqual(await self.dropped(), [blind("b-a")])
        await self.do(files.drop_chat, blind("chat"))
        self.assertEqual(await self.dropped(), [blind("b-a"), blind("b-b")])

    async def test_over(self) -> None:
        """What is over goes, a few at a time."""
        for number in range(5):
            await self.do(files.begin_upload, upload(str(number), ends=number), blind("ann"), 1)
        self.assertEqual(await self.do(file_upkeep.drop_over, 3, 3), 3)
        self.assertEqual(await self.do(file_upkeep.drop_over, 3, 3), 1)
        self.assertEqual(await self.do(file_upkeep.drop_over, 3, 3), 0)
        self.assertEqual(len(await self.dropped()), 4)

    async def test_orphans(self) -> None:
        """Files without their message are found, a page at a time."""
        await self.chat("chat", "ann")
        [event] = await self.send("chat")
        for name, position in (("a", event.position), ("b", event.position + 1)):
            await self.do(files.begin_upload, upload(name), blind("ann"), 1)
            await self.do(files.attach, use(name, position))
        first, second = FilePlace(blind("chat"), event.position), FilePlace(blind("chat"), event.position + 1)
        start = FilePlace(b"", 0)
        self.assertEqual(
            await self.read(file_upkeep.files_after, start, 10), [(first, False), (second, True)]
        )
        self.assertEqual(await self.read(file_upkeep.files_after, start, 1), [(first, False)])
        self.assertEqual(await self.read(file_upkeep.files_after, first, 10), [(second, True)])
        self.assertEqual(await self.read(file_upkeep.files_after, second, 10), [])

    async def test_who_sees_it(self) -> None:
        """Uses of a file are those in an account's chats, behind the place from which it sees them."""
        await self.chat("chat", "ann", "bob")
        await self.chat("other", "bob")
        await self.do(add_members, [MemberRow(blind("chat"), blind("carol"), 0, 0, 0, 5)])
        for position, chat in ((5, "chat"), (6, "chat"), (7, "other")):
            await self.do(files.attach, use("a", position, chat))
        for account, positions in (("ann", [6, 5]), ("bob", [7, 6, 5]), ("carol", [6]), ("eve", [])):
            rows = await self.read(files.uses_of, blind("a"), blind(account), 10)
            self.assertEqual([row.position for row in rows], positions, account)
        [newest] = await self.read(files.uses_of, blind("a"), blind("bob"), 1)
        self.assertEqual(newest, use("a", 7, "other"))
        self.assertEqual(await self.read(files.file, blind("chat"), 6), use("a", 6))
        self.assertIsNone(await self.read(files.file, blind("chat"), 7))

    async def test_comparing(self) -> None:
        """Blobs are listed in their order; those that no row knows are told."""
        for name in ("c", "a", "b", "d"):
            await self.do(
                files.begin_upload, upload(name), blind("ann"), CHUNK - 1 if name == "a" else 2 * CHUNK
            )
        names = [blind(f"b-{name}") for name in ("a", "b", "c")]
        self.assertEqual(await self.read(file_upkeep.blobs_after, b"", 2), [])
        for name, received in (("a", CHUNK - 1), ("c", CHUNK), ("d", CHUNK - 1)):
            await self.do(files.advance, blind(name), 0, received, b"", 1)
        await self.do(files.attach, use("b", 1))
        self.assertEqual(await self.read(file_upkeep.blobs_after, b"", 2), names[:2])
        self.assertEqual(await self.read(file_upkeep.blobs_after, names[1], 2), names[2:])
        self.assertEqual(await self.read(file_upkeep.without_rows, [*names, blind("x")]), [blind("x")])

    async def test_own_keys(self) -> None:
        """A key that a file or an upload has for itself goes with it, and a turn is due then."""
        await self.do(files.begin_upload, upload("a"), blind("ann"), 1)
        owners = [files.upload_owner(blind("a")), files.file_owner(blind("chat"), 1)]
        await self.do(keys.FLEETING.put_key, owners[0], wrap(epoch=3))
        self.assertIsNone(await self.read(keys.FLEETING.erased_epoch))
        await self.do(files.attach, use("a", 1, ends=50))
        await self.do(keys.FLEETING.put_key, owners[1], wrap(epoch=4))
        self.assertIsNone(await self.read(keys.FLEETING.key, owners[0]))
        self.assertEqual(await self.read(keys.FLEETING.erased_epoch), 3)
        self.assertEqual(await self.do(file_upkeep.drop_over, 49, 10), 0)
        self.assertEqual(await self.do(file_upkeep.drop_over, 50, 10), 1)
        self.assertIsNone(await self.read(keys.FLEETING.key, owners[1]))
        self.assertEqual(await self.read(keys.FLEETING.erased_epoch), 4)
        self.assertEqual(await self.dropped(), [blind("b-a")])

    async def test_erased_past(self) -> None:
        """Of what is erased keys and uploads go at once; rows go some at a time, and those behind it stay."""
        for position in (1, 2, 3, 4):
            await self.do(files.begin_upload, upload(str(position)), blind("ann"), 1)
            await self.do(files.attach, use(str(position), position, ends=50 if position == 2 else 0))
        own = files.file_owner(blind("chat"), 2)
        await self.do(keys.FLEETING.put_key, own, wrap(epoch=1))
        await self.do(files.begin_upload, upload("new"), blind("ann"), 1)
        await self.do(erasure.erase_past, blind("chat"), 3, 1)
        self.assertIsNone(await self.read(keys.FLEETING.key, own))
        self.assertIsNone(await self.read(files.upload, blind("new")))
        left = []
        while await self.do(erasure.sweep, 2, 0):
            left.append([p for p in (1, 2, 3, 4) if await self.read(files.file, blind("chat"), p)])
        self.assertEqual(left, [[3, 4], [4], [4]])
        self.assertEqual(await self.dropped(), sorted(blind(f"b-{name}") for name in ("1", "2", "3", "new")))

    async def test_lost(self) -> None:
        """Where a blob is gone, an upload goes that had octets in it; what messages have is told and kept."""
        for name, received in (("a", 1), ("b", 0), ("c", 0), ("d", CHUNK), ("e", CHUNK - 1), ("f", 1)):
            await self.do(files.begin_upload, upload(name), blind("ann"), 1 if name == "a" else 2 * CHUNK)
            await self.do(files.advance, blind(name), 0, received, b"", 1)
        await self.do(files.attach, use("b", 1))
        lost = [name for name in "abcdef" if await self.do(file_upkeep.lost, blind(f"b-{name}"))]
        self.assertEqual(lost, ["b"])
        there = [name for name in "abcdef" if await self.read(files.is_there, blind(f"b-{name}"))]
        self.assertEqual(there, ["b", "c", "e", "f"])

    async def test_account_after_account(self) -> None:
        """What an account has sent stays when it is closed, and is nobody's share."""
        await self.do(files.begin_upload, upload("a"), blind("ann"), 10)
        await self.do(files.attach, use("a", 1))
        await self.do(files.drop_account, blind("ann"))
        self.assertEqual(await self.read(files.used, blind("ann")), 0)
        self.assertEqual(await self.read(files.used, files.NOBODY), 10)
        kept = use("a", 1)._replace(account=files.NOBODY)
        self.assertEqual(await self.read(files.file, blind("chat"), 1), kept)

    async def used(self) -> dict[str, int]:
        names = {"ann": blind("ann"), "bob": blind("bob"), "carol": blind("carol"), "nobody": files.NOBODY}
        return {name: size for name, key in names.items() if (size := await self.read(files.used, key))}

    async def test_whom_it_counts_for(self) -> None:
        """A blob counts for who uploaded it while that one holds it, and then for the first of the others."""
        await self.do(files.begin_upload, upload("a"), blind("ann"), 10)
        for position, chat, account in ((1, "chat", "ann"), (2, "own", "ann"), (3, "other", "carol")):
            await self.do(files.attach, use("a", position, chat, account=account))
        await self.do(files.attach, use("a", 4, "third", account="bob"))
        await self.do(files.drop, blind("chat"), 1)
        self.assertEqual(await self.used(), {"ann": 10})
        await self.do(files.drop_chat, blind("own"))
        self.assertEqual(await self.used(), {"carol": 10})
        await self.do(files.attach, use("a", 5, "own", account="ann"))
        await self.do(files.drop_account, blind("carol"))
        self.assertEqual(await self.used(), {"nobody": 10})
        await self.do(files.drop, blind("other"), 3)
        self.assertEqual(await self.used(), {"bob": 10})
        await self.do(files.drop, blind("own"), 5)
        await self.do(files.drop_some, blind("third"), 9, 9)
        self.assertEqual((await self.used(), await self.dropped()), ({}, [blind("b-a")]))

    async def test_closed_accounts_leave_no_name(self) -> None:
        """What a closed account has sent does not say who that was."""
        await self.do(files.begin_upload, upload("a"), blind("ann"), 10)
        await self.do(files.attach, use("a", 1))
        await self.do(files.attach, use("a", 2, account="bob"))
        await self.do(files.drop_account, blind("ann"))
        rows = [await self.read(files.file, blind("chat"), at) for at in (1, 2)]
        self.assertEqual([row and row.account for row in rows], [files.NOBODY, blind("bob")])
        await self.do(files.drop_account, blind("bob"))
        await self.do(files.drop, blind("chat"), 1)
        self.assertEqual(await self.used(), {"nobody": 10})


class PostgresFileRowTests(OnPostgres, FileRowTests):
    """The same on PostgreSQL."""
