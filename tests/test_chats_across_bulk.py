"""Many messages of a transaction at once: told, and stored, as each would be for itself."""

from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.errors import Code, Problem
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import Event
from tests.across_case import A, AcrossCase, B, befriend_across


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


class MarkerTests(AcrossCase):
    """Two people of the other node say how far they are, each in a chat with Alice."""

    def setUp(self) -> None:
        super().setUp()
        self.carol = self.nodes[B].register("carol")
        self.other = befriend_across(self.alice, self.carol)
        self.mine = self.write(self.alice, "to Bob")
        self.hers = str(self.alice.call("chat.send", **self.alice.message(self.other, "to Carol"))["id"])
        self.settle()
        self.alice.take()

    def of_bob(self, message: str, node: str = A) -> Event:
        return self.event("chat.marker", {"delivered": {"node": node, "id": message}, "read": None}, None)

    def of_carol(self, message: str) -> Event:
        told = {"node": A, "id": message}
        who = {"sender": self.carol.account, "chat": self.other}
        return self.event("chat.marker", {"delivered": told, "read": told}, None, **who)

    def store(self, *events: Event) -> bool:
        """Whether they could be stored together; then they are told."""
        world = self.nodes[A]
        kind: Any = next(each for each in world.domain.shared if each.type == "chat.marker")
        applied = [self.successResultOf(Deferred.fromCoroutine(kind.apply(B, event))) for event in events]
        for each in applied:
            each.placed()
        storing = world.database.transact(lambda c: kind.store_rows(c, [each.row for each in applied]))
        stored = bool(self.successResultOf(storing))
        for each in applied if stored else ():
            each.publish()
        return stored

    def receipts(self) -> dict[str, tuple[str | None, str | None]]:
        """What Alice was told since: delivered and read, by account."""
        told = [event["params"] for event in self.alice.take() if event["method"] == "chat.receipt"]
        return {each["account"]: (each["delivered"], each["read"]) for each in told}

    def test_together(self) -> None:
        """Each is told as it stands then, and nothing of one that moves nothing."""
        self.assertTrue(self.store(self.of_bob(self.mine), self.of_carol(self.hers)))
        self.assertEqual(
            self.receipts(),
            {self.bob.account: (self.mine, None), self.carol.account: (self.hers, self.hers)},
        )
        newer = str(self.alice.call("chat.send", **self.alice.message(self.other, "more"))["id"])
        self.assertTrue(self.store(self.of_bob(self.mine), self.of_carol(newer)))
        self.assertEqual(self.receipts(), {self.carol.account: (newer, newer)})

    def test_own(self) -> None:
        """A message of their own is found by the id that it has there, if it has come."""
        self.assertFalse(self.store(self.of_bob("m1", B), self.of_carol(self.hers)))
        self.hear(B, self.event("chat.message", self.message("mine")))
        self.assertTrue(self.store(self.of_bob("m1", B), self.of_carol(self.hers)))
        newest = self.page(self.alice)[-1]
        self.assertEqual(newest["body"]["text"], "mine")
        self.assertEqual(self.receipts()[self.bob.account], (newest["id"], None))

    def test_not_there(self) -> None:
        """Where one names what is not in its chat, or is of who may not be heard, all stay as they are."""
        world = self.nodes[A]
        before = self.rows(world)
        for bad in (self.hers, "A" * 22, "x"):
            self.assertFalse(self.store(self.of_carol(self.hers), self.of_bob(bad)), bad)
        self.assertFalse(self.store(self.of_carol(self.hers), self.of_bob(self.mine, "c.example")))
        self.assertEqual(self.rows(world), before)
        self.alice.call("contact.remove", account=self.bob.account)
        self.assertFalse(self.store(self.of_carol(self.hers), self.of_bob(self.mine)))
        self.assertEqual(self.receipts(), {})
