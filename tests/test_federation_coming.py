"""Requests of other nodes: who may come at all, with which signature, and once."""

from typing import Any

from twisted.internet.defer import Deferred, succeed

from federation.key_cache import KeyCache
from federation.policy import Mode, Policy
from federation.replay import WINDOW, NonceWindow
from federation.verifier import RequestVerifier
from safeum_home.errors import Code
from safeum_home.ids import node_pattern
from safeum_home.outgoing.host_list import HostList
from tests.federation import NOW, document, fields, headers
from tests.federation_clock_case import ClockCase


class ReplayTests(ClockCase):
    """Requests that come twice."""

    def setUp(self) -> None:
        super().setUp()
        self.window = NonceWindow(self.clock.seconds, most=10, most_of_node=6)
        self.clock.advance(1000)
        self.now = NOW + 1000

    def test_twice(self) -> None:
        """A nonce is good once for each node, for as long as its request could come again."""
        self.window.take("b.example", "n", self.now)
        self.window.take("c.example", "n", self.now)
        self.window.take("b.example", "m", self.now)
        for ahead in (0, 1, WINDOW - 1):
            self.clock.advance(ahead)
            self.assertIsNone(
                self.refused(Code.REPLAYED, self.window.take, "b.example", "n", self.now).detail
            )
            if ahead == 1:
                self.clock.advance(-1)
        self.clock.advance(2)
        self.refused(Code.REPLAYED, self.window.take, "b.example", "n", self.now)

    def test_signed_in_the_future(self) -> None:
        """What was signed by a fast clock is remembered for longer."""
        self.window.take("b.example", "n", self.now + WINDOW)
        self.refused(Code.REPLAYED, self.window.take, "b.example", "m", self.now + WINDOW + 1)
        for _ in range(6):
            self.clock.advance(100)
            self.refused(Code.REPLAYED, self.window.take, "b.example", "n", self.now + WINDOW)
        self.assertEqual(len(self.window), 1)

    def test_forgotten(self) -> None:
        """What cannot come again takes no memory."""
        for round_ in range(20):
            for number in range(5):
                self.window.take("b.example", f"{round_}.{number}", int(self.clock.seconds()))
            self.clock.advance(WINDOW + 17)
        self.window.take("c.example", "n", int(self.clock.seconds()))
        self.assertEqual(len(self.window), 1)
        self.assertEqual((len(self.window._spans), self.window._counts), (1, {"c.example": 1}))

    def test_full(self) -> None:
        """One node cannot take the place of others; where there is none left, all are told so."""
        for number in range(6):
            self.window.take("b.example", str(number), self.now)
        busy = self.refused(Code.BUSY, self.window.take, "b.example", "more", self.now)
        self.assertIsNotNone(busy.retry_after)
        for number in range(4):
            self.window.take("c.example", str(number), self.now)
        for number in range(100):
            self.refused(Code.BUSY, self.window.take, f"d{number}.example", "n", self.now)
        self.refused(Code.REPLAYED, self.window.take, "c.example", "0", self.now)
        self.assertEqual((len(self.window), len(self.window._counts)), (10, 2))
        self.clock.advance(WINDOW + 17)
        self.window.take("b.example", "more", int(self.clock.seconds()))

    def test_times(self) -> None:
        """Neither too old nor from the future."""
        for created in (self.now - WINDOW, self.now + WINDOW):
            self.window.check_time(created)
        for created in (self.now - WINDOW - 1, self.now + WINDOW + 1, 0, 2**53):
            self.refused(Code.REPLAYED, self.window.check_time, created)

    def test_a_restart(self) -> None:
        """What was signed before the start may have been here: it is to be signed anew."""
        window = NonceWindow(self.clock.seconds)
        problem = self.refused(Code.REPLAYED, window.take, "b.example", "n", self.now - 1)
        self.assertIsNotNone(problem.retry_after)
        window.take("b.example", "n", self.now)


