"""Wakes that wait for a provider: bounded, calls first, and none is ever forgotten."""

import gc
import random
import tracemalloc
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail

from bridges.push.sender import Sender
from safeum_home.ports.push import Accepted, Gone, Outcome, PushAddress, Refused, Temporary, Wake, Woken
from tests.push import PushCase, PushProvider, PushServices

CALL, MESSAGE = Wake.CALL, Wake.MESSAGE


class QueueTests(PushCase):
    """At most `concurrency` are under way, and `queue` wait."""

    def test_in_turn(self) -> None:
        """Calls first, each class in the order in which they came."""
        self.sender(provider := PushProvider(), concurrency=1)
        for token, wake in (("m", MESSAGE), ("n", MESSAGE), ("o", MESSAGE), ("c", CALL), ("d", CALL)):
            self.wake(token, wake)
        self.assertEqual(provider.tokens, ["m"])
        for _ in range(5):
            provider.answer()
        self.assertEqual(provider.tokens, [*"mcdno"])

    def test_at_once(self) -> None:
        """No more than that, whatever comes; the next one goes as soon as one is answered."""
        self.sender(provider := PushProvider(), concurrency=3)
        waking = [self.wake(token) for token in "uvwxyz"]
        self.assertEqual((len(provider.open), self.front.standings()[0].under_way, self.waiting), (3, 3, 3))
        provider.answer(Gone("unregistered"))
        self.assertEqual((len(provider.open), self.waiting), (3, 2))
        while provider.open:
            provider.answer()
        self.assertEqual([self.successResultOf(each) for each in waking], [Woken.DEAD, *[Woken.TAKEN] * 5])

    def test_full(self) -> None:
        """The oldest message makes room, for a message and for a call; a call only for a call."""
        self.sender(PushProvider(), concurrency=1, queue=3)
        under_way = self.wake("u")
        messages = [self.wake(token) for token in "vwx"]
        calls = [self.wake("c", CALL)]
        self.assertEqual(self.successResultOf(messages[0]), Woken.GIVEN_UP)
        messages.append(self.wake("y"))
        self.assertEqual(self.successResultOf(messages[1]), Woken.GIVEN_UP)
        calls += [self.wake("d", CALL), self.wake("e", CALL)]
        self.assertEqual([self.successResultOf(each) for each in messages[2:]], [Woken.GIVEN_UP] * 2)
        self.assertEqual(self.successResultOf(self.wake("z")), Woken.GIVEN_UP)
        calls.append(self.wake("f", CALL))
        self.assertEqual(self.successResultOf(calls[0]), Woken.GIVEN_UP)
        for waits in (under_way, *calls[1:]):
            self.assertNoResult(waits)
        self.assertEqual((self.counts(), self.waiting), ({"crowded_out": 6}, 3))

    def test_full_of_what_was_tried(self) -> None:
        """Those that wait for their next try make room before those that were not tried."""
        self.sender(PushProvider(Temporary("down")), queue=3, breaker_failures=2)
        tried, fresh = [self.wake(token) for token in "wx"], [self.wake("y")]
        self.assertEqual(self.waiting, 3)
        fresh += [self.wake(token) for token in "za"]
        self.assertEqual([self.successResultOf(each) for each in tried], [Woken.GIVEN_UP] * 2)
        for waits in fresh:
            self.assertNoResult(waits)

    def test_tried_before(self) -> None:
        """One whose next try is due goes before those that came after it."""
        self.sender(provider := PushProvider(Temporary("down")), concurrency=1)
        self.wake("x")
        provider.outcome = None
        self.wake("y")
        self.wake("z")
        self.later(1.5)
        provider.answer()
        self.assertEqual(provider.tokens, [*"xyx"])

    def test_called_off(self) -> None:
        """A device that has come back is not woken; what was under way is given up, and its place is free."""
        self.sender(provider := PushProvider(), concurrency=1)
        waking = [self.wake(token) for token in "xyz"]
        waking[1].cancel()
        self.assertEqual((self.successResultOf(waking[1]), self.waiting), (Woken.GIVEN_UP, 1))
        waking[0].cancel()
        self.assertEqual((self.successResultOf(waking[0]), provider.given_up), (Woken.GIVEN_UP, 1))
        self.assertEqual(provider.tokens, [*"xz"])
        provider.answer()
        self.assertEqual(self.successResultOf(waking[2]), Woken.TAKEN)
        self.assertEqual(self.counts(), {"called_off": 2, "taken": 1})
        waking[2].cancel()

    def test_called_off_before_its_next_try(self) -> None:
        """The same for one that was tried and waits."""
        self.sender(provider := PushProvider(Temporary("down")))
        waking = self.wake("x")
        waking.cancel()
        self.later(60)
        self.assertEqual((provider.tokens, self.waiting), (["x"], 0))

    def test_called_off_from_within(self) -> None:
        """The same while the bridge is just being asked: whoever heard of another wake may do that."""

        class Telling(PushProvider):
            def wake(self, address: PushAddress, wake: Wake, seconds: int) -> Deferred[Outcome]:
                asked = super().wake(address, wake, seconds)
                if address.token == "y":
                    waking[1].cancel()
                return asked

        self.sender(provider := Telling(), concurrency=1)
        waking = [self.wake(token) for token in "xyz"]
        provider.answer()
        self.assertEqual(self.successResultOf(waking[1]), Woken.GIVEN_UP)
        self.assertEqual((provider.tokens, provider.given_up, self.waiting), ([*"xyz"], 1, 0))
        provider.answer()
        self.assertEqual(self.counts(), {"taken": 2, "called_off": 1})

    def test_a_canceller_that_fails(self) -> None:
        """A third party's bridge cannot keep one from being given up."""

        class Stubborn(PushProvider):
            def _cancelled(self, asked: Deferred[Outcome]) -> None:
                raise ValueError

        self.sender(Stubborn(), attempt_seconds=1.0)
        waking, slow = self.wake("x"), self.wake("y")
        waking.cancel()
        self.assertEqual(self.successResultOf(waking), Woken.GIVEN_UP)
        self.later(1.5)
        self.assertEqual((self.counts()["timed_out"], self.waiting), (1, 1))
        self.assertNoResult(slow)

    def test_stop(self) -> None:
        """At the end all are given up, whatever they wait for; providers are closed, even if one fails."""

        class Failing(PushProvider):
            def stop(self) -> Deferred[None]:
                super().stop()
                return fail(ValueError())

        providers = Failing(), PushProvider(Temporary("down")), PushProvider()
        self.sender(*providers, concurrency=1)
        waking = [self.wake(token, provider=name) for token in "xyz" for name in "abc"]
        self.successResultOf(Deferred.fromCoroutine(self.front.stop()))
        waking.append(self.wake("x"))
        self.assertEqual([self.successResultOf(each) for each in waking], [Woken.GIVEN_UP] * 10)
        self.assertTrue(all(provider.stopped for provider in providers))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_is_left(self) -> None:
        """When all are answered there is no timer, and nothing is held."""
        self.sender(provider := PushProvider(), concurrency=2)
        for token in "uvwxyz":
            self.wake(token)
        while provider.open:
            provider.answer()
        self.later(1)
        self.assertEqual((self.clock.getDelayedCalls(), self.waiting), ([], 0))

    def test_a_provider_that_answers_at_once(self) -> None:
        """However many wait, the stack does not grow with them."""
        self.sender(provider := PushProvider(), concurrency=1)
        waking = [self.wake(f"{number}") for number in range(5000)]
        provider.outcome = Accepted()
        provider.answer()
        self.later(6)
        self.assertTrue(all(each.called for each in waking))

    def test_waking_anew_from_what_became_of_it(self) -> None:
        """Whoever hears of one may hand in the next, of the same device."""
        self.sender(provider := PushProvider(Refused("too large")), concurrency=1, queue=1)
        more: list[Deferred[Woken]] = []
        self.wake("x").addCallback(lambda _: more.append(self.wake("x")))
        self.assertEqual((len(provider.asked), self.successResultOf(more[0])), (2, Woken.GIVEN_UP))


