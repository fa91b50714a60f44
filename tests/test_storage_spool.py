"""Messages that wait for devices, in the database: who is waited for, what is dropped, what is swept."""

from typing import Any

from sqlalchemy import Connection, func, select, text

from safeum_home.errors import Code, Problem
from safeum_home.storage import chats, devices, erasure, events, keys, spool
from safeum_home.storage.rows import DeviceRow, FleetingEvent, MemberRow
from safeum_home.storage.schema import dedupe, metadata
from tests.storage import OnPostgres, StorageCase, blind, wrap

PEOPLE = ("ann", "bob", "dan", "eve")


class SpoolTests(StorageCase):
    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        await super().setUp()
        await self.chat("chat", "ann", "bob")
        for name in PEOPLE:
            await self.account(name)
        await self.device("ann", "laptop")
        await self.device("bob", "phone")

    async def account(self, name: str) -> None:
        """One of this node; no more of it than its row."""

        def add(c: Connection) -> None:
            c.execute(metadata.tables["accounts"].insert(), {"account": blind(name), "sealed": b"s"})

        await self.db.transact(add)

    async def device(self, account: str, name: str) -> None:
        row = DeviceRow(blind(name), blind(account), b"v" * 32, b"s")
        await self.write(devices.insert_device, row)

    def event(
        self, client_id: str | None = None, device: str = "laptop", account: str = "ann", **more: int
    ) -> FleetingEvent:
        new = self.new_event("chat", client_id)
        owner = keys.message_owner(new.chat, new.position)
        wrapped = wrap("own", more.get("epoch", 1))
        return FleetingEvent(new, blind(account), blind(device), more.get("hour", 1), owner, wrapped)

    async def put(self, **more: Any) -> int:
        event = self.event(**more)
        assert await self.db.append(spool.append_fleeting, event) is None
        return event.event.position

    async def hold(self, device: str, position: int) -> None:
        await self.write(spool.hold, [(blind(device), position)])

    async def done(self, limit: int = 100) -> list[int]:
        return await self.read(spool.held_by_all, blind("chat"), limit)

    async def count(self, table: str) -> int:
        def read(c: Connection) -> int:
            return int(c.execute(select(func.count()).select_from(metadata.tables[table])).scalar_one())

        return await self.db.read(read)

    async def test_append(self) -> None:
        """With its key; sent again it is the one that is there, and no other key comes to be."""
        first = await self.put(client_id="one")
        again = self.event("one")
        self.assertEqual(await self.db.append(spool.append_fleeting, again), first)
        self.assertEqual(
            await self.read(keys.FLEETING.key, keys.message_owner(blind("chat"), first)), wrap("own")
        )
        self.assertIsNone(await self.read(keys.FLEETING.key, again.owner))
        self.assertEqual([await self.count(table) for table in ("events", "spool", "dedupe")], [1, 1, 1])

    async def test_a_key_of_an_epoch_that_is_over(self) -> None:
        """It is refused alone, and can be sent again."""
        await self.write(keys.FLEETING.begin_epoch, 2)
        late = self.db.append(spool.append_fleeting, self.event("late"))
        good = self.db.append(spool.append_fleeting, self.event("good", epoch=2))
        with self.assertRaises(Problem) as raised:
            await late
        self.assertIs(raised.exception.code, Code.BUSY)
        self.assertIsNone(await good)
        self.assertEqual([await self.count(table) for table in ("events", "spool", "dedupe")], [1, 1, 1])

    async def test_held_by_all(self) -> None:
        """The sending device has it; every other one of both is waited for, up to its own mark."""
        one, two = await self.put(), await self.put()
        theirs = await self.put(device="phone", account="bob")
        self.assertEqual(await self.done(), [])
        await self.hold("phone", one)
        self.assertEqual(await self.done(), [one])
        await self.hold("phone", two)
        await self.hold("phone", one)  # a mark never goes back
        self.assertEqual(await self.done(), [one, two])
        self.assertEqual(await self.done(limit=1), [one])
        await self.hold("laptop", theirs)
        self.assertEqual(await self.done(), [one, two, theirs])

    async def test_the_sending_device_lags(self) -> None:
        """It is behind with others' messages; its own are held by all without it."""
        theirs = await self.put(device="phone", account="bob")
        mine = await self.put()
        await self.hold("phone", mine)
        self.assertEqual(await self.done(), [mine])
        await self.hold("laptop", theirs)
        self.assertEqual(await self.done(), [theirs, mine])

    async def test_devices_that_come_and_go(self) -> None:
        """A device that is new is not waited for; one that is gone neither; an account without any is."""
        await self.device("bob", "tablet")
        one = await self.put()
        await self.device("bob", "watch")
        await self.hold("phone", one)
        self.assertEqual(await self.done(), [])
        await self.write(devices.delete_device, blind("bob"), blind("tablet"))
        self.assertEqual(await self.done(), [one])
        for name in ("phone", "watch"):
            await self.write(devices.delete_device, blind("bob"), blind(name))
        self.assertEqual(await self.done(), [])
        await self.device("bob", "new phone")
        self.assertEqual(await self.done(), [])
        await self.hold("new phone", one)
        self.assertEqual(await self.done(), [one])

    async def test_who_came_later(self) -> None:
        """A member who does not see what was before is not waited for with it."""
        one = await self.put()
        await self.hold("phone", one)
        await self.device("eve", "late")
        await self.write(chats.add_members, [MemberRow(blind("chat"), blind("eve"), 0, 0, 0, one)])
        self.assertEqual(await self.done(), [one])
        two = await self.put()
        await self.hold("phone", two)
        self.assertEqual(await self.done(), [one])

    async def test_who_is_of_another_node(self) -> None:
        """Who has no account here is not waited for, with or without devices."""
        await self.write(chats.add_members, [MemberRow(blind("chat"), blind("foreign"), 0, 0, 0)])
        one = await self.put()
        self.assertEqual(await self.done(), [])
        await self.hold("phone", one)
        self.assertEqual(await self.done(), [one])

    async def test_nobody_else(self) -> None:
        """A chat with oneself, on one device."""
        await self.chat("own", "dan")
        await self.device("dan", "only")
        new = self.new_event("own")
        event = FleetingEvent(
            new, blind("dan"), blind("only"), 1, keys.message_owner(new.chat, new.position), wrap()
        )
        await self.db.append(spool.append_fleeting, event)
        self.assertEqual(await self.read(spool.held_by_all, blind("own"), 10), [new.position])

    async def test_which_chats(self) -> None:
        """Chats in which something waits, all or those of some accounts; not those where nothing does."""
        await self.chat("quiet", "ann", "bob")
        await self.put()
        await self.put()
        chats_of = await self.read(spool.waited_for, [blind("bob"), blind("eve")])
        self.assertEqual(chats_of, {blind("chat")})
        self.assertEqual(await self.read(spool.waited_for, [blind("eve")]), set())
        self.assertEqual(await self.read(spool.waiting_chats, b"", 2), [blind("chat")])
        self.assertEqual(await self.read(spool.waiting_chats, blind("chat"), 2), [])
        self.assertEqual(set(await self.read(spool.accounts_of, blind("chat"))), {blind("ann"), blind("bob")})

    async def test_expired(self) -> None:
        old = [await self.put(hour=hour) for hour in (5, 6)]
        await self.put(hour=7)
        self.assertEqual(await self.read(spool.expired, 7, 10), {blind("chat"): old})
        self.assertEqual(await self.read(spool.expired, 7, 1), {blind("chat"): old[:1]})

    async def test_drop(self) -> None:
        """Message and key are gone, others stay; it is recognised for a while, and a turn is due."""
        one, two = await self.put(client_id="one"), await self.put(client_id="two")
        await self.write(erasure.drop_messages, blind("chat"), [one], 100, 3, [blind("mark")])
        self.assertEqual([await self.count(table) for table in ("events", "spool", "dedupe")], [1, 1, 2])
        self.assertIsNone(await self.read(keys.FLEETING.key, keys.message_owner(blind("chat"), one)))
        self.assertIsNotNone(await self.read(keys.FLEETING.key, keys.message_owner(blind("chat"), two)))
        self.assertEqual(await self.read(keys.FLEETING.erased_epoch), 3)
        self.assertEqual(await self.read(events.following, blind("chat"), one), two)
        self.assertIsNone(await self.read(events.following, blind("chat"), two))
        self.assertTrue(await self.read(events.is_gone, one))
        self.assertFalse(await self.read(events.is_gone, two))
        self.assertTrue(await self.read(events.is_gone_from, one, blind("mark")))
        self.assertFalse(await self.read(events.is_gone_from, one, blind("other")))
        self.assertEqual(await self.read(events.recognised, blind("one")), one)
        self.assertFalse(await self.write(erasure.forget_gone, 100, 10))
        self.assertEqual(await self.count("dedupe"), 2)
        self.assertTrue(await self.write(erasure.forget_gone, 101, 1))
        self.assertIsNone(await self.read(events.recognised, blind("one")))
        self.assertEqual(await self.count("dedupe"), 1)

    async def test_past(self) -> None:
        """What is erased up to a place is swept some at a time; what follows stays, and so does the chat."""
        for number in range(5):
            await self.put(client_id=f"{number}")
        await self.send("chat", "chat")
        upto = self.db.next_position()
        await self.write(erasure.erase_past, blind("chat"), upto, 4)
        after = await self.put(client_id="after")
        found = await self.read(events.events_since, blind("ann"), 0, 10)
        self.assertEqual([row.position for row in found], [after])
        times = 0
        while await self.write(erasure.sweep, 3, 100):
            times += 1
        self.assertEqual(times, 3 + 1)
        self.assertEqual([await self.count(table) for table in ("events", "spool", "dedupe")], [1, 1, 8])
        self.assertEqual(await self.count("erasing"), 0)
        self.assertEqual([await self.count(table) for table in ("keys", "fleeting_keys")], [1, 1])
        members = await self.read(chats.members, blind("chat"))
        self.assertEqual({member.visible for member in members}, {upto})
        self.assertIsNotNone(await self.read(chats.chat, blind("chat")))
        gone = await self.read(lambda c: c.execute(select(dedupe.c.gone)).scalars().all())
        self.assertEqual(sorted(gone, key=str), [100] * 7 + [None])

    async def test_erased_twice(self) -> None:
        """The later place counts; the chat as a whole counts more, whichever was said last."""
        await self.put()
        for upto in (9, erasure.ALL, 5):
            await self.write(lambda c, upto=upto: erasure._ERASE.change(c, [(blind("chat"), upto)]))
        while await self.write(erasure.sweep, 100, 1):
            pass
        tables = ("events", "spool", "dedupe", "chats", "members", "keys", "fleeting_keys")
        self.assertEqual([await self.count(table) for table in tables], [0] * 7)

    async def test_statements_use_indexes(self) -> None:
        """Nothing of it reads a table from end to end (SQLite says how it would go about it)."""
        if not self.url.startswith("sqlite"):
            return

        def plans(c: Connection) -> list[str]:
            told: list[str] = []
            for statement in (
                spool._NEXT_CHAT,
                spool._HOLDERS,
                spool._EXPIRED,
                select(dedupe.c.sent).where(dedupe.c.gone < 5).limit(1),
                events._GONE,
            ):
                sql = str(statement.compile(c, compile_kwargs={"render_postcompile": True}))
                parameters = dict.fromkeys(statement.compile(c).params, 1)
                for row in c.execute(text(f"EXPLAIN QUERY PLAN {_named(sql, parameters)}"), parameters):
                    told.append(str(row[-1]))
            return told

        for plan in await self.db.read(plans):
            self.assertNotRegex(plan, r"^SCAN (?!.*USING)")


def _named(sql: str, parameters: dict[str, Any]) -> str:
    for name in parameters:
        sql = sql.replace("?", f":{name}", 1)
    return sql


class SpoolOnPostgresTests(OnPostgres, SpoolTests):
    pass
