"""Calls from the telephone network: they ring on all devices, and the first that answers has them."""

from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId
from safeum_home.node.telephone import Reachable
from safeum_home.ports.voicemail import Unanswered
from safeum_home.safenum.telephone.telling import TelephoneTelling
from tests.calls_case import CALL as NETWORK_CALL
from tests.calls_case import answer as answer_call
from tests.calls_case import invite, ring
from tests.conference_case import start
from tests.money_case import UNIT
from tests.telephone_case import ANSWER, LAST, STRANGER, WRONG, TelephoneCase, told

RINGS = ("incoming", STRANGER, 30.0)


class RingingTests(TelephoneCase):
    def test_a_call(self) -> None:
        """The one that answers speaks, the other is told; it costs nothing, and is recorded."""
        call = self.ring()
        self.assertEqual((told(self.ann), told(self.phone)), ([RINGS], [RINGS]))
        self.advance(3)
        [id] = self.ids()
        self.answer(self.phone, id)
        self.assertEqual((call.answers, told(self.ann)), ([ANSWER], [("ended", "answered_elsewhere", 0)]))
        call.take(None)
        self.assertEqual(told(self.phone), [("answered",)])
        self.advance(20)
        call.end()
        self.assertEqual((told(self.ann), told(self.phone)), ([], [("ended", "hangup", 20)]))
        self.assertEqual(self.balance(), (UNIT, 0))
        [record] = self.cdrs()
        self.assertEqual((record.caller, record.called), (STRANGER, self.number))
        self.assertEqual(self.cdr()[:5], ["20", "ANSWERED", "200", "16", "caller"])
        self.assertEqual(self.missed(), [])

    def test_race(self) -> None:
        """Two devices answer: one of them has it, and says so again without harm."""
        self.ring()
        [id] = self.ids()
        self.answer(self.ann, id)
        self.denied("call_over", self.phone, "telephone.answer", call=id, sdp=ANSWER)
        self.answer(self.ann, id)
        self.assertEqual(self.carriers.calls[0].answers, [ANSWER])
        self.hang_up(self.ann, id)
        self.assertTrue(self.carriers.calls[0].over)

    def test_hung_up_before_the_carrier_knows(self) -> None:
        """Who answers and hangs up at once is rid of it: an answer on its way cannot be declined."""
        call = self.ring()
        [id] = self.ids()
        self.answer(self.ann, id)
        self.hang_up(self.ann, id)
        self.assertTrue(call.hung_up)
        self.assertEqual(told(self.ann)[-1], ("ended", "hangup", 0))

    def test_of_no_use(self) -> None:
        """An answer that the bridge does not take: it rings on."""
        call = self.ring()
        [id] = self.ids()
        self.denied("invalid_params", self.ann, "telephone.answer", call=id, sdp=WRONG)
        self.answer(self.phone, id)
        self.assertEqual(call.answers, [ANSWER])
        call.end()

    def test_declined(self) -> None:
        call = self.ring()
        [id] = self.ids()
        self.settle()
        self.phone.call("telephone.decline", call=id)
        self.assertEqual(call.declined, 603)
        self.assertEqual((told(self.ann), told(self.phone)), ([("ended", "declined_elsewhere", 0)], []))
        self.denied("call_over", self.ann, "telephone.answer", call=id, sdp=ANSWER)
        self.assertEqual(self.cdr()[:5], ["0", "BUSY", "603", "", "callee"])
        self.assertEqual((self.missed(), self.mailbox.asked), ([], [Unanswered.DECLINED]))

    def test_hung_up_is_declined(self) -> None:
        call = self.ring()
        [id] = self.ids()
        self.hang_up(self.ann, id)
        self.assertEqual(call.declined, 603)

    def test_no_answer(self) -> None:
        """After 30 s; it was missed, also for who was not there."""
        call = self.ring()
        self.settle()
        self.advance(29)
        self.assertIsNone(call.declined)
        self.advance(1)
        self.assertEqual(call.declined, 480)
        self.assertEqual(told(self.ann), [("ended", "no_answer", 0), ("missed", STRANGER, False)])
        self.assertEqual(self.cdr()[:5], ["0", "NO ANSWER", "480", "", "callee"])
        self.assertEqual(self.missed(), [(STRANGER, False)])

    def test_caller_gives_up(self) -> None:
        call = self.ring()
        self.settle()
        self.advance(5)
        call.end(487, 0)
        self.assertEqual(told(self.phone), [("ended", "hangup", 0), ("missed", STRANGER, False)])
        self.assertEqual(self.cdr()[:5], ["0", "NO ANSWER", "487", "", "caller"])
        self.assertEqual(self.mailbox.asked, [])

    def test_withheld(self) -> None:
        for caller in ("", "anonymous", "+1<script>", "0301234"):
            self.ring(caller)
            [event] = self.ann.take("telephone.incoming")
            self.assertNotIn("caller", event["params"])
            self.hang_up(self.ann, event["params"]["call"])
        self.ring("anonymous").end()
        self.assertEqual(self.missed(), [(None, False)])

    def test_comes_meanwhile(self) -> None:
        """A device that connects while it rings is told for how long still, and may answer."""
        self.phone.drop()
        call = self.ring()
        self.advance(10)
        self.phone.resume(None)
        self.world.clock.advance(0)
        self.assertEqual(told(self.phone), [("incoming", STRANGER, 20.0)])
        [id] = self.ids()
        self.answer(self.phone, id)
        call.take(None)
        call.end()

    def test_back_too_late(self) -> None:
        """A device that has rung, and was away at the end, is told of that."""
        call = self.ring()
        self.phone.drop()
        call.end()
        self.phone.resume(None)
        self.world.settle()
        self.assertEqual(told(self.phone)[-1], ("ended", "hangup", 0))

    def test_keys(self) -> None:
        call = self.ring()
        [id] = self.ids()
        self.answer(self.ann, id)
        call.take(None)
        call.press("7")
        self.ann.call("telephone.dtmf", call=id, digits="9")
        self.assertEqual((told(self.ann)[-1], call.keys), (("dtmf", "7"), "9"))
        call.end()


