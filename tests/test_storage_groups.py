"""Rosters, links and endings of groups as they are stored, on SQLite and on PostgreSQL."""

from typing import Any

from safeum_home.storage import chats, erasure, group_endings, group_links, roster
from safeum_home.storage.keys import LASTING
from safeum_home.storage.rows import ChatRow, EndingRow, MemberRow, RosterRow
from tests.storage import OnPostgres, StorageCase, blind, wrap

GROUP = 4
INVITED, MEMBER, LEFT, REMOVED = 1, 2, 3, 4


class GroupQueryTests(StorageCase):
    """A group `g` with Ann and Bob in it; Cy is invited, Dan has left, and Eve is only called a member."""

    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        await super().setUp()
        row = ChatRow(blind("g"), GROUP, b"sealed", wrap("g"))
        await self.write(chats.insert_chat, row, [blind("ann"), blind("bob")])
        states = {"ann": MEMBER, "bob": MEMBER, "cy": INVITED, "dan": LEFT, "eve": MEMBER}
        self.entries = {
            name: RosterRow(blind("g"), blind(name), place, state, b"entry " + name.encode())
            for place, (name, state) in enumerate(states.items(), 1)
        }
        await self.write(roster.put_entries, list(self.entries.values()))

    def of(self, *names: str) -> list[RosterRow]:
        return [self.entries[name] for name in names]

    async def put(self, name: str, **changes: Any) -> None:
        self.entries[name] = self.entries[name]._replace(**changes)
        await self.write(roster.put_entries, [self.entries[name]])

    async def test_lists(self) -> None:
        """Members are those with a row among the members; pages follow their rows."""
        self.assertEqual(await self.read(roster.listed, blind("g"), None, 9), self.of("ann", "bob", "cy"))
        self.assertEqual(await self.read(roster.listed, blind("g"), blind("ann"), 1), self.of("bob"))
        self.assertEqual(await self.read(roster.listed, blind("h"), None, 9), [])
        self.assertEqual(await self.read(roster.member_entries, blind("g")), self.of("ann", "bob"))
        self.assertEqual(await self.read(roster.invited, blind("g")), self.of("cy"))
        self.assertEqual(await self.read(chats.count_members, blind("g")), 2)
        self.assertEqual(await self.read(roster.count_invited, blind("g")), 1)

    async def test_own(self) -> None:
        """What an account is anywhere, and how often."""
        other = RosterRow(blind("h"), blind("cy"), 9, INVITED, b"x")
        await self.write(roster.put_entries, [other])
        self.assertEqual(await self.read(roster.invitations, blind("cy"), 9), [other, *self.of("cy")])
        self.assertEqual(await self.read(roster.invitations, blind("cy"), 1), [other])
        self.assertEqual(await self.read(roster.count_own, blind("cy"), INVITED), 2)
        self.assertEqual(await self.read(roster.count_own, blind("cy"), MEMBER), 0)
        self.assertEqual(await self.read(roster.own_since, blind("cy"), 3, 9), [other])
        self.assertEqual(await self.read(roster.own_since, blind("cy"), 0, 1), self.of("cy"))

    async def test_a_group_that_changes(self) -> None:
        """Who is invited is told where that was; members, where it was, and where what they see begins."""
        for place in (3, 8):
            await self.write(chats.update_chat, blind("g"), b"sealed", place)
            told = [(place, self.entries["cy"])] if place > 3 else []
            self.assertEqual(await self.read(roster.invited_before, blind("cy"), 3, 9), told)
        self.assertEqual(await self.read(roster.invited_before, blind("cy"), 2, 9), [])
        self.assertEqual(await self.read(roster.invited_before, blind("ann"), 3, 9), [])
        row = ChatRow(blind("h"), GROUP, b"sealed", wrap("h"), 7)
        await self.write(chats.insert_chat, row, [])
        await self.write(chats.add_members, [MemberRow(blind("h"), blind("ann"), 0, 0, 0, 5)])

        async def changed(after: int, limit: int) -> list[tuple[int, bytes]]:
            found = await self.read(chats.chats_changed_since, blind("ann"), after, limit)
            return [(place, chat.chat) for place, chat in found]

        one, other = blind("g"), blind("h")
        self.assertEqual(await changed(0, 9), [(5, other), (7, other), (8, one)])
        self.assertEqual(await changed(4, 2), [(5, other), (7, other)])
        self.assertEqual(await changed(5, 2), [(7, other), (8, one)])
        self.assertEqual(await changed(8, 2), [])
        await self.write(chats.update_chat, other, b"sealed", 5)
        self.assertEqual(await changed(0, 9), [(5, other), (8, one)])

    async def test_since(self) -> None:
        """Members learn of others in the order of changes; others learn nothing."""
        await self.put("bob", position=12)
        await self.put("dan", position=11, state=REMOVED)
        self.assertEqual(
            await self.read(roster.others_since, blind("ann"), 4, 9), self.of("eve", "dan", "bob")
        )
        self.assertEqual(await self.read(roster.others_since, blind("ann"), 5, 1), self.of("dan"))
        for name in ("cy", "dan", "eve"):
            self.assertEqual(await self.read(roster.others_since, blind(name), 0, 9), [])

    async def test_leaving_and_coming_back(self) -> None:
        """A member's row goes, and a new one begins anew."""
        await self.write(chats.remove_member, blind("g"), blind("bob"))
        self.assertIsNone(await self.read(chats.member, blind("g"), blind("bob")))
        self.assertEqual(await self.read(roster.listed, blind("g"), None, 9), self.of("ann", "cy"))
        row = MemberRow(blind("g"), blind("bob"), 5, 5, 6, 4)
        await self.write(chats.add_members, [row])
        self.assertEqual(await self.read(chats.member, blind("g"), blind("bob")), row)

    async def test_readers(self) -> None:
        """Members whose marker is there, or beyond, and who see what is there."""
        await self.write(chats.remove_member, blind("g"), blind("bob"))
        await self.write(chats.add_members, [MemberRow(blind("g"), blind("bob"), 9, 7, 8, 5)])
        for position, found in ((7, self.of("bob")), (8, []), (5, []), (6, self.of("bob"))):
            self.assertEqual(await self.read(roster.readers, blind("g"), position, None, 9), found)
        self.assertEqual(await self.read(roster.readers, blind("g"), 6, blind("ann"), 9), self.of("bob"))

    async def test_those_who_left_are_forgotten(self) -> None:
        """All but the last ones; never who was removed."""
        await self.put("eve", state=REMOVED, position=1)
        await self.put("cy", state=LEFT, position=20)
        await self.write(roster.forget_left, blind("g"), 1)
        self.assertIsNone(await self.read(roster.entry, blind("g"), blind("dan")))
        for name in ("cy", "ann", "eve"):
            self.assertIsNotNone(await self.read(roster.entry, blind("g"), blind(name)), name)

    async def test_who_has_not_left_is_not_swept(self) -> None:
        """A closed account whose entries still say that it is in a group, or invited; others are."""
        owners = ("ann", "cy", "dan")
        for owner in owners:
            await self.write(erasure.erase_account, blind(owner), 1)
        while await self.write(erasure.sweep, 100, 0):
            pass
        left = [await self.read(erasure.is_erased, blind(owner)) for owner in owners]
        self.assertEqual(left, [True, True, False])
        for name in ("ann", "cy"):
            await self.put(name, state=LEFT)
        while await self.write(erasure.sweep, 100, 0):
            pass
        self.assertEqual([await self.read(erasure.is_erased, blind(owner)) for owner in owners], [False] * 3)

    async def test_links(self) -> None:
        """One for each group, found by its hash."""
        for link in ("one", "two"):
            await self.write(group_links.put_link, blind("g"), blind(link))
        self.assertIsNone(await self.read(group_links.chat_of, blind("one")))
        self.assertEqual(await self.read(group_links.chat_of, blind("two")), blind("g"))
        await self.write(group_links.put_link, blind("g"), None)
        self.assertIsNone(await self.read(group_links.chat_of, blind("two")))

    async def test_endings(self) -> None:
        """In their order, and the last of each account; of each group the last one."""
        self.patch(group_endings, "_FORGET", group_endings.forget(7))
        rows = [EndingRow(blind("ann"), blind(f"of {number}"), number, b"x") for number in range(1, 10)]
        for row in rows:
            await self.write(group_endings.put_endings, [row])
        kept = rows[2:]
        for number in (9, 10, 11):
            [kept[-1]] = again = [rows[-1]._replace(position=number, sealed=b"y")]
            await self.write(group_endings.put_endings, again)
        self.assertEqual(await self.read(group_endings.endings_since, blind("ann"), 0, 999), kept)
        self.assertEqual(await self.read(group_endings.endings_since, blind("ann"), 5, 1), [rows[5]])
        self.assertEqual(await self.read(group_endings.endings_since, blind("bob"), 0, 999), [])

    async def test_closing_an_account(self) -> None:
        """Its place goes at once, the group and its entry stay; what it is in is found until it is swept."""
        await self.send("g")
        self.assertEqual(await self.read(erasure.chats_of, blind("ann")), set())
        await self.write(erasure.erase_account, blind("ann"), 1)
        self.assertIsNotNone(await self.read(chats.chat, blind("g")))
        self.assertIsNone(await self.read(chats.member, blind("g"), blind("ann")))
        self.assertEqual(await self.read(roster.of_closed), self.entries["ann"])
        await self.write(roster.delete_entry, blind("g"), blind("ann"))
        self.assertIsNone(await self.read(roster.of_closed))

    async def test_erasing_a_group(self) -> None:
        """Everything of it goes, its messages in small steps; accounts stay."""
        await self.send("g", "g", "g")
        await self.write(group_links.put_link, blind("g"), blind("link"))
        await self.write(erasure.erase_chat, blind("g"), 1)
        self.assertTrue(await self.read(erasure.is_erased, blind("g")))
        self.assertIsNone(await self.read(chats.chat, blind("g")))
        self.assertIsNone(await self.read(group_links.chat_of, blind("link")))
        self.assertEqual(await self.read(roster.own_since, blind("cy"), 0, 9), [])
        self.assertEqual(await self.read(LASTING.erased_epoch), 1)
        while await self.write(erasure.sweep, 2, 0):
            pass
        self.assertFalse(await self.read(erasure.is_erased, blind("g")))


class PostgresGroupQueryTests(OnPostgres, GroupQueryTests):
    """The same on PostgreSQL."""
