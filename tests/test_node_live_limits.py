"""Limits that are changed while the node runs: who is held back, and by what."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config import LimitSection
from safeum_home.errors import Code, Problem
from safeum_home.gateway.limits import ConnectionLimits
from safeum_home.limits import RateLimit
from safeum_home.node.live_limits import LiveLimits, Use
from tests.world import PASSWORD, Client, Refused, World


class RateTests(SynchronousTestCase):
    """A rate limit whose rate and burst change."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.limit = RateLimit(1.0, 4, self.clock.seconds)

    def _free(self, key: str) -> int:
        """How many tokens could be taken now."""
        taken = 0
        try:
            while taken < 1000:
                self.limit.take(key)
                taken += 1
        except Problem:
            pass
        return taken

    def test_held_back(self) -> None:
        """Whoever would be refused now is counted, and nobody else."""
        for _ in range(4):
            self.limit.take("a")
        for _ in range(3):
            self.limit.take("b")
        self.assertEqual(self.limit.held_back(), 1)
        self.limit.take("b")
        self.assertEqual(self.limit.held_back(), 2)
        self.clock.advance(1)
        self.assertEqual(self.limit.held_back(), 0)

    @given(st.integers(0, 6), st.sampled_from([0.5, 1.0, 2.0, 8.0]), st.integers(1, 9))
    def test_change(self, taken: int, rate: float, burst: int) -> None:
        """What was taken stays taken, and comes back at the new rate."""
        self.setUp()
        for key in (*"a" * min(taken, 4), *"bcbc"):
            self.limit.take(key)
        self.limit.change(rate, burst)
        for other in ("b", "c"):
            self.assertEqual(self._free(other), max(0, burst - 2))
        self.assertEqual(self._free("a"), max(0, burst - min(taken, 4)))
        self.assertEqual(self._free("new"), burst)
        self.clock.advance(1 / rate)
        self.assertEqual(self._free("a"), 1)

    def test_the_same_again(self) -> None:
        """A change to what it is already changes nothing."""
        self.limit.take("a")
        self.limit.change(1.0, 4)
        self.assertEqual(self._free("a"), 3)

    def test_connections(self) -> None:
        """Fewer connections: those that are open stay, and new ones wait for them."""
        limits = ConnectionLimits(10, 3)
        for host in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
            self.assertTrue(limits.admit(host))
        self.assertEqual(limits.held_back(), 0)
        limits.change(10, 1)
        self.assertEqual(limits.held_back(), 2)
        self.assertFalse(limits.admit("192.0.2.2"))
        limits.change(3, 9)
        self.assertFalse(limits.admit("192.0.2.2"))
        limits.release("192.0.2.1")
        self.assertTrue(limits.admit("192.0.2.2"))


