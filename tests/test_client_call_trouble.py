"""Calls in bad weather: what is lost, started anew, given up or closed is no attack, and rings for nobody."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError

from safeum_home.client.calling.call_state import CallState
from safeum_home.client.calling.calling import new_id
from safeum_home.client.calling.channel import MOST_TRIES, TRY_SECONDS
from safeum_home.client.calling.directory import Bound
from safeum_home.client.calling.early import MOST, EarlyRings
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.glare import WITHIN
from safeum_home.protocol.call_types import Ended, Media
from safeum_home.protocol.events import CallEnded, CallInvitation
from tests.sdk_calls import ACTIVE, ENDED, RINGING, Caller, CallingCase

STRANGER = "@" + "q" * 26 + ":home.example"


class WeatherTests(CallingCase):
    def started_anew(self, token: str | None, *, later: bool = False) -> Caller:
        """A device of somebody, whose program was started anew; `later`: it takes calls once it is there."""
        again = Caller(self.world, self.network)
        self.callers.append(again)
        if not later:
            again.take_calls()
        assert token is not None
        again.do(again.client.resume(token))
        if later:
            again.take_calls()
        self.settle()
        return again

    def asleep(self) -> tuple[Caller, str | None]:
        """Ben's telephone, whose program was killed; and its token."""
        phone = self.login("ben")
        token = phone.client._token
        phone.drop()
        return phone, token

    def test_connection_breaks_after_the_answer(self) -> None:
        """The reveal is lost, and what comes behind it is not taken for somebody else's."""
        mine = self.ann.call(self.ben)
        (theirs,) = self.ben.rang
        write, wire = self.ben.wire.write, self.ben.wire

        def breaks(frame: bytes) -> None:
            if b'"call.signal"' in frame:
                self.ben.drop()
            else:
                write(frame)

        wire.write = breaks  # type: ignore[method-assign]
        theirs.answer()
        self.settle(0.3)
        self.assertTrue(wire.over)
        self.ben.back()
        mine.mute()
        self.settle(30)
        self.assertEqual((mine.state, theirs.state), (ACTIVE, ACTIVE), theirs.wrong)
        self.assertTrue(theirs.other_muted)

    def test_started_by_the_wake(self) -> None:
        """Its keys of now count, not those that the directory had when it began to ring."""
        _, token = self.asleep()
        mine = self.ann.call(self.ben)
        (rings,) = self.started_anew(token).rang
        rings.answer()
        self.settle(2)
        self.assertEqual((mine.state, rings.state, mine.bound), (ACTIVE, ACTIVE, Bound.NONE), mine.wrong)

    def test_takes_calls_later(self) -> None:
        """What rang as the session began rings once the program takes calls."""
        _, token = self.asleep()
        mine = self.ann.call(self.ben)
        rang = self.started_anew(token, later=True).rang
        self.assertEqual([call.id for call in rang], [mine.id])
        rang[0].answer()
        self.settle(2)
        self.assertIs(mine.state, ACTIVE)

    def test_listens_later(self) -> None:
        """And whoever begins to listen is told what rings already."""
        self.ann.call(self.ben)
        rang: list[object] = []
        self.ben.client.on_call(rang.append)
        self.assertEqual(rang, self.ben.rang)

    def test_own_clock(self) -> None:
        """Somebody whose clock is wrong cannot tell whose keys they are; that is no attack."""
        cay = self.register("cay", seed=9)
        cay.befriend(self.ann)
        cay.take_calls()
        right = self.ann.client._milliseconds
        calling = self.ann.client._takes_calls()
        calling.means.directory._milliseconds = lambda: right() - 2 * 3600 * 1000
        mine = self.ann.call(cay)
        cay.rang[0].answer()
        self.settle(3)
        self.assertIs(mine.why, CallEnd.FAILED)
        self.assertIn("clock", mine.wrong)


class EarlyTests(CallingCase):
    def test_bounds(self) -> None:
        """So many are kept, for as long as they ring."""
        early = EarlyRings(self.world.clock.seconds)
        calls = [new_id() for _ in range(MOST + 2)]
        for call in calls:
            early.take(CallInvitation(call, STRANGER, "D" * 17, Media.AUDIO, "", 45.0))
        early.take(CallEnded(calls[0], Ended.HANGUP))
        self.world.clock.advance(40)
        given: list[Any] = early.give()
        self.assertEqual(
            [(each.call, each.seconds) for each in given], [(call, 5.0) for call in calls[1:MOST]]
        )
        self.assertEqual(early.give(), [])
        early.take(CallInvitation(calls[0], STRANGER, "D" * 17, Media.AUDIO, "", 45.0))
        self.world.clock.advance(46)
        self.assertEqual(early.give(), [])


