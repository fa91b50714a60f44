"""What is of use for a moment alone: told from memory or not at all, and taken while it is of use."""

from typing import Any

import msgspec
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from federation import now_telling
from federation.now_away import FIRST, LONGEST
from federation.now_lanes import WAITING_OF_NODE
from federation.now_receiving import EVENTS_BURST
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.outgoing.http import Answer
from safeum_home.ports.expiring import GATHERED
from safeum_home.protocol.federation.events import new_event, sign_event
from safeum_home.protocol.federation.now import MOST_EVENTS, NOW_PATH, now_body
from tests.federated import Node, Pair
from tests.federation import NOW
from tests.test_federation_inbound import Case as ByHand

B = "b.example"


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.pair = Pair()
        self.a, self.b = self.pair["a.example"], self.pair[B]

    def requests(self) -> int:
        """How many were made for what passes."""
        return [path for _, _, _, path in self.pair.requests].count(NOW_PATH)

    def number(self, node: Node, name: str) -> int:
        return node.federation.counts.numbers[name, ""]

    def heard(self) -> list[int]:
        return [value for _, _, value in self.b.expiring.heard]


class TellingTests(Case):
    def test_together_and_once(self) -> None:
        """What is told within a turn is one request, and each subject is in it once, as it is then."""
        for value in range(50):
            self.a.pass_on(f"s{value % 5}", value)
        self.pair.settle()
        self.assertEqual((self.requests(), self.heard()), (1, [45, 46, 47, 48, 49]))
        self.assertEqual((self.number(self.a, "now_told"), self.number(self.b, "now_taken")), (5, 5))

    def test_taken_back(self) -> None:
        """What is to be told no more when it is sent costs no request."""
        self.a.pass_on("s", 1)
        self.a.pass_on("s", None)
        self.pair.settle()
        self.assertEqual((self.requests(), self.heard()), (0, []))

    def test_nothing_is_stored(self) -> None:
        """Neither node's database has anything to do with it."""
        before = [node.database.transactions for node in (self.a, self.b)]
        self.a.pass_on("s", 1)
        self.pair.settle()
        self.assertEqual(self.heard(), [1])
        self.assertEqual([node.database.transactions for node in (self.a, self.b)], before)

    def test_one_request_at_a_time(self) -> None:
        """What comes while one is under way waits for the next; what is of no use any more is not told."""
        self.pair.mute.add(B)
        self.a.pass_on("first", 1)
        self.pair.settle()
        self.pair.mute.clear()
        self.a.pass_on("second", 2)
        self.pair.settle(4)
        self.assertEqual((self.requests(), self.heard()), (1, [1]))
        self.pair.settle(now_telling.PATIENCE)
        self.assertEqual((self.requests(), self.heard()), (1, [1]))
        self.assertEqual(self.a.expiring.changes[-1:], [("lost", B)])

    def test_too_late(self) -> None:
        """What is of no use any more when it is signed is not sent."""
        now = self.a.federation.now
        self.patch(now, "_in_thread", lambda work: deferLater(self.pair.clock, 6.0, work))
        self.a.pass_on("s", 1)
        self.pair.settle(10)
        self.assertEqual((self.requests(), self.number(self.a, "now_lost"), now.waiting), (0, 1, 0))

    def test_away(self) -> None:
        """A node that is away is tried seldom, ever more seldom, and nothing waits for it."""
        self.pair.away.add(B)
        for number in range(1200):
            self.a.pass_on("s", number)
            self.pair.settle(0.5)
        self.assertLessEqual(self.requests(), 8)
        self.assertEqual(self.a.federation.now.waiting, 0)
        self.assertEqual(self.heard(), [])
        self.pair.away.clear()
        self.pair.settle(LONGEST)
        self.assertEqual(self.heard(), [])
        self.a.pass_on("s", 7)
        self.pair.settle()
        self.assertEqual(self.heard(), [7])

    def test_changes(self) -> None:
        """Kinds hear that a node could not be told, and that it is there again."""
        self.pair.away.add(B)
        self.a.pass_on("s", 1)
        self.pair.settle()
        self.assertEqual(self.a.expiring.changes[-1:], [("lost", B)])
        self.pair.away.clear()
        self.b.say("x", 1)
        self.pair.settle()
        self.assertEqual(self.a.expiring.changes[-1:], [("back", B)])
        self.a.pass_on("s", 2)
        self.pair.settle()
        self.assertEqual(self.heard(), [2])

    def test_back_by_itself(self) -> None:
        """Kinds hear it too where the first that comes of it is an answer."""
        self.pair.away.add(B)
        self.a.pass_on("s", 1)
        self.pair.settle()
        self.pair.away.clear()
        self.pair.settle(FIRST)
        self.a.pass_on("s", 2)
        self.pair.settle()
        self.assertEqual((self.heard(), self.a.expiring.changes[-1:]), ([2], [("back", B)]))

    def test_hello(self) -> None:
        """A node that was started anew says so."""
        self.a.expiring.changes.clear()
        self.b.say("x", 1)
        self.a.say("x", 1)
        self.pair.settle()
        self.pair.restart(B)
        self.pair.settle()
        self.assertEqual(self.a.expiring.changes, [("back", B)])

    def test_failing(self) -> None:
        """A node that cannot be told what is durable is told nothing of what passes."""
        self.pair.answers[B] = Answer(503, b"{}")
        self.a.say("x", 1)
        self.pair.settle()
        self.a.pass_on("s", 1)
        self.pair.settle()
        self.assertEqual((self.requests(), self.a.expiring.changes[-1:]), (0, [("lost", B)]))

    def test_many(self) -> None:
        """More than go into a request go in several; more than may wait are lost."""
        for number in range(MOST_EVENTS + 20):
            self.a.pass_on(str(number), number)
        self.pair.settle(4)
        self.assertEqual((self.requests(), len(self.heard())), (2, MOST_EVENTS + 20))
        for number in range(WAITING_OF_NODE + 10):
            self.a.pass_on(str(number), number)
        self.assertEqual(self.a.federation.now.waiting, WAITING_OF_NODE)
        self.assertEqual(self.number(self.a, "now_lost"), 10)

    def test_large(self) -> None:
        """Bodies have at most 64 KiB, and all the same everything is told."""
        self.a.padding = "x" * 20_000
        for number in range(10):
            self.a.pass_on(str(number), number)
        self.pair.settle(4)
        self.assertEqual((self.heard(), self.requests()), (list(range(10)), 4))

    def test_one_that_cannot_be_made(self) -> None:
        """A kind that fails holds up nothing."""
        self.patch(self.a.expiring, "build", lambda node, subjects: 1 / 0)
        self.a.pass_on("s", 1)
        self.pair.settle()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual((self.requests(), self.a.federation.now.waiting), (0, 0))

    def test_mute_ones_hold_up_nobody(self) -> None:
        """However many nodes never answer, what goes to others is in time."""
        names = [f"n{number}.example" for number in range(60)]
        self.pair = Pair("a.example", B, *names)
        self.a, self.b = self.pair["a.example"], self.pair[B]
        self.a.pass_on("s", 0, B)
        self.pair.settle()
        self.pair.mute.update(names)
        for name in names:
            self.a.pass_on("s", 1, name)
        self.a.pass_on("s", 2, B)
        self.pair.settle(0.5)
        self.assertEqual(self.heard(), [0, 2])
        self.pair.settle(now_telling.PATIENCE * 8)
        self.assertEqual(len(self.a.federation.now._lanes[GATHERED].ways), 0)

    def test_stopped(self) -> None:
        """A node that ends tells nothing more, and waits for nothing."""
        self.pair.mute.add(B)
        self.a.pass_on("s", 1)
        self.pair.settle()
        self.a.pass_on("t", 2)
        self.successResultOf(self.a.federation.now.stop())
        self.a.pass_on("u", 3)
        self.pair.settle()
        self.assertEqual(self.requests(), 1)

    def test_others(self) -> None:
        """Nodes that this one has nothing to do with, and kinds that there are not, are not told."""
        self.pair = Pair("a.example", B, deny=[B])
        self.a, self.b = self.pair["a.example"], self.pair[B]
        self.a.pass_on("s", 1)
        self.pair.settle()
        self.assertEqual((self.requests(), self.a.federation.now.waiting), (0, 0))


