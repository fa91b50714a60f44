"""Devices that come and go in calls with the telephone network; the end of accounts, and of the node."""

from typing import Any
from unittest.mock import ANY

from twisted.internet.defer import Deferred

from safeum_home.config_safenum import SafenumSection
from safeum_home.protocol.telephone_types import RING_SECONDS
from safeum_home.safenum.telephone.outgoing import AWAY_SECONDS
from tests.money_case import LANDLINE, UNIT
from tests.telephone_case import ANSWER, CALL, OFFER, OTHER, STRANGER, MemoryCarriers, TelephoneCase, told
from tests.world import PASSWORD, World

SECOND = 238


class ComingAndGoingTests(TelephoneCase):
    def test_listed(self) -> None:
        """All devices see all calls, and which are theirs."""
        call = self.dialled()
        self.ring()
        ringing = {"call": ANY, "direction": "in", "here": False, "number": STRANGER}
        dialled = {"call": CALL, "direction": "out", "here": True, "number": LANDLINE}
        self.assertEqual(self.ann.call("telephone.list")["calls"], [dialled, ringing])
        call.take()
        there = dialled | {"here": False, "since": int(self.world.clock.seconds() * 1000)}
        self.assertEqual(self.phone.call("telephone.list")["calls"], [there, ringing])
        for id in self.ids():
            self.hang_up(self.ann, id)

    def test_told_again(self) -> None:
        """Who loses the connection misses nothing of its call."""
        call = self.dialled()
        call.progress(ANSWER)
        self.settle()
        self.ann.drop()
        call.take(None)
        self.ann.resume(None)
        self.world.settle()
        self.assertEqual(told(self.ann), [("progress",), ("answered",)])
        self.ann.drop()
        self.advance(52)
        self.ann.resume(None)
        self.world.settle()
        self.assertEqual(told(self.ann), [("progress",), ("answered",), ("paid", 111, False)])
        self.hang_up(self.ann)

    def test_away_while_it_rings(self) -> None:
        """Nobody hears it: it is not to be answered."""
        call = self.dialled()
        self.ann.drop()
        self.advance(AWAY_SECONDS - 1)
        self.ann.resume(None)
        self.advance(2)
        self.assertFalse(call.over)
        self.ann.drop()
        self.advance(AWAY_SECONDS)
        self.assertTrue(call.hung_up)
        self.ann.resume(None)
        self.world.settle()
        self.assertEqual(told(self.ann), [("ended", "lost", 0)])

    def test_away_while_they_speak(self) -> None:
        """The sound needs no connection to the node; how it ended is kept for a minute."""
        call = self.dialled()
        call.take()
        self.settle()
        self.ann.drop()
        self.advance(100)
        self.assertFalse(call.over)
        call.end()
        self.advance(59)
        self.ann.resume(None)
        self.world.settle()
        self.assertEqual(told(self.ann), [("ended", "hangup", 101)])
        call = self.dialled(call=OTHER)
        call.take()
        self.settle()
        self.ann.drop()
        call.end()
        self.advance(61)
        self.ann.resume(None)
        self.world.settle()
        self.assertEqual(told(self.ann), [])

    def test_incoming_told_again(self) -> None:
        call = self.ring()
        [id] = self.ids()
        self.answer(self.ann, id)
        self.settle()
        self.ann.drop()
        call.take(None)
        self.ann.resume(None)
        self.world.settle()
        self.assertEqual(told(self.ann), [("answered",)])
        call.end()

    def test_kept_awake(self) -> None:
        """In a call, and while it rings, a device is not put to sleep."""
        busy = self.world.services.busy

        def awake() -> list[bool]:
            return [busy.last(device.device) == float("inf") for device in (self.ann, self.phone)]  # type: ignore[arg-type]

        self.dialled()
        self.assertEqual(awake(), [True, False])
        self.hang_up(self.ann)
        call = self.ring()
        self.assertEqual(awake(), [True, True])
        [id] = self.ids()
        self.answer(self.phone, id)
        self.assertEqual(awake(), [False, True])
        call.end()
        self.assertEqual(awake(), [False, False])
        self.ring()
        self.advance(RING_SECONDS)
        self.assertEqual(awake(), [False, False])

    def test_revoked(self) -> None:
        """A device that is logged out ends its call; others ring on."""
        call = self.dialled()
        call.take()
        self.phone.call("device.revoke", device=self.ann.device)
        self.assertTrue(call.hung_up)
        ringing = self.ring()
        self.phone.call("session.logout")
        self.assertFalse(ringing.over)
        self.advance(RING_SECONDS)
        self.assertEqual(ringing.declined, 480)

    def test_logged_out(self) -> None:
        call = self.ring()
        [id] = self.ids()
        self.answer(self.ann, id)
        call.take(None)
        self.ann.call("session.logout")
        self.assertTrue(call.hung_up)
        self.assertEqual(self.cdr()[:5], ["1", "ANSWERED", "200", "16", "callee"])


