"""While a transaction is under way the next one is made: nothing is told twice, late, or in another order."""

from typing import Any

from twisted.internet.defer import Deferred

from federation import making
from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.transactions import MOST_EVENTS
from tests.federated import DELAY
from tests.federation_case import FederationCase

FIRST = 10_000


class AheadTests(FederationCase):
    """A node that takes its time; many things wait for it."""

    def setUp(self) -> None:
        super().setUp()
        self.built: list[int] = []
        maker: Any = self.a.federation.sender._means.maker
        build = maker._build

        def built(batch: Any) -> Any:
            self.built.append(batch.number)
            return build(batch)

        maker._build = built

    def say_many(self, count: int, begin: int = FIRST) -> None:
        self.a.up = False  # it is woken for all of them
        for number in range(begin, begin + count):
            self.a.say(f"{number}", number, kind="chat.message")
        self.a.up = True

    def begin(self, count: int = 2 * MOST_EVENTS + 300) -> None:
        """One is on its way, and has not been taken yet."""
        self.say_many(count)
        self.a.federation.wake(["b.example"])
        while not self.transactions():
            self.pair.clock.advance(DELAY / 2)

    def all_of(self, count: int) -> list[int]:
        return list(range(FIRST, FIRST + count))

    def test_made_meanwhile(self) -> None:
        """The second is there before the first is answered, and is sent as it was made."""
        self.begin()
        self.assertEqual(len(self.built), 2)
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), self.all_of(2 * MOST_EVENTS + 300))
        self.assertEqual(len(self.built), 3)
        self.assertEqual(len(self.transactions()), 3)

    def test_not_for_little(self) -> None:
        """Where little waits, what comes meanwhile goes together."""
        self.begin(making.AHEAD - 1)
        self.say_many(1, FIRST + making.AHEAD - 1)
        self.assertEqual(len(self.built), 1)
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), self.all_of(making.AHEAD))

    def test_not_for_the_rest(self) -> None:
        """Few that are left over are not sent alone: what comes meanwhile goes with them."""
        self.begin(MOST_EVENTS + 1)
        self.say_many(1, FIRST + MOST_EVENTS + 1)
        self.assertEqual(len(self.built), 1)
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), self.all_of(MOST_EVENTS + 2))
        self.assertEqual(self.transactions(), ["1", "2"])

    def test_as_soon_as_much_waits(self) -> None:
        """Little is under way for long, and much comes meanwhile: it is made before the answer is there."""
        receiver: Any = self.b.federation._resource._receiver
        received, wait = receiver.received, Deferred[None]()

        async def slowly(*what: Any) -> Any:
            await wait
            return await received(*what)

        receiver.received = slowly
        self.begin(1)
        for number in range(1, making.AHEAD + 1):
            self.assertEqual(len(self.built), 1)
            self.a.say(f"{FIRST + number}", FIRST + number, kind="chat.message")
        self.assertEqual(len(self.built), 2)
        self.assertEqual(self.transactions(), ["1"])
        wait.callback(None)
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), self.all_of(making.AHEAD + 1))
        self.assertEqual(len(self.built), 2)

    def test_urgent(self) -> None:
        """What is urgent goes before what was made ahead, in the same stream."""
        self.begin()
        self.a.say("urgent", 1, urgent=True)
        self.pair.until(lambda: not self.a.waiting)
        many = self.all_of(2 * MOST_EVENTS + 300)
        self.assertEqual(self.b.values(), [*many[:MOST_EVENTS], 1, *many[MOST_EVENTS:]])
        self.assertEqual(self.transactions(), ["1", "2", "3"])

    def test_changed(self) -> None:
        """What has changed since it was made is told once more, as it is then."""
        self.begin()
        self.a.say(f"{FIRST + MOST_EVENTS}", 7, kind="chat.message")
        self.a.say(f"{FIRST + 2 * MOST_EVENTS}", 8, kind="chat.message")
        self.pair.until(lambda: not self.a.waiting)
        expected = self.all_of(2 * MOST_EVENTS + 300)
        expected[2 * MOST_EVENTS] = 8
        self.assertEqual(self.b.values(), [*expected, 7])

    def test_refused_as_a_whole(self) -> None:
        """The first is cut in half: what was made ahead goes behind its other half all the same."""
        receiver: Any = self.b.federation._resource._receiver
        received = receiver.received

        async def refused(*_what: object) -> None:
            receiver.received = received
            raise Problem(Code.BAD_REQUEST)

        receiver.received = refused
        self.begin()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), self.all_of(2 * MOST_EVENTS + 300))
        self.assertEqual(len(self.transactions()), 5)

    def test_killed(self) -> None:
        """Both are fixed when the node is killed: it goes on with the first of them."""
        self.begin()
        self.pair.restart("a.example")
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), self.all_of(2 * MOST_EVENTS + 300))

    def followed(self) -> "Deferred[None]":
        """The second is on its way; whether it could be stored that the first is there is not known yet."""
        outbox: Any = self.a.federation.outbox
        followed, stored = outbox.followed, Deferred[None]()

        def slowly(*_what: object) -> Any:
            outbox.followed = followed
            return stored

        outbox.followed = slowly
        self.begin()
        self.pair.until(lambda: len(self.transactions()) == 2)
        return stored

    def once(self) -> list[int]:
        """What the other has, without what it has been told again."""
        return list(dict.fromkeys(self.b.values()))

    def test_followed(self) -> None:
        """The second does not wait for that. Where it cannot be stored, what is stored is told again."""
        stored = self.followed()
        self.pair.until(lambda: self.b.values() == self.all_of(2 * MOST_EVENTS))
        self.assertEqual(self.transactions(), ["1", "2"])
        stored.errback(Problem(Code.STORAGE_UNAVAILABLE))
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.once(), self.all_of(2 * MOST_EVENTS + 300))

    def test_killed_meanwhile(self) -> None:
        """The node is killed then, and the other has both: the stream is begun anew, and nothing is lost."""
        stored = self.followed()
        self.pair.until(lambda: self.b.values() == self.all_of(2 * MOST_EVENTS))
        self.pair.restart("a.example")
        stored.errback(Problem(Code.STORAGE_UNAVAILABLE))
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.once(), self.all_of(2 * MOST_EVENTS + 300))
        self.assertEqual(self.transactions()[2:], ["1", "1", "2", "3"])

    def test_cannot_be_made(self) -> None:
        """What is made ahead and cannot be told is set aside, and holds up nothing."""
        self.patch(making, "AHEAD", 1)
        self.say_many(MOST_EVENTS)
        self.say_many(1, 666)
        self.begin(0)
        self.assertEqual(len(self.built), 2)
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), self.all_of(MOST_EVENTS))
        self.assertEqual(self.aside(self.a), [("b.example", True, "chat.message", "internal_error")])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_database_in_the_way(self) -> None:
        """Where the next one cannot be fixed now, the first goes on, and the next is made in its turn."""
        outbox: Any = self.a.federation.outbox
        ahead = outbox.ahead

        def refused(node: str, batch: Any, least: int) -> Any:
            outbox.ahead = ahead
            return self.a.database.transact(_busy)

        outbox.ahead = refused
        self.begin()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), self.all_of(2 * MOST_EVENTS + 300))

    def test_stopped(self) -> None:
        """A node that ends meanwhile has ended then."""
        self.begin()
        self.successResultOf(self.a.federation.sender.stop())
        self.assertEqual(self.a.federation.sender.held, 0)


def _busy(_connection: object) -> None:
    raise Problem(Code.BUSY)
