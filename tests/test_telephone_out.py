"""Calls to the telephone network: asked for, paid ahead, charged as long as they were."""

from safeum_home.ids import AccountId
from safeum_home.safenum.money.rate_table import RateTable
from safeum_home.safenum.money.rating import Rate
from tests.money_case import LANDLINE, MOBILE, PREMIUM, RATES, SATELLITE, UNIT
from tests.telephone_case import ANSWER, CALL, OFFER, SECOND, THIRD, TelephoneCase, told


class DialledTests(TelephoneCase):
    def test_a_call(self) -> None:
        """The carrier learns two numbers and the offer; the device that dials hears the rest."""
        self.assertEqual(self.dial(), {"cli": self.number, "seconds": 60})
        [call] = self.carriers.calls
        self.assertEqual((call.cli, call.to, call.sdp), (self.number, LANDLINE, OFFER))
        self.assertEqual(self.balance(), (UNIT - 60 * SECOND, 60 * SECOND))
        call.progress()
        self.advance(4)
        call.take()
        self.advance(29.5)
        call.end()
        self.assertEqual(told(self.ann), [("progress",), ("answered",), ("ended", "hangup", 30)])
        self.assertEqual(told(self.phone), [])
        self.assertEqual(self.balance(), (UNIT - 30 * SECOND, 0))
        self.assertEqual(self.cdr(), ["30", "ANSWERED", "200", "16", "callee", "carrier", "call-0@carrier"])

    def test_what_it_has_cost(self) -> None:
        call = self.dialled()
        call.take()
        self.advance(10)
        self.ann.take()
        self.hang_up(self.ann)
        [event] = self.ann.take("telephone.ended")
        about = {"call": CALL, "reason": "hangup", "sip": 200, "seconds": 10}
        self.assertEqual(event["params"], about | {"amount": 10 * SECOND, "currency": "EUR"})
        self.assertTrue(call.hung_up)
        self.assertEqual(self.cdr()[4], "caller")

    def test_descriptions(self) -> None:
        """Sound of before the answer; it is not taken away by a ringing without any."""
        call = self.dialled()
        call.progress(ANSWER)
        call.progress(None)
        call.take(None)
        call.progress(ANSWER)
        events = [event["params"].get("sdp") for event in self.ann.take("telephone.progress")]
        self.assertEqual(events, [ANSWER, ANSWER])
        self.hang_up(self.ann)

    def test_same_again(self) -> None:
        """The same id is the same call, dialled once; of other things it is refused, and later it is over."""
        first = self.dial()
        self.assertEqual(self.dial(), first)
        self.denied("call_exists", self.ann, "telephone.dial", call=CALL, to=MOBILE, sdp=OFFER)
        self.denied("call_exists", self.phone, "telephone.dial", call=CALL, to=LANDLINE, sdp=OFFER)
        self.assertEqual(len(self.carriers.calls), 1)
        self.hang_up(self.ann)
        self.denied("call_over", self.ann, "telephone.dial", call=CALL, to=LANDLINE, sdp=OFFER)
        self.assertEqual(len(self.carriers.calls), 1)

    def test_same_again_while_it_is_asked(self) -> None:
        """On a new connection, too: both hear of the one call."""
        self.world.database.hold = True
        first = self.ann.ask("telephone.dial", call=CALL, to=LANDLINE, sdp=OFFER)
        second = self.ann.ask("telephone.dial", call=CALL, to=LANDLINE, sdp=OFFER)
        self.assertEqual((self.ann.answer(first), self.carriers.calls), (None, []))
        self.world.database.hold = False
        self.world.database.release()
        self.assertEqual(self.ann.answer(first), self.ann.answer(second))
        self.assertEqual(len(self.carriers.calls), 1)
        self.hang_up(self.ann)

    def test_hung_up_while_it_is_asked(self) -> None:
        """It is never dialled, and nothing is held."""
        self.world.database.hold = True
        asked = self.ann.ask("telephone.dial", call=CALL, to=LANDLINE, sdp=OFFER)
        self.ann.ask("telephone.hangup", call=CALL)
        self.world.database.hold = False
        self.world.database.release()
        with self.assertRaisesRegex(Exception, "call_over"):
            self.ann.answer(asked)
        self.assertEqual((self.carriers.calls, self.balance()), ([], (UNIT, 0)))

    def test_not_taken(self) -> None:
        """Each way of not being answered is told, costs nothing, and is recorded."""
        for sip, reason, disposition in (
            (486, "busy", "BUSY"),
            (600, "busy", "BUSY"),
            (480, "no_answer", "NO ANSWER"),
            (404, "unallocated", "FAILED"),
            (403, "refused", "FAILED"),
            (603, "refused", "BUSY"),
            (503, "unreachable", "FAILED"),
            (0, "unreachable", "FAILED"),
        ):
            with self.subTest(sip=sip):
                before = len(self.cdrs())
                call = self.dialled(MOBILE, f"{sip:022d}")
                call.progress()
                call.end(sip, 34)
                self.assertEqual(told(self.ann)[-1], ("ended", reason, 0))
                [record] = self.cdrs()[before:]
                self.assertEqual((record.disposition.value, record.sip), (disposition, sip))
        self.assertEqual(self.balance(), (UNIT, 0))

    def test_causes(self) -> None:
        """Where a bridge tells a cause alone."""
        for cause, reason, sip in ((17, "busy", 486), (19, "no_answer", 480), (1, "unallocated", 404)):
            before = len(self.cdrs())
            self.dialled(MOBILE, f"{cause:022d}").end(0, cause, far=False)
            self.assertEqual(told(self.ann)[-1], ("ended", reason, 0))
            [record] = self.cdrs()[before:]
            self.assertEqual((record.sip, record.cause), (sip, cause))

    def test_cancelled(self) -> None:
        call = self.dialled()
        call.progress()
        self.hang_up(self.ann)
        self.assertTrue(call.hung_up)
        self.assertEqual(told(self.ann), [("progress",), ("ended", "hangup", 0)])
        self.assertEqual(self.cdr()[:5], ["0", "NO ANSWER", "487", "16", "caller"])

    def test_no_way_out(self) -> None:
        for name, code in (("away", "carrier_unavailable"), ("full", "busy"), ("picky", "invalid_params")):
            setattr(self.carriers, name, True)
            self.denied(code, self.ann, "telephone.dial", call=call_of(name), to=LANDLINE, sdp=OFFER)
            setattr(self.carriers, name, False)
        self.assertEqual((self.balance(), told(self.ann)), ((UNIT, 0), []))

    def test_broken_down(self) -> None:
        """The bridge dies: it is charged until then."""
        call = self.dialled()
        call.take()
        self.advance(5)
        call.end(0, 0, far=False)
        self.assertEqual(told(self.ann)[-1], ("ended", "lost", 5))
        self.assertEqual(self.cdr()[:5], ["5", "ANSWERED", "200", "", "carrier"])

    def test_hung_up_elsewhere(self) -> None:
        """Any device of the account can end what costs money."""
        call = self.dialled()
        call.take()
        self.advance(2)
        self.hang_up(self.phone)
        self.assertTrue(call.hung_up)
        self.assertEqual(told(self.ann)[-1], ("ended", "hangup", 2))