class ClosedTests(TelephoneCase):
    def test_closed(self) -> None:
        """With the account its calls end, and nobody is called by its number any more."""
        self.ann.call("account.pin.set", password=PASSWORD, pin="493817")
        first, second = self.dialled(), self.ring()
        first.take()
        self.advance(10)
        self.phone.call("session.block", pin="493817")
        self.advance(1)
        self.assertTrue(first.hung_up)
        self.assertEqual(second.declined, 480)
        totals = self.world.database.now(self.world.domain.money.ledger.totals)
        amounts = {total.account: total.amount for total in totals}
        self.assertEqual((amounts["customers"], amounts["held"]), (0, 0))
        self.assertEqual(-amounts["forfeited"], UNIT - 10 * SECOND)
        self.assertEqual(self.world.database.count("missed_calls"), 0)
        self.assertEqual(self.ring().declined, 404)


class EndTests(TelephoneCase):
    is_dead = False

    def nothing_left(self) -> None:
        if not self.is_dead:
            super().nothing_left()

    def again(self) -> World:
        """The next process of the node."""
        world = World(
            self.world.database,
            self.world.vault,
            carriers=MemoryCarriers(),
            safenum=SafenumSection(country="DE"),
            clock=self.world.clock,
        )
        charging: Any = world.domain.money.charging
        self.successResultOf(Deferred.fromCoroutine(charging.settle_left()))
        return world

    def killed(self) -> None:
        """Nobody hears of it."""
        telephone = self.world.domain.telephone
        telephone.pulse.stop()
        self.world.database.drop()
        for client in (self.ann, self.phone):
            client.connection.over = True
        for call in self.carriers.calls:
            call.over = True
        self.is_dead = True

    def test_stopped(self) -> None:
        """A node that stops ends its calls, and settles them."""
        call, ringing = self.dialled(), self.ring()
        call.take()
        self.advance(7)
        self.successResultOf(Deferred.fromCoroutine(self.world.domain.telephone.stop()))
        self.assertTrue(call.hung_up)
        self.assertEqual(ringing.declined, 487)
        self.assertEqual(self.balance(), (UNIT - 7 * SECOND, 0))
        self.assertEqual(self.world.database.count("holds"), 0)

    def test_stopped_without_storage(self) -> None:
        """It does not wait for ever: the next start settles."""
        call = self.dialled()
        call.take()
        self.advance(7)
        self.world.database.hold = True
        stopped = Deferred.fromCoroutine(self.world.domain.telephone.stop())
        self.assertNoResult(stopped)
        self.world.clock.advance(5)
        self.successResultOf(stopped)
        self.world.database.drop()
        self.world.database.hold = False
        self.killed()
        self.again()
        [record] = self.cdrs()
        self.assertEqual(record.fields()[7:9], ["7", "ANSWERED"])

    def test_killed(self) -> None:
        """What had gone on is charged to within a second, and known by the carrier's own words; once."""
        call = self.dialled()
        call.take()
        self.dialled(call=OTHER)
        self.ring()
        self.advance(75.5)
        self.killed()
        for _ in range(2):
            self.again()
        records = {record.reference: record.fields()[7:9] for record in self.cdrs()}
        self.assertEqual(records["call-0@carrier"], ["75", "ANSWERED"])
        self.assertEqual(len(self.cdrs()), 3)
        self.assertEqual(self.world.database.count("holds"), 0)
        totals = self.world.database.now(self.world.domain.money.ledger.totals)
        amounts = {total.account: total.amount for total in totals}
        self.assertEqual((amounts["held"], amounts["customers"]), (0, 75 * SECOND - UNIT))

    def test_killed_after_an_outage(self) -> None:
        """A call that ended while the storage was away is charged until its end, also by the next process."""
        call = self.dialled()
        call.take()
        self.advance(5)
        self.world.database.failing = True
        self.advance(5)
        call.end()
        second = self.carriers.calls
        self.assertEqual(len(second), 1)
        self.advance(0.5)
        self.world.database.failing = False
        self.world.domain.telephone.pulse.start()
        charging: Any = self.world.domain.money.charging
        self.successResultOf(Deferred.fromCoroutine(charging.alive(int(self.world.clock.seconds() * 1000))))
        self.killed()
        self.again()
        [record] = self.cdrs()
        self.assertEqual(record.fields()[7:12], ["10", "ANSWERED", "200", "16", "callee"])

    def test_a_write_a_second(self) -> None:
        """However many calls go on; none where there are none."""
        for client, id in ((self.ann, CALL), (self.phone, OTHER)):
            self.dialled(call=id, client=client).take()
        before = self.world.database.transactions
        self.advance(20)
        self.assertEqual(self.world.database.transactions - before, 20)
        for call in self.carriers.calls:
            call.end()
        self.advance(2)
        before = self.world.database.transactions
        self.advance(20)
        self.assertEqual(self.world.database.transactions, before)

    def test_answer_is_stored_later(self) -> None:
        """Where the storage is away at that moment; for a call that is over meanwhile nothing is tried."""
        call = self.dialled()
        self.world.database.failing = True
        call.take()
        self.advance(3)
        self.world.database.failing = False
        self.advance(3)
        self.killed()
        self.again()
        [record] = self.cdrs()
        self.assertEqual((record.disposition.value, record.reference), ("ANSWERED", "call-0@carrier"))


