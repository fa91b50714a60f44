"""What is stored and found of chats and events, on SQLite and on PostgreSQL."""

from safeum_home.storage import (
    chat_list,
    chats,
    events,
    node,
)
from safeum_home.storage.rows import (
    ChatRow,
    EventRow,
    ListedChat,
    Marker,
    MemberRow,
)
from tests.storage import OnPostgres, StorageCase, blind, wrap

GROUP = 4


class ChatQueryTests(StorageCase):
    async def test_chat(self) -> None:
        """A chat is stored once, with its key and members."""
        row = ChatRow(blind("chat"), 1, b"sealed", wrap())
        self.assertTrue(await self.write(chats.insert_chat, row, [blind("b"), blind("a")]))
        again = row._replace(sealed=b"other", key=wrap("other"))
        self.assertFalse(await self.write(chats.insert_chat, again, [blind("c")]))
        self.assertEqual(await self.read(chats.chat, row.chat), row)
        self.assertIsNone(await self.read(chats.chat, blind("other")))
        expected = [MemberRow(row.chat, blind(name), 0, 0, 0) for name in "ab"]
        self.assertEqual(await self.read(chats.members, row.chat), expected)

    async def test_chats_of(self) -> None:
        """Chats that hold events come with the newest of them, newest first, by pages."""
        for name in ("one", "two", "empty"):
            await self.chat(name, "ann", "bob")
        await self.chat("theirs", "bob", "eve")
        await self.send("one", "two", "one", "theirs")
        newest = (await self.send("two", "one"))[::-1]
        found = await self.listed("ann")
        self.assertEqual([each.newest for each in found], newest)
        self.assertEqual([each.place for each in found], [event.position for event in newest])
        self.assertEqual(found[0].chat, ChatRow(blind("one"), 1, b"sealed", wrap("one")))
        self.assertEqual(found[0].mine, MemberRow(blind("one"), blind("ann"), 0, 0, 0))
        self.assertEqual(await self.listed("ann", None, 1), found[:1])
        self.assertEqual(await self.listed("ann", newest[0].position, 9), found[1:])
        self.assertEqual(await self.listed("ann", newest[1].position, 9), [])

    async def listed(self, name: str, before: int | None = None, limit: int = 10) -> list[ListedChat]:
        found: list[ListedChat] = await self.read(chat_list.chats_of, blind(name), before, limit, GROUP)
        return found

    async def test_chats_without_a_message(self) -> None:
        """A group is there from when it was made or joined, an erased chat from then; others are not."""
        for name, kind in (("direct", 1), ("group", GROUP), ("joined", GROUP), ("erased", 1), ("new", GROUP)):
            row = ChatRow(blind(name), kind, b"sealed", wrap(name), 0 if kind == 1 else 3)
            await self.write(chats.insert_chat, row, [])
        await self.send("joined", "erased")
        joined = self.db.next_position()
        rows = [
            MemberRow(blind(chat), blind("ann"), 0, 0, 0, visible)
            for chat, visible in (
                *(("direct", 0), ("group", 0)),
                *(("joined", joined), ("erased", joined - 1), ("new", 0)),
            )
        ]
        await self.write(chats.add_members, rows)
        await self.write(chats.update_chat, blind("group"), b"sealed", joined + 2)
        [said] = await self.send("new")
        found = await self.listed("ann")
        self.assertEqual(
            [(each.chat.chat, each.place, each.newest) for each in found],
            [
                (blind("group"), joined + 2, None),
                (blind("new"), said.position, said),
                (blind("joined"), joined, None),
                (blind("erased"), joined - 1, None),
            ],
        )
        self.assertEqual(await self.listed("ann", joined, 1), found[3:])

    async def test_members_of(self) -> None:
        """Of several chats at once."""
        await self.chat("one", "ann", "bob")
        await self.chat("two", "ann")
        await self.chat("three", "eve")
        found = await self.read(chats.members_of, [blind("one"), blind("two"), blind("none")])
        pairs = (("one", "ann"), ("one", "bob"), ("two", "ann"))
        expected = {(blind(chat), blind(who)) for chat, who in pairs}
        self.assertEqual({row[:2] for row in found}, expected)
        self.assertEqual(await self.read(chats.members_of, []), [])

    async def test_markers(self) -> None:
        """Markers go forward alone; each row that moved something tells where the marker stands."""
        await self.chat("chat", "ann", "bob")
        steps = [((5, 0), True), ((4, 0), False), ((4, 3), True), ((5, 3), False), ((9, 9), True)]
        rows = [Marker(blind("chat"), blind("ann"), *step, at) for at, (step, _) in enumerate(steps, 1)]
        outcomes = [await self.db.append(chats.put_markers, row) for row in rows[:4]]
        self.assertEqual([outcome is not None for outcome in outcomes], [moved for _, moved in steps[:4]])
        self.assertEqual(outcomes[2], Marker(blind("chat"), blind("ann"), 5, 3, 3))
        [ann, bob] = await self.read(chats.members, blind("chat"))
        self.assertEqual((ann.delivered, ann.read, ann.position), (5, 3, 3))
        self.assertEqual((bob.delivered, bob.read, bob.position), (0, 0, 0))
        self.assertTrue(await self.db.append(chats.put_markers, rows[4]))

    async def test_markers_since(self) -> None:
        """Markers of all members of one's chats, in the order in which they moved."""
        await self.chat("one", "ann", "bob")
        await self.chat("two", "ann", "eve")
        await self.chat("theirs", "bob", "eve")
        moves = (("two", "eve"), ("theirs", "eve"), ("one", "ann"), ("one", "bob"))
        for place, (chat, account) in enumerate(moves, 1):
            marker = Marker(blind(chat), blind(account), 7, 0, place)
            await self.db.append(chats.put_markers, marker)
        eve, ann, bob = (
            MemberRow(blind(moves[at][0]), blind(moves[at][1]), 7, 0, at + 1) for at in (0, 2, 3)
        )
        self.assertEqual(await self.read(chats.markers_since, blind("ann"), 0, 9, 4), [eve, ann, bob])
        self.assertEqual(await self.read(chats.markers_since, blind("ann"), 1, 1, 4), [ann])
        self.assertEqual(await self.read(chats.markers_since, blind("ann"), 4, 9, 4), [])


