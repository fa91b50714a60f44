"""Push services that clients name: what one of them does holds up nobody but its own."""

from typing import Any

from twisted.internet.defer import Deferred

from bridges.push.origins import (
    AT_A_STRANGER,
    AT_ONE,
    AT_STRANGERS,
    FAILURES,
    LEFT_ALONE,
    MOST_ORIGINS,
    NO_ROOM,
    SECONDS,
)
from safeum_home.outgoing.answers import IN_TIME, NoAnswer
from safeum_home.outgoing.places import Place
from safeum_home.ports.push import Accepted, Outcome, Refused, Temporary
from tests.webpush_case import ENDPOINT, HOST, WebPushCase

FAILED = Temporary(IN_TIME, address_alone=True)
EVIL = "https://evil.example/x"


class OriginCase(WebPushCase):
    def setUp(self) -> None:
        super().setUp()
        self.evil = self.serve("evil.example")

    def fails(self, host: str = "evil.example") -> None:
        self.services.failures[host] = NoAnswer(IN_TIME)

    def stall(self, host: str, count: int) -> "list[Deferred[Outcome]]":
        """So many wakes to a push service that does not answer."""
        self.services.silent.add(host)
        return [self.starts(f"https://{host}/{one}") for one in range(count)]

    def end(self, started: "list[Deferred[Outcome]]") -> None:
        """They run into their time cap."""
        for waiting in self.services.open:
            if not waiting.called:
                waiting.errback(NoAnswer(IN_TIME))
        self.services.open.clear()
        for each in started:
            self.successResultOf(each)


class BreakerTests(OriginCase):
    def test_dead(self) -> None:
        """A push service that does not answer is left alone; all others are asked as before."""
        self.fails()
        for _ in range(FAILURES):
            self.assertEqual(self.wake(EVIL), FAILED)
        asked = len(self.services.asked)
        self.assertEqual(self.wake(EVIL), Temporary(LEFT_ALONE, SECONDS, address_alone=True))
        self.assertEqual(len(self.services.asked), asked)
        self.assertEqual(self.wake(), Accepted())

    def test_comes_back(self) -> None:
        """After a while one wake tries; if it is taken, all go again."""
        self.fails()
        for _ in range(FAILURES):
            self.wake(EVIL)
        self.clock.advance(SECONDS)
        self.assertEqual(self.wake(EVIL), FAILED)
        self.assertEqual(self.wake(EVIL), Temporary(LEFT_ALONE, 2 * SECONDS, address_alone=True))
        self.clock.advance(2 * SECONDS)
        self.services.failures.clear()
        for _ in range(3):
            self.assertEqual(self.wake(EVIL), Accepted())

    def test_statuses(self) -> None:
        """Whatever is answered, it answers: a client cannot have others left alone by what is at one path."""
        for status in (503, 500, 403, 410, 307, 429, 400):
            for _ in range(2 * FAILURES):
                self.wake(f"https://{HOST}/{status}")
            self.assertEqual(self.wake(), Accepted(), status)

    def test_given_up(self) -> None:
        """Wakes that are given up, since their devices came, say nothing of the push service."""
        self.wake()
        for _ in range(2 * FAILURES):
            (started,) = self.stall(HOST, 1)
            started.cancel()
            self.successResultOf(started)
        self.services.silent.clear()
        self.assertEqual(self.wake(), Accepted())

    def test_the_one_that_tries_is_given_up(self) -> None:
        """Then the next one tries."""
        self.fails()
        for _ in range(FAILURES):
            self.wake(EVIL)
        self.clock.advance(SECONDS)
        self.services.failures.clear()
        (started,) = self.stall("evil.example", 1)
        started.cancel()
        self.services.silent.clear()
        self.assertEqual(self.wake(EVIL), Accepted())

    def test_other_port(self) -> None:
        """Another port of a host is another push service: who is dead there harms nobody."""
        for _ in range(2 * FAILURES):
            self.assertIsInstance(self.wake(f"https://{HOST}:8443/x"), Temporary)
        self.assertEqual(self.wake(f"https://{HOST}/x"), Accepted())


class RoomTests(OriginCase):
    def test_stranger(self) -> None:
        """One that has not taken anything yet gets a few at a time."""
        started = self.stall("evil.example", AT_A_STRANGER + 1)
        self.assertEqual(self.successResultOf(started.pop()), NO_ROOM)
        self.end(started)
        self.assertEqual(self.wake(), Accepted())

    def test_known(self) -> None:
        """One that took a wake gets many, and still not all."""
        self.wake()
        started = self.stall(HOST, AT_ONE + 1)
        self.assertEqual(self.successResultOf(started.pop()), NO_ROOM)
        self.assertEqual(self.wake(EVIL), Accepted())
        self.end(started)

    def test_strangers(self) -> None:
        """A domain has as many names as its owner likes: all of them together hold up no known one."""
        self.wake()
        started = []
        for one in range(AT_STRANGERS // AT_A_STRANGER):
            started += self.stall(f"{one}.evil.example", AT_A_STRANGER)
        self.assertEqual(self.wake(EVIL), NO_ROOM)
        self.assertEqual(self.wake(), Accepted())
        self.end(started)
        self.assertEqual(self.wake(EVIL), Accepted())

    def test_stranger_again(self) -> None:
        """Whoever took a wake to become known, and stalls then, is a stranger after that."""
        self.wake(EVIL)
        self.end(self.stall("evil.example", 2 * AT_A_STRANGER))
        self.clock.advance(16 * SECONDS)
        started = self.stall("evil.example", AT_A_STRANGER + 1)
        self.assertIsInstance(self.successResultOf(started.pop()), Temporary)
        self.end([each for each in started if not each.called])

    def test_all_come_back(self) -> None:
        """However wakes end, their room is free again."""
        origins = self.provider._origins
        self.services.failures["dead.example"] = NoAnswer(IN_TIME)
        for endpoint in (
            ENDPOINT,
            EVIL,
            "https://dead.example/",
            f"https://{HOST}/410",
            f"https://{HOST}/500",
        ):
            for _ in range(10):
                self.wake(endpoint)
        self.assertIsInstance(self.wake(address=self.address(key=None)), Refused)
        self.assertEqual(origins.strangers_under_way, 0)
        self.assertEqual({each.under_way for each in origins._origins.values()}, {0})


class BoundTests(OriginCase):
    def test_bounded(self) -> None:
        """However many are named; those that are known, or under way, are not forgotten for strangers."""
        self.wake()
        started = self.stall("slow.example", 1)
        for one in range(MOST_ORIGINS + 10):
            self.wake(f"https://{one}.evil.example/")
        hosts = [place.host for place in self.provider._origins._origins]
        self.assertEqual(len(hosts), MOST_ORIGINS)
        self.assertTrue({HOST, "slow.example"} <= set(hosts))
        self.end(started)

    def test_known_ones(self) -> None:
        """Of those that are all known the one goes that was not used for longest."""
        origins: Any = self.provider._origins
        for one in range(MOST_ORIGINS + 3):
            turn = origins.begin(Place(f"{one}.example"))
            turn.answered(well=True)
            turn.over()
        self.assertEqual(next(iter(origins._origins)), Place("3.example"))
