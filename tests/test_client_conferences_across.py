"""Conferences of the SDK with people at three nodes, of which some go away, or are started anew."""

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.calling.conference import Conference
from safeum_home.client.calling.conference_machine import ConferenceStage
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.link import LinkState
from safeum_home.client.calling.media import Flow
from safeum_home.protocol.commands.calls import RelayCredentials, TurnCredentials
from tests.across_case import befriend_across
from tests.calls_media import FakeNetwork
from tests.nodes import NOW_STEP, Nodes
from tests.sdk_calls import Caller

A, B, C = "a.example", "b.example", "c.example"
NAMES = ((A, "alice"), (B, "bob"), (C, "carol"))


class AcrossTests(SynchronousTestCase):
    """Alice, whose node orders the group, Bob and Carol, at three nodes; Bob and Carol are strangers."""

    def setUp(self) -> None:
        self.nodes = Nodes(A, B, C)
        self.network = FakeNetwork()
        self.clocks: list[Clock] = []
        self.people: list[Caller] = []
        known: list[Any] = []
        for node, name in NAMES:
            person = Caller(self.nodes[node], self.network)
            self.routes(node)
            person.register(name)
            opened = person.client.opened
            assert opened is not None
            known.append(
                SimpleNamespace(world=self.nodes[node], account=opened.account, address=opened.address)
            )
            self.people.append(person)
        self.alice, self.bob, self.carol = self.people
        befriend_across(known[0], known[1])
        befriend_across(known[0], known[2])
        for person in self.people:
            person.take_calls()
        self.addCleanup(self._close)
        invited = [each.account for each in self.people[1:]]
        self.chat: str = self.alice.do(self.alice.client.create_group("Walks", invited)).chat.chat
        self.nodes.settle()
        for person in self.people[1:]:
            accepted = person.client.accept_invitation(self.chat)
            self.now(1)
            self.nodes.settle()
            self.now(1)
            self.successResultOf(accepted)  # type: ignore[arg-type]  # it is a Deferred here

    def routes(self, node: str) -> None:
        """This node has no relay."""
        routes: Any = self.nodes[node].services.routes
        routes[TurnCredentials] = lambda _caller, _params: RelayCredentials([], "", "", 0)

    def _close(self) -> None:
        for person in self.people:
            person.client.close()
        self.now(1)
        self.assertEqual([link for link in self.network.links if not link.closed], [])

    def now(self, seconds: float = 2.0) -> None:
        """Time passes, for clients whose node was started anew as well."""
        for _ in range(round(seconds / NOW_STEP)):
            for clock in self.clocks:
                clock.advance(NOW_STEP)
            self.nodes.now(NOW_STEP)

    def join(self, *people: Caller) -> list[Conference]:
        found = []
        for person in people:
            joining = person.client.conference(self.chat)
            self.now()
            found.append(self.successResultOf(joining))
        self.now(5)
        return found

    def whole(self, conferences: list[Conference]) -> None:
        """Each is connected with each other one."""
        for conference in conferences:
            self.assertEqual(conference.stage, ConferenceStage.JOINED, conference.why)
            states = [(peer.state, peer.wrong) for peer in conference.peers]
            self.assertEqual(states, [(LinkState.CONNECTED, "")] * (len(conferences) - 1))

    def restart(self, node: str, person: Caller, greets: bool = True) -> None:
        """A node is started anew, and says so to the others where it `greets` them."""
        person.drop()
        self.clocks.append(self.nodes[node].clock)
        self.nodes.restart(node)
        self.routes(node)
        person._world = self.nodes[node]
        for name, world in self.nodes.worlds.items():
            if name != node and greets:
                for kind in world.domain.expiring:
                    kind.back(node)
        person.back()

    def test_three(self) -> None:
        conferences = self.join(*self.people)
        self.whole(conferences)
        self.assertEqual(len(self.network.open), 6)
        conferences[0].leave()
        self.now()
        self.whole(conferences[1:])

    def test_nodes_started_anew(self) -> None:
        """One after the other: media go on, and who leaves then is told to have left."""
        conferences = self.join(*self.people)
        links = list(self.network.open)
        for (node, _), person in zip(NAMES, self.people, strict=True):
            self.restart(node, person)
            self.now(45)
            self.whole(conferences)
        self.assertEqual(self.network.open, links)
        conferences[2].leave()
        self.now()
        self.whole(conferences[:2])

    def test_a_node_is_away(self) -> None:
        """For longer than that is taken for a moment: it is joined anew."""
        conferences = self.join(*self.people)
        self.nodes.away.add(C)
        self.now(90)
        self.whole(conferences[:2])
        self.nodes.away.clear()
        self.now(60)
        self.whole(conferences)

    def test_the_hub_is_away(self) -> None:
        """The others, who know each other's way, find it anew without it; later all are in it again."""
        conferences = self.join(*self.people)
        self.nodes.away.add(A)
        self.now(100)
        self.assertEqual(conferences[0].peers, [])
        links = [
            link for link in self.network.open if link in self.bob.source.links + self.carol.source.links
        ]
        self.assertEqual(len(links), 2)
        for link in links:
            link.set(Flow.FAILED)
        self.now(10)
        for conference, other in ((conferences[1], self.carol), (conferences[2], self.bob)):
            states = {peer.account: peer.state for peer in conference.peers}
            self.assertEqual(states[other.account], LinkState.CONNECTED)
            self.assertEqual(states[self.alice.account], LinkState.OVER)
        self.nodes.away.clear()
        self.now(120)
        self.whole(conferences)

    def test_another_one_at_the_hub(self) -> None:
        """Where the hub has forgotten theirs, and somebody has begun another one, all are in that."""
        conferences = self.join(self.bob, self.carol)
        self.restart(A, self.alice, greets=False)
        conferences += self.join(self.alice)
        self.now(60)
        self.whole(conferences)
        self.assertEqual({each.id for each in conferences}, {conferences[2].id})
        self.assertIsNot(conferences[0].why, CallEnd.REPLACED)
