"""What stands in front of push providers: what becomes of a wake when they fail, each in its own way."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred, fail

from safeum_home.errors import Code, Problem
from safeum_home.ports.push import (
    Accepted,
    Gone,
    Offered,
    Outcome,
    PushAddress,
    Refused,
    Temporary,
    Wake,
    Woken,
)
from tests.push import PushCase, PushProvider
from tests.sms import logged

DOWN = Temporary("unreachable")
CALL, MESSAGE = Wake.CALL, Wake.MESSAGE


class Broken(PushProvider):
    """Does something else at first."""

    def __init__(self, first: Callable[[str], Any]) -> None:
        super().__init__(Accepted())
        self._first = first

    def wake(self, address: PushAddress, wake: Wake, seconds: int) -> Deferred[Outcome]:
        asked = super().wake(address, wake, seconds)
        first: Deferred[Outcome] = self._first(address.token) if len(self.asked) == 1 else asked
        return first


class HandingOverTests(PushCase):
    """A wake gets to its provider."""

    def test_taken(self) -> None:
        """At once, with its class, and for as long as it is of use."""
        self.sender(first := PushProvider(Accepted()), second := PushProvider(Accepted()))
        self.assertEqual(self.successResultOf(self.wake("x")), Woken.TAKEN)
        self.assertEqual(self.successResultOf(self.wake("y", CALL, "b")), Woken.TAKEN)
        self.assertEqual((first.asked, second.asked), ([("x", MESSAGE, 86400)], [("y", CALL, 30)]))

    def test_hardly_any_use(self) -> None:
        """No provider is told that it is of no use: to some that means for ever."""
        self.sender(provider := PushProvider(Accepted()), call_seconds=0.3)
        self.wake("x", CALL)
        self.assertEqual(provider.asked, [("x", CALL, 1)])

    def test_dead(self) -> None:
        """The provider knows the address no more."""
        self.sender(PushProvider(Gone("unregistered")))
        self.assertEqual(self.successResultOf(self.wake("x")), Woken.DEAD)
        self.assertEqual(self.counts(), {"dead": 1})

    def test_refused(self) -> None:
        """What it will never take is not tried again, and says nothing of the provider."""
        self.sender(provider := PushProvider(Refused("too large")), breaker_failures=1)
        for _ in range(3):
            self.assertEqual(self.successResultOf(self.wake("x")), Woken.GIVEN_UP)
        self.assertEqual((len(provider.asked), self.counts()), (3, {"refused": 3}))

    def test_offered(self) -> None:
        """Clients learn which providers there are, and their keys."""
        with_key = PushProvider()
        with_key.application_key = "BPk"
        self.sender(PushProvider(), with_key)
        self.assertEqual(list(self.front.offered), [Offered("a", "double"), Offered("b", "double", "BPk")])

    def test_can_wake(self) -> None:
        """Not while it has trouble of its own, or refuses this node; one that is down will be back."""
        self.sender(provider := PushProvider(DOWN), breaker_failures=1)
        self.wake("x")
        self.assertTrue(self.front.can_wake("a"))
        provider.trouble = "no secret"
        self.later(2)
        self.assertFalse(self.front.can_wake("a"))
        provider.trouble = None
        self.later(2)
        self.assertTrue(self.front.can_wake("a"))
        self.assertFalse(self.front.can_wake("z"))

    def test_cannot_wake_when_refused(self) -> None:
        """Until the provider takes a wake again, be it only the operator's test."""
        for again in (lambda: self.later(16), lambda: self.front.test("a", PushAddress("x"))):
            self.sender(provider := PushProvider(Refused("expired", account_refused=True)))
            self.wake("x")
            self.assertFalse(self.front.can_wake("a"))
            provider.outcome = Accepted()
            self.wake("x")
            self.assertFalse(self.front.can_wake("a"))
            again()
            self.assertTrue(self.front.can_wake("a"))

    def test_checked(self) -> None:
        """Addresses are checked by their provider; whatever a bridge raises, nothing of it is quoted."""
        self.sender(provider := PushProvider())
        self.assertEqual(self.front.check("a", PushAddress("fine")), PushAddress("fine"))
        problem = self.assertRaises(Problem, self.front.check, "a", PushAddress("?"))
        self.assertEqual(problem.code, Code.PUSH_ADDRESS_REFUSED)
        problem = self.assertRaises(Problem, self.front.check, "z", PushAddress("fine"))
        self.assertEqual(problem.code, Code.PUSH_UNAVAILABLE)

        def broken(address: PushAddress) -> PushAddress:
            raise ValueError(address.token)

        provider.check = broken  # type: ignore[method-assign]
        events = logged(self)
        problem = self.assertRaises(Problem, self.front.check, "a", PushAddress("hunter2"))
        self.assertEqual(problem.code, Code.PUSH_ADDRESS_REFUSED)
        provider.check = lambda address: None  # type: ignore[assignment, method-assign, return-value]
        problem = self.assertRaises(Problem, self.front.check, "a", PushAddress("hunter2"))
        self.assertEqual(problem.code, Code.PUSH_ADDRESS_REFUSED)
        self.assertIn("ValueError", str(events))
        self.assertIn("NoneType", str(events))
        self.assertNotIn("hunter2", str(events))

    def test_no_such_provider(self) -> None:
        """A device that is registered with one that is no more is given up."""
        self.sender()
        self.assertEqual(self.successResultOf(self.wake("x")), Woken.GIVEN_UP)
        self.assertIsInstance(self.successResultOf(self.front.test("a", PushAddress("x"))), Refused)
        self.assertEqual(list(self.front.offered), [])


