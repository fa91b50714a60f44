"""Providers that are many services: wakes for one that has no room wait aside, and hold up nobody."""

from safeum_home.ports.push import Accepted, Wake, Woken
from tests.push import PushCase, PushServices

CALL, MESSAGE = Wake.CALL, Wake.MESSAGE


class ServiceTests(PushCase):
    def test_no_room(self) -> None:
        """It is not asked, nothing is counted, and others go by; it goes with the next answer from there."""
        self.sender(provider := PushServices(a=1))
        for token in ("a1", "a2", "a3", "b1", "_1"):
            self.wake(token)
        self.assertEqual(provider.tokens, ["a1", "b1", "_1"])
        self.assertEqual((self.waiting, self.counts()), (2, {}))
        provider.answer()
        self.assertEqual(provider.tokens[3:], ["a2"])
        provider.open.pop().callback(Accepted())
        self.assertEqual(provider.tokens[3:], ["a2", "a3"])
        self.assertEqual(self.waiting, 0)

    def test_room_again(self) -> None:
        """It may come by itself: as many go as there is room for, in their order."""
        self.sender(provider := PushServices(a=0))
        for one in range(5):
            self.wake(f"a{one}")
        self.later(10)
        self.assertEqual(provider.asked, [])
        provider.rooms["a"] = 3
        self.later(0.5)
        self.assertEqual(provider.tokens, ["a0", "a1", "a2"])

    def test_calls_first(self) -> None:
        """At each service."""
        self.sender(provider := PushServices(a=1))
        self.wake("a1")
        self.wake("a2")
        self.wake("a3", CALL)
        provider.answer()
        provider.answer()
        self.assertEqual(provider.tokens, ["a1", "a3", "a2"])

    def test_over(self) -> None:
        """What waits aside ends in time, or when nobody wants it any more."""
        self.sender(provider := PushServices(a=0), message_seconds=60.0)
        call, message, other = self.wake("a1", CALL), self.wake("a2"), self.wake("a3")
        other.cancel()
        self.assertEqual(self.waiting, 2)
        for seconds, over in ((29, []), (2, [call]), (28, [call]), (2, [call, message])):
            self.later(seconds)
            self.assertEqual([each for each in (call, message) if each.called], over)
        self.assertEqual(self.counts(), {"called_off": 1, "expired": 2})
        self.assertEqual((provider.asked, self.clock.getDelayedCalls()), ([], []))

    def test_full(self) -> None:
        """In a full queue those for a service without room make room first, the oldest of them."""
        self.sender(provider := PushServices(Accepted(), a=0), queue=3)
        woken = [self.wake(f"a{one}") for one in range(4)]
        self.assertEqual([each.called for each in woken], [True, False, False, False])
        self.assertEqual(self.successResultOf(woken[0]), Woken.GIVEN_UP)
        self.wake("b1")
        self.assertEqual(provider.tokens, ["b1"])
        self.assertEqual(self.counts(), {"crowded_out": 2, "taken": 1})

    def test_a_quarter(self) -> None:
        """No service has more than that of all that may be under way, whatever room it has."""
        self.sender(provider := PushServices(a=1000, b=1000), concurrency=40)
        for one in range(30):
            self.wake(f"a{one}")
            self.wake(f"b{one}")
        self.assertEqual(len(provider.open), 20)

    def test_in_turn(self) -> None:
        """Where all that may be under way is, services that have more waiting do not go before others."""
        self.sender(provider := PushServices(a=100, b=100, c=100), concurrency=40)
        for one in range(30):
            for service in "abc":
                self.wake(f"{service}{one}")
        for one in range(5):
            self.wake(f"_{one}")
        self.assertEqual(len(provider.open), 35)
        self.wake("_5")
        provider.answer()
        self.assertEqual(provider.tokens[35:], ["_5"])
        for _ in range(90):
            provider.answer()
        self.assertEqual((len(provider.asked), len(set(provider.tokens)), self.waiting), (96, 96, 0))

    def test_kept_for_calls(self) -> None:
        """An eighth of all that may be under way."""
        self.sender(provider := PushServices(), concurrency=40)
        for one in range(60):
            self.wake(f"_{one}")
        self.assertEqual(len(provider.open), 35)
        for one in range(60):
            self.wake(f"_{one}", CALL)
        self.assertEqual(len(provider.open), 40)
        self.assertEqual({wake for _, wake, _ in provider.asked[35:]}, {CALL})

    def test_many_services(self) -> None:
        """However many are waited for: some are looked at in one go, all of them in a while."""
        self.sender(provider := PushServices(), queue=5000)
        letters = [chr(0x4E00 + one) for one in range(1000)]
        provider.rooms = dict.fromkeys(letters, 0)
        for letter in letters:
            self.wake(letter)
        self.assertEqual(self.waiting, 1000)
        provider.outcome = Accepted()
        provider.rooms.clear()
        self.later(3)
        self.assertEqual(self.counts(), {"taken": 1000})

    def test_given_up(self) -> None:
        """Tens of thousands that wait aside and are called off leave nothing behind."""
        self.sender(PushServices(a=0))
        for waking in [self.wake("a") for _ in range(20_000)]:
            waking.cancel()
        line = self.front._lanes["a"].queue.lines[MESSAGE]
        self.assertEqual(self.waiting, 0)
        self.assertLess(len(line._ready) + sum(map(len, line._aside.values())), 100)