class EventQueryTests(StorageCase):
    async def test_history(self) -> None:
        """Pages of a chat go backwards, each in its order."""
        sent = await self.send(*["one", "two"] * 4)
        one = [event for event in sent if event.chat == blind("one")]
        chat = blind("one")
        self.assertEqual(await self.read(events.event, chat, one[1].position), one[1])
        self.assertIsNone(await self.read(events.event, blind("two"), one[1].position))
        places = [(event.chat, event.position) for event in (sent[1], one[2])] + [(chat, 10**6)]
        found = await self.read(events.events_among, places)
        self.assertEqual(sorted(found), sorted([sent[1], one[2]]))
        self.assertEqual(await self.read(events.events_before, chat, None, 3), one[1:])
        self.assertEqual(await self.read(events.events_before, chat, one[1].position, 3), one[:1])
        self.assertEqual(await self.read(events.events_after, chat, one[0].position, 2), one[1:3])
        self.assertEqual(await self.read(events.events_before, blind("three"), None, 3), [])

    async def test_since(self) -> None:
        """Events of all one's chats, in the node's order."""
        await self.chat("one", "ann", "bob")
        await self.chat("two", "ann", "eve")
        sent = await self.send("two", "one", "theirs", "one", "two")
        mine = [event for event in sent if event.chat != blind("theirs")]
        self.assertEqual(await self.read(events.events_since, blind("ann"), 0, 9), mine)
        self.assertEqual(await self.read(events.events_since, blind("ann"), mine[0].position, 2), mine[1:3])
        self.assertEqual(await self.read(events.events_since, blind("nobody"), 0, 9), [])

    async def test_sent_again(self) -> None:
        """What is sent again is recognised, and answered with where it was stored."""
        first = self.new_event("chat", "id")
        other_device = self.new_event("chat", "id of another")
        again, twin, twin_again = (self.new_event("chat", name) for name in ("id", "new", "new"))
        self.assertIsNone(await self.db.append(events.append_events, first))
        rows = [other_device, again, twin, twin_again]
        outcomes = await self.db.transact(lambda c: events.append_events(c, rows))
        self.assertEqual(outcomes, [None, first.position, None, twin.position])
        stored = [EventRow(*row[:3]) for row in (first, other_device, twin)]
        self.assertEqual(await self.read(events.events_after, blind("chat"), 0, 9), stored)

    async def test_large(self) -> None:
        """Many rows, and the largest of bodies."""
        rows = [self.new_event("chat")._replace(sealed=bytes(65_536)) for _ in range(300)]
        await self.db.transact(lambda c: events.append_events(c, rows))
        found = await self.read(events.events_after, blind("chat"), 0, 1_000)
        self.assertEqual(found, [EventRow(*row[:3]) for row in rows])

    async def test_committed(self) -> None:
        """A snapshot knows the position up to which it is complete."""
        await self.send("one", "two")
        self.assertEqual(await self.read(node.committed), self.db.committed)


class PostgresChatQueryTests(OnPostgres, ChatQueryTests): ...


class PostgresEventQueryTests(OnPostgres, EventQueryTests): ...
