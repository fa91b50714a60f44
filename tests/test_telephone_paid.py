"""Calls to the telephone network are paid ahead: for how long, and how much on a day."""

from twisted.internet.defer import Deferred

from safeum_home.errors import Tampered
from safeum_home.ids import AccountId
from safeum_home.safenum.telephone.settling import TOLD_WITHIN
from tests.money_case import LANDLINE, UNIT
from tests.telephone_case import CALL, OFFER, OTHER, SECOND, THIRD, TelephoneCase, told
from tests.world import Refused


class PaidTests(TelephoneCase):
    settings = {"hold_seconds": 60}

    def setUp(self) -> None:
        super().setUp()
        self.rest = UNIT - 130 * SECOND

    def spend(self) -> None:
        """All but what 130 seconds cost."""
        buy = self.world.domain.money.credits.buy
        done = buy(AccountId(self.ann.account), self.rest, "EUR", "premium", "1")
        self.successResultOf(Deferred.fromCoroutine(done))

    def test_extended(self) -> None:
        """More is held in time, as long as there is some; then the call ends, and nothing is given away."""
        self.spend()
        call = self.dialled()
        call.take()
        self.advance(55)
        self.assertEqual(told(self.ann), [("answered",), ("paid", 110, False)])
        self.advance(60)
        self.assertEqual(told(self.ann), [("paid", 130, True)])
        self.assertFalse(call.over)
        self.advance(16)
        self.assertTrue(call.hung_up)
        self.assertEqual(told(self.ann), [("ended", "no_balance", 130)])
        self.assertEqual(self.balance(), (0, 0))
        self.assertEqual(self.cdr()[:5], ["130", "ANSWERED", "200", "16", "node"])

    def test_paid_in_meanwhile(self) -> None:
        """Who pays something in before the end speaks on."""
        self.spend()
        call = self.dialled()
        call.take()
        self.advance(110)
        self.pay(self.ann, 100 * SECOND)
        self.advance(30)
        self.assertFalse(call.over)
        self.hang_up(self.ann)
        self.assertEqual(self.balance(), (90 * SECOND, 0))

    def test_storage_away(self) -> None:
        """What nobody can hold money for ends with what is paid; it is settled when the storage is back."""
        call = self.dialled()
        call.take()
        self.advance(5)
        self.world.database.failing = True
        self.advance(54)
        self.assertFalse(call.over)
        self.advance(2)
        self.assertTrue(call.hung_up)
        self.advance(TOLD_WITHIN)
        self.assertEqual(told(self.ann)[-1], ("ended", "lost", 60))
        self.advance(100)
        self.world.database.failing = False
        self.advance(3)
        self.assertEqual(told(self.ann), [])
        self.assertEqual(self.balance(), (UNIT - 60 * SECOND, 0))
        self.assertEqual(self.cdr()[:2], ["60", "ANSWERED"])

    def test_storage_back_in_time(self) -> None:
        call = self.dialled()
        call.take()
        self.advance(5)
        self.world.database.failing = True
        self.advance(50)
        self.world.database.failing = False
        self.advance(20)
        self.assertFalse(call.over)
        self.hang_up(self.ann)
        self.assertEqual(self.balance(), (UNIT - 75 * SECOND, 0))


class LengthTests(TelephoneCase):
    settings = {"call_seconds": 90}

    def test_length(self) -> None:
        call = self.dialled()
        call.take()
        self.advance(55)
        self.assertEqual(told(self.ann), [("answered",), ("paid", 90, True)])
        self.advance(36)
        self.assertTrue(call.hung_up)
        self.assertEqual(told(self.ann), [("ended", "time_over", 90)])

    def test_at_once(self) -> None:
        """Two may go on; a third waits until one is over. From which devices is the same."""
        self.dialled()
        self.dialled(call=OTHER, client=self.phone)
        self.denied("limit_reached", self.phone, "telephone.dial", call=THIRD, to=LANDLINE, sdp=OFFER)
        self.hang_up(self.ann)
        self.dialled(call=THIRD)
        for call in (OTHER, THIRD):
            self.hang_up(self.ann, call)


class SpendTests(TelephoneCase):
    settings = {"spend_per_day": "0.05", "hold_seconds": 60}

    def test_spend_per_day(self) -> None:
        """However rich: what a day may cost ends a call, and keeps others from beginning, until midnight."""
        self.pay(self.ann, 10 * UNIT)
        call = self.dialled()
        call.take()
        self.advance(211)
        self.assertTrue(call.hung_up)
        self.assertEqual(told(self.ann)[-2:], [("paid", 210, True), ("ended", "no_balance", 210)])
        self.denied("spend_limit", self.ann, "telephone.dial", call=OTHER, to=LANDLINE, sdp=OFFER)
        self.advance_to_midnight()
        self.dialled(call=OTHER)
        self.hang_up(self.ann, OTHER)

    def test_two_at_once(self) -> None:
        """What one holds the other cannot spend."""
        first, second = self.dialled(), self.dialled(call=OTHER, client=self.phone)
        for call in (first, second):
            call.take()
        self.advance(130)
        self.assertTrue(first.over and second.over)
        self.assertLessEqual(UNIT - self.balance()[0], 50_000)

    def test_race_for_the_last_of_it(self) -> None:
        """Two devices dial at the same moment, and there is enough for one."""
        buy = self.world.domain.money.credits.buy
        done = buy(AccountId(self.ann.account), UNIT - 60 * SECOND, "EUR", "premium", "1")
        self.successResultOf(Deferred.fromCoroutine(done))
        self.world.database.hold = True
        asked = [
            (client, client.ask("telephone.dial", call=id, to=LANDLINE, sdp=OFFER))
            for client, id in ((self.ann, CALL), (self.phone, OTHER))
        ]
        self.world.database.hold = False
        self.world.database.release()
        outcomes: list[bool | str] = []
        for client, number in asked:
            try:
                outcomes.append(client.answer(number) is not None)
            except Refused as refused:
                outcomes.append(refused.code)
        self.assertEqual((outcomes, len(self.carriers.calls)), ([True, "no_balance"], 1))
        self.hang_up(self.ann)

    def advance_to_midnight(self) -> None:
        now = self.world.clock.seconds()
        self.world.clock.advance(86_400 - now % 86_400 + 1)


class DamagedTests(TelephoneCase):
    """Rows that cannot be opened: nothing is dialled without being paid for, and nobody waits for ever."""

    def damage(self, table: str) -> None:
        self.world.database.execute(f"UPDATE {table} SET sealed = x'00'")

    def test_before(self) -> None:
        self.damage("wallets")
        self.denied("internal_error", self.ann, "telephone.dial", call=CALL, to=LANDLINE, sdp=OFFER)
        self.assertEqual(len(self.flushLoggedErrors(Tampered)), 1)
        self.assertEqual(self.carriers.calls, [])

    def test_meanwhile(self) -> None:
        """The call ends, at the latest when what was paid for is over."""
        call = self.dialled()
        call.take()
        self.advance(5)
        self.damage("wallets")
        self.advance(60)
        self.assertTrue(call.hung_up)
        self.assertEqual(told(self.ann)[-1][:2], ("ended", "lost"))
        self.assertGreaterEqual(len(self.flushLoggedErrors(Tampered)), 1)
        self.assertEqual(self.world.database.count("holds"), 1)

    def nothing_left(self) -> None:
        """What is damaged stays, for the operator to look at."""
        self.assertEqual(len(self.world.domain.telephone.table), 0)
