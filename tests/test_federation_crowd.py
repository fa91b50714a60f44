"""Many destinations at one time: neither the dead and mute ones nor this node's bounds hold up the others."""

from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from federation import greeting
from federation import slots as slots_module
from federation.slots import FAILING, GOOD, NEW, ROOM, Slots
from safeum_home.errors import Code, Problem
from safeum_home.node import federation_rows
from safeum_home.node.federation_store import NodeOutbox
from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from tests.federated import Pair


class SlotTests(SynchronousTestCase):
    """Who waits for whom."""

    def setUp(self) -> None:
        self.slots = Slots()

    def take(self, kind: str, count: int) -> "list[Deferred[str]]":
        """So many slots are asked for, by nodes of this kind."""
        names = [f"{kind}{number}.example" for number in range(count)]
        if kind == GOOD:
            for name in names:
                self.slots.told(name)
        return [self.slots.acquire(name, kind == FAILING) for name in names]

    def test_each_its_own(self) -> None:
        """Each kind has its room, whatever the others use; a slot that is free goes to who waits longest."""
        for kind in (FAILING, NEW, GOOD):
            asked = self.take(kind, ROOM[kind] + 2)
            self.assertEqual([each.called for each in asked], [True] * ROOM[kind] + [False] * 2)
            self.slots.release(self.successResultOf(asked[0]))
            self.assertEqual(self.successResultOf(asked[-2]), kind)
            self.assertNoResult(asked[-1])
            asked[-1].addErrback(lambda _: None).cancel()
            self.slots.release(kind)
            self.assertEqual(self.successResultOf(self.take(kind, 1)[0]), kind)

    def test_failed(self) -> None:
        """Who was told something and then could not be is as good as new."""
        self.slots.told("b.example")
        self.slots.failed("b.example")
        self.assertEqual(self.successResultOf(self.slots.acquire("b.example", False)), NEW)

    def test_heard(self) -> None:
        """Who shows that it is there does not wait behind those that are not."""
        asked = self.take(FAILING, ROOM[FAILING] + 1)
        self.slots.heard("nobody.example")
        self.assertNoResult(asked[-1])
        self.slots.heard(f"failing{ROOM[FAILING]}.example")
        self.assertEqual(self.successResultOf(asked[-1]), NEW)

    def test_bounded(self) -> None:
        """Not every node that was ever told something is remembered."""
        self.patch(slots_module, "REMEMBERED", 2)
        for name in ("a.example", "b.example", "a.example", "c.example"):
            self.slots.told(name)
        found = [self.successResultOf(self.slots.acquire(f"{name}.example", False)) for name in "abc"]
        self.assertEqual(found, [GOOD, NEW, GOOD])


class CrowdTests(SynchronousTestCase):
    """A node, one that is well, and many that are not."""

    def setUp(self) -> None:
        self.pair = Pair("a.example", "b.example", "c.example")
        self.a = self.pair["a.example"]
        # Who waits for a slot would go on in the midst of another test, when this one's memory is freed.
        self.addCleanup(self.a.federation.sender.stop)
        self.a.say("known", 0)
        self.pair.settle()

    def crowd(self, count: int) -> list[str]:
        """So many nodes that take what they are told, and never answer."""
        names = [f"n{number}.example" for number in range(count)]
        self.pair.mute.update(names)
        for name in names:
            self.pair.nodes[name] = self.pair["c.example"]
        return names

    def test_mute(self) -> None:
        """Hundreds of nodes that never answer have not held up those that do, at first or later."""
        self.a.say("1", 1, *self.crowd(300))
        self.pair.settle()
        for number in range(2, 6):
            self.a.say(str(number), number, "b.example")
            self.pair.settle()
            self.assertEqual(self.pair["b.example"].values()[-1], number)
            self.pair.settle(61)
        under_way = [each for each in self.pair.requests if each[2] == "PUT"]
        self.assertLess(len(under_way), 300)

    def test_heard_among_the_dead(self) -> None:
        """A node that could not be told, and is there again, is told at once, among hundreds that are not."""
        names = self.crowd(300)
        self.pair.away.add("b.example")
        self.a.say("1", 1, "b.example", *names)
        # Until all of them cannot be told, and some wait for room.
        self.pair.until(lambda: self.a.database.now(_failing) == 301, 3 * 3600)
        self.pair.settle(600)
        self.pair.away.clear()
        self.assertEqual(self.pair["b.example"].values(), [0])
        self.pair.restart("b.example")
        self.assertLess(self.pair.until(lambda: self.pair["b.example"].values() == [0, 1]), 10)

    def test_heard_in_the_queue(self) -> None:
        """It does not matter that it stands behind the dead already."""
        self.pair.away.add("b.example")
        self.a.say("1", 1, "b.example")
        self.pair.until(lambda: self.a.database.now(_failing) == 1)
        sender: Any = self.a.federation.sender
        self.pair.settle(0.1)
        for number in range(ROOM[FAILING]):
            self.successResultOf(sender._slots.acquire(f"dead{number}.example", True))
        self.pair.away.clear()
        self.pair.settle(600)
        self.assertEqual(self.pair["b.example"].values(), [0])
        sender.heard("b.example")
        self.pair.settle()
        self.assertEqual(self.pair["b.example"].values(), [0, 1])

    def test_no_room(self) -> None:
        """Where this node itself has too much under way, that is no failure of who is to be told."""
        federation: Any = self.a.federation
        request = federation.sender._request
        left = [40]

        def crowded(*what: Any) -> "Deferred[Any]":
            left[0] -= 1
            refused = NoAnswer(TOO_MANY, handed_over=False)
            return fail(refused) if left[0] >= 0 else request(*what)

        sender: Any = federation.sender
        sender._means = sender._means._replace(request=crowded)
        self.a.say("1", 1, "b.example")
        took = self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.pair["b.example"].values(), [0, 1])
        self.assertLess(took, 40 * 6)
        self.assertGreater(took, 20)
        self.assertEqual(self.a.database.now(_failing), 0)


