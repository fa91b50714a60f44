"""What is stored and found of accounts and contacts, on SQLite and on PostgreSQL."""

from sqlalchemy import Connection

from safeum_home.errors import Tampered
from safeum_home.ports import WrappedKey
from safeum_home.storage import (
    accounts,
    avatars,
    contacts,
    devices,
    keys,
    profiles,
)
from safeum_home.storage.rows import (
    AccountRow,
    ContactRow,
    DeviceRow,
    ProfileRow,
)
from tests.storage import OnPostgres, StorageCase, blind, wrap


class AccountQueryTests(StorageCase):
    """Accounts, keys, devices, profiles."""

    async def account(self, name: str) -> AccountRow:
        row = AccountRow(blind(name), b"sealed " + name.encode(), wrap(name))
        await self.write(accounts.insert_account, row, blind(f"login {name}"))
        return row

    async def test_account(self) -> None:
        """An account is found by its id and by its alias, with its key; others are not."""
        row = await self.account("ann")
        self.assertEqual(await self.read(accounts.account, blind("ann")), row)
        self.assertEqual(await self.read(accounts.account_by_alias, blind("login ann")), row)
        self.assertEqual(await self.read(keys.LASTING.key, blind("ann")), row.key)
        self.assertIsNone(await self.read(accounts.account, blind("bob")))
        self.assertIsNone(await self.read(accounts.account_by_alias, blind("login bob")))

    async def test_among(self) -> None:
        """Several at once: the accounts, and the profiles with the keys, of those that are there."""
        rows = [await self.account(name) for name in ("ann", "bob", "cy")]
        profile = ProfileRow(blind("cy"), 7, b"profile")
        await self.write(profiles.put_profile, profile)
        asked = [blind("cy"), blind("ann"), blind("eve")]
        found = await self.read(accounts.accounts_among, asked)
        self.assertEqual(sorted(found), sorted([rows[0], rows[2]]))
        self.assertEqual(await self.read(profiles.profiles_among, asked), [(profile, rows[2].key)])

    async def test_alias_taken(self) -> None:
        """A second account with an alias is refused and leaves nothing behind."""
        row = await self.account("ann")
        second = AccountRow(blind("imposter"), b"sealed", wrap())
        with self.assertRaises(accounts.AliasTaken):
            await self.write(accounts.insert_account, second, blind("login ann"))
        self.assertEqual(await self.read(accounts.account_by_alias, blind("login ann")), row)
        self.assertIsNone(await self.read(accounts.account, blind("imposter")))
        self.assertIsNone(await self.read(keys.LASTING.key, blind("imposter")))

    async def test_update_account(self) -> None:
        row = await self.account("ann")
        await self.write(accounts.update_account, row.account, b"new")
        self.assertEqual(await self.read(accounts.account, row.account), row._replace(sealed=b"new"))

    async def test_all_accounts(self) -> None:
        """Page after page, in the order of their indexes, each with its key."""
        rows = sorted(
            [await self.account(name) for name in ("ann", "bob", "cy")], key=lambda row: row.account
        )
        self.assertEqual(await self.read(accounts.accounts_after, b"", 2), rows[:2])
        self.assertEqual(await self.read(accounts.accounts_after, rows[1].account, 2), rows[2:])
        self.assertEqual(await self.read(accounts.accounts_after, rows[2].account, 2), [])

    async def test_keys(self) -> None:
        """A key is replaced and deleted by its owner."""
        await self.write(keys.LASTING.put_key, blind("day"), wrap("one"))
        await self.write(keys.LASTING.put_key, blind("day"), wrap("two", 2))
        self.assertEqual(await self.read(keys.LASTING.key, blind("day")), wrap("two", 2))
        await self.write(keys.LASTING.delete_key, blind("day"))
        self.assertIsNone(await self.read(keys.LASTING.key, blind("day")))

    async def test_rewrap_all(self) -> None:
        """Every key of an older epoch is wrapped anew, over several batches; what does not open stays."""
        owners = [number.to_bytes(16, "big") for number in range(2_345)]

        def put(c: Connection) -> None:
            for owner in owners:
                keys.LASTING.put_key(c, owner, wrap())

        await self.db.transact(put)
        await self.write(keys.LASTING.put_key, owners[7], wrap("new", 2))

        def rewrap(owner: bytes, key: WrappedKey) -> WrappedKey:
            if owner == owners[8]:
                raise Tampered
            return wrap(owner.hex(), key.epoch + 1)

        done: bytes | None = b""
        damaged = batches = 0
        while done is not None:
            batch: keys.Rewrapped = await self.write(keys.LASTING.rewrap_some, 2, done, rewrap)
            done, damaged, batches = batch.last, damaged + batch.damaged, batches + 1
        self.assertEqual((damaged, batches), (1, 3))
        for owner in (owners[0], owners[1_000], owners[-1]):
            self.assertEqual(await self.read(keys.LASTING.key, owner), wrap(owner.hex(), 2))
        self.assertEqual(await self.read(keys.LASTING.key, owners[7]), wrap("new", 2))
        self.assertEqual(await self.read(keys.LASTING.key, owners[8]), wrap())

    async def test_devices(self) -> None:
        """Devices are listed in the order in which they came, and found with their account."""
        account = await self.account("ann")
        await self.account("bob")
        rows = [DeviceRow(blind(name), blind("ann"), b"v" * 32, name.encode()) for name in ("z", "a", "m")]
        for row in rows:
            await self.write(devices.insert_device, row)
        self.assertEqual(await self.read(devices.devices_of, blind("ann")), rows)
        self.assertEqual(await self.read(devices.device, blind("a")), (rows[1], account))
        self.assertIsNone(await self.read(devices.device, blind("other")))
        self.assertFalse(await self.write(devices.delete_device, blind("bob"), blind("a")))
        self.assertTrue(await self.write(devices.delete_device, blind("ann"), blind("a")))
        self.assertFalse(await self.write(devices.delete_device, blind("ann"), blind("a")))
        self.assertIsNone(await self.read(devices.device, blind("a")))
        self.assertEqual(await self.read(devices.devices_of, blind("ann")), [rows[0], rows[2]])

    async def test_profiles(self) -> None:
        """Changed profiles of oneself and of accepted contacts, in the order of their changes."""
        for place, name in enumerate(("ann", "friend", "asking", "stranger"), 1):
            await self.write(profiles.put_profile, ProfileRow(blind(name), place, b"first"))
        for name, state in (("friend", 3), ("asking", 2)):
            side = ContactRow(blind("ann"), blind(name), blind("chat"), state, 9, b"")
            await self.write(contacts.put_contact, side)
        mine = ProfileRow(blind("ann"), 5, b"second")
        theirs = ProfileRow(blind("friend"), 2, b"first")
        await self.write(profiles.put_profile, mine)
        self.assertEqual(await self.read(profiles.profile, blind("ann")), mine)
        self.assertIsNone(await self.read(profiles.profile, blind("nobody")))
        self.assertEqual(await self.read(profiles.profiles_since, blind("ann"), 0, 10), [theirs, mine])
        self.assertEqual(await self.read(profiles.profiles_since, blind("ann"), 0, 1), [theirs])
        self.assertEqual(await self.read(profiles.profiles_since, blind("ann"), 2, 10), [mine])

    async def test_avatars(self) -> None:
        """One for each account, in place of the one before, until it is deleted."""
        self.assertIsNone(await self.read(avatars.avatar, blind("ann")))
        for sealed in (b"first", bytes(50_000)):
            await self.write(avatars.put_avatar, blind("ann"), sealed)
            await self.write(avatars.put_avatar, blind("bob"), b"bob's")
            self.assertEqual(await self.read(avatars.avatar, blind("ann")), sealed)
        for _ in range(2):
            await self.write(avatars.delete_avatar, blind("ann"))
            self.assertIsNone(await self.read(avatars.avatar, blind("ann")))
        self.assertEqual(await self.read(avatars.avatar, blind("bob")), b"bob's")