def call_of(name: str) -> str:
    return name.ljust(22, "0")


class RefusedTests(TelephoneCase):
    def refused(self, code: str, to: str) -> str:
        detail = self.denied(code, self.ann, "telephone.dial", call=THIRD, to=to, sdp=OFFER)
        self.assertEqual((self.carriers.calls, self.world.database.count("holds")), ([], 0))
        return detail

    def test_emergencies(self) -> None:
        for number in ("112", "911", "110", "999", "000", "+49112", "+1911"):
            self.assertEqual(self.refused("destination_refused", number), "emergency")

    def test_short_ones(self) -> None:
        for number in ("22922", "*100#"):
            self.assertEqual(self.refused("destination_refused", number), "short")

    def test_classes(self) -> None:
        self.assertEqual(self.refused("destination_refused", PREMIUM), "premium")
        self.assertEqual(self.refused("destination_refused", SATELLITE), "satellite")
        self.refused("no_rate", "+12025550123")

    def test_ones_own(self) -> None:
        self.assertEqual(self.refused("destination_refused", self.number), "own")

    def test_no_number(self) -> None:
        giving = self.world.domain.numbers
        blind = self.world.vault.blinder.account(AccountId(self.ann.account))
        self.world.database.transact(lambda c: giving.numbers.take_back(c, blind))
        self.refused("no_safenum", LANDLINE)

    def test_no_money(self) -> None:
        bob = self.world.register("bob")
        self.denied("no_balance", bob, "telephone.dial", call=CALL, to=LANDLINE, sdp=OFFER)
        self.assertEqual(self.carriers.calls, [])

    def test_storage_away(self) -> None:
        self.world.database.failing = True
        self.refused("storage_unavailable", LANDLINE)
        self.world.database.failing = False
        self.advance(3)

    def test_stored_though_refused(self) -> None:
        """What is held for a call that nobody knows of is set free."""
        self.world.database.hold = True
        asked = self.ann.ask("telephone.dial", call=CALL, to=LANDLINE, sdp=OFFER)
        self.world.database.commit()
        self.world.database.lose_report()
        self.world.database.hold = False
        with self.assertRaisesRegex(Exception, "storage_unavailable"):
            self.ann.answer(asked)
        self.world.database.release()
        self.advance(3)
        self.assertEqual((self.balance(), self.carriers.calls), ((UNIT, 0), []))


