"""Calls through the SDK: they ring, are answered, go on without the node, and end for a reason."""

from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.client.calling.call import Call, CallChanged
from safeum_home.client.calling.call_state import CallState
from safeum_home.client.calling.calling import MOST_CALLS, new_id
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.link_machine import GRACE
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.events import Heard
from safeum_home.errors import Code
from safeum_home.protocol.call_types import ALIVE_SECONDS, LOST_SECONDS, RING_SECONDS, Media
from safeum_home.protocol.commands.calls import CallInvite
from safeum_home.protocol.events import CallInvitation
from tests.sdk_calls import ACTIVE, ENDED, RINGING, Caller, CallingCase, states


class CallTests(CallingCase):
    def test_call(self) -> None:
        """It rings, is answered, both see the same words, and it is over for both when one hangs up."""
        heard: list[Heard] = []
        self.ann.client.listen(heard.append)
        mine = self.ann.call(self.ben)
        (theirs,) = self.ben.rang
        self.assertEqual((mine.state, theirs.state), (RINGING, RINGING))
        self.assertEqual((theirs.peer, theirs.incoming), (self.ann.account, True))
        self.assertIsNone(mine.words)
        seen = states(theirs)
        theirs.answer()
        self.settle()
        self.assertEqual((mine.state, theirs.state), (ACTIVE, ACTIVE))
        self.assertIsNotNone(mine.words)
        self.assertEqual(mine.words, theirs.words)
        self.assertEqual(len(self.network.open), 2)
        mine.hang_up()
        self.assertEqual((mine.state, mine.why), (ENDED, CallEnd.HANGUP))
        self.settle()
        self.assertEqual((theirs.state, theirs.why), (ENDED, CallEnd.HANGUP))
        self.assertEqual(seen, [CallState.CONNECTING, ACTIVE, ENDED])
        self.assertIn(CallChanged(mine), heard)
        self.assertEqual(self.ann.client.calls + self.ben.client.calls, [])

    def test_waiting_for_a_state(self) -> None:
        """A program can wait for what it is for; the end comes in place of what never will."""
        mine = self.ann.call(self.ben)
        active, ringing = mine.reached(ACTIVE), mine.reached(RINGING)
        assert isinstance(active, Deferred) and isinstance(ringing, Deferred)
        self.assertIs(self.successResultOf(ringing), RINGING)
        self.assertNoResult(active)
        self.ben.rang[0].decline()
        self.settle()
        self.assertIs(self.successResultOf(active), ENDED)

    def test_no_address_before_the_answer(self) -> None:
        """Who merely calls is told nothing but keys: no link is made on the other side."""
        self.ann.call(self.ben)
        self.assertEqual(self.ben.source.links, [])

    def test_declined(self) -> None:
        """And busy."""
        for busy, why in ((False, CallEnd.DECLINED), (True, CallEnd.BUSY)):
            mine = self.ann.call(self.ben)
            self.ben.rang[-1].decline(busy=busy)
            self.settle()
            self.assertEqual((mine.why, self.ben.rang[-1].why), (why, why))

    def test_given_up(self) -> None:
        """Whoever calls hangs up before anybody answers."""
        mine = self.ann.call(self.ben)
        mine.hang_up()
        self.settle()
        self.assertEqual(self.ben.rang[0].why, CallEnd.HANGUP)
        self.assertRaises(RemoteProblem, self.ben.rang[0].answer)

    def test_no_answer(self) -> None:
        """It rings for so long."""
        mine = self.ann.call(self.ben)
        self.settle(RING_SECONDS + 1)
        self.assertEqual((mine.why, self.ben.rang[0].why), (CallEnd.NO_ANSWER, CallEnd.NO_ANSWER))

    def test_refused(self) -> None:
        """What the node does not take is raised, and leaves nothing behind."""
        cay = self.register("cay").take_calls()
        problem = self.assertRaises(RemoteProblem, self.ann.do, self.ann.client.start_call(cay.account))
        self.assertTrue(problem.of(Code.NOT_A_CONTACT))
        self.assertEqual(self.ann.client.calls, [])

    def test_answered_elsewhere(self) -> None:
        """All devices ring, one answers, and the other is told."""
        second = self.login("ben")
        mine = self.ann.call(self.ben)
        self.assertEqual((len(self.ben.rang), len(second.rang)), (1, 1))
        second.rang[0].answer()
        self.settle()
        self.assertEqual((mine.state, second.rang[0].state), (ACTIVE, ACTIVE))
        self.assertEqual(self.ben.rang[0].why, CallEnd.ANSWERED_ELSEWHERE)
        self.assertEqual(mine.words, second.rang[0].words)
        self.assertEqual(self.ben.source.links, [])

    def test_both_answer(self) -> None:
        """The first is taken; the other is over, and never connected."""
        second = self.login("ben")
        mine = self.ann.call(self.ben)
        self.ben.rang[0].answer()
        second.rang[0].answer()
        self.settle()
        self.assertIs(mine.state, ACTIVE)
        ends = sorted((call.state.value, call.why) for call in (self.ben.rang[0], second.rang[0]))
        self.assertEqual([state for state, _ in ends], ["active", "ended"])

    def test_wrong_state(self) -> None:
        """One's own call is not answered."""
        mine = self.ann.call(self.ben)
        problem = self.assertRaises(RemoteProblem, mine.answer)
        self.assertTrue(problem.of(Code.WRONG_CALL_STATE))
        self.assertIs(mine.state, RINGING)

    def test_glare(self) -> None:
        """Who call each other at the same moment are connected, without that anybody answers."""
        first, second = (
            Deferred.fromCoroutine(_start(one, other))
            for one, other in ((self.ann, self.ben), (self.ben, self.ann))
        )
        self.settle(2)
        calls = [self.successResultOf(first), self.successResultOf(second)]
        (lost,) = (call for call in calls if call.why is CallEnd.REPLACED)
        (won,) = (call for call in calls if call is not lost)
        self.assertIs(won.state, ACTIVE)
        (taken,) = (call for call in self.ann.rang + self.ben.rang if call.state is ACTIVE)
        self.assertEqual((taken.id, taken.words), (won.id, won.words))

    def test_call_waiting(self) -> None:
        """A second call rings while the first goes on, which it does not disturb."""
        cay = self.register("cay")
        cay.befriend(self.ben)
        cay.take_calls()
        mine, _ = self.talk()
        other = cay.call(self.ben)
        self.assertIs(self.ben.rang[-1].state, RINGING)
        self.ben.rang[-1].decline(busy=True)
        self.settle()
        self.assertEqual((other.why, mine.state), (CallEnd.BUSY, ACTIVE))

    def test_mute(self) -> None:
        """The other is told, and nothing is sent."""
        mine, theirs = self.talk(video=True)
        self.assertEqual((theirs.other_muted, theirs.other_shows), (False, True))
        mine.mute()
        mine.show(False)
        self.settle()
        self.assertEqual((theirs.other_muted, theirs.other_shows), (True, False))
        self.assertEqual(self.ann.source.links[0].sends, (False, False))

    def test_answered_without_pictures(self) -> None:
        """Whoever takes a video call need not show anything."""
        mine = self.ann.call(self.ben, video=True)
        self.ben.rang[0].answer(video=False)
        self.settle()
        self.assertEqual((mine.state, mine.other_shows), (ACTIVE, False))
        self.assertEqual(self.ben.source.links[0].sends, (True, False))

    def test_many(self) -> None:
        """A device rings for so many at once, whatever its node tells it."""
        hello = self.ben.client._takes_calls().opening(1).hello
        for _ in range(MOST_CALLS + 5):
            event = CallInvitation(new_id(), self.ann.account, "D" * 17, Media.AUDIO, hello, 45.0)
            self.ben.client._hear(event)
        self.assertEqual(len(self.ben.client.calls), MOST_CALLS)

    def test_without_take_calls(self) -> None:
        """A program that has not said that it takes calls neither rings nor calls."""
        silent = self.login("ann")
        quiet = type(silent)(self.world, self.network)
        quiet.login("ben")
        self.ann.call(self.ben)
        self.assertEqual(quiet.client.calls, [])
        self.assertRaises(RemoteProblem, quiet.client.start_call, self.ann.account)
        self.assertRaises(RemoteProblem, self.ann.client.take_calls, self.ann.source)
        quiet.client.close()


