"""Calls through the SDK between people of two nodes."""

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.calling.call import Call
from safeum_home.client.calling.call_state import CallState
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.link_machine import GRACE
from safeum_home.ids import AccountId
from safeum_home.protocol.commands.calls import RelayCredentials, TurnCredentials
from tests.across_case import A, B, befriend_across
from tests.calls_media import FakeNetwork
from tests.nodes import Nodes
from tests.sdk_calls import ACTIVE, ENDED, Caller


class AcrossTests(SynchronousTestCase):
    """Alice and Bob each have a device, at a node each, and identities."""

    def setUp(self) -> None:
        self.nodes = Nodes(A, B)
        self.network = FakeNetwork()
        self.alice = Caller(self.nodes[A], self.network, 1)
        self.bob = Caller(self.nodes[B], self.network, 2)
        people: list[Any] = []
        for name, device in ((A, self.alice), (B, self.bob)):
            routes: Any = self.nodes[name].services.routes
            routes[TurnCredentials] = lambda _caller, _params: RelayCredentials([], "", "", 0)
            device.register("alice" if name == A else "bob")
            opened = device.client.opened
            assert opened is not None
            people.append(
                SimpleNamespace(world=self.nodes[name], account=opened.account, address=opened.address)
            )
        befriend_across(*people)
        for device in (self.alice, self.bob):
            device.do(device.client.load())
            device.take_calls()
        self.addCleanup(self._close)

    def _close(self) -> None:
        for device in (self.alice, self.bob):
            device.client.close()
        self.settle()
        self.assertEqual([link for link in self.network.links if not link.closed], [])

    def settle(self, seconds: float = 5.0) -> None:
        self.nodes.now(seconds)

    def call(self, caller: Caller, callee: Caller) -> tuple[Call, Call]:
        """Somebody calls: both ends of the call, which rings."""
        started = caller.client.start_call(callee.account)
        self.settle()
        mine = self.successResultOf(started)
        self.assertIs(mine.state, CallState.RINGING)
        return mine, callee.rang[-1]

    def talk(self, caller: Caller, callee: Caller) -> tuple[Call, Call]:
        mine, theirs = self.call(caller, callee)
        theirs.answer()
        self.settle()
        self.assertEqual((mine.state, theirs.state), (ACTIVE, ACTIVE), (mine.wrong, theirs.wrong))
        return mine, theirs

    def test_call(self) -> None:
        """In both directions: bound keys, the same words, and an end that both hear of."""
        for caller, callee in ((self.alice, self.bob), (self.bob, self.alice)):
            mine, theirs = self.talk(caller, callee)
            self.assertEqual(mine.words, theirs.words)
            theirs.hang_up()
            self.settle()
            self.assertEqual((mine.why, theirs.why), (CallEnd.HANGUP, CallEnd.HANGUP))

    def test_declined(self) -> None:
        mine, theirs = self.call(self.alice, self.bob)
        theirs.decline(busy=True)
        self.settle()
        self.assertEqual(mine.why, CallEnd.BUSY)

    def test_forgotten_by_the_node(self) -> None:
        """A node that tells of a call again may have forgotten that the device rings: it says so again."""
        mine, theirs = self.call(self.alice, self.bob)
        [leg] = self.nodes[B].domain.calls.legs.of(AccountId(self.bob.account))
        leg.without(lambda device: True)
        self.assertEqual(leg.rings, {})
        leg.call_in()
        self.settle()
        self.assertEqual(len(self.bob.rang), 1)
        theirs.answer()
        self.settle()
        self.assertEqual((mine.state, theirs.state), (ACTIVE, ACTIVE))

    def test_nodes_away_from_each_other(self) -> None:
        """What goes on goes on, and ends with the media."""
        mine, theirs = self.talk(self.alice, self.bob)
        self.alice.drop()
        self.settle(10)
        self.assertEqual((mine.state, theirs.state), (ACTIVE, ACTIVE))
        mine.hang_up()
        self.settle(GRACE + 1)
        self.assertIs(theirs.state, ENDED)

    def test_both_call(self) -> None:
        """Who call each other at the same moment are connected."""
        started = [
            self.alice.client.start_call(self.bob.account),
            self.bob.client.start_call(self.alice.account),
        ]
        self.settle(10)
        calls = [self.successResultOf(each) for each in started]
        self.assertEqual(sorted(str(call.why) for call in calls), ["CallEnd.REPLACED", "None"])
        self.assertEqual({call.state for call in calls}, {ACTIVE, ENDED})
