"""Telephones of the SDK on a real node in memory: a carrier of the test's own, and real sound."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from safeum_home.client.calling.call_state import CallState
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.telephony.ending import TelephoneEnd
from safeum_home.client.telephony.incoming import IncomingTelephoneCall
from safeum_home.client.telephony.media import TelephoneSource
from safeum_home.client.telephony.outgoing import OutgoingTelephoneCall
from safeum_home.client.telephony.telephone import Telephone
from safeum_home.client.webrtc.sources import Tone
from safeum_home.errors import Code
from tests.bridge_media import BridgeEnd
from tests.money_case import LANDLINE, UNIT
from tests.sdk_telephone import ANSWER, OFFER, FakeTelephoneSource
from tests.sdk_world import SdkDevice
from tests.telephone_case import STRANGER, MemoryCall, TelephoneCase
from tests.webrtc_case import LinkCase, Side, done, until

ACTIVE, RINGING, ENDED = CallState.ACTIVE, CallState.RINGING, CallState.ENDED


class Handset(SdkDevice):
    """A device of Ann's with a telephone."""

    telephone: Telephone
    rang: list[IncomingTelephoneCall]

    def take(self, source: TelephoneSource) -> "Handset":
        self.login("ann")
        self.telephone = self.client.take_telephone(source)
        self.rang = []
        self.telephone.on_call(self.rang.append)
        return self

    def dial(self, number: str = LANDLINE) -> OutgoingTelephoneCall:
        call: OutgoingTelephoneCall = self.do(self.telephone.dial(number))
        return call


class HandsetCase(TelephoneCase):
    """Ann has two handsets, besides what her account has in all tests of calls."""

    def setUp(self) -> None:
        super().setUp()
        self.source = FakeTelephoneSource()
        self.handset, self.other = (Handset(self.world).take(self.source) for _ in range(2))
        self.pump()

    def tearDown(self) -> None:
        for each in (self.handset, self.other):
            each.client.close()
        self.pump()
        super().tearDown()

    def pump(self, seconds: float = 1.0) -> None:
        self.world.clock.pump([0.05] * int(seconds / 0.05))

    def rung(self) -> tuple[MemoryCall, IncomingTelephoneCall, IncomingTelephoneCall]:
        """Somebody calls: the carrier's side, and what rings on the two handsets."""
        line = self.carriers.ring(self.world.domain.telephone.exchange, self.number, STRANGER, sdp=OFFER)
        self.pump()
        return line, self.handset.rang[-1], self.other.rang[-1]