async def _start(one: Caller, other: Caller) -> Call:
    return await one.client.start_call(other.account)


class AwayTests(CallingCase):
    """The node is away, or one of the two is."""

    def test_media_goes_on(self) -> None:
        """Without a connection to the node a call goes on, and both hang up through the media."""
        mine, theirs = self.talk()
        self.ann.drop()
        self.ben.drop()
        self.settle(ALIVE_SECONDS * 5)
        self.assertEqual((mine.state, theirs.state), (ACTIVE, ACTIVE))
        mine.hang_up()
        self.settle(10)
        self.assertEqual((theirs.state, theirs.why), (ENDED, CallEnd.HANGUP))

    def test_alive(self) -> None:
        """The node is told that it goes on, also where it has forgotten it: then it ends through the node."""
        mine, theirs = self.talk()
        self.settle(LOST_SECONDS * 2)
        self.assertEqual(self.legs, 2)
        for each in (self.ann, self.ben):
            each.drop()
        self.settle(LOST_SECONDS + 1)
        self.assertEqual(self.legs, 0)
        for each in (self.ann, self.ben):
            each.back()
        self.settle(1)
        self.assertEqual((self.legs, mine.state, theirs.state), (2, ACTIVE, ACTIVE))
        self.network.blocked = True  # what is closed is not told to the other side
        mine.hang_up()
        self.settle()
        self.assertEqual((self.legs, theirs.why), (0, CallEnd.HANGUP))

    @property
    def legs(self) -> int:
        """Halves of calls at the node."""
        return self.world.domain.calls.legs.count

    def test_new_link_meanwhile(self) -> None:
        """Where the media fails as well, another link is found once the node is there again."""
        mine, theirs = self.talk()
        words = mine.words
        self.ann.drop()
        self.network.cut()
        self.settle(3)
        self.assertIs(mine.state, CallState.CONNECTING)
        self.ann.back()
        self.settle(30)
        self.assertEqual((mine.state, theirs.state, mine.words), (ACTIVE, ACTIVE, words))

    def test_failed_for_good(self) -> None:
        """A call for which no way is found ends, at both ends."""
        mine, theirs = self.talk()
        self.network.blocked = True
        self.network.cut()
        self.settle(150)
        self.assertEqual((mine.why, theirs.why), (CallEnd.FAILED, CallEnd.FAILED))

    def test_rings_after_coming_back(self) -> None:
        """A device that connects while it rings does, and answers."""
        self.ben.drop()
        self.settle(1)
        mine = self.ann.call(self.ben)
        self.assertIs(mine.state, CallState.CALLING)
        self.ben.back()
        self.settle(1)
        self.ben.rang[0].answer()
        self.settle()
        self.assertIs(mine.state, ACTIVE)

    def test_caller_comes_back(self) -> None:
        """Whoever calls may be away for a moment, and misses nothing."""
        mine = self.ann.call(self.ben)
        self.ann.drop()
        self.ben.rang[0].answer()
        self.settle(2)
        self.ann.back()
        self.settle(30)
        self.assertEqual((mine.state, self.ben.rang[0].state), (ACTIVE, ACTIVE))

    def test_given_again(self) -> None:
        """Whoever comes back while it rings gives the same call again: its node may have forgotten it."""
        routes: Any = self.world.services.routes
        invites: list[CallInvite] = []
        taken = routes[CallInvite]

        def invited(caller: object, params: CallInvite) -> object:
            invites.append(params)
            return taken(caller, params)

        routes[CallInvite] = invited
        mine = self.ann.call(self.ben)
        self.ann.drop()
        self.ann.back()
        self.settle(1)
        self.assertEqual(invites, [invites[0]] * 2)
        self.assertIs(mine.state, RINGING)

    def test_forgotten_while_it_rings(self) -> None:
        """A call that has ended meanwhile is over."""
        mine = self.ann.call(self.ben)
        self.ann.drop()
        self.settle(20)
        self.ann.back()
        self.settle(1)
        self.assertEqual((mine.state, mine.why), (ENDED, CallEnd.LOST))

    def test_closed(self) -> None:
        """A client that is closed leaves its calls, and keeps no keys."""
        mine, theirs = self.talk()
        launch = self.ann.client._takes_calls().launch
        self.ann.client.close()
        self.settle(GRACE + 1)
        self.assertEqual((mine.why, theirs.why), (CallEnd.CLOSED, CallEnd.HANGUP))
        self.assertTrue(launch.signing.wiped)
        self.assertRaises(RemoteProblem, self.ann.client.take_calls, self.ann.source)

    def test_logged_out(self) -> None:
        """So does one whose session the node ends."""
        mine, _ = self.talk()
        other = self.login("ann")
        assert self.ann.client.opened is not None
        other.do(other.client.revoke(self.ann.client.opened.device))
        self.settle(10)
        self.assertIs(mine.state, ENDED)
