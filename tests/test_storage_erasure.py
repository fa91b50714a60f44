"""Erasing an account's rows, on SQLite and on PostgreSQL."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, make_url, select

from safeum_home.storage import (
    accounts,
    avatars,
    calls,
    chats,
    claims,
    contacts,
    devices,
    events,
    keys,
    profiles,
)
from safeum_home.storage.calls import CallRow
from safeum_home.storage.erasure import chats_of, erase_account, sweep
from safeum_home.storage.rows import AccountRow, ChatRow, ClaimRow, ContactRow, DeviceRow, Marker, ProfileRow
from safeum_home.storage.schema import metadata
from tests.storage import OnPostgres, StorageCase, blind, wrap

ACCEPTED = contacts.ACCEPTED


class ErasureTests(StorageCase):
    """Ann and Bob have a chat, so have Bob and Cid; everybody has one of his own."""

    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        await super().setUp()
        for name in ("ann", "bob", "cid"):
            await self.account(name)
            await self.chat(f"system {name}", name)
        for first, second in (("ann", "bob"), ("bob", "cid")):
            await self.chat(f"{first}-{second}", first, second)
            await self.relation(first, second, f"{first}-{second}", ACCEPTED)
            await self.relation(second, first, f"{first}-{second}", ACCEPTED)
        await self.send("system ann", *["ann-bob"] * 5, "bob-cid", "system bob")

    async def account(self, name: str) -> None:
        row = AccountRow(blind(name), b"sealed", wrap(name))
        await self.write(accounts.insert_account, row, blind(f"login {name}"))
        await self.write(
            devices.insert_device, DeviceRow(blind(f"phone {name}"), blind(name), b"v" * 32, b"s")
        )
        await self.write(profiles.put_profile, ProfileRow(blind(name), 1, b"profile"))
        await self.write(avatars.put_avatar, blind(name), b"picture")
        await self.write(calls.put_calls, [CallRow(blind(name), blind("call"), b"times")])
        await self.write(claims.put_claim, ClaimRow(blind(f"login {name}"), blind(name), b"claim"))

    async def relation(self, owner: str, peer: str, chat: str, state: int) -> None:
        row = ContactRow(blind(owner), blind(peer), blind(chat), state, 1, b"contact")
        await self.write(contacts.put_contact, row)

    async def erase(self, name: str, epoch: int = 1) -> None:
        await self.write(erase_account, blind(name), epoch)

    async def sweep(self) -> int:
        """Sweep two messages at a time; how often there was something."""
        times = 0
        while await self.write(sweep, 2, 0):
            times += 1
        return times

    async def everything(self) -> str:
        """All rows of all tables but of the tombstones."""

        def read(c: Connection) -> list[Any]:
            tables = [table for name, table in metadata.tables.items() if name not in ("tombstones", "node")]
            return [(table.name, sorted(map(tuple, c.execute(select(table))))) for table in tables]

        return repr(await self.db.read(read))

    async def test_at_once(self) -> None:
        """Account, chats and keys are not found any more; those of others are, and the name stays taken."""
        self.assertEqual(await self.read(chats_of, blind("ann")), {blind("system ann"), blind("ann-bob")})
        await self.erase("ann")
        self.assertIsNone(await self.read(accounts.account, blind("ann")))
        self.assertIsNone(await self.read(accounts.account_by_alias, blind("login ann")))
        self.assertFalse(await self.read(accounts.exists, blind("ann")))
        self.assertIsNone(await self.read(devices.device, blind("phone ann")))
        self.assertIsNone(await self.read(profiles.profile, blind("ann")))
        self.assertIsNone(await self.read(avatars.avatar, blind("ann")))
        self.assertIsNone(await self.read(claims.claim, blind("login ann")))
        self.assertEqual(await self.read(calls.calls_of, blind("ann")), [])
        self.assertEqual(await self.read(calls.count_calls, blind("bob")), 1)
        for owner in ("ann", "system ann", "ann-bob"):
            self.assertIsNone(await self.read(keys.LASTING.key, blind(owner)))
        self.assertIsNone(await self.read(chats.chat, blind("ann-bob")))
        self.assertEqual(await self.read(events.events_since, blind("ann"), 0, 100), [])
        self.assertEqual(len(await self.read(events.events_since, blind("bob"), 0, 100)), 2)
        self.assertIsNotNone(await self.read(chats.chat, blind("bob-cid")))
        self.assertTrue(await self.read(accounts.is_taken, blind("login ann")))
        self.assertFalse(await self.read(accounts.is_taken, blind("login dan")))
        with self.assertRaises(accounts.AliasTaken):
            await self.write(
                accounts.insert_account, AccountRow(blind("new"), b"sealed", wrap()), blind("login ann")
            )
        self.assertIsNone(await self.read(keys.LASTING.key, blind("new")))

    async def test_a_name_that_is_not_kept(self) -> None:
        """Where it is a number somebody else can have it, and gets nothing with it."""
        await self.write(erase_account, blind("ann"), 1, False)
        self.assertFalse(await self.read(accounts.is_taken, blind("login ann")))
        row = AccountRow(blind("new"), b"sealed", wrap())
        await self.write(accounts.insert_account, row, blind("login ann"))
        self.assertEqual(await self.read(accounts.account_by_alias, blind("login ann")), row)

    async def test_facing(self) -> None:
        """The others' sides are found by the account's own rows and chats, those it has forgotten too."""
        await self.relation("cid", "ann", "ann-cid", 1)
        self.assertEqual(
            [row.owner for row in await self.read(contacts.facing, blind("ann"))], [blind("bob")]
        )
        await self.relation("ann", "cid", "ann-cid", 2)
        owners = {row.owner for row in await self.read(contacts.facing, blind("ann"))}
        self.assertEqual(owners, {blind("bob"), blind("cid")})

    async def test_the_other_at_once(self) -> None:
        """A receipt behind it makes nothing of it again, and the other can be erased before the sweep."""
        await self.erase("ann")
        marker = Marker(blind("ann-bob"), blind("bob"), 3, 3, 99)
        self.assertIsNone(await self.db.append(chats.put_markers, marker))
        self.assertEqual(await self.read(chats.members, blind("ann-bob")), [])
        await self.erase("bob")
        self.assertFalse(await self.read(accounts.exists, blind("bob")))

    async def test_erased_already(self) -> None:
        """A chat that is being erased and has a member all the same is no reason to keep that one."""
        await self.erase("ann")
        row = ChatRow(blind("ann-bob"), 1, b"late", wrap("late"))
        self.assertTrue(await self.write(chats.insert_chat, row, [blind("bob")]))
        await self.erase("bob")
        self.assertFalse(await self.read(accounts.exists, blind("bob")))
        await self.sweep()
        self.assertEqual(await self.count("erasing"), 0)
        self.assertIsNone(await self.read(chats.chat, blind("ann-bob")))

    async def test_swept(self) -> None:
        """Nothing names them afterwards but what Bob keeps; a message that came late goes as well."""
        await self.erase("ann")
        await self.send("ann-bob")
        await self.db.append(chats.put_markers, Marker(blind("ann-bob"), blind("bob"), 3, 3, 99))
        await self.relation("ann", "cid", "late", 1)
        # Three times two messages and three owners: of the system chat's one message, too.
        self.assertEqual(await self.sweep(), 3 + 1 + 3)
        left = await self.everything()
        self.assertNotIn(repr(blind("ann-bob")), left.replace(repr(self.bobs_row), ""))
        self.assertNotIn(repr(blind("system ann")), left)
        self.assertEqual(left.count(repr(blind("ann"))), 1)
        counts = [await self.count(table) for table in ("events", "dedupe", "erasing")]
        self.assertEqual(counts, [2, 2, 0])
        self.assertEqual(await self.sweep(), 0)

    @property
    def bobs_row(self) -> tuple[Any, ...]:
        return (blind("bob"), blind("ann"), blind("ann-bob"), ACCEPTED, 1, b"contact")

    async def count(self, table: str) -> int:
        return await self.db.read(lambda c: len(c.execute(select(metadata.tables[table])).all()))

    async def test_goes_on(self) -> None:
        """What was not swept before the database was closed is swept when it is open again."""
        await self.erase("ann")
        await self.write(sweep, 2, 0)
        await self.reopen()
        self.assertGreater(await self.sweep(), 0)
        self.assertEqual(await self.count("events"), 2)

    async def test_epoch(self) -> None:
        """The last epoch under which something was erased is remembered, and never goes back."""
        self.assertIsNone(await self.read(keys.LASTING.erased_epoch))
        for name, epoch, expected in (("ann", 3, 3), ("bob", 2, 3), ("cid", 4, 4)):
            await self.erase(name, epoch)
            self.assertEqual(await self.read(keys.LASTING.erased_epoch), expected)
        await self.reopen()
        self.assertEqual(await self.read(keys.LASTING.erased_epoch), 4)
        await self.sweep()
        self.assertEqual([await self.count(table) for table in ("events", "members", "keys")], [0, 0, 0])

    async def test_undone(self) -> None:
        """Where something else fails in the same transaction all of it is still there."""
        before = await self.everything()

        def fails(c: Connection) -> None:
            erase_account(c, blind("ann"), 1)
            raise LookupError

        with self.assertRaises(LookupError):
            await self.db.transact(fails)
        self.assertEqual(await self.everything(), before)
        self.assertIsNone(await self.read(keys.LASTING.erased_epoch))


class PostgresErasureTests(OnPostgres, ErasureTests): ...


class FileTests(StorageCase):
    async def test_overwritten(self) -> None:
        """On SQLite nothing of what was swept is left in the files once they are closed."""
        await self.chat("notes", "ann")
        row = AccountRow(blind("ann"), b"account canary", wrap("wrap canary"))
        await self.write(accounts.insert_account, row, blind("login"))
        event = self.new_event("notes")._replace(sealed=b"message canary")
        await self.db.append(events.append_events, event)
        await self.reopen()
        self.assertIn(b"message canary", self.octets())
        await self.write(erase_account, blind("ann"), 1)
        while await self.write(sweep, 10, 0):
            pass
        await self.db.close()
        for canary in (b"account canary", b"wrap canary", b"message canary", event.sent):
            self.assertNotIn(canary, self.octets())

    def octets(self) -> bytes:
        path = Path(str(make_url(self.url).database))
        return b"".join(file.read_bytes() for file in path.parent.iterdir())