class MemoryTests(PushCase):
    def test_bounded(self) -> None:
        """A hundred thousand that wait take less than 100 MiB, and nothing once their devices came back."""
        self.sender(PushProvider(), concurrency=1, queue=100_000)
        addresses = [PushAddress(f"{number:064}") for number in range(100_001)]
        gc.collect()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        waking = [self.front.wake("a", address, MESSAGE) for address in addresses]
        self.assertLess(tracemalloc.get_traced_memory()[0], 100 * 2**20)
        self.assertEqual(self.waiting, 100_000)
        order = list(range(1, 100_001))
        random.Random(7).shuffle(order)
        for place in order:
            waking[place].cancel()
        del waking, order
        gc.collect()
        self.assertEqual(self.waiting, 0)
        self.assertLess(tracemalloc.get_traced_memory()[0], 2**20)


OUTCOMES = (
    Accepted(),
    Gone("gone"),
    Refused("refused"),
    Refused("account", True),
    Temporary("down"),
    Temporary("throttled", 7.0),
    Temporary("too many", 90.0, True),
    Temporary("too many", None, True),
    None,
)
STEPS = st.one_of(
    st.tuples(st.just("wake"), st.sampled_from([CALL, MESSAGE])),
    st.tuples(st.just("answer"), st.sampled_from(OUTCOMES[:-1])),
    st.tuples(st.just("say"), st.sampled_from(OUTCOMES)),
    st.tuples(st.just("cancel"), st.integers(0, 40)),
    st.tuples(st.just("room"), st.integers(0, 5)),
    st.tuples(st.just("pass"), st.sampled_from([0.1, 0.3, 1.0, 5.0, 20.0, 100.0, 700.0])),
)