class FloodTests(TelephoneCase):
    limits = {
        "telephone_rings_per_number": 0.1,
        "telephone_rings_per_number_burst": 3,
        "telephone_rings_per_caller": 0.1,
        "telephone_rings_per_caller_burst": 5,
        "telephone_dials_per_account": 0.1,
        "telephone_dials_per_account_burst": 2,
        "telephone_calls": 4,
    }

    def rings(self, **about: str) -> int | None:
        call = self.ring(**about)
        call.end()
        return call.declined

    def test_one_number(self) -> None:
        """Whoever calls it; nothing is stored of it. Others are called as before."""
        bob = self.world.register("bob")
        for caller in ("", STRANGER, ""):
            self.assertIsNone(self.rings(caller=caller))
        before = len(self.cdrs())
        self.assertEqual(self.rings(caller=""), 480)
        self.assertEqual((len(self.cdrs()), self.world.domain.telephone.counts.flooded), (before, 1))
        self.assertIsNone(self.carriers.ring(self.exchange, self.number_of(bob), STRANGER).declined)
        self.carriers.calls[-1].end()
        self.advance(10)
        self.assertIsNone(self.rings())

    def test_one_caller(self) -> None:
        """Whomever it calls, also numbers that nobody has; others call as before."""
        for number in range(30, 35):
            self.assertEqual(self.rings(called=f"+35449001{number:02d}"), 404)
        self.assertEqual(self.rings(), 480)
        self.assertIsNone(self.rings(caller="+4930111111"))

    def test_all_together(self) -> None:
        calls = [
            self.carriers.ring(self.exchange, self.number_of(self.world.register(f"bob{number}")), "")
            for number in range(5)
        ]
        self.assertEqual([call.declined for call in calls], [None] * 4 + [480])
        self.denied("busy", self.ann, "telephone.dial", call=CALL, to=LANDLINE, sdp=OFFER)
        for call in calls:
            call.end()

    def test_dialled(self) -> None:
        for id in (CALL, OTHER):
            self.dialled(call=id)
            self.hang_up(self.ann, id)
        self.denied("rate_limited", self.ann, "telephone.dial", call=CALL[::-1], to=LANDLINE, sdp=OFFER)

    @property
    def exchange(self) -> Any:
        return self.world.domain.telephone.exchange
