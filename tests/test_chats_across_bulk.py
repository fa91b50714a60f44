"""Many messages of a transaction at once: told, and stored, as each would be for itself."""

from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.errors import Code, Problem
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import Event
from tests.across_case import A, AcrossCase, B


class BulkTests(AcrossCase):
    """What Alice writes while the other node is away."""

    def setUp(self) -> None:
        super().setUp()
        self.nodes.away.add(B)
        self.kinds = [self.kind(name) for name in (A, B)]

    def kind(self, name: str) -> Any:
        return next(each for each in self.nodes[name].domain.shared if each.type == "chat.message")

    def told(self) -> list[Event]:
        """The events of all messages that wait."""
        pointers = [row.pointer for row in self.nodes.peers[A].waiting if row.type == "chat.message"]

        def build(c: Connection) -> list[Event]:
            building = self.kinds[0].building(c, pointers)
            built = [building(pointer) for pointer in pointers]
            self.assertEqual(built, [self.kinds[0].build(c, pointer) for pointer in pointers])
            return built

        built: list[Event] = self.nodes[A].database.now(build)
        return built

    def store(self, events: list[Event]) -> bool:
        """Whether they could be stored together; then they are delivered."""
        world, applied = self.nodes[B], list[Applied]()
        for event in events:
            applied.append(self.successResultOf(Deferred.fromCoroutine(self.kinds[1].apply(A, event))))
        for each in applied:
            each.placed()

        def store(c: Connection) -> None:
            if not self.kinds[1].store_rows(c, [each.row for each in applied]):
                raise Problem(Code.BUSY)

        outcome: list[Any] = []
        world.database.transact(store).addBoth(outcome.append)
        if outcome == [None]:
            for each in applied:
                each.publish()
        return outcome == [None]

    def test_together(self) -> None:
        """In their order; answers to what is among them find it."""
        first = self.write(self.alice, "0")
        for number in range(1, 4):
            self.write(self.alice, f"{number}", reply_to=first)
        self.assertTrue(self.store(self.told()))
        messages = self.bob.messages()
        self.assertEqual([each["body"]["text"] for each in messages], ["0", "1", "2", "3"])
        self.assertEqual([each.get("reply_to") for each in messages], [None, *[messages[0]["id"]] * 3])
        self.assertEqual(self.shown(self.bob), self.shown(self.alice))
        self.nodes.away.clear()
        self.settle()  # once more, each for itself
        self.assertEqual(self.shown(self.bob), self.shown(self.alice))
        self.assertEqual(self.bob.messages(), [])

    def test_known(self) -> None:
        """Where one of them is known, none of them is stored so, and nothing of it stays."""
        self.write(self.alice, "0")
        self.assertTrue(self.store(self.told()))
        self.write(self.alice, "1")
        before = self.page(self.bob)
        self.assertFalse(self.store(self.told()))
        self.assertEqual(self.page(self.bob), before)

    def test_no_contact(self) -> None:
        """Nor where one of them may not be written."""
        self.write(self.alice, "0")
        events, before = self.told(), self.nodes[B].database.count("events")
        self.bob.call("contact.remove", account=self.alice.account)
        self.assertFalse(self.store(events))
        self.assertEqual(self.nodes[B].database.count("events"), before)

    def test_gone(self) -> None:
        """What is there no more is not told, and those beside it are."""
        ids = [self.write(self.alice, f"{number}") for number in range(3)]
        self.nodes[A].database.execute(
            "DELETE FROM events WHERE position = (SELECT max(position) FROM events)"
        )
        pointers = [row.pointer for row in self.nodes.peers[A].waiting if row.type == "chat.message"]

        def build(c: Connection) -> list[Event | None]:
            building = self.kinds[0].building(c, pointers)
            return [building(pointer) for pointer in pointers]

        built = self.nodes[A].database.now(build)
        self.assertEqual([None if each is None else each.id for each in built], [*ids[:2], None])
