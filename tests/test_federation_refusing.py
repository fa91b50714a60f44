"""Nodes that refuse, ask for time, or answer without sense: nothing is lost by it that could be told."""

from functools import partial

from sqlalchemy import Connection
from twisted.web.http_headers import Headers

from safeum_home.errors import Code, Problem
from safeum_home.outgoing.http import Answer
from safeum_home.protocol.federation.events import Event
from tests.federated import Pair, refuse
from tests.federation_case import FederationCase, all_told
from tests.instant_database import Broken


class RefusingTests(FederationCase):
    """A node that takes nothing, or not now, or makes no sense."""

    def test_refused_for_good(self) -> None:
        """The kind hears of an object that the other node has refused, unless it has changed since then."""
        self.b.kinds[0].applying = refuse(Code.NOT_A_CONTACT)
        self.a.say("1", 1)
        self.a.say("2", 2)
        self.a.say("1", 3)
        self.pair.until(lambda: bool(self.b.database.count("set_aside")))
        self.b.kinds[0].applying = lambda event: None
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [2, 3])
        self.assertEqual(self.a.kinds[0].untold_of, [])
        self.b.kinds[0].applying = refuse(Code.NOT_A_CONTACT)
        self.a.say("3", 4)
        self.pair.settle()
        self.assertEqual(self.a.kinds[0].untold_of, [("b.example", "3")])

    def test_passing_trouble(self) -> None:
        """What cannot be applied now is asked again, in its order, and what was applied is not."""
        left = [5]

        def sometimes(event: Event) -> None:
            if event.content["value"] == 2 and left[0]:
                left[0] -= 1
                raise Problem(Code.BUSY)

        self.pair.away.add("b.example")
        for number in range(5):
            self.a.say(str(number), number)
        self.b.kinds[0].applying = sometimes
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual((self.b.values(), left), ([0, 1, 2, 3, 4], [0]))
        self.assertEqual(self.b.kinds[0].ended, 5)

    def test_poison(self) -> None:
        """What is refused, or cannot be told, applied or stored, is set aside; the rest goes on."""

        def applying(event: Event) -> None:
            if event.content["value"] == 1:
                raise Problem(Code.NOT_A_CONTACT)
            if event.content["value"] == 2:
                raise KeyError("it cannot be applied")

        def storing(c: Connection, event: Event) -> None:
            c.exec_driver_sql("INSERT INTO said VALUES ('a half', 1) ON CONFLICT DO NOTHING")
            if event.content["value"] == 3:
                raise Problem(Code.LIMIT_REACHED)
            if event.content["value"] == 4:
                raise IndexError("it cannot be stored")

        for kind in ("test.saying", "chat.message"):
            self.pair = Pair()
            self.a, self.b = self.pair["a.example"], self.pair["b.example"]
            for each in self.b.kinds:
                each.applying, each.storing = applying, storing
            self.pair.away.add("b.example")
            self.a.say("unknown", 1, kind="test.unknown")
            for value in (0, 1, 2, 3, 4, 666, 5):
                self.a.say(str(value), value, kind=kind)
            self.pair.away.clear()
            self.pair.until(lambda: not self.a.waiting)
            self.assertEqual(self.b.values(), [0, 5])
            codes = ["internal_error", "internal_error", "limit_reached", "not_a_contact"]
            self.assertEqual(self.aside(self.b), [("a.example", True, kind, code) for code in codes])
            told = [("b.example", False, kind, code) for code in codes]
            built = [
                ("b.example", True, kind, "internal_error"),
                ("b.example", True, "test.unknown", "unknown_kind"),
            ]
            self.assertEqual(self.aside(self.a), sorted([*told, *built]))
            self.assertEqual(sum(each.ended for each in self.b.kinds), 4)
            self.logged(KeyError, 1)
            self.assertGreaterEqual(len(self.flushLoggedErrors(IndexError)), 1)
            self.logged(ValueError, 1)

    def test_database_breaks(self) -> None:
        """That the database goes away while an object is read says nothing of the object: it is told."""
        left, build = [3], self.a.kinds[0].build

        def breaks(c: Connection, pointer: bytes) -> Event | None:
            left[0] -= 1
            if left[0] >= 0:
                raise Broken
            return build(c, pointer)

        self.patch(self.a.kinds[0], "build", breaks)
        for value in range(3):
            self.a.say(str(value), value)
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [0, 1, 2])
        self.assertEqual(self.aside(self.a), [])

    def test_senseless_answers(self) -> None:
        """An answer without sense is no reason to take anything for told, or to try without pause."""
        for status, body in (
            (200, b"garbage"),
            (200, b"{}"),
            (200, b'{"received":7}'),
            (200, b'{"received":1,"refused":[{"index":400,"code":"x"}]}'),
            (200, b'{"received":1,"refused":[{"index":0,"code":"<b>"}]}'),
            (200, b"[" * 100_000),
            (500, b"<html>"),
            (302, b""),
            (409, b'{"type":"about:blank","title":"","status":409,"code":"stale_stream"}'),
        ):
            pair = Pair()
            a, b = pair["a.example"], pair["b.example"]
            pair.answers["b.example"] = Answer(status, body)
            a.say("1", 1)
            pair.settle(1000)
            self.assertEqual(a.waiting, 1, body)
            sent = [each for each in pair.requests if each[2] == "PUT"]
            self.assertTrue(2 <= len(sent) < 40, (body, len(sent)))
            pair.answers.clear()
            pair.until(partial(all_told, a))
            self.assertEqual(set(b.values()), {1})

    def test_refuses_all(self) -> None:
        """Where a node takes no transaction as it is, each event is tried alone, and then set aside."""
        body = b'{"type":"about:blank","title":"","status":413,"code":"too_large"}'
        self.pair.answers["b.example"] = Answer(413, body)
        self.pair.away.add("b.example")
        for number in range(4):
            self.a.say(str(number), number)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(len(self.aside(self.a)), 4)

    def test_retry_after(self) -> None:
        """The time that a node asks for is waited, and half an hour at the most."""
        for asked, least, most in (("100", 100, 400), ("999999999", 1800, 1900)):
            self.pair.answers["b.example"] = Answer(503, b"{}", Headers({"Retry-After": [asked]}))
            self.a.say("1", 1)
            self.pair.settle(5)
            count = len(self.transactions())
            waited = self.pair.until(partial(self.sent_more_than, count))
            self.assertTrue(least - 10 <= waited <= most, waited)
            self.pair.restart("a.example")

    def test_too_much(self) -> None:
        """A node has as many messages waiting as it may; all else is no more than there are accounts."""
        pair = Pair(waiting=3)
        a = pair["a.example"]
        pair.away.add("b.example")
        for number in range(3):
            a.say(str(number), number, kind="chat.message")
        with self.assertRaises(Problem) as caught:
            a.say("3", 3, kind="chat.message")
        self.assertIs(caught.exception.code, Code.PEER_BEHIND)
        room = [a.database.now(partial(a.federation.room, node=node)) for node in ("b.example", "c.example")]
        self.assertEqual(room, [0, 3])
        a.say("4", 4)
        self.assertEqual(a.waiting, 4)
        pair.away.clear()
        pair.until(lambda: not a.waiting)
        self.assertEqual(pair["b.example"].values(), [0, 1, 2, 4])