class LifeTests(PushCase):
    """Any life of a provider: wakes, answers, cancellations, time, in any order."""

    @settings(max_examples=200, deadline=None)
    @given(st.lists(STEPS, max_size=60))
    def test_any_life(self, steps: list[tuple[str, object]]) -> None:
        """The bounds hold at any moment; in the end each wake has one outcome, in time, and is counted."""
        self.setUp()
        front: Sender = self.sender(
            provider := PushServices(),
            concurrency=2,
            queue=4,
            message_seconds=600.0,
            breaker_failures=2,
            breaker_seconds=5.0,
        )
        waking: list[Deferred[Woken]] = []
        ended: Counter[int] = Counter()
        for what, how in steps:
            match what, how:
                case "wake", Wake():
                    number = len(waking)
                    waking.append(front.wake("a", PushAddress(f"{'abc'[number % 3]}{number}"), how))
                    waking[-1].addCallback(lambda _, which: ended.update([which]), number)
                case "answer", _ if provider.open:
                    provider.answer(how)  # type: ignore[arg-type]
                case "say", _:
                    provider.outcome = how  # type: ignore[assignment]
                case "cancel", int() if waking:
                    waking[how % len(waking)].cancel()
                case "room", int():
                    provider.rooms["ab"[how % 2]] = how // 2
                case "pass", float():
                    self.clock.advance(how)
            standing = front.standings()[0]
            self.assertLessEqual(len(provider.open), 2)
            self.assertEqual(standing.under_way, len(provider.open))
            self.assertLessEqual(sum(standing.waiting.values()), 4 + 2)
            self.assertEqual(len(waking) - len(ended), standing.under_way + sum(standing.waiting.values()))
            for token, wake, seconds in provider.asked:
                lifetime = 30 if wake is CALL else 600
                self.assertTrue(1 <= seconds <= lifetime, (token, seconds))
        self.assertEqual(provider.crowded, 0)
        provider.outcome = Temporary("down")
        self.clock.pump([5.0] * 140)
        self.assertEqual(set(ended.values()) | {1}, {1})
        self.assertEqual(len(ended), len(waking))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        counts = front.standings()[0].counts
        became = ("taken", "dead", "refused", "expired", "crowded_out", "called_off")
        self.assertEqual(sum(counts.get(what, 0) for what in became), len(waking))