class ContactQueryTests(StorageCase):
    async def test_mutual_contacts(self) -> None:
        """Whom somebody has accepted and is accepted by; nobody of another node, and no one-sided ones."""
        for owner, peer, state in (
            ("ann", "bob", 3),
            ("bob", "ann", 3),
            ("ann", "cy", 3),
            ("cy", "ann", 4),
            ("ann", "far", 3),
            ("ann", "dan", 1),
            ("dan", "ann", 3),
            ("eve", "ann", 3),
            ("ann", "fay", 3),
            ("fay", "ann", 3),
        ):
            row = ContactRow(
                blind(owner), blind(peer), blind(min(owner + peer, peer + owner)), state, 1, b"s"
            )
            await self.write(contacts.put_contact, row)
        found = await self.read(contacts.mutual, blind("ann"))
        self.assertEqual(
            sorted([found[:16], found[16:]]), sorted([blind("bob"), blind("fay")]), "in whatever order"
        )
        self.assertEqual(await self.read(contacts.mutual, blind("cy")), b"")

    async def test_contacts_elsewhere(self) -> None:
        """The side of somebody at another node counts for contacts here, and for nobody's presence."""
        elsewhere = contacts.ELSEWHERE
        for owner, peer, state, sealed in (
            ("ann", "far", 3, b"s"),
            ("far", "ann", 3, elsewhere),
            ("bob", "far", 3, b"s"),
            ("far", "bob", 1, elsewhere),
            ("cy", "far", 2, b"s"),
            ("dan", "far", 3, b"s"),
            ("far", "dan", 3, elsewhere),
        ):
            row = ContactRow(blind(owner), blind(peer), blind(f"chat {min(owner, peer)}"), state, 1, sealed)
            await self.write(contacts.put_contact, row)
        found = await self.read(contacts.mutual_here, blind("far"))
        self.assertEqual(sorted(found), [blind("ann"), blind("dan")])
        self.assertEqual(await self.read(contacts.mutual, blind("ann")), b"")
        await self.write(contacts.delete_contact, blind("far"), blind("ann"))
        self.assertEqual(await self.read(contacts.mutual_here, blind("far")), [blind("dan")])
        self.assertTrue(await self.read(contacts.has_contacts, blind("far")))
        for peer in ("bob", "dan"):
            await self.write(contacts.delete_contact, blind("far"), blind(peer))
        self.assertFalse(await self.read(contacts.has_contacts, blind("far")))
        self.assertEqual(await self.read(contacts.count, blind("ann")), 1)

    async def test_contacts(self) -> None:
        """Pages by peer leave out who is gone; changes by position do not."""
        rows = {}
        for place, (peer, state) in enumerate((("d", 1), ("c", 3), ("b", 0), ("a", 5)), 1):
            rows[peer] = ContactRow(blind("me"), blind(peer), blind(f"chat {peer}"), state, place, b"s")
            await self.write(contacts.put_contact, rows[peer])
        await self.write(contacts.put_contact, rows["a"]._replace(owner=blind("other")))
        a, b, c, d = (rows[name] for name in "abcd")
        me = blind("me")
        self.assertEqual(await self.read(contacts.contact, me, blind("a")), a)
        self.assertIsNone(await self.read(contacts.contact, blind("a"), me))
        self.assertEqual(await self.read(contacts.contacts_of, me, None, 2), [a, c])
        self.assertEqual(await self.read(contacts.contacts_of, me, c.peer, 2), [d])
        self.assertEqual(await self.read(contacts.contacts_since, me, 1, 2), [c, b])
        self.assertEqual(await self.read(contacts.contacts_since, me, 3, 9), [a])
        self.assertEqual(
            await self.read(contacts.contacts_of_chat, a.chat), [a, a._replace(owner=blind("other"))]
        )

    async def test_forgotten(self) -> None:
        """Of those that are gone the newest stay, and those with whom there is a chat."""
        await self.chat("chat b", "me", "b")
        rows = [
            ContactRow(blind("me"), blind(peer), blind(f"chat {peer}"), state, place, b"s")
            for place, (peer, state) in enumerate((("a", 3), ("b", 0), ("c", 0), ("d", 0), ("e", 0)), 1)
        ]
        await self.write(contacts.put_contacts, rows)
        self.assertEqual(await self.read(contacts.with_chat, [row.chat for row in rows]), {rows[1].chat})
        self.assertEqual(await self.read(contacts.with_chat, []), set())
        await self.write(contacts.forget_gone, blind("me"), 1)
        kept = await self.read(contacts.contacts_since, blind("me"), 0, 9)
        self.assertEqual(kept, [rows[0], rows[1], rows[4]])

    async def test_replaced(self) -> None:
        """One side of a relation is one row."""
        row = ContactRow(blind("me"), blind("a"), blind("chat"), 1, 1, b"old")
        await self.write(contacts.put_contact, row)
        changed = row._replace(state=3, position=2, sealed=b"new")
        await self.write(contacts.put_contact, changed)
        self.assertEqual(await self.read(contacts.contacts_since, row.owner, 0, 9), [changed])


class PostgresAccountQueryTests(OnPostgres, AccountQueryTests): ...


class PostgresContactQueryTests(OnPostgres, ContactQueryTests): ...