class NobodyTests(TelephoneCase):
    def test_unknown(self) -> None:
        """A number that nobody has, of this node or not, and what is no number; all are recorded."""
        for called in (LAST, "+4930123456", "+", "x\r\ny"):
            call = self.carriers.ring(self.world.domain.telephone.exchange, called)
            self.assertEqual(call.declined, 404)
        self.assertEqual({record.sip for record in self.cdrs()}, {404})
        self.assertEqual(len(self.cdrs()), 4)

    def test_given_back(self) -> None:
        blind = self.world.vault.blinder.account(AccountId(self.ann.account))
        numbers = self.world.domain.numbers.numbers
        self.world.database.transact(lambda c: numbers.take_back(c, blind))
        self.assertEqual(self.ring().declined, 404)

    def test_busy(self) -> None:
        """In as many calls as may be, of whichever kind: it does not ring, and was missed."""
        bob = self.world.register("bob")
        self.world.befriend(self.ann, bob)
        self.dialled().take()
        invite(bob, self.ann)
        ring(self.ann)
        answer_call(self.ann)
        self.settle()
        self.assertEqual(self.ring().declined, 486)
        self.assertEqual(told(self.phone), [("missed", STRANGER, False)])
        self.assertEqual(self.mailbox.asked, [Unanswered.BUSY])
        self.hang_up(self.ann)
        second = self.ring()
        self.assertIsNone(second.declined)
        second.end()
        self.ann.call("call.hangup", call=NETWORK_CALL)

    def test_busy_in_a_conference(self) -> None:
        group = self.ann.call("group.create", client_id="1", name="Walks")["chat"]["chat"]
        conference = start(self.ann, group)
        self.dialled().take()
        self.settle()
        self.assertEqual(self.ring().declined, 486)
        self.ann.call("call.hangup", call=conference["call"])
        call = self.ring()
        self.assertIsNone(call.declined)
        call.end()
        self.hang_up(self.ann)

    def test_too_many_ring(self) -> None:
        calls = [self.ring() for _ in range(5)]
        self.assertEqual([call.declined for call in calls], [None] * 4 + [486])
        for call in calls:
            call.end()

    def test_too_many_ring_at_once(self) -> None:
        """Each of those that come together is found to be for somebody before any of them rings."""
        waiting: list[Deferred[bool]] = []

        async def reaches(self: Reachable, account: AccountId) -> bool:
            waiting.append(Deferred())
            return await waiting[-1]

        self.patch(Reachable, "reaches", reaches)
        calls = [self.ring() for _ in range(5)]
        self.settle()
        for each in waiting:
            each.callback(True)
        self.settle()
        self.assertEqual([call.declined for call in calls], [None] * 4 + [486])
        for call in calls:
            call.end()

    def test_cannot_ring(self) -> None:
        """What fails while devices are told leaves no call behind."""

        def fail(*_: object) -> None:
            raise ValueError("why")

        with_ring = TelephoneTelling.ring
        self.patch(TelephoneTelling, "ring", fail)
        self.assertEqual(self.ring().declined, 480)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.patch(TelephoneTelling, "ring", with_ring)
        self.ring().end()

    def test_no_room_to_answer(self) -> None:
        first, second, third = (self.ring() for _ in range(3))
        ids = self.ids()
        for id, call in zip(ids[:2], (first, second), strict=True):
            self.answer(self.ann, id)
            call.take(None)
        self.denied("limit_reached", self.ann, "telephone.answer", call=ids[2], sdp=ANSWER)
        for call in (first, second, third):
            call.end()

    def test_offline(self) -> None:
        for device in (self.ann, self.phone):
            device.drop()
        self.assertEqual(self.ring().declined, 480)
        self.assertEqual(self.mailbox.asked, [Unanswered.OFFLINE])
        self.ann.resume(None)
        self.assertEqual(self.missed(), [(STRANGER, False)])

    def test_storage_away(self) -> None:
        self.world.database.failing = True
        self.assertEqual(self.ring().declined, 480)
        self.world.database.reading_fails = True
        self.assertEqual(self.ring().declined, 480)
        self.world.database.failing = self.world.database.reading_fails = False
        self.advance(3)
        self.assertEqual(self.cdrs(), [])

    def test_gives_up_while_it_is_looked(self) -> None:
        """Nothing rings, whichever step it was at, and each is recorded once."""
        self.world.database.hold_reads = True
        self.ring().end(487)
        self.world.database.hold_reads = False
        self.world.database.answer_reads()
        self.world.database.hold = True
        self.ring().end(487)
        self.world.database.hold = False
        self.world.database.release()
        self.advance(1)
        self.assertEqual([each for each in told(self.ann) if each[0] != "missed"], [])
        self.assertEqual([record.sip for record in self.cdrs()], [487, 487])

    def test_forgotten(self) -> None:
        for _ in range(3):
            self.ring().end()
        self.assertEqual(len(self.missed()), 3)
        page = self.ann.call("telephone.missed", limit=2)
        self.assertEqual((len(page["calls"]), page["more"]), (2, True))
        rest = self.ann.call("telephone.missed", before=page["calls"][-1]["number"])
        self.assertEqual((len(rest["calls"]), rest["more"]), (1, False))
        self.ann.call("telephone.forget")
        self.assertEqual(self.missed(), [])
