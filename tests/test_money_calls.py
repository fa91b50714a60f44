"""Calls and what they cost: held before they are dialled, settled once, whatever happens meanwhile."""

from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.ports.money import Disposition, Leg, Over, Released
from safeum_home.safenum.money import settling
from safeum_home.safenum.money.charging import AGAIN
from safeum_home.safenum.money.months import month_of
from tests.money_calls_case import A_MINUTE, DAY, CallCase
from tests.money_case import LANDLINE, MOBILE, SAFENUM, UNIT, Bank


class ChargedTests(CallCase):
    def test_a_call(self) -> None:
        """What is held goes back but for what was spoken; ledger, statement and record agree."""
        granted = self.bank.dial(self.ann, "1")
        self.assertEqual((granted.seconds, granted.last), (60, False))
        self.assertEqual(self.bank.balance(self.ann), (UNIT - A_MINUTE, A_MINUTE))
        self.bank.clock.advance(5)
        self.answer()
        self.bank.clock.advance(29.2)
        charged = self.settle(cause=16, released=Released.CALLEE, sip=200)
        self.assertEqual((charged.amount, charged.currency, charged.seconds), (7_140, "EUR", 30))
        self.assertEqual(self.bank.balance(self.ann), (UNIT - 7_140, 0))
        totals = self.bank.totals()
        self.assertEqual((totals["revenue"], totals["vat:DE"], totals["held"]), (-6_000, -1_140, 0))
        self.assertEqual((totals["carrier cost"], totals["carrier due"]), (2_000, -2_000))
        line = self.lines()[0]
        self.assertEqual(
            (line.amount, line.balance, line.number, line.seconds), (-7_140, 992_860, LANDLINE, 30)
        )
        self.assertEqual((line.net, line.vat, line.vat_rate, line.country), (6_000, 1_140, 1900, "DE"))
        [record] = self.cdrs()
        self.assertEqual(
            record.fields(),
            [
                SAFENUM,
                LANDLINE,
                "out",
                "2026-11-29T12:00:00.000Z",
                "2026-11-29T12:00:05.000Z",
                "2026-11-29T12:00:34.200Z",
                "35",
                "30",
                "ANSWERED",
                "200",
                "16",
                "callee",
                "carrier",
                "id-1",
            ],
        )
        self.assertRight()

    def test_not_answered(self) -> None:
        """Nothing is charged, and the call is recorded."""
        self.bank.dial(self.ann, "1", MOBILE)
        self.bank.clock.advance(30)
        charged = self.settle(disposition=Disposition.BUSY, sip=486, cause=17)
        self.assertEqual((charged.amount, charged.seconds), (0, 0))
        self.assertEqual(self.bank.balance(self.ann), (UNIT, 0))
        [record] = self.cdrs()
        self.assertEqual(record.fields()[4:10], ["", "2026-11-29T12:00:30.000Z", "30", "0", "BUSY", "486"])
        self.assertEqual([line.kind for line in self.lines()], ["test"])
        self.assertRight()

    def test_answered_is_a_second(self) -> None:
        self.assertEqual(self.speak(0).seconds, 1)

    def test_settled_twice(self) -> None:
        """The second time nothing happens."""
        self.assertEqual(self.speak(60).amount, A_MINUTE)
        self.assertIsNone(self.settle())
        self.assertEqual(self.bank.balance(self.ann), (UNIT - A_MINUTE, 0))
        self.assertEqual(len(self.cdrs()), 1)

    def test_same_id_again(self) -> None:
        """An id that was used before is another call: it is not free."""
        self.speak(60)
        self.assertEqual(self.speak(60).amount, A_MINUTE)
        self.bank.dial(self.ann, "1")
        self.assertEqual(self.refused(), "call_exists")
        self.assertRight()

    def test_extended(self) -> None:
        """It is paid a minute ahead of what was spoken; what was not granted is not charged."""
        self.bank.dial(self.ann, "1")
        self.answer()
        self.bank.clock.advance(50)
        self.assertEqual(self.extend().seconds, 110)
        self.assertEqual(self.bank.balance(self.ann)[1], 26_180)
        self.bank.clock.advance(100)
        self.assertEqual(self.settle().seconds, 110)
        self.assertRight()

    def test_extended_before_the_answer_is_stored(self) -> None:
        """Where the storage was away: it is paid for further all the same."""
        self.bank.dial(self.ann, "1")
        self.bank.clock.advance(50)
        self.assertEqual(self.extend().seconds, 110)
        self.answer()
        self.assertRight()

    def test_to_the_end(self) -> None:
        """The last seconds that are paid for are granted, and said to be the last; then there is nothing."""
        ann, bob = self.ann, self.bank.account(A_MINUTE + 238 * 10)
        self.ann = bob
        self.bank.dial(bob, "1")
        self.answer()
        self.bank.clock.advance(40)
        granted = self.extend()
        self.assertEqual((granted.seconds, granted.last), (70, True))
        self.assertEqual(self.extend(), granted)
        self.bank.clock.advance(40)
        self.assertEqual(self.settle().seconds, 70)
        self.assertEqual(self.bank.balance(bob), (0, 0))
        self.assertEqual(self.refused(), "no_balance")
        self.assertRight(ann)

    def test_rate_of_its_begin(self) -> None:
        """A table that is put in force meanwhile changes nothing for a call, nor does another country."""
        self.bank.dial(self.ann, "1")
        self.answer()
        self.bank.tables.table = type(self.bank.tables.table)(())
        self.bank.clock.advance(40)
        self.assertEqual(self.extend().seconds, 100)
        self.assertEqual(self.settle().amount, 9_520)

    def test_toll_free(self) -> None:
        """It takes no balance, no country and no entry; it is recorded."""
        bank = self.bank = Bank(country="")
        self.ann = bank.account()
        self.assertEqual(self.refused(), "country_needed")
        self.assertEqual(self.speak(300, number="+498001234567").amount, 0)
        self.assertEqual(bank.database.count("ledger"), 0)
        self.assertEqual(len(self.cdrs()), 1)

    def test_incoming(self) -> None:
        """It costs nothing, is no statement's business, and is recorded under the number that was called."""
        self.bank.do(self.bank.calls.incoming(self.ann, "1", Leg("", SAFENUM, "carrier")))
        self.answer()
        self.bank.clock.advance(10)
        self.assertEqual(self.settle().amount, 0)
        [record] = self.cdrs()
        self.assertEqual((record.caller, record.safenum, record.direction.value), ("", SAFENUM, "in"))
        self.assertEqual(len(self.lines()), 1)