class RetryTests(PushCase):
    """A wake that was not taken is tried again, for as long as it is of use."""

    def test_back_off(self) -> None:
        """After up to 1, 2, 4, ... seconds, at most five minutes; what the provider is told gets less."""
        self.sender(provider := PushProvider(DOWN), breaker_failures=1000)
        times: list[float] = []

        def down(token: str) -> Outcome:
            times.append(self.clock.seconds())
            return DOWN

        provider.outcome = down
        waking = self.wake("x")
        self.later(1200)
        waits = (1, 2, 4, 8, 16, 32, 64, 128, 256, 300)
        for (earlier, later), wait in zip(pairwise(times), waits, strict=False):
            self.assertTrue(wait <= later - earlier < wait + 0.5, (later - earlier, wait))
        self.assertEqual(provider.asked[3][2], 86400 - 7)
        provider.outcome = Accepted()
        self.later(300)
        self.assertEqual(self.successResultOf(waking), Woken.TAKEN)

    def test_jitter(self) -> None:
        """Anything from nothing on: those that failed together do not come back together."""
        waits = iter((0.0, 0.4, 0.8, 1.0))
        self.sender(provider := PushProvider(DOWN), breaker_failures=1000)
        self.front._lanes["a"]._jitter = lambda: next(waits)
        for token in "wxyz":
            self.wake(token)
        provider.outcome = Accepted()
        seen = []
        for _ in range(6):
            self.later(0.3)
            seen.append(len(provider.asked))
        self.assertEqual((seen[0], seen[-1]), (5, 8))
        self.assertEqual(seen, sorted(seen))
        self.assertGreater(len(set(seen)), 2)

    def test_over(self) -> None:
        """A call that nobody took in its 30 seconds is given up then, and not tried after."""
        self.sender(provider := PushProvider(DOWN), breaker_failures=1000)
        waking = self.wake("x", CALL)
        self.later(15)
        self.assertGreaterEqual(len(provider.asked), 4)
        self.later(15.5)
        self.assertEqual(self.successResultOf(waking), Woken.GIVEN_UP)
        tried = len(provider.asked)
        self.later(60)
        self.assertEqual((len(provider.asked), self.counts()["expired"]), (tried, 1))
        self.assertTrue(all(1 <= seconds <= 30 for _, _, seconds in provider.asked))

    def test_waits_with_a_provider_that_rests(self) -> None:
        """Its Retry-After is kept to by all that waits; what is not of use any more then is given up."""
        self.sender(provider := PushProvider(Temporary("throttled", 40.0)))
        waking = self.wake("x")
        call, message = self.wake("y", CALL), self.wake("z")
        provider.outcome = Accepted()
        self.later(29)
        self.assertNoResult(call)
        self.later(2)
        self.assertEqual(self.successResultOf(call), Woken.GIVEN_UP)
        self.later(8)
        self.assertEqual(provider.tokens, ["x"])
        self.later(3)
        self.assertEqual((self.successResultOf(message), self.successResultOf(waking)), (Woken.TAKEN,) * 2)

    def test_strange_rests(self) -> None:
        """Years, less than nothing, and no number at all are not believed."""
        for strange, wait in ((1e12, 3600), (float("inf"), 3600), (-1e9, 0), (float("nan"), 0)):
            self.sender(provider := PushProvider(Temporary("throttled", strange)))
            self.wake("x")
            provider.outcome = Accepted()
            self.clock.advance(max(0, wait - 2))
            self.assertEqual(len(provider.asked), 1)
            self.later(4)
            self.assertEqual(len(provider.asked), 2)

    def test_an_address_alone(self) -> None:
        """One that gets too many waits for itself: all others go on, and no breaker opens."""
        self.sender(provider := PushProvider(), breaker_failures=2)
        provider.outcome = lambda token: Temporary("too many", 60.0, True) if token == "x" else Accepted()
        limited = [self.wake("x") for _ in range(5)]
        self.assertEqual(self.successResultOf(self.wake("y")), Woken.TAKEN)
        self.later(59)
        self.assertEqual(provider.tokens, [*"xxxxxy"])
        provider.outcome = Accepted()
        self.later(3)
        self.assertEqual([self.successResultOf(each) for each in limited], [Woken.TAKEN] * 5)
        self.assertEqual(self.counts(), {"address_limited": 5, "taken": 6})

    def test_slow(self) -> None:
        """One that does not answer in `attempt_seconds` is given up, and asked again; late is too late."""
        self.sender(provider := PushProvider(), attempt_seconds=5.0)
        waking = self.wake("x")
        self.later(4.9)
        self.assertEqual(provider.given_up, 0)
        self.later(0.5)
        self.assertEqual((provider.given_up, self.counts()), (1, {"timed_out": 1}))
        self.later(1.5)
        provider.answer()
        self.assertEqual(self.successResultOf(waking), Woken.TAKEN)

    def test_over_while_it_is_asked(self) -> None:
        """A call that has less time than an answer may take is no failure of the provider."""
        self.sender(provider := PushProvider(), call_seconds=3.0, breaker_failures=1)
        waking = self.wake("x", CALL)
        self.later(3.5)
        self.assertEqual(self.successResultOf(waking), Woken.GIVEN_UP)
        self.assertEqual((provider.given_up, self.counts()), (1, {"expired": 1}))
        self.assertEqual(self.front.standings()[0].state, "taking wakes")

    def test_a_bridge_that_fails(self) -> None:
        """Whatever a third party's bridge does is a failure of the provider; nothing it said is logged."""
        for broken in (
            lambda token: fail(ValueError(token)),
            lambda token: {}[token],
            lambda token: None,
            lambda token: "hunter2",
        ):
            events = logged(self)
            self.sender(Broken(broken))
            waking = self.wake("hunter2")
            self.later(2)
            self.assertEqual(self.successResultOf(waking), Woken.TAKEN)
            self.assertIn("The bridge to {provider} failed", str(events))
            self.assertNotIn("hunter2", str(events))