class HandsetTests(HandsetCase):
    def test_out(self) -> None:
        """Dialled, early, answered, hung up: what the SDK shows is what the node has charged."""
        call = self.handset.dial()
        line = self.carriers.calls[-1]
        self.assertEqual((call.cli, line.cli, line.to), (self.number, self.number, LANDLINE))
        line.progress(ANSWER)
        self.pump()
        self.assertEqual((call.state, call.early), (RINGING, True))
        line.take(None)
        self.pump()
        self.assertIs(call.state, ACTIVE)
        self.advance(10)
        call.press("12#")
        self.pump(1.5)
        self.assertEqual(line.keys, "12#")
        line.press("7")
        self.pump()
        self.assertEqual(call.keys, "7")
        call.hang_up()
        self.pump()
        self.assertTrue(line.hung_up)
        self.assertIs(call.why, TelephoneEnd.HANGUP)
        assert call.bill is not None
        self.assertEqual(UNIT - call.bill.amount, self.balance()[0])
        self.assertGreater(call.bill.amount, 0)

    def test_the_other_side_ends_it(self) -> None:
        """With what it has cost."""
        call = self.handset.dial()
        line = self.carriers.calls[-1]
        line.take(ANSWER)
        self.advance(60)
        line.end()
        self.pump()
        assert call.bill is not None
        self.assertEqual((call.why, call.bill.currency), (TelephoneEnd.HANGUP, "EUR"))
        self.assertEqual(UNIT - call.bill.amount, self.balance()[0])
        self.assertGreater(call.bill.amount, 0)

    def test_carrier_refuses(self) -> None:
        for sip, why in (
            (486, TelephoneEnd.BUSY),
            (404, TelephoneEnd.UNALLOCATED),
            (403, TelephoneEnd.REFUSED),
            (503, TelephoneEnd.UNREACHABLE),
        ):
            call = self.handset.dial()
            self.carriers.calls[-1].end(sip)
            self.pump()
            self.assertEqual((call.why, call.sip), (why, sip))
            self.advance(10)

    def test_node_refuses(self) -> None:
        """By its codes."""
        self.carriers.away = True
        for number, code in ((LANDLINE, Code.CARRIER_UNAVAILABLE), ("112", Code.DESTINATION_REFUSED)):
            with self.assertRaises(RemoteProblem) as refused:
                self.handset.dial(number)
            self.assertTrue(refused.exception.of(code), refused.exception)
        self.assertEqual(self.handset.telephone.calls, [])

    def test_in(self) -> None:
        """Both ring; one answers; the other hears that."""
        line, here, there = self.rung()
        self.assertEqual((here.number, here.state, there.state), (STRANGER, RINGING, RINGING))
        there.answer()
        self.pump()
        self.assertEqual(len(line.answers), 1)
        line.take(None)
        self.pump()
        self.assertEqual((there.state, here.why), (ACTIVE, TelephoneEnd.ANSWERED_ELSEWHERE))
        listed = self.handset.do(self.handset.telephone.open_calls()).calls
        self.assertEqual([(each.here, each.number) for each in listed], [(False, STRANGER)])
        line.end()
        self.pump()
        self.assertIs(there.why, TelephoneEnd.HANGUP)

    def test_both_answer(self) -> None:
        """In the same moment: one of them has it."""
        line, here, there = self.rung()
        here.answer()
        there.answer()
        self.pump(5)
        self.assertEqual(len(line.answers), 1)
        self.assertEqual({here.why, there.why}, {None, TelephoneEnd.ANSWERED_ELSEWHERE})
        line.end()
        self.pump()

    def test_declined(self) -> None:
        line, here, there = self.rung()
        here.decline()
        self.pump()
        self.assertEqual((here.why, there.why), (TelephoneEnd.DECLINED, TelephoneEnd.DECLINED_ELSEWHERE))
        self.assertEqual(line.declined, 603)

    def test_missed(self) -> None:
        """Who calls gives up: it is in the list."""
        line, here, _ = self.rung()
        line.end(487)
        self.pump()
        self.assertIs(here.why, TelephoneEnd.HANGUP)
        [missed] = self.handset.do(self.handset.client.missed_calls()).calls
        self.assertEqual((missed.caller, missed.voicemail), (STRANGER, False))
        self.handset.do(self.handset.client.forget_missed_calls())
        self.assertEqual(self.handset.do(self.handset.client.missed_calls()).calls, [])

    def test_cut_while_dialling(self) -> None:
        """What the carrier said meanwhile is said again: the call goes on, answered."""
        call = self.handset.dial()
        self.handset.drop()
        self.carriers.calls[-1].take(ANSWER)
        self.pump()
        self.handset.back()
        self.assertIs(call.state, ACTIVE)
        call.hang_up()
        self.pump()

    def test_cut_while_it_goes_on(self) -> None:
        """It goes on; and one that ends meanwhile has ended for the same reason here."""
        for ends in (False, True):
            call = self.handset.dial()
            line = self.carriers.calls[-1]
            line.take(ANSWER)
            self.pump()
            self.handset.drop()
            self.pump(5)
            if ends:
                line.end()
            self.handset.back()
            self.pump(5)
            self.assertIs(call.why, TelephoneEnd.HANGUP if ends else None)
            call.hang_up()
            self.pump()
            self.assertTrue(line.over)

    def test_cut_while_it_rings(self) -> None:
        """It rings on when it is back, and can be answered."""
        line, here, _ = self.rung()
        self.handset.drop()
        self.pump()
        self.handset.back()
        self.assertEqual((len(self.handset.rang), here.state), (1, RINGING))
        here.answer()
        self.pump()
        self.assertEqual(len(line.answers), 1)
        line.end()
        self.pump()

    def test_no_balance(self) -> None:
        """It is said that it will end, and then it does."""
        call = self.handset.dial()
        self.carriers.calls[-1].take(ANSWER)
        seconds = 0
        while call.why is None:
            self.advance(10)
            self.pump()
            seconds += 10
            self.assertLess(seconds, 7200)
        self.assertEqual((call.why, call.ends), (TelephoneEnd.NO_BALANCE, True))
        assert call.bill is not None
        self.assertGreaterEqual(self.balance()[0], 0)


class SoundTests(LinkCase, HandsetCase):
    """With real sound: the carrier's side is aiortc that speaks G.711, as a bridge does."""

    def setUp(self) -> None:
        LinkCase.setUp(self)
        HandsetCase.setUp(self)

    def sounding(self, test: Callable[[Handset, Side], Awaitable[None]]) -> None:
        """With a third handset that has a voice; the node's time goes on by itself."""

        async def whole() -> None:
            side = Side(Tone(440))
            handset = Handset(self.world).take(side.studio)
            pumping = asyncio.ensure_future(self.go_on())
            try:
                await test(handset, side)
            finally:
                handset.client.close()
                await done_all(side)
                pumping.cancel()

        self.run_in_loop(whole)

    async def go_on(self) -> None:
        while True:
            self.world.clock.advance(0.05)
            await asyncio.sleep(0.01)

    def test_out(self) -> None:
        async def test(handset: Handset, side: Side) -> None:
            bridge = BridgeEnd(880)
            dialling: Any = handset.telephone.dial(LANDLINE)
            call: OutgoingTelephoneCall = await done(dialling)
            line = self.carriers.calls[-1]
            line.progress(await bridge.answer(line.sdp))
            await until(lambda: side.ear.hears(880) and bridge.ear.hears(440))
            self.assertIs(call.since, None)
            line.take(None)
            await until(lambda: call.state is ACTIVE)
            await until(lambda: side.ear.hears(880) and bridge.ear.hears(440))
            await bridge.close()
            line.end()
            await until(lambda: call.state is ENDED)
            self.assertIs(call.why, TelephoneEnd.HANGUP)

        self.sounding(test)

    def test_in(self) -> None:
        async def test(handset: Handset, side: Side) -> None:
            bridge = BridgeEnd(880)
            offer = await bridge.offer()
            exchange = self.world.domain.telephone.exchange
            line = self.carriers.ring(exchange, self.number, STRANGER, sdp=offer)
            await until(lambda: handset.rang)
            [call] = handset.rang
            call.answer()
            await until(lambda: line.answers)
            await bridge.answered(line.answers[0])
            line.take(None)
            await until(lambda: side.ear.hears(880) and bridge.ear.hears(440))
            self.assertIs(call.state, ACTIVE)
            call.hang_up()
            await until(lambda: line.over)
            await bridge.close()

        self.sounding(test)


async def done_all(side: Side) -> None:
    """Nothing is left of its links."""
    await side.studio.close()