class LiveTests(SynchronousTestCase):
    """`[limits]` of a node, and its clients."""

    def setUp(self) -> None:
        self.world = World()
        self.limits: LiveLimits = self.world.domain.control.limits

    def refused(self, client: Client, method: str, **params: Any) -> str:
        code: str = self.assertRaises(Refused, client.call, method, **params).code
        return code

    def problem(self, name: str, text: str) -> Problem:
        problem: Problem = self.assertRaises(Problem, self.limits.set, name, text)
        return problem

    def test_every_limit_can_be_changed(self) -> None:
        """But for those of the edge, which joins them when it listens."""
        edge = {"connections", "connections_per_address", "ping_seconds"}
        self.assertEqual(self.limits.fixed, edge)
        self.assertIs(self.problem("connections", "5").code, Code.INVALID_PARAMS)
        applied: list[LimitSection] = []
        self.limits.add(Use(tuple(edge), applied.append))
        self.assertEqual((self.limits.fixed, applied), (set(), [self.limits.now]))
        self.limits.set("connections", "5")
        self.assertEqual(applied[-1].connections, 5)

    def test_validated_as_the_file_is(self) -> None:
        """What the configuration would refuse is refused, and nothing changes."""
        before = self.limits.now
        for name, text in (
            ("devices", "51"),
            ("devices", "0"),
            ("devices", "1.5"),
            ("devices", ""),
            ("devices", "true"),
            ("in_flight", "1"),
            ("ping_seconds", "-1"),
            ("commands_per_second", "nan"),
            ("commands_per_second", "inf"),
            ("commands_per_second", "1e400"),
            ("commands_burst", "9" * 25),
            ("commands_per_second", "0"),
            ("commands_per_second", "[1]"),
        ):
            problem = self.problem(name, text)
            self.assertIs(problem.code, Code.INVALID_PARAMS, (name, text))
        for name in ("", "device", "__class__", "contacts "):
            self.assertIs(self.problem(name, "1").code, Code.NOT_FOUND)
        self.assertIs(self.limits.now, before)

    def test_rates(self) -> None:
        """A rate that is lowered holds back, shows who is held back, and lets go when it is raised."""
        alice = self.world.register("alice")
        self.limits.set("commands_burst", "3")
        self.limits.set("commands_per_second", "0.001")
        for _ in range(3):
            alice.call("device.list")
        self.assertEqual(self.refused(alice, "device.list"), "rate_limited")
        rows = {row.name: row for row in self.limits.rows()}
        row = rows["commands_per_second"]
        self.assertEqual((row.value, row.configured, row.held_back), (0.001, 1e9, 1))
        self.assertEqual((rows["commands_burst"].value, rows["commands_burst"].held_back), (3, None))
        self.limits.set("commands_burst", "1000000")
        self.world.settle(60)  # whoever was refused is read from again after a while
        alice.call("device.list")
        held = [row.held_back for row in self.limits.rows() if row.name == "commands_per_second"]
        self.assertEqual(held, [0])

    def test_logins(self) -> None:
        """A login that is guessed at, from one address and from all."""
        self.world.register("alice")
        self.limits.set("logins_per_account", "0.0001")
        self.limits.set("logins_per_account_burst", "1")
        login = {"username": "alice", "password": "wrong password", "device": {"name": "x", "system": "y"}}
        self.assertEqual(self.refused(Client(self.world), "session.login", **login), "bad_credentials")
        self.assertEqual(self.refused(Client(self.world), "session.login", **login), "rate_limited")
        rows = {row.name: row.held_back for row in self.limits.rows()}
        self.assertEqual(rows["logins_per_account"], 1)
        for number in range(19):
            host = f"192.0.2.{100 + number}"
            self.assertEqual(
                self.refused(Client(self.world, host), "session.login", **login), "bad_credentials"
            )
        elsewhere = Client(self.world, "192.0.2.200")
        self.assertEqual(self.refused(elsewhere, "session.login", **login), "rate_limited")

    def test_lists(self) -> None:
        """How many devices and contacts one may have."""
        alice, bob, carol = (self.world.register(name) for name in ("alice", "bob", "carol"))
        self.limits.set("contacts", "1")
        self.world.befriend(alice, bob)
        code = self.refused(alice, "contact.request", account=carol.account, address=carol.address)
        self.assertEqual(code, "limit_reached")
        self.limits.set("devices", "1")
        about = {"username": "bob", "password": PASSWORD, "device": {"name": "x", "system": "y"}}
        self.assertEqual(self.refused(Client(self.world), "session.login", **about), "limit_reached")

    def test_sessions(self) -> None:
        """A session keeps what it began with: one that waits for 64 answers is not left waiting for ever."""
        alice = self.world.register("alice")
        self.world.database.hold = True
        profile = {"display_name": "Alice"}
        asked = [alice.ask("profile.set", profile=profile) for _ in range(64)]
        self.assertFalse(alice.connection.reading)
        self.limits.set("in_flight", "128")
        late = Client(self.world)
        self.world.database.hold = False
        while self.world.database.held:
            self.world.database.release()
        self.assertTrue(alice.connection.reading)
        for number in asked:
            self.assertIsNotNone(alice.answer(number))
        self.limits.set("authentication_seconds", "1")
        soon = Client(self.world)
        self.world.settle(2)
        self.assertEqual((late.connection.close_code, soon.connection.close_code), (None, 4001))
