"""Rate limits and connection counts."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.gateway.limits import ConnectionLimits
from safeum_home.limits import RateLimit, network, site


class RateLimitTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.limit = RateLimit(rate=2.0, burst=3, now=self.clock.seconds, size=4)

    def refused(self, key: str) -> Problem:
        problem: Problem = self.assertRaises(Problem, self.limit.take, key)
        self.assertIs(problem.code, Code.RATE_LIMITED)
        return problem

    def test_burst_then_rate(self) -> None:
        for _ in range(3):
            self.limit.take("a")
        self.assertEqual(self.refused("a").retry_after, 0.5)
        self.clock.advance(0.5)
        self.limit.take("a")
        self.refused("a")

    def test_settling(self) -> None:
        """What turns out to be more is owed up to as much as a bucket holds; less is given back."""
        limit = RateLimit(rate=2.0, burst=3, now=self.clock.seconds, size=4, debts=True)
        limit.take("a", cost=3)
        limit.settle("a", 2)
        refused: Problem = self.assertRaises(Problem, limit.take, "a")
        self.assertEqual(refused.retry_after, 1.5)
        limit.settle("a", 1000)
        refused = self.assertRaises(Problem, limit.take, "a")
        self.assertEqual(refused.retry_after, 2.0)
        limit.settle("a", -4)
        limit.take("a")
        self.assertRaises(Problem, limit.take, "a")
        limit.settle("b", -2)  # it was full again meanwhile, and fuller it cannot be
        limit.take("b", cost=3)
        self.assertRaises(Problem, limit.take, "b")
        for key in "cdefg":
            limit.settle(key, 1)
        self.assertEqual(len(limit), 4)

    def test_keys_are_apart(self) -> None:
        self.limit.take("a", cost=3)
        self.limit.take("b", cost=3)
        self.refused("a")

    def test_a_refusal_costs_nothing(self) -> None:
        self.limit.take("a", cost=3)
        for _ in range(10):
            self.refused("a")
        self.clock.advance(0.5)
        self.limit.take("a")

    def test_a_clock_that_is_set_back(self) -> None:
        """Who was active before waits for one token, not for as long as the clock was set back."""
        self.clock.advance(3600)
        self.limit.take("a", cost=3)
        self.clock.rightNow -= 3600
        self.assertEqual(self.refused("a").retry_after, 0.5)
        self.clock.advance(0.5)
        self.limit.take("a")
        self.limit.take("b", cost=3)

    def test_more_than_a_burst_is_never_allowed(self) -> None:
        self.assertRaises(Problem, self.limit.take, "a", 4)

    def test_bounded_and_forgets_who_was_not_seen_for_longest(self) -> None:
        for key in "abcd":
            self.limit.take(key, cost=3)
        self.refused("a")
        self.limit.take("e", cost=3)
        self.assertEqual(len(self.limit), 4)
        self.refused("a")
        self.limit.take("b", cost=3)

    def test_full_buckets_hold_no_memory(self) -> None:
        for key in "abcd":
            self.limit.take(key)
        self.clock.advance(100)
        self.limit.take("e")
        self.limit.take("e")
        self.assertEqual(len(self.limit), 1)

    def test_forget(self) -> None:
        self.limit.take("a", cost=3)
        self.limit.forget("a")
        self.limit.take("a", cost=3)

    @given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 3)), max_size=60))
    def test_never_more_than_burst_and_rate(self, steps: list[tuple[float, int]]) -> None:
        clock = Clock()
        limit = RateLimit(rate=2.0, burst=3, now=clock.seconds)
        taken = 0
        for wait, cost in steps:
            clock.advance(wait)
            try:
                limit.take("key", cost)
                taken += cost
            except Problem as problem:
                # What it promises is kept.
                assert problem.retry_after is not None
                clock.advance(problem.retry_after)
                limit.take("key", cost)
                taken += cost
            assert taken <= 3 + 2 * clock.seconds() + 1e-6


class NetworkTests(SynchronousTestCase):
    def test_ipv4_counts_as_it_is(self) -> None:
        self.assertEqual(network("192.0.2.1"), "192.0.2.1")

    def test_ipv6_counts_by_64(self) -> None:
        self.assertEqual(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::2"))
        self.assertNotEqual(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"))

    def test_mapped_ipv4_is_ipv4(self) -> None:
        self.assertEqual(network("::ffff:192.0.2.1"), "192.0.2.1")

    def test_scope_is_no_way_around(self) -> None:
        self.assertEqual(network("fe80::1%eth0"), network("fe80::2%eth1"))

    def test_what_is_no_address(self) -> None:
        self.assertEqual(network("/run/socket:1"), "/run/socket:1")
        self.assertEqual(network(""), "")

    def test_site(self) -> None:
        """Wider than a network for IPv6 alone: what it may have been given of that is a /48."""
        self.assertEqual(site("2001:db8:1:2::1"), "2001:db8:1::/48")
        self.assertEqual(site("2001:db8:1:ffff::1%eth0"), "2001:db8:1::/48")
        self.assertNotEqual(site("2001:db8:1:2::1"), site("2001:db8:2:2::1"))
        for host in ("192.0.2.1", "/run/socket:1", "", "1.2.3.4/64"):
            self.assertEqual(site(host), host)
        self.assertEqual(site("::ffff:192.0.2.1"), "192.0.2.1")


class ConnectionLimitTests(SynchronousTestCase):
    def test_per_address(self) -> None:
        limits = ConnectionLimits(10, 2)
        self.assertTrue(limits.admit("2001:db8::1"))
        self.assertTrue(limits.admit("2001:db8::2"))
        self.assertFalse(limits.admit("2001:db8::3"))
        self.assertTrue(limits.admit("192.0.2.1"))
        limits.release("2001:db8::2")
        self.assertTrue(limits.admit("2001:db8::3"))

    def test_total(self) -> None:
        limits = ConnectionLimits(2, 2)
        self.assertTrue(limits.admit("192.0.2.1"))
        self.assertTrue(limits.admit("192.0.2.2"))
        self.assertFalse(limits.admit("192.0.2.3"))
        limits.release("192.0.2.1")
        self.assertEqual(limits.total, 1)
        self.assertTrue(limits.admit("192.0.2.3"))

    def test_nothing_is_kept_of_who_has_gone(self) -> None:
        limits = ConnectionLimits(2, 2)
        limits.admit("192.0.2.1")
        limits.release("192.0.2.1")
        self.assertEqual(limits._open, {})
