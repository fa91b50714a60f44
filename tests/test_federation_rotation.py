"""The key of a node is replaced while things are on their way: nothing is lost by it."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from federation import receiving
from federation.receiving import _check_keys
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.protocol.federation.events import Event, new_event
from tests.federated import Node, Pair, Saying, refuse
from tests.federation import NOW


class RotationTests(SynchronousTestCase):
    """a.example tells b.example, which knows the key that it had at first."""

    def setUp(self) -> None:
        self.pair = Pair()
        self.a, self.b = self.pair["a.example"], self.pair["b.example"]
        self.a.say("known", 0)
        self.pair.settle()

    def rotate(self) -> None:
        """The key is replaced now."""
        done = Deferred.fromCoroutine(self.a.federation.rotate())
        self.pair.clock.advance(0)
        self.successResultOf(done)

    def say_three(self) -> None:
        """In one transaction."""
        self.pair.away.add("b.example")
        self.a.say("0", 0)
        self.pair.settle(0.1)
        for number in range(1, 4):
            self.a.say(str(number), number)
        self.pair.away.clear()

    def aside(self, node: Node) -> list[str]:
        found = node.database.now(lambda c: node.federation.rows.aside(c, 100))
        return [each.code for each in found]

    def between(self, name: str, before: bool) -> list[str]:
        """Replace the key each of the first three times around `<name>`; the keys that were in use."""
        sender: Any = self.a.federation.sender
        sender = sender._means.maker if name == "_build" else sender
        original, keys = getattr(sender, name), list[str]()

        def wrapped(*what: Any) -> Any:
            keys.append(self.a.federation.own.in_use.key_id)
            if before and len(keys) <= 3:
                self.rotate()
            outcome = original(*what)
            if not before and len(keys) <= 3:
                self.rotate()
            return outcome

        setattr(sender, name, wrapped)
        return keys

    def test_after_it_was_built(self) -> None:
        """What was signed before is signed anew, before anybody sees it."""
        keys = self.between("_build", False)
        self.say_three()
        self.pair.until(lambda: not self.a.waiting, 60)
        self.assertEqual(keys[:4], [f"ed25519:{number}" for number in range(1, 5)])
        self.assertEqual(self.b.values(), [0, 0, 1, 2, 3])
        self.assertEqual((self.aside(self.a), self.aside(self.b)), ([], []))

    def test_while_it_is_sent(self) -> None:
        """A request of the new key with events of the old one is asked again, and told in full then."""
        self.between("_request", True)
        self.say_three()
        self.pair.until(lambda: not self.a.waiting, 600)
        self.assertEqual(self.b.values(), [0, 0, 1, 2, 3])
        self.assertEqual((self.aside(self.a), self.aside(self.b)), ([], []))

    def test_others_refuse_it_for_good(self) -> None:
        """A node that sets all of it aside for that is told all of it again."""
        self.patch(receiving, "_check_keys", lambda *_: None)
        self.between("_request", True)
        self.say_three()
        self.pair.until(lambda: not self.a.waiting, 600)
        self.assertEqual(self.b.values(), [0, 0, 1, 2, 3])
        self.assertEqual(self.aside(self.a), [])
        self.assertEqual(self.a.database.now(_failing), 0)

    def test_not_for_ever(self) -> None:
        """One that goes on like that for an hour has refused it."""
        self.patch(receiving, "_check_keys", lambda *_: None)
        verifier: Any = self.b.federation._resource._receiver._events

        async def verified(events: Any, origin: str) -> list[Any]:
            return [Problem(Code.UNKNOWN_KEY) for _ in events]

        verifier.verified = verified
        self.a.say("1", 1)
        took = self.pair.until(lambda: not self.a.waiting)
        self.assertTrue(3600 <= took < 5500, took)
        self.assertEqual(self.aside(self.a), ["unknown_key"])

    def test_passed_on(self) -> None:
        """Only what a node says itself counts: what it passes on holds up nothing."""
        account = AccountId("@" + "a" * 26 + ":b.example")
        own, passed = Problem(Code.UNKNOWN_KEY, retry_after=30), Problem(Code.UNKNOWN_KEY)
        good = new_event("x", account, NOW * 1000, {})
        malformed = Problem(Code.MALFORMED_EVENT)
        fine: list[list[Event | Problem]] = [[], [good, own], [passed, passed], [malformed]]
        for events in fine:
            _check_keys(events, "b.example")
        passing: list[list[Event | Problem]] = [[own], [own, own], [malformed, own, passed]]
        for events in passing:
            error = self.assertRaises(Problem, _check_keys, events, "b.example")
            self.assertEqual((error.code, error.retry_after), (Code.UNKNOWN_KEY, 30))
        self.assertRaises(Problem, _check_keys, [good, own], "c.example")

    def test_key_of_a_third_node(self) -> None:
        """Where the key of who is passed on cannot be had that alone is refused: nothing waits for it."""
        for node in (self.a, self.b):
            passed_on = Saying(node, "group.message", together=True)
            passed_on.applying = refuse(Code.UNKNOWN_KEY)
            node.federation.connect((*node.kinds, passed_on), {})
        self.a.say("1", 1, kind="group.message")
        self.pair.settle(0.5)
        self.a.say("2", 2)
        self.pair.settle(0.5)
        self.assertEqual(self.b.values(), [0, 2])
        self.assertEqual(self.a.waiting, 0)
        self.assertEqual(self.aside(self.a), ["unknown_key"])


def _failing(c: Any) -> int:
    return int(c.exec_driver_sql("SELECT count(*) FROM peers WHERE failing > 0").scalar_one())