class GreetingTests(SynchronousTestCase):
    """A node starts, and others are told that it is there."""

    def setUp(self) -> None:
        self.pair = Pair("a.example", *(f"n{number}.example" for number in range(5)))
        self.a = self.pair["a.example"]
        self.a.say("known", 0)
        self.pair.settle()

    def greeted(self) -> set[str]:
        """Who is told that a.example is there, once it was started."""
        count = len(self.pair.requests)
        self.pair.restart("a.example")
        self.pair.clock.pump([0.5] * 40)
        return {node for _, node, method, _ in self.pair.requests[count:] if method == "POST"}

    def test_damaged(self) -> None:
        """One row that cannot be opened any more is left out; the others are reached, also on later pages."""
        self.patch(greeting, "PAGE", 2)
        self.assertEqual(len(self.greeted()), 5)
        self.a.database.execute(
            "UPDATE peers SET sealed = zeroblob(40) WHERE peer = (SELECT min(peer) FROM peers)"
        )
        self.assertEqual(len(self.greeted()), 4)
        found, after = self.successResultOf(self.a.federation.outbox.peers(b"", 4))
        self.assertEqual((len(found), len(after)), (3, 16))
        self.assertEqual(self.successResultOf(self.a.federation.outbox.peers(after, 4))[1], b"")

    def test_no_database(self) -> None:
        """Where the nodes cannot be read at once they are read later."""
        count = len(self.pair.requests)
        self.a.kill()
        outbox = NodeOutbox.peers
        left = [3]

        def peers(it: NodeOutbox, after: bytes, limit: int) -> Any:
            left[0] -= 1
            return fail(Problem(Code.STORAGE_UNAVAILABLE)) if left[0] >= 0 else outbox(it, after, limit)

        self.patch(NodeOutbox, "peers", peers)
        self.a.start()
        self.pair.clock.pump([0.5] * 20)
        self.assertEqual(len(self.pair.requests), count)
        self.pair.clock.pump([0.5] * 40)
        self.assertEqual(len({each[1] for each in self.pair.requests[count:]}), 5)

    def test_stopped(self) -> None:
        """A node that ends meanwhile greets nobody."""
        self.patch(NodeOutbox, "peers", lambda *_: fail(Problem(Code.STORAGE_UNAVAILABLE)))
        self.pair.restart("a.example")
        self.successResultOf(self.a.federation.sender.stop())
        count = len(self.pair.requests)
        self.pair.clock.pump([0.5] * 40)
        self.assertEqual(len(self.pair.requests), count)


def _failing(c: Any) -> int:
    return int(c.exec_driver_sql("SELECT count(*) FROM peers WHERE failing > 0").scalar_one())


class NamesTests(SynchronousTestCase):
    """Somebody has more names than there is room for nodes."""

    def test_new_nodes_are_not_kept_out(self) -> None:
        """Who has told nothing for longest is forgotten, and told and heard again when it comes."""
        names = [f"n{number}.example" for number in range(6)]
        self.patch(federation_rows, "MOST_PEERS", 3)
        self.patch(federation_rows, "FORGOTTEN", 2)
        self.patch(federation_rows, "KEPT_IN_RAM", 1)
        pair = Pair("a.example", *names)
        here = pair["a.example"]
        for name in (*names, *names):
            pair[name].say(name, 1, "a.example")
            here.say("here", 1, name)
            pair.until(lambda name=name: not pair[name].waiting and not here.waiting)  # type: ignore[misc]
            self.assertLessEqual(here.database.count("peers"), 3)
        self.assertEqual(here.arrived(), [(name, name, 1) for name in (*names, *names)])
        for name in names:
            self.assertEqual(pair[name].arrived(), [("a.example", "here", 1)] * 2)

    def test_what_waits_stays(self) -> None:
        """A node is not forgotten for which something waits: then there is room for no other one."""
        self.patch(federation_rows, "MOST_PEERS", 1)
        self.patch(federation_rows, "KEPT_IN_RAM", 0)
        pair = Pair("a.example", "b.example", "c.example")
        pair.away.add("b.example")
        pair["a.example"].say("1", 1, "b.example")
        self.assertIs(
            self.assertRaises(Problem, pair["a.example"].say, "2", 2, "c.example").code, Code.LIMIT_REACHED
        )
