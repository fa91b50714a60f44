"""Conferences where others ask too much, or were members once: those who are in one are left alone."""

from collections.abc import Callable
from typing import Any, ClassVar

from twisted.internet.defer import Deferred

from safeum_home.ids import ChatId
from safeum_home.node.conferences import ChatGroups
from safeum_home.protocol.call_types import Media
from safeum_home.protocol.federation.conferences import (
    RINGS,
    ROSTER,
    SEATS,
    ConferenceOf,
    RingsContent,
    SeatsContent,
)
from tests.conference_case import call_id, join, start, told
from tests.conferences_across_case import ConferencesAcrossCase
from tests.groups_across_case import A, B, C
from tests.test_conferences_hostile import HostileCase
from tests.world import Client, Refused


class RemovedTests(HostileCase):
    """Carol, the only one of her node, was removed from the group while she was in a conference."""

    def setUp(self) -> None:
        super().setUp()
        self.alice.call("group.remove", chat=self.chat, account=self.carol.account)
        self.settle()
        self.now(2)
        self.nodes.told_now.clear()

    def rosters(self) -> list[Any]:
        """What her node was told since."""
        return [e.content for _, to, e in self.nodes.told_now if to == C and e.type == ROSTER]

    def asks_on(self, call: str = "") -> None:
        self.says(C, A, SEATS, SeatsContent(call or self.call, Media.AUDIO, 0, []))
        self.says(C, A, SEATS, SeatsContent(call or self.call, Media.AUDIO, 1, [self.one(self.carol)]))
        self.now()

    def test_who_is_in_it(self) -> None:
        self.asks_on()
        join(self.ben, self.chat, self.call)
        self.now()
        self.asks_on()
        self.assertEqual(self.rosters(), [])

    def test_whether_there_is_one(self) -> None:
        """Neither by an id that it knows nor by any other."""
        for _ in range(2):
            self.asks_on(call_id())
            for each in (self.alice, self.bob):
                each.call("call.hangup", call=self.call)
            self.now()
        self.asks_on()
        self.assertEqual(self.rosters(), [])

    def test_members_are_told(self) -> None:
        """Whose node has a member is."""
        self.says(B, A, SEATS, SeatsContent(self.call, Media.AUDIO, 0, [self.mine(B, self.bob)]))
        self.now()
        self.assertIn((A, B), [(frm, to) for frm, to, event in self.nodes.told_now if event.type == ROSTER])


class LateTests(HostileCase):
    def test_what_was_to_be_told(self) -> None:
        """What has waited until the last member of a node was removed says no more than that it is over."""
        join(self.ben, self.chat, self.call)
        passing = dict(self.nodes.peers[A].passing)
        self.assertIn(C, [node for node, type, _ in passing if type == ROSTER])
        self.alice.call("group.remove", chat=self.chat, account=self.carol.account)
        kind = next(each for each in self.nodes[A].domain.expiring if each.type == ROSTER)
        subjects = [subject for node, type, subject in passing if (node, type) == (C, ROSTER)]
        [event] = kind.build(C, subjects)
        self.assertEqual((event.content["over"], event.content.get("participants", [])), ("lost", []))


class LookingTests(HostileCase):
    """A node asks and says whatever it can, and one of its accounts looks for conferences again and again."""

    limits: ClassVar[dict[str, Any]] = {
        "conferences_per_node": 1e-6,
        "conferences_per_node_burst": 30,
        "conference_looks_per_account": 1.0,
        "conference_looks_per_account_burst": 10,
        "conference_reports": 1.0,
        "conference_reports_burst": 10,
    }

    def until_refused(self, say: Callable[[], bool]) -> None:
        """Until the hub listens to nothing of the kind any more."""
        self.assertIn(False, [say() for _ in range(60)])

    def look(self) -> bool:
        return bool(self.asks(B, ConferenceOf(self.chat, self.ben.account)) != "rate_limited")

    def say_of_another(self) -> bool:
        """Of a group of which the hub has no conference."""
        other = self.alice.call("group.create", client_id="g2", name="Two", invite=[])["chat"]["chat"]
        return self.says(B, A, SEATS, SeatsContent(call_id(), Media.AUDIO, 0, []), chat=other)

    def ring(self) -> bool:
        return self.says(B, A, RINGS, RingsContent(call_id(), Media.AUDIO, 1000), self.ben.account)

    def report(self) -> bool:
        said = SeatsContent(self.call, Media.AUDIO, 0, [self.mine(B, self.bob), self.one(self.ben)])
        return self.says(B, A, SEATS, said)

    def test_an_account(self) -> None:
        """Its own node bounds that: another account of it is answered."""
        for _ in range(10):
            self.ben.call("conference.get", chat=self.chat)
        self.refused("rate_limited", self.ben, "conference.get", chat=self.chat)
        self.assertEqual(self.inside(self.bob), ["alice", "bob", "carol"])

    def test_others_stay(self) -> None:
        """Those of the node stay in their conference, and others of it get in."""
        for each in (self.look, self.say_of_another, self.ring):
            self.until_refused(each)
        self.live(100, self.alice, self.bob, self.carol)
        self.assertEqual([told(self.bob), told(self.carol)], [[], []])
        join(self.ben, self.chat, self.call)
        self.now()
        self.assertEqual(self.inside(self.amy), ["alice", "bob", "carol", "ben"])

    def test_many_reports(self) -> None:
        """Of a conference that goes on there is a bound too; another one has its own."""
        self.until_refused(self.report)
        self.assertTrue(self.says(C, A, SEATS, SeatsContent(self.call, Media.AUDIO, 0, [])))

    def test_many_rosters(self) -> None:
        """The hub is not believed without end either, and is heard of other groups."""
        said = self.roster_of(self.mine(B, self.bob), version=1)
        self.until_refused(lambda: self.says(A, B, ROSTER, said))
        rings = RingsContent(call_id(), Media.AUDIO, 1000)
        self.assertTrue(self.says(A, B, RINGS, rings, self.alice.account))


