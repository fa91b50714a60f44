"""Copies of groups as they are stored, and which there are, on SQLite and on PostgreSQL."""

from safeum_home.storage import accounts, chats, erasure, events, group_nodes, roster
from safeum_home.storage.keys import LASTING
from safeum_home.storage.rows import AccountRow, ChatRow, RosterRow
from tests.storage import OnPostgres, StorageCase, blind, wrap

GROUP = 4
INVITED, MEMBER, LEFT, REMOVED = 1, 2, 3, 4


class GroupNodeTests(StorageCase):
    async def test_lives(self) -> None:
        """A node has one copy at a time, and each has a life of its own."""
        await self.write(group_nodes.put_node, blind("g"), blind("b"), blind("life 1"), 5, b"b")
        await self.write(group_nodes.put_node, blind("g"), blind("c"), blind("life 2"), 9, b"c")
        self.assertEqual(await self.read(group_nodes.visible, blind("g"), blind("life 1")), 5)
        self.assertIsNone(await self.read(group_nodes.visible, blind("h"), blind("life 1")))
        both = {blind("b"): blind("life 1"), blind("c"): blind("life 2")}
        self.assertEqual(await self.read(group_nodes.lives, blind("g")), both)
        await self.write(group_nodes.put_node, blind("g"), blind("b"), blind("life 3"), 12, b"b")
        self.assertIsNone(await self.read(group_nodes.visible, blind("g"), blind("life 1")))
        self.assertEqual(await self.read(group_nodes.visible, blind("g"), blind("life 3")), 12)
        names = {(blind("life 2"), b"c"), (blind("life 3"), b"b")}
        self.assertEqual(set(await self.read(group_nodes.names, blind("g"))), names)
        await self.write(group_nodes.delete_node, blind("g"), blind("b"))
        self.assertEqual(await self.read(group_nodes.lives, blind("g")), {blind("c"): blind("life 2")})

    async def test_agreements(self) -> None:
        """Each is good for once, and goes with its account."""
        await self.write(group_nodes.agree, blind("g"), blind("ann"))
        await self.write(group_nodes.agree, blind("g"), blind("ann"))
        self.assertTrue(await self.read(group_nodes.is_wanted, blind("g")))
        self.assertTrue(await self.read(group_nodes.has_agreed, blind("g"), blind("ann")))
        self.assertFalse(await self.read(group_nodes.has_agreed, blind("g"), blind("bob")))
        self.assertTrue(await self.write(group_nodes.over, blind("g"), blind("ann")))
        self.assertFalse(await self.write(group_nodes.over, blind("g"), blind("ann")))
        self.assertFalse(await self.read(group_nodes.is_wanted, blind("g")))
        await self.write(group_nodes.agree, blind("g"), blind("bob"))
        await self.write(erasure.erase_account, blind("bob"), 1)
        self.assertFalse(await self.read(group_nodes.is_wanted, blind("g")))

    async def test_of_this_node(self) -> None:
        """Those are found quickly whose accounts are here."""
        await self.write(chats.insert_chat, self.row(), [blind("ann"), blind("far")])
        states = {"ann": MEMBER, "far": MEMBER, "bob": INVITED, "away": INVITED, "cy": LEFT}
        rows = {
            name: RosterRow(blind("g"), blind(name), place, state, b"entry")
            for place, (name, state) in enumerate(states.items(), 1)
        }
        await self.write(roster.put_entries, list(rows.values()))
        for name in ("ann", "bob", "cy"):
            row = AccountRow(blind(name), b"sealed", wrap(name))
            await self.write(accounts.insert_account, row, blind(f"alias {name}"))
        self.assertEqual(await self.read(roster.of_this_node, blind("g")), [rows["ann"]])
        self.assertEqual(await self.read(roster.of_this_node, blind("g"), True), [rows["bob"]])

    async def test_begins_anew(self) -> None:
        """A copy that is erased may be there again at once: what was in it is swept away, nothing else."""
        await self.write(chats.insert_chat, self.row(), [blind("ann")])
        old = [self.new_event("g", f"m{number}") for number in range(3)]
        await self.write(events.append_events, old)
        place = self.db.next_position()
        await self.write(erasure.erase_copy, blind("g"), place, 7)
        self.assertIsNone(await self.read(chats.chat, blind("g")))
        self.assertEqual(await self.read(LASTING.erased_epoch), 7)
        self.assertFalse(await self.read(erasure.is_erased, blind("g")))
        await self.write(chats.insert_chat, self.row(), [blind("ann")])
        new = [self.new_event("g", f"m{number}") for number in range(3)]
        self.assertEqual(await self.write(events.append_events, new), [None] * 3)
        while await self.write(erasure.sweep, 2, 0):
            pass
        held = await self.read(events.events_after, blind("g"), 0, 9)
        self.assertEqual([row.position for row in held], [row.position for row in new])
        self.assertIsNotNone(await self.read(chats.chat, blind("g")))
        self.assertEqual(await self.read(events.recognised, blind("m1")), new[1].position)

    async def test_removed(self) -> None:
        """Of those who were removed as many are kept as there are to be."""
        rows = [RosterRow(blind("g"), blind(f"n{place}"), place, REMOVED, b"x") for place in range(1, 6)]
        await self.write(roster.put_entries, rows)
        await self.write(roster.forget_removed, blind("g"), 2)
        self.assertEqual(await self.read(roster.entries, blind("g")), rows[3:])

    def row(self) -> ChatRow:
        return ChatRow(blind("g"), GROUP, b"sealed", wrap("g"))


class PostgresGroupNodeTests(OnPostgres, GroupNodeTests):
    """The same on PostgreSQL."""