class OwnTests(TelephoneCase):
    def test_of_this_node(self) -> None:
        """A SafeNUM of somebody here is called through the carrier, too; the node pays for that."""
        bob = self.world.register("bob")
        rates = RateTable(
            [*RATES, Rate("354", "Iceland", "voip", 20_000, None, "EUR", 0, 9_000, 1, 1, 6_000)]
        )
        self.world.domain.money.tables.table = rates
        theirs = self.number_of(bob)
        poor = self.world.register("poor")
        self.dial(theirs, client=poor)
        call = self.carriers.calls[-1]
        self.assertEqual((call.cli, call.to), (self.number_of(poor), theirs))
        call.take()
        self.advance(70)
        call.end()
        self.assertEqual(self.balance(poor), (0, 0))
        self.assertEqual(self.cdr()[:2], ["70", "ANSWERED"])
        totals = self.world.database.now(self.world.domain.money.ledger.totals)
        self.assertEqual({each.account: each.amount for each in totals}["carrier due"], -7_000)


class KeyTests(TelephoneCase):
    def test_pressed(self) -> None:
        """One after the other; not before the answer, not by another device."""
        call = self.dialled()
        self.denied("wrong_call_state", self.ann, "telephone.dtmf", call=CALL, digits="1")
        call.take()
        self.ann.call("telephone.dtmf", call=CALL, digits="12#")
        self.ann.call("telephone.dtmf", call=CALL, digits="*")
        self.assertEqual(call.keys, "12#*")
        self.denied("call_over", self.phone, "telephone.dtmf", call=CALL, digits="1")
        self.hang_up(self.ann)
        self.denied("call_over", self.ann, "telephone.dtmf", call=CALL, digits="1")
        self.denied("not_found", self.ann, "telephone.dtmf", call=THIRD, digits="1")

    def test_too_many(self) -> None:
        """No more than can be sent one after the other."""
        call = self.dialled()
        call.take()
        for _ in range(2):
            self.ann.call("telephone.dtmf", call=CALL, digits="1" * 32)
        self.denied("rate_limited", self.ann, "telephone.dtmf", call=CALL, digits="1234")
        self.advance(1)
        self.ann.call("telephone.dtmf", call=CALL, digits="1234")
        self.assertEqual(call.keys, "1" * 64 + "1234")
        self.hang_up(self.ann)

    def test_heard(self) -> None:
        call = self.dialled()
        call.take()
        call.press("5x\n#a")
        call.press("\0")
        self.assertEqual(told(self.ann)[1:], [("dtmf", "5#A")])
        self.hang_up(self.ann)