class HungUpTests(ConferencesAcrossCase):
    """Who hangs up before the hub has answered is in no conference, and nobody is rung."""

    def held(self, client: Client, method: str, call: str) -> tuple[Client, int]:
        """A command whose question to the hub waits, then a hangup; what is answered in the end."""
        peers = self.nodes.peers[B]
        ask, waiting = peers.ask, []

        def slow(node: str, question: Any, result: Any) -> Any:
            later: Deferred[Any] = Deferred()
            waiting.append((later, node, question, result))
            return later

        self.patch(peers, "ask", slow)
        more = {"media": "audio"} if method.endswith("start") else {}
        number = client.ask(method, call=call, chat=self.chat, hello="h", **more)
        client.call("call.hangup", call=call)
        self.patch(peers, "ask", ask)
        for later, *asked in waiting:
            ask(*asked).chainDeferred(later)
        return client, number

    def over(self, client: Client, number: int) -> None:
        refused = self.assertRaises(Refused, client.answer, number)
        self.assertEqual(refused.code, "call_over")

    def test_start(self) -> None:
        self.over(*self.held(self.bob, "conference.start", call_id()))
        self.now()
        self.assertEqual(self.inside(self.amy), [])
        self.assertEqual([told(each) for each in self.everybody], [[]] * 5)
        self.assertEqual(self.tables(), {A: [], B: [], C: []})

    def test_start_of_one_that_is_there(self) -> None:
        """The one that it would have been in has another id."""
        self.call = self.begin(self.alice)
        self.over(*self.held(self.bob, "conference.start", call_id()))
        self.now()
        self.assertEqual(self.inside(self.amy), ["alice"])

    def test_join(self) -> None:
        self.call = self.begin(self.alice, self.ben)
        self.over(*self.held(self.bob, "conference.join", self.call))
        self.now()
        self.assertEqual(self.inside(self.amy), ["alice", "ben"])
        join(self.bob, self.chat, self.call)
        self.now()
        self.assertEqual(self.inside(self.amy), ["alice", "ben", "bob"])

    def test_before_the_group_is_known(self) -> None:
        """At the hub, whose database is slow: nothing is asked of anybody."""
        group: Callable[..., Any] = ChatGroups.group
        waiting: list[Any] = []

        def slow(groups: ChatGroups, chat: ChatId) -> Any:
            later: Deferred[Any] = Deferred()
            waiting.append((later, groups, chat))
            return later

        self.patch(ChatGroups, "group", slow)
        call = call_id()
        number = self.alice.ask("conference.start", call=call, chat=self.chat, media="audio", hello="h")
        self.alice.call("call.hangup", call=call)
        self.patch(ChatGroups, "group", group)
        for later, *asked in waiting:
            group(*asked).chainDeferred(later)
        self.over(self.alice, number)
        self.assertEqual(self.nodes[A].domain.conferences.hub.begun, 0)

    def test_nothing_is_remembered(self) -> None:
        """A hangup of what was never asked for counts for nothing that comes."""
        call = call_id()
        self.bob.call("call.hangup", call=call)
        start(self.bob, self.chat, call)
        self.assertEqual(self.inside(self.bob), ["bob"])


class OctetTests(HostileCase):
    """What devices say to each other, in octets; and how often it rings."""

    limits: ClassVar[dict[str, Any]] = {
        "conference_octets_per_account": 1e-6,
        "conference_octets_per_account_burst": 60_000,
        "conference_octets_to_node": 1e-6,
        "conference_octets_to_node_burst": 70_000,
        "conference_rings": 1e-6,
        "conference_rings_burst": 1,
    }

    def say(self, client: Client, to: Client) -> None:
        about = {"call": self.call, "account": to.account, "device": to.device, "data": "d" * 20_000}
        client.call("call.signal", **about)

    def test_an_account(self) -> None:
        """It is told; others have theirs. The limit may change."""
        for _ in range(3):
            self.say(self.alice, self.bob)
        self.assertEqual(self.assertRaises(Refused, self.say, self.alice, self.carol).code, "rate_limited")
        self.say(self.carol, self.bob)
        self.nodes[A].domain.control.limits.set("conference_octets_per_account_burst", "80000")
        self.say(self.alice, self.carol)

    def test_a_node(self) -> None:
        """What is more for one other node is lost; another one is told."""
        join(self.amy, self.chat, self.call)
        self.now()
        self.take()
        for client in (self.alice, self.amy):
            for _ in range(2):
                self.say(client, self.bob)
            self.say(client, self.carol)
        self.now()
        self.assertEqual([len(each.take("call.signal")) for each in (self.bob, self.carol)], [3, 2])

    def test_rings(self) -> None:
        """As often as it is set, until that changes."""
        self.alice.call("call.hangup", call=self.call)
        self.take()
        limits = self.nodes[A].domain.control.limits
        for burst in ("1", "2"):
            limits.set("conference_rings_burst", burst)
            for _ in range(3):
                self.says(B, A, RINGS, RingsContent(call_id(), Media.AUDIO, 45_000), self.ben.account)
            self.assertEqual(len(self.alice.take("conference.rings")), 1)