class BreakerTests(PushCase):
    """A provider that fails again and again is left alone, and then tried with one wake."""

    def test_opens_and_closes(self) -> None:
        """What came meanwhile waits, and goes when the one has been taken."""
        self.sender(provider := PushProvider(DOWN), breaker_failures=3, breaker_seconds=15.0)
        waking = [self.wake(token) for token in "uvwxyz"]
        self.assertEqual((provider.tokens, self.waiting), ([*"uvw"], 6))
        self.assertEqual(self.front.standings()[0].state, "left alone for a while, asked again in 15 s")
        self.later(14)
        provider.outcome = None
        self.later(1.5)
        self.assertEqual((len(provider.asked), self.front.standings()[0].state), (4, "being tried again"))
        provider.outcome = Accepted()
        provider.answer()
        self.later(5)
        self.assertEqual([self.successResultOf(each) for each in waking], [Woken.TAKEN] * 6)
        self.assertEqual(self.front.standings()[0].state, "taking wakes")

    def test_the_trial_is_called_off(self) -> None:
        """The device came back before the one wake was answered: the next one tries."""
        self.sender(provider := PushProvider(DOWN), breaker_failures=1, breaker_seconds=15.0)
        waking = [self.wake(token) for token in "xy"]
        provider.outcome = None
        self.later(15.5)
        self.assertEqual((provider.tokens[1:], self.front.standings()[0].state), (["y"], "being tried again"))
        waking[1].cancel()
        self.later(2)
        self.assertEqual(provider.tokens[2:], ["x"])
        provider.answer()
        self.assertEqual(self.front.standings()[0].state, "taking wakes")

    def test_account_refused(self) -> None:
        """It opens at once, and the operator is told once, until the provider has taken something again."""
        events = logged(self)
        self.sender(provider := PushProvider(Refused("the key is revoked", True)), breaker_seconds=15.0)
        self.assertEqual(self.successResultOf(self.wake("x")), Woken.GIVEN_UP)
        waking = [self.wake(token) for token in "yz"]
        self.assertEqual(provider.tokens, ["x"])
        self.later(60)
        self.assertEqual(provider.tokens, [*"xyz"])
        self.assertEqual([self.successResultOf(each) for each in waking], [Woken.GIVEN_UP] * 2)
        self.assertEqual(self.front.standings()[0].trouble, "the key is revoked")

        def alarms() -> int:
            return sum("ALARM" in (event["log_format"] or "") for event in events)

        self.assertEqual(alarms(), 1)
        provider.outcome = Accepted()
        self.later(60)
        self.wake("x")
        provider.outcome = Refused("the key is revoked", True)
        self.wake("x")
        self.assertEqual(alarms(), 2)

    def test_one_does_not_stop_another(self) -> None:
        """Each provider has its own."""
        self.sender(PushProvider(DOWN), PushProvider(Accepted()), breaker_failures=1)
        self.wake("x")
        self.assertEqual(self.successResultOf(self.wake("x", provider="b")), Woken.TAKEN)


