"""Push providers that are not well: those that raise, and those that say of everybody that he is gone."""

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from bridges.push.health import LAST, MOST, SHARE
from safeum_home.ports.push import Accepted, Gone, Offered, PushAddress, Woken
from tests.push import PushCase, PushProvider, PushServices
from tests.sms import logged

GONE = Gone("unregistered")


class Raising:
    """A bridge whose every attribute and method raises."""

    def __getattr__(self, name: str) -> Any:
        raise ValueError("hunter2")

    def stop(self) -> "Deferred[None]":
        raise ValueError("hunter2")


class RaisingTests(PushCase):
    def test_one_that_raises(self) -> None:
        """Whatever it does, others are offered, asked, and closed; nothing of what it says is told."""
        events = logged(self)
        bad: Any = PushProvider()
        self.sender(bad, other := PushProvider(Accepted()))
        self.front._lanes["a"].provider = self.front._lanes["a"].guard._provider = bad = Raising()
        self.assertEqual(list(self.front.offered), [Offered("a", "double"), Offered("b", "double")])
        self.assertEqual((self.front.can_wake("a"), self.front.can_wake("b")), (False, True))
        self.assertEqual(self.front.standings()[0].state, "its bridge failed: ValueError")
        self.successResultOf(Deferred.fromCoroutine(self.front.stop()))
        self.assertTrue(other.stopped)
        self.assertNotIn("hunter2", str(events))

    def test_services_that_raise(self) -> None:
        """The wake is handed over as if there were none."""

        class Strange(PushServices):
            def of(self, address: PushAddress) -> str | None:
                raise ValueError

        self.sender(Strange(Accepted()))
        self.assertEqual(self.successResultOf(self.wake("x")), Woken.TAKEN)


class DeathTests(PushCase):
    def woken(self, count: int, token: str = "x") -> set[Woken]:
        return {self.successResultOf(self.wake(token)) for _ in range(count)}

    def test_all_at_once(self) -> None:
        """Some are believed; after that it is likelier that something else is wrong, which is said once."""
        events = logged(self)
        self.sender(provider := PushProvider(GONE))
        self.assertEqual(self.woken(MOST), {Woken.DEAD})
        self.assertEqual(self.woken(1000), {Woken.GIVEN_UP})
        self.assertEqual(self.counts(), {"dead": MOST, "refused": 1000})
        self.assertEqual(self.front.standings()[0].trouble, GONE.reason)
        self.assertEqual(str(events).count("ALARM"), 1)
        provider.outcome = Accepted()
        self.woken(LAST)
        provider.outcome = GONE
        self.assertEqual(self.woken(1), {Woken.DEAD})

    def test_one_in_five(self) -> None:
        """So many are dead on any day, and are forgotten."""
        self.sender(PushProvider(lambda token: GONE if token == "gone" else Accepted()))
        for _ in range(LAST):
            self.woken(4)
            self.assertEqual(self.woken(1, "gone"), {Woken.DEAD})

    def test_documented(self) -> None:
        """The numbers of the guide."""
        text = (Path(__file__).parent.parent / "docs" / "push.md").read_text()
        self.assertIn("more than 50 of its last 250 answers, and more than a fifth", text)
        self.assertEqual((MOST, LAST, SHARE), (50, 250, 0.2))

    def test_each_service(self) -> None:
        """What one says of its addresses says nothing of another's."""
        self.sender(PushServices(GONE))
        self.woken(LAST, "a")
        self.assertEqual(self.woken(1, "a"), {Woken.GIVEN_UP})
        self.assertEqual(self.woken(1, "b"), {Woken.DEAD})