class GivenUpTests(CallingCase):
    def test_cancelled(self) -> None:
        """A call that its program does not wait for any more is over, and rings for nobody."""
        started = self.ann.client.start_call(self.ben.account)
        started.cancel()
        self.failureResultOf(started, CancelledError)
        self.settle()
        self.assertEqual((self.ann.client.calls, self.ben.client.calls), ([], []))
        self.assertEqual([call.why for call in self.ben.rang], [CallEnd.HANGUP] * len(self.ben.rang))
        self.assertEqual(self.world.domain.calls.legs.count, 0)

    def test_not_answered_by_the_node(self) -> None:
        """The same where nobody knows whether it rings."""
        wire, send = self.ann.wire, self.ann.wire.write
        wire.write = lambda frame: None if b'"seconds"' in frame else send(frame)  # type: ignore[method-assign]
        started = self.ann.client.start_call(self.ben.account)
        self.settle(31)
        self.failureResultOf(started)
        self.assertEqual((self.ann.client.calls, self.ben.client.calls), ([], []))

    def test_closed(self) -> None:
        """A program that is closed while it rings does not decline for the other devices, and the caller."""
        phone = self.login("ben")
        mine = self.ann.call(self.ben)
        wire = phone.wire
        wire.send = wire.receive  # type: ignore[method-assign]  # what is written before the close arrives
        phone.client.close()
        self.settle()
        self.assertEqual((mine.state, self.ben.rang[0].state, phone.rang[0].state), (RINGING, RINGING, ENDED))

    def test_not_heard(self) -> None:
        """Nor does one that the node does not hear."""
        phone = self.login("ben")
        wire, send = phone.wire, phone.wire.send
        wire.send = lambda payload: None if b'"call.ringing"' in payload else send(payload)  # type: ignore[method-assign]
        mine = self.ann.call(self.ben)
        self.settle(31)
        self.assertIs(phone.rang[0].state, ENDED)
        self.assertEqual((mine.state, self.ben.rang[0].state), (RINGING, RINGING))


class BoundTests(CallingCase):
    """How often one account may have this device show its keys."""

    def test_one_does_not_use_up_what_others_have(self) -> None:
        cay = self.register("cay")
        cay.befriend(self.ben)
        cay.take_calls()
        for _ in range(MOST_TRIES + 4):
            self.ann.call(self.ben).hang_up()
            self.settle(0.05)
        self.assertEqual(len(self.ben.rang), MOST_TRIES)
        cay.call(self.ben)
        self.assertEqual((len(self.ben.rang), self.ben.rang[-1].peer), (MOST_TRIES + 1, cay.account))

    def test_rings_later(self) -> None:
        """A person who calls once too often waits for a moment."""
        for _ in range(MOST_TRIES):
            self.ann.call(self.ben).hang_up()
            self.settle(0.05)
        mine = self.ann.call(self.ben)
        self.assertIs(mine.state, CallState.CALLING)
        self.settle(TRY_SECONDS)
        self.assertIs(mine.state, RINGING)
        self.ben.rang[-1].answer()
        self.settle()
        self.assertIs(mine.state, ACTIVE)


class HostileTests(CallingCase):
    def invite(self, account: str, call: str) -> list[object]:
        """The calls with this id, once Ann's node has said that somebody calls."""
        hello = self.ben.client._takes_calls().opening(1).hello
        event = CallInvitation(call, account, "D" + "x" * 16, Media.VIDEO, hello, 45.0)
        self.ann.client._hear(event)
        return [each.state for each in self.ann.client.calls if each.id == call]

    def replaced(self, later: float, change: Callable[[str], str]) -> list[object]:
        """The same, where a call of Ann's was replaced before."""
        mine = self.ann.call(self.ben)
        self.ann.client._hear(CallEnded(mine.id, Ended.REPLACED))
        self.settle(later)
        return self.invite(self.ben.account, change(mine.id))

    def test_glare(self) -> None:
        """What has replaced one's own call has the lower id, and comes at once."""
        self.assertEqual(self.replaced(1, lambda _: "-" * 22), [CallState.CONNECTING])

    def test_no_glare(self) -> None:
        """Nothing else is taken by itself."""
        self.assertEqual(self.replaced(1, lambda _: "z" * 22), [RINGING])
        self.assertEqual(self.replaced(WITHIN + 1, lambda _: "-" * 22), [RINGING])

    def test_strangers(self) -> None:
        """Nobody rings who is no contact, whatever the node says."""
        self.assertEqual(self.invite(STRANGER, new_id()), [])
        self.assertEqual(self.invite(self.ben.account, new_id()), [RINGING])