class LimitTests(CallCase):
    settings = {"spend_per_day": "0.02", "call_seconds": 100}

    def test_calls_at_once(self) -> None:
        self.bank = Bank()
        self.ann = self.bank.account(UNIT)
        self.bank.dial(self.ann, "1")
        self.bank.dial(self.ann, "2")
        self.assertEqual(self.refused("3"), "limit_reached: calls at once")
        self.settle("1")
        self.bank.dial(self.ann, "3")

    def test_length(self) -> None:
        """A call is granted no more seconds than a call may have, and these are the last."""
        self.bank = Bank(call_seconds=100)
        self.ann = self.bank.account(UNIT)
        self.bank.dial(self.ann, "1")
        self.answer()
        self.bank.clock.advance(50)
        granted = self.extend()
        self.assertEqual((granted.seconds, granted.last), (100, True))

    def test_spend_per_day(self) -> None:
        """What is held counts as spent; the next day it begins anew."""
        self.bank.dial(self.ann, "1")
        granted = self.bank.dial(self.ann, "2")
        self.assertEqual((granted.seconds, granted.last), (24, True))
        self.settle("2")
        self.answer("1")
        self.bank.clock.advance(60)
        self.settle("1")
        self.assertEqual(self.bank.dial(self.ann, "2").seconds, 24)
        self.answer("2")
        self.bank.clock.advance(24)
        self.settle("2")
        self.assertEqual(self.refused(), "spend_limit")
        self.bank.clock.advance(DAY)
        self.assertEqual(self.bank.dial(self.ann, "1").seconds, 60)
        self.assertRight()

    def test_races(self) -> None:
        """Many calls begun, extended and ended in the same turn, from one balance: never below zero."""
        bank = self.bank = Bank(calls_at_once=100)
        self.ann = bank.account(5 * A_MINUTE + 5)
        bank.database.hold = True
        outcomes: list[Any] = []

        def begin(call: str) -> None:
            done = Deferred.fromCoroutine(bank.calls.outgoing(self.ann, call, Leg(SAFENUM, LANDLINE)))
            done.addCallbacks(lambda granted: outcomes.append(granted.seconds), outcomes.append)

        for call in range(20):
            begin(str(call))
        bank.database.release()
        bank.database.hold = False
        self.assertEqual(outcomes[:5], [60] * 5)
        self.assertEqual({str(failure.value) for failure in outcomes[5:]}, {"no_balance"})
        self.assertEqual(bank.balance(self.ann), (5, 5 * A_MINUTE))
        self.assertRight()