class HostileTests(ByHand):
    """b.example's requests are made by hand."""

    def passing(self, value: int, sender: str = B, type: str = "test.passing", at: int = NOW * 1000) -> bytes:
        key = self.b.federation.own.in_use
        account = AccountId("@" + "a" * 26 + ":" + sender)
        event = new_event(type, account, at, {"value": value}, id=str(value))
        return sign_event(event, key.key_id, key.signer)

    def post(self, *events: bytes, seconds: float = 5.0) -> Any:
        deadline = int((self.pair.clock.seconds() + seconds) * 1000)
        return self.raw(now_body([(deadline, event) for event in events]))

    def raw(self, body: bytes) -> Any:
        answers: list[Any] = []
        wire: Any = self.b.federation._way
        wire.request("a.example", "POST", NOW_PATH, body, None).addBoth(answers.append)
        self.pair.settle()
        return answers[0]

    def passed(self) -> list[int]:
        return [value for _, _, value in self.a.expiring.heard]

    def test_taken(self) -> None:
        """What is in time, of its node and of a kind that is known is taken; the answer tells nothing."""
        answer = self.post(self.passing(1), self.passing(2, type="test.unheard"), self.passing(3))
        self.assertEqual((answer.status, answer.body, self.passed()), (200, b"{}", [1, 3]))

    def test_of_others(self) -> None:
        """Events of accounts of other nodes are left alone, whoever has signed them; so are forged ones."""
        for sender in ("a.example", "c.example"):
            self.post(self.passing(1, sender))
        self.post(self.passing(2).replace(b'"value":2', b'"value":9'))
        self.assertEqual(self.passed(), [])

    def test_late(self) -> None:
        """What is of no use any more, or would be for ever, is left alone; so are events of another time."""
        self.post(self.passing(1), seconds=-0.5)
        self.post(self.passing(2), seconds=3600)
        self.post(self.passing(3, at=(NOW - 3600) * 1000))
        self.post(self.passing(4, at=(NOW + 3600) * 1000))
        self.assertEqual(self.passed(), [])

    def test_endless(self) -> None:
        """Longer bodies, more events and other forms than there may be are refused as a whole."""
        many = [self.passing(number) for number in range(MOST_EVENTS + 1)]
        statuses = [self.raw(body).status for body in (b"", b"[]", b'{"events":1}', b"{" * 9000)]
        statuses.append(self.post(*(event[:40] for event in many)).status)
        statuses.append(self.raw(b" " * 70_000).status)
        self.assertEqual(statuses, [400] * 5 + [413])
        self.assertEqual(self.passed(), [])

    def test_flood(self) -> None:
        """A node that says much is held to so much a second."""
        event, statuses = self.passing(1), []
        self.patch(self.a.federation._events, "verified", self._nothing)
        for _ in range(int(EVENTS_BURST) // MOST_EVENTS * 3):
            deadline = int((self.pair.clock.seconds() + 5) * 1000)
            statuses.append(self.quick(now_body([(deadline, event)] * MOST_EVENTS)))
        self.assertIn(429, statuses)

    async def _nothing(self, batch: list[bytes], origin: str) -> list[Problem]:
        return [Problem(Code.BAD_SIGNATURE)] * len(batch)

    def quick(self, body: bytes) -> int:
        answers: list[Any] = []
        wire: Any = self.b.federation._way
        wire.request("a.example", "POST", NOW_PATH, body, None).addBoth(answers.append)
        self.pair.clock.pump([0.001] * 10)
        return int(answers[0].status)

    def test_one_that_fails(self) -> None:
        """A kind that fails at an event, or refuses it, takes those behind it."""

        def applying(event: Any) -> None:
            if event.content["value"] == 1:
                raise ZeroDivisionError
            if event.content["value"] == 2:
                raise Problem(Code.NOT_A_CONTACT)

        self.a.expiring.applying = applying
        answer = self.post(*(self.passing(value) for value in (1, 2, 3)))
        self.assertEqual((answer.body, self.passed()), (b"{}", [3]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(msgspec.json.decode(answer.body), {})
