"""Push services that clients name: what one of them does holds up nobody but its own."""

from typing import Any

from twisted.internet.defer import Deferred

from bridges.push.origins import (
    AT_A_STRANGER,
    AT_ONE,
    AT_STRANGERS,
    FAILURES,
    KNOWN,
    LEFT_ALONE,
    MOST_ORIGINS,
    NO_ROOM,
    SECONDS,
    SLOW,
)
from bridges.push.sender import Sender
from safeum_home.config_push import PushProviderSection, PushSection
from safeum_home.outgoing.answers import IN_TIME, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.places import Place
from safeum_home.ports.push import Accepted, Outcome, Refused, Temporary, Wake, Woken
from tests.webpush_case import ENDPOINT, HOST, WebPushCase

FAILED = Temporary(IN_TIME, address_alone=True)
EVIL = "https://evil.example/x"


class OriginCase(WebPushCase):
    def setUp(self) -> None:
        super().setUp()
        self.evil = self.serve("evil.example")

    def know(self, endpoint: str = ENDPOINT, times: int = AT_ONE) -> None:
        """It takes so many wakes."""
        for _ in range(times):
            self.assertEqual(self.wake(endpoint), Accepted())

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
        """One that took many quickly gets many, and still not all."""
        self.know()
        started = self.stall(HOST, AT_ONE + 1)
        self.assertEqual(self.successResultOf(started.pop()), NO_ROOM)
        self.assertEqual(self.wake(EVIL), Accepted())
        self.end(started)

    def test_more_and_more(self) -> None:
        """With each that is taken one more may be under way; nothing else that is answered is worth that."""
        self.know(times=3)
        self.wake(f"https://{HOST}/410")
        started = self.stall(HOST, AT_A_STRANGER + 3 + 1)
        self.assertEqual([each.called for each in started], [False] * (AT_A_STRANGER + 3) + [True])
        self.end(started)

    def test_slow(self) -> None:
        """Who takes long gets half as many each time, down to a stranger's; and more when it is quick."""
        self.know()
        place, origins = Place(HOST), self.provider.services
        for room in (AT_ONE // 2, AT_ONE // 4, AT_ONE // 8, AT_ONE // 16, AT_ONE // 32, AT_A_STRANGER):
            turns: Any = [origins.begin(place) for _ in range(origins.room(place))]
            self.clock.advance(SLOW + 1)
            for turn in turns:
                turn.answered(well=True)
                turn.over()
            self.assertEqual(origins.room(place), room)
        self.know(times=2)
        self.assertEqual(origins.room(place), AT_A_STRANGER + 2)

    def test_strangers(self) -> None:
        """A domain has as many names as its owner likes: all of them together hold up no known one."""
        self.know(times=KNOWN)
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
        origins = self.provider.services
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


class QueueTests(OriginCase):
    """With the queue in front."""

    def setUp(self) -> None:
        super().setUp()
        section = PushSection([PushProviderSection("web", "webpush")])
        self.front = Sender(self.clock, section, [self.provider], jitter=lambda: 1.0)

    def send(self, endpoint: str, wake: Wake = Wake.MESSAGE) -> "Deferred[Woken]":
        return self.front.wake("web", self.subscriber.at(endpoint), wake)

    def answer(self, count: int) -> None:
        """So many are taken."""
        for _ in range(count):
            self.services.open.pop(0).callback(Answer(201, b""))

    def test_as_many_as_may_be(self) -> None:
        """A new push service has four at a time, then more and more; none of the others is tried in vain."""
        self.services.silent.add(HOST)
        woken = [self.send(f"https://{HOST}/{one}") for one in range(50)]
        seen = []
        while self.services.open:
            seen.append(len(self.services.open))
            self.answer(seen[-1])
        self.assertEqual(seen, [4, 8, 16, 22])
        self.assertEqual([self.successResultOf(each) for each in woken], [Woken.TAKEN] * 50)
        self.assertEqual(self.front.standings()[0].counts, {"taken": 50})

    def test_dead(self) -> None:
        """Wakes for one that is dead wait, and are tried one by one until it is back."""
        self.fails()
        for one in range(50):
            self.send(f"https://evil.example/x{one}")
        asked = len(self.services.asked)
        self.assertLessEqual(asked, FAILURES)
        self.assertEqual(self.successResultOf(self.send(ENDPOINT)), Woken.TAKEN)
        self.clock.pump([0.5] * 120)
        self.assertLessEqual(len(self.services.asked), asked + 4)
        self.services.failures.clear()
        self.clock.pump([0.5] * 100)
        self.assertEqual(self.front.standings()[0].counts["taken"], 51)

    def test_slow_ones(self) -> None:
        """Three that took one wake, and stall then, hold up neither a call nor a message for another."""
        hosts = [f"{one}.evil.example" for one in "abc"]
        for host in hosts:
            self.serve(host)
            self.send(f"https://{host}/x")
        self.services.silent.update(hosts)
        for one in range(200):
            for host in hosts:
                self.send(f"https://{host}/{one}")
        for wake in Wake:
            self.assertEqual(self.successResultOf(self.send(ENDPOINT, wake)), Woken.TAKEN)


class BoundTests(OriginCase):
    def test_bounded(self) -> None:
        """However many are named; those that are known, or under way, are not forgotten for strangers."""
        self.know(times=KNOWN)
        started = self.stall("slow.example", 1)
        for one in range(MOST_ORIGINS + 10):
            self.wake(f"https://{one}.evil.example/")
        origins: Any = self.provider.services._origins
        hosts = [place.host for place in origins]
        self.assertEqual(len(hosts), MOST_ORIGINS)
        self.assertTrue({HOST, "slow.example"} <= set(hosts))
        self.end(started)

    def test_known_ones(self) -> None:
        """Of those that are all known the one goes that was not used for longest."""
        origins: Any = self.provider.services
        for one in range(MOST_ORIGINS + 3):
            for _ in range(KNOWN):
                turn = origins.begin(Place(f"{one}.example"))
                turn.answered(well=True)
                turn.over()
        self.assertEqual(next(iter(origins._origins)), Place("3.example"))