class KilledTests(CallCase):
    def test_killed(self) -> None:
        """A call is charged for as long as it was seen, and released where it was not answered; once."""
        for call in ("1", "2"):
            self.bank.dial(self.ann, call)
        self.bank.do(self.bank.calls.incoming(self.ann, "3", Leg("", SAFENUM)))
        self.answer()
        self.bank.clock.advance(20)
        self.bank.do(self.bank.calls.alive(self.bank.now()))
        self.bank.clock.advance(500)
        self.bank = self.bank.again()
        self.bank.do(self.bank.calls.settle_left())
        self.assertEqual(self.bank.balance(self.ann), (UNIT - 20 * 238, 0))
        self.assertEqual(sorted(record.fields()[7] for record in self.cdrs()), ["0", "0", "20"])
        self.assertEqual(self.lines()[0].seconds, 20)
        self.bank.do(self.bank.calls.settle_left())
        self.assertIsNone(self.settle())
        self.assertEqual((len(self.cdrs()), self.bank.database.count("holds")), (3, 0))
        self.assertRight()

    def test_over_and_not_settled(self) -> None:
        """What is known to be over when others are said to go on is charged until its end."""
        for call in ("1", "2"):
            self.bank.dial(self.ann, call)
            self.answer(call)
        self.bank.clock.advance(20)
        self.bank.database.failing = True
        over = Over(self.bank.now(), cause=17, released=Released.CALLEE)
        Deferred.fromCoroutine(self.bank.calls.settle(self.ann, "1", over))
        self.bank.database.failing = False
        self.bank.clock.advance(1)
        self.bank.do(self.bank.calls.alive(self.bank.now()))
        self.bank = self.bank.again()
        self.bank.do(self.bank.calls.settle_left())
        ends = sorted((record.fields()[7], record.cause) for record in self.cdrs())
        self.assertEqual(ends, [("20", 17), ("21", 0)])
        self.assertRight()

    def test_signs_of_life(self) -> None:
        """One that cannot be opened says nothing; those of former processes go."""
        self.bank.dial(self.ann, "1")
        self.answer()
        self.bank.clock.advance(20)
        self.bank.do(self.bank.calls.alive(self.bank.now()))
        self.bank.database.execute("UPDATE beats SET sealed = x'00'")
        self.bank = self.bank.again()
        self.bank.do(self.bank.calls.alive(self.bank.now()))
        self.bank.do(self.bank.calls.settle_left())
        self.assertEqual(self.cdrs()[0].fields()[7:9], ["1", "ANSWERED"])
        self.assertEqual(self.bank.database.count("beats"), 1)
        self.assertRight()

    def test_new_calls_are_left(self) -> None:
        """What this process has begun is not what a former one has left."""
        self.patch(settling, "AT_ONCE", 1)
        self.bank.dial(self.ann, "1")
        self.bank = self.bank.again()
        self.bank.dial(self.ann, "2")
        self.bank.do(self.bank.calls.settle_left())
        self.assertEqual(self.bank.database.count("holds"), 1)
        self.bank.do(self.bank.calls.answered(self.ann, "2", self.bank.now()))

    def test_storage_away(self) -> None:
        """The end of a call waits for the storage; one whose commit was not told is not charged again."""
        self.bank.dial(self.ann, "1")
        self.answer()
        self.bank.clock.advance(60)
        self.bank.database.failing = True
        done: list[Any] = []
        settled = self.bank.calls.settle(self.ann, "1", Over(self.bank.now()))
        Deferred.fromCoroutine(settled).addCallback(done.append)
        self.bank.clock.advance(AGAIN)
        self.assertEqual(done, [])
        self.bank.database.failing = False
        self.bank.clock.advance(AGAIN)
        self.assertEqual(done[0].amount, A_MINUTE)
        self.assertRight()

    def test_told_nobody(self) -> None:
        self.bank.dial(self.ann, "1")
        self.answer()
        self.bank.clock.advance(60)
        self.bank.database.hold = True
        done: list[Any] = []
        settled = self.bank.calls.settle(self.ann, "1", Over(self.bank.now()))
        Deferred.fromCoroutine(settled).addCallback(done.append)
        self.bank.database.commit()
        self.bank.database.lose_report()
        self.bank.database.hold = False
        self.bank.clock.advance(AGAIN)
        self.assertEqual(done, [None])
        self.assertEqual(self.bank.balance(self.ann), (UNIT - A_MINUTE, 0))
        self.assertRight()

    def test_damaged(self) -> None:
        """A wallet that is damaged keeps no other call from being settled; a month's key that is, none."""
        bob = self.bank.account(UNIT)
        blind = self.bank.vault.blinder.account(self.ann)
        for person in (self.ann, bob):
            self.bank.dial(person, "1")
            self.bank.do(self.bank.calls.answered(person, "1", self.bank.now()))
        self.speak(1, "2")
        self.bank.database.execute("UPDATE wallets SET sealed = x'00' WHERE account = ?", blind)
        owner = self.bank.vault.blinder.money("month", str(month_of(self.bank.now())))
        self.bank.database.execute("UPDATE keys SET wrapped = x'00' WHERE owner = ?", owner)
        self.bank = self.bank.again()
        self.bank.do(self.bank.calls.settle_left())
        self.assertEqual(self.bank.balance(bob), (UNIT - 238, 0))
        self.assertEqual(self.bank.database.count("holds"), 1)
        self.assertEqual(len(self.cdrs()), 1)
