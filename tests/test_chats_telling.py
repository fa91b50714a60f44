"""What other nodes are to be told is noted with the change itself, on SQLite and on PostgreSQL."""

from collections.abc import Sequence

from sqlalchemy import Connection

from safeum_home.chats.across.telling import Telling, ToldEvent, ToldMarker, pointed, pointer
from safeum_home.node.alone import Alone
from safeum_home.ports.federation import Noted
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import open_vault
from safeum_home.storage import chats
from safeum_home.storage.rows import Marker, MemberRow
from tests.storage import OnPostgres, StorageCase, blind
from tests.world_parts import arena

B, C = "b.example", "c.example"


class _Noting(Alone):
    """Keeps what was noted last."""

    def __init__(self) -> None:
        self.noted: list[Noted] = []

    def note(self, c: Connection, rows: Sequence[Noted]) -> None:
        self.noted = list(rows)

    def room(self, c: Connection, node: str) -> int:
        return 1_000


class TellingTests(StorageCase):
    """Rows that wait together, some of which change nothing."""

    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        await super().setUp()
        self.peers = _Noting()
        self.telling = Telling(self.peers, open_vault(generate(arena()), None).blinder)

    async def test_messages(self) -> None:
        """Each to the nodes of its chat; what was stored before to none."""
        first, second = self.new_event("chat", "one"), self.new_event("other", "two")
        rows = [ToldEvent(first, (B,)), ToldEvent(second, (B, C))]
        outcomes = await self.db.transact(lambda c: self.telling.append(c, rows))
        self.assertEqual(outcomes, [None, None])
        about = [pointer(row.chat, row.position) for row in (first, second)]
        told = [(B, about[0]), (B, about[1]), (C, about[1])]
        self.assertEqual([(row.node, row.pointer) for row in self.peers.noted], told)
        self.assertEqual({row.type for row in self.peers.noted}, {"chat.message"})
        again, third = self.new_event("chat", "one"), self.new_event("chat", "three")
        rows = [ToldEvent(again, (B,)), ToldEvent(third, (B,))]
        outcomes = await self.db.transact(lambda c: self.telling.append(c, rows))
        self.assertEqual(outcomes, [first.position, None])
        self.assertEqual([row.pointer for row in self.peers.noted], [pointer(third.chat, third.position)])

    async def test_markers(self) -> None:
        """One that moves twice is told once, one that does not move not at all."""
        chat, ann, bob = blind("chat"), blind("ann"), blind("bob")
        members = [MemberRow(chat, account, 0, 0, 0) for account in (ann, bob)]
        await self.db.transact(lambda c: chats.add_members(c, members))
        rows = [
            ToldMarker(Marker(chat, account, place, 0, 9), (B,))
            for account, place in ((ann, 5), (bob, 3), (ann, 6), (blind("eve"), 7))
        ]
        outcomes = await self.db.transact(lambda c: self.telling.markers(c, rows))
        self.assertEqual([row and row.delivered for row in outcomes], [5, 3, 6, None])
        self.assertEqual([row.pointer for row in self.peers.noted], [chat + ann, chat + bob])
        await self.db.transact(lambda c: self.telling.markers(c, rows))
        self.assertEqual(self.peers.noted, [])

    async def test_pointers(self) -> None:
        """What is pointed at is found again."""
        for account in (b"", blind("ann")):
            parts = blind("chat"), 2**40, account
            self.assertEqual(pointed(pointer(*parts)), parts)


class PostgresTellingTests(OnPostgres, TellingTests):
    """The same on PostgreSQL."""
