"""Two nodes tell each other: everything arrives, once, in its order."""

from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.ports.federation import Noted
from tests.federated import Pair
from tests.federation_case import FederationCase


class FlowTests(FederationCase):
    """Nothing goes wrong."""

    def test_woken_for_nothing(self) -> None:
        """A node that nothing was noted for hears what is said to it later."""
        self.a.federation.wake(["b.example"])
        self.a.say("1", 5)
        self.pair.settle()
        self.assertEqual(self.b.arrived(), [("a.example", "1", 5)])
        self.assertEqual(self.a.waiting, 0)

    def test_arrives(self) -> None:
        """What is said here is there, in its order, and waits no more; both ways."""
        for number in range(3):
            self.a.say(str(number), number)
        self.b.say("back", 9)
        self.pair.settle()
        self.assertEqual(self.b.arrived(), [("a.example", str(number), number) for number in range(3)])
        self.assertEqual(self.a.arrived(), [("b.example", "back", 9)])
        self.assertEqual((self.a.waiting, self.b.waiting), (0, 0))
        self.assertEqual((self.a.federation.sender.held, self.b.federation.sender.held), (0, 0))
        self.assertEqual([kind.ended for kind in self.b.kinds], [3, 0, 0])

    def test_messages_together(self) -> None:
        """A thousand messages are two transactions, each stored in one commit."""
        self.pair.away.add("b.example")
        pointers = (self.a.kinds[1].pointer(str(number)) for number in range(1000))
        rows = [Noted("b.example", "chat.message", pointer) for pointer in pointers]

        def write(c: Connection) -> None:
            c.exec_driver_sql(
                "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)"
                " INSERT INTO said SELECT CAST(i AS TEXT), i + 1000 FROM n"
            )
            self.a.federation.note(c, rows)

        self.successResultOf(self.a.database.transact(write))
        before = self.b.database.transactions
        self.pair.away.clear()
        self.a.federation.wake(["b.example"])
        self.pair.settle()
        self.assertEqual(self.b.values(), list(range(1000, 2000)))
        self.assertEqual(self.b.database.transactions - before, 2)
        self.assertEqual(self.transactions(), ["1", "2"])
        self.assertEqual(len(self.b.kinds[1].published), 1000)
        self.assertEqual(self.b.kinds[1].ended, 1000)

    def test_once_while_it_waits(self) -> None:
        """What changes while it waits is told once, as it is then; what changes on its way is told again."""
        self.pair.away.add("b.example")
        for value in range(5):
            self.a.say("object", value)
        # One is on its way.
        self.assertEqual(self.a.waiting, 2)
        self.pair.settle(400)
        self.pair.away.clear()
        self.a.say("object", 7)
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [7, 7])
        self.a.say("object", 8)
        self.a.say("object", 9)
        self.assertEqual(self.a.waiting, 2)
        self.pair.settle()
        self.assertEqual(self.b.values()[-1], 9)
        self.assertEqual(self.a.waiting, 0)

    def test_urgent_first(self) -> None:
        """What is urgent is told before all that waited longer, also where it was not urgent before."""
        self.pair.away.add("b.example")
        for number in range(3):
            self.a.say(str(number), number)
        self.pair.settle(400)
        self.a.say("2", 2, urgent=True)
        self.a.say("3", 3, urgent=True)
        self.a.say("3", 3)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        # Even before what was about to be sent when the node went away.
        self.assertEqual(self.b.values(), [2, 3, 0, 1])
        self.pair.away.add("b.example")
        self.a.say("4", 4)
        self.pair.settle(1)
        for number in range(5, 8):
            self.a.say(str(number), number)
        self.a.say("7", 7, urgent=True)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values()[4:], [7, 4, 5, 6])

    def test_bodies_are_bounded(self) -> None:
        """What does not fit into a megabyte waits for the next transaction."""
        self.a.padding = "x" * 30_000
        self.pair.away.add("b.example")
        for number in range(100):
            self.a.say(str(number), number)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), list(range(100)))
        self.assertEqual(self.transactions()[-3:], ["2", "3", "4"])

    def test_nothing_to_tell(self) -> None:
        """Objects that are gone by now are no transaction."""
        self.pair.away.add("b.example")
        self.a.say("1", 1)
        self.pair.settle()
        self.a.database.execute("DELETE FROM said")
        self.pair.away.clear()
        count = len(self.transactions())
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [])
        self.assertEqual(len(self.transactions()), count)
        self.a.say("2", 2)
        self.pair.settle()
        self.assertEqual((self.b.values(), self.transactions()[-1]), ([2], "1"))

    def test_new_key(self) -> None:
        """A node whose key was replaced is believed, and so is what waited."""
        self.a.say("1", 1)
        self.pair.settle()
        done = self.a.federation.rotate()
        self.assertEqual(self.successResultOf(_now(done)), "ed25519:2")
        self.a.say("2", 2)
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [1, 2])

    def test_not_dealt_with(self) -> None:
        """Of nodes that this one has nothing to do with there are no rows, neither of itself."""
        pair = Pair(deny=["b.example"])
        pair["a.example"].say("1", 1)
        pair["a.example"].say("2", 2, "a.example")
        pair.settle()
        for table in ("outbox", "peers"):
            self.assertEqual(pair["a.example"].database.count(table), 0)
        self.assertEqual(pair.requests, [])


def _now(coroutine: Any) -> Any:
    return Deferred.fromCoroutine(coroutine)