class PolicyTests(ClockCase):
    """Who may come at all."""

    def allowed(self, mode: Mode, allow: tuple[str, ...] = (), deny: tuple[str, ...] = ()) -> str:
        policy = Policy("home.example", mode, allow, deny)
        nodes = (
            "home.example",
            "b.example",
            "b.example:8448",
            "x.b.example",
            "y.x.b.example",
            "other",
            "example",
        )
        return " ".join(node for node in nodes if policy.allows(node))

    def test_modes(self) -> None:
        """Open, closed, off; never itself."""
        everybody = "b.example b.example:8448 x.b.example y.x.b.example other example"
        self.assertEqual(self.allowed(Mode.OPEN), everybody)
        self.assertEqual(self.allowed(Mode.OPEN, ("nobody",)), everybody)
        self.assertEqual(self.allowed(Mode.CLOSED), "")
        self.assertEqual(self.allowed(Mode.OFF, ("b.example",)), "")
        self.assertEqual(self.allowed(Mode.CLOSED, ("home.example", "other")), "other")
        self.assertTrue(Policy("a", Mode.OFF).is_off)

    def test_lists(self) -> None:
        """A name with all its ports, one port, a domain without itself; who is denied stays denied."""
        self.assertEqual(self.allowed(Mode.CLOSED, ("b.example",)), "b.example b.example:8448")
        self.assertEqual(self.allowed(Mode.CLOSED, ("b.example:8448",)), "b.example:8448")
        self.assertEqual(self.allowed(Mode.CLOSED, ("*.b.example",)), "x.b.example y.x.b.example")
        self.assertEqual(
            self.allowed(Mode.CLOSED, ("*.Example",)), "b.example b.example:8448 x.b.example y.x.b.example"
        )
        self.assertEqual(
            self.allowed(Mode.CLOSED, ("*.example",), ("*.b.example", "b.example:8448")), "b.example"
        )
        self.assertEqual(self.allowed(Mode.OPEN, (), ("*.example", "example")), "other")

    def test_patterns(self) -> None:
        """What is no pattern is said so when it is set."""
        for text in (
            "*",
            "*.",
            "*.*.example",
            "a.*",
            "*a.example",
            "*.example:1",
            "",
            "https://b",
            "b.example.",
        ):
            self.refused(Code.INVALID_NODE_NAME, node_pattern, text)
            self.refused(Code.INVALID_NODE_NAME, HostList, [text])
        self.assertEqual(node_pattern("*.B.example"), "*.b.example")


class VerifierTests(ClockCase):
    """All of it together."""

    def setUp(self) -> None:
        super().setUp()
        self.fetched: list[str] = []
        self.cache = KeyCache(self.fetch, self.clock)
        self.window = NonceWindow(self.clock.seconds)
        policy = Policy("a.example", Mode.OPEN, deny=["denied.example"])
        self.verifier = RequestVerifier("a.example", policy, self.cache, self.window)

    def fetch(self, node: str) -> "Deferred[bytes]":
        self.fetched.append(node)
        return succeed(document(node))

    def head(self, **changes: Any) -> "Deferred[Any]":
        values = headers(fields(**changes))
        asked = self.start(self.verifier.head(b"PUT", b"/_safeum/federation/v1/transactions/s/1", values))
        self.clock.advance(0)
        return asked

    def test_good(self) -> None:
        """A good request is taken once."""
        self.assertEqual(self.successResultOf(self.head()).origin, "b.example")
        self.assertIs(self.problem(self.head()).code, Code.REPLAYED)
        self.successResultOf(self.head(nonce="B" * 22))
        self.assertEqual(self.fetched, ["b.example"])

    def test_refused_early(self) -> None:
        """Requests for others, of the denied, of this node itself, or of another time fetch nothing."""
        for code, changes in (
            (Code.WRONG_DESTINATION, {"destination": "c.example"}),
            (Code.FEDERATION_REFUSED, {"origin": "denied.example"}),
            (Code.FEDERATION_REFUSED, {"origin": "a.example"}),
            (Code.REPLAYED, {"created": NOW - WINDOW - 1}),
            (Code.BAD_SIGNATURE, {"target": "/other"}),
        ):
            if code is Code.BAD_SIGNATURE:
                self.successResultOf(self.head(nonce="C" * 22))
                self.fetched.clear()
            self.assertIs(self.problem(self.head(**changes)).code, code)
            self.assertEqual(self.fetched, [])

    def test_the_window_is_for_the_verified(self) -> None:
        """Forged requests leave nothing, and spoil no nonce."""
        self.cache = KeyCache(self.fetch, self.clock)
        self.assertIs(self.problem(self.head(number=2)).code, Code.UNKNOWN_KEY)
        self.assertIs(self.problem(self.head(target="/other")).code, Code.BAD_SIGNATURE)
        self.assertEqual(len(self.window), 0)
        self.successResultOf(self.head())