class OperatorTests(PushCase):
    """A test is a wake of its own."""

    def test_past_everything(self) -> None:
        """It goes to the provider once, past the queue and the breaker; what that says is the answer."""
        self.sender(provider := PushProvider(DOWN), breaker_failures=1, concurrency=1)
        self.wake("x")
        for outcome in (Accepted(), Gone("unregistered"), DOWN, Refused("the key is revoked", True)):
            provider.outcome = outcome
            self.assertEqual(self.successResultOf(self.front.test("a", PushAddress("y"))), outcome)
        self.assertEqual((provider.tokens, self.counts()), ([*"xyyyy"], {"temporary": 1}))

    def test_no_answer(self) -> None:
        """It ends after `attempt_seconds`, at the end of the node, and where the bridge fails."""
        self.sender(provider := PushProvider(), attempt_seconds=5.0)
        testing = self.front.test("a", PushAddress("y"))
        self.clock.advance(5)
        self.assertEqual(self.successResultOf(testing), Temporary("timed out"))

        def broken(token: str) -> Outcome:
            raise ValueError(token)

        provider.outcome = broken
        self.assertEqual(
            self.successResultOf(self.front.test("a", PushAddress("y"))), Temporary("the bridge failed")
        )
        provider.outcome = None
        testing = self.front.test("a", PushAddress("y"))
        self.successResultOf(Deferred.fromCoroutine(self.front.stop()))
        self.successResultOf(testing)
        self.assertEqual(self.clock.getDelayedCalls(), [])
