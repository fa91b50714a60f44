"""How often a node is told something: what comes within a moment goes together."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from federation.telling import TURN
from tests.federated import DELAY, Pair
from tests.federated_http import send
from tests.test_federation_inbound import HELLO, Case


class TurnTests(SynchronousTestCase):
    """Two nodes; what the limits of the one are, the other one keeps to."""

    def setUp(self) -> None:
        self.pair = Pair(asked_per_node=105.0, asked_per_node_burst=5)
        self.a, self.b = self.pair["a.example"], self.pair["b.example"]

    @property
    def transactions(self) -> int:
        return [method for _, _, method, _ in self.pair.requests].count("PUT")

    def test_alone_is_at_once(self) -> None:
        """Nobody waits for others to come."""
        self.a.say("1", 1)
        self.pair.clock.pump([DELAY] * 4)
        self.assertEqual(self.b.values(), [1])

    def test_at_most_so_many(self) -> None:
        """However fast things come, each arrives within two turns, and none is refused as too often."""
        clock: Clock = self.pair.clock
        for number in range(1_000, 4_000):
            self.a.say(str(number), number)
            clock.advance(0.001)
            late = number - 1_000 - len(self.b.arrived()) if number % 500 == 0 else 0
            self.assertLess(late, 1000 * 2 * TURN + 10)
        clock.pump([DELAY] * 100)
        self.assertEqual(self.b.values(), list(range(1_000, 4_000)))
        self.assertLess(self.transactions, 3 / TURN + 3)
        self.assertGreater(self.transactions, 30)
        self.assertEqual(self.a.federation.sender.held, 0)

    def test_stopped_in_between(self) -> None:
        """A node that ends waits for no turn."""
        self.a.say("1", 1)
        self.pair.clock.pump([DELAY] * 4)
        self.assertEqual(self.a.federation.sender.held, 1)
        self.successResultOf(self.a.federation.sender.stop())


class ManyNodesTests(Case):
    """Several nodes behind one address."""

    options = {"asked_per_address": 0.001, "asked_per_address_burst": 2}

    def test_who_shows_itself_takes_nothing_of_others(self) -> None:
        """What an address may ask is for who does not say who it is."""
        for _ in range(20):
            self.assertEqual(self.send("POST", HELLO, b"{}").status, 200)
        answers = [self.send("POST", HELLO, b"{}", {}).status for _ in range(3)]
        self.assertEqual(answers[-1], 429)
        self.assertNotIn(429, answers[:1])
        # Neither is anybody let in then, who would only have to be looked at.
        refused = send(self.a.site, "POST", HELLO, b"{}", self.fields("POST", HELLO, b"{}"))
        self.pair.settle()
        self.assertEqual(self.successResultOf(refused).status, 429)
