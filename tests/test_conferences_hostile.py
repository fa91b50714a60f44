"""Conferences against devices that flood, and nodes that lie: nothing of it counts, and memory is bounded."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred

from safeum_home.calls.conferences import here, hub
from safeum_home.errors import Problem
from safeum_home.ids import AccountId, ChatId, system_account
from safeum_home.protocol.call_types import MOST_SIGNAL, RING_SECONDS, Ended, Media
from safeum_home.protocol.commands.conferences import Participant
from safeum_home.protocol.federation.conferences import (
    RINGS,
    ROSTER,
    SEATS,
    SIGNAL,
    ConferenceOf,
    RingsContent,
    Roster,
    Seat,
    SeatsContent,
    SignalContent,
)
from safeum_home.protocol.federation.events import new_event
from tests.conference_case import call_id, join, start, told
from tests.conferences_across_case import ConferencesAcrossCase
from tests.groups_across_case import A, B, C
from tests.nodes import say_now
from tests.world import Client


class HostileCase(ConferencesAcrossCase):
    """Alice, Bob and Carol, of three nodes, are in a conference of the group that Alice's node orders."""

    def setUp(self) -> None:
        super().setUp()
        self.call = self.begin(self.alice, self.bob, self.carol)
        self.before = self.tables()

    def says(
        self, node: str, to: str, type: str, of: Struct, sender: str = "", at: int = 0, chat: str = ""
    ) -> bool:
        """A node tells another one something; whether that was taken."""
        when = at or int(self.nodes[to].clock.seconds() * 1000) + 1
        plain, who = msgspec.to_builtins(of), AccountId(sender or system_account(node))
        return say_now(self.nodes, node, to, new_event(type, who, when, plain, ChatId(chat or self.chat)))

    def asks(self, node: str, question: Struct) -> Any:
        """A node asks the hub something; the answer, or the code where it is refused."""
        answers: Mapping[Any, Any] = self.nodes[A].domain.answers
        done: list[Any] = []
        Deferred.fromCoroutine(answers[type(question)](node, question)).addBoth(done.append)
        if isinstance(done[0], Struct):
            return done[0]
        done[0].trap(Problem)
        return done[0].value.code.code

    def seat(self, client: Client, call: str = "", **more: Any) -> Seat:
        asked = {"chat": self.chat, "hello": "h", "at": self.at(), "media": Media.AUDIO, **more}
        return Seat(call=call or self.call, account=client.account, device=client.device, **asked)

    def one(self, client: Client, since: int = 1) -> Participant:
        return Participant(client.account, client.device, "h", since)

    def at(self) -> int:
        return int(self.nodes[A].clock.seconds() * 1000) + 1

    def mine(self, node: str, client: Client) -> Participant:
        """What a node has of a device of its own."""
        found: Participant = self.table(node).mine[AccountId(client.account)].participant
        return found

    def roster_of(self, *participants: Participant, **more: Any) -> Roster:
        about = {"call": self.call, "media": Media.AUDIO, "version": 2**50, "heard": 2**50, **more}
        return Roster(participants=list(participants), **about)

    def nothing_came(self) -> None:
        """Nobody was told anything, and it is with everybody as before."""
        self.now()
        self.assertEqual([told(each) for each in self.everybody], [[]] * 5)
        self.assertEqual(self.tables(), self.before)


class HubTests(HostileCase):
    """What nodes say to a hub."""

    def test_seats_of_others(self) -> None:
        """A node gets none for accounts of another one, nor hears who is in it."""
        self.assertEqual(self.asks(B, self.seat(self.carol)), "not_found")
        self.assertEqual(self.asks(B, self.seat(self.amy)), "not_found")
        self.assertEqual(self.asks(B, ConferenceOf(self.chat, self.carol.account)), "not_found")
        self.nothing_came()

    def test_seats_of_strangers(self) -> None:
        eve = self.nodes[B].register("eve")
        self.assertEqual(self.asks(B, self.seat(eve)), "not_found")
        self.assertEqual(self.asks(B, ConferenceOf(self.chat, eve.account)), "not_found")
        self.nothing_came()

    def test_reports_of_others(self) -> None:
        """A node says nothing of accounts of another one."""
        self.says(B, A, SEATS, SeatsContent(self.call, Media.AUDIO, 0, [self.one(self.amy)]))
        self.assertFalse(
            self.says(B, A, SEATS, SeatsContent(self.call, Media.AUDIO, 0, [self.one(self.carol)]))
        )
        self.nothing_came()

    def test_reports_of_strangers(self) -> None:
        eve = self.nodes[C].register("eve")
        said = [self.one(self.carol), self.one(eve)]
        self.says(C, A, SEATS, SeatsContent(self.call, Media.AUDIO, 0, said))
        self.now()
        self.assertEqual(self.inside(self.amy), ["alice", "bob", "carol"])

    def test_a_conference_of_strangers(self) -> None:
        """Who says that there is one in a group of which it has no members begins none."""
        other = self.alice.call("group.create", client_id="g2", name="Two", invite=[])["chat"]["chat"]
        eve = self.nodes[B].register("eve")
        self.says(B, A, SEATS, SeatsContent(call_id(), Media.AUDIO, 0, [self.one(eve)]), chat=other)
        self.assertEqual(len(self.nodes[A].domain.conferences.hub), 1)

    def test_old_reports(self) -> None:
        """What a node has said before counts no more, nor what it has said before a device came."""
        self.says(C, A, SEATS, SeatsContent(self.call, Media.AUDIO, 0, []), at=1)
        self.nothing_came()
        before, bob = int(self.nodes[B].clock.seconds() * 1000), self.mine(B, self.bob)
        join(self.ben, self.chat, self.call)
        self.now()
        self.take()
        self.says(B, A, SEATS, SeatsContent(self.call, Media.AUDIO, 0, [bob]), at=before)
        self.now()
        self.assertEqual(self.inside(self.amy), ["alice", "bob", "carol", "ben"])

    def test_more_than_six(self) -> None:
        """However many a node says are in it: there are six."""
        people = [self.nodes[B].register(f"person-{number}") for number in range(6)]
        for person in people:
            self.befriend(self.alice, person)
            self.alice.call("group.invite", chat=self.chat, accounts=[person.account])
            self.settle()
            self.come(person, "group.accept", chat=self.chat)
        said = [self.one(person) for person in people]
        self.says(B, A, SEATS, SeatsContent(self.call, Media.AUDIO, 0, said))
        self.assertEqual(len(self.amy.call("conference.get", chat=self.chat)["accounts"]), 6)

    def test_from_the_future(self) -> None:
        """Who says that he will have come later, or came years ago, comes now."""
        for since in (self.at() + 10**9, 5):
            self.nodes.restart(A)
            answer = self.asks(B, self.seat(self.bob, since=since))
            self.assertLess(abs(answer.participants[0].since - self.at()), 2_000)

    def test_full(self) -> None:
        self.patch(hub, "MOST", 1)
        other = self.group(self.bob, name="Runs")
        params = {"call": call_id(), "chat": other, "media": "audio", "hello": "h"}
        self.refused("busy", self.bob, "conference.start", **params)
        self.patch(hub, "MOST", 10)
        self.patch(here, "MOST", 1)
        self.refused("busy", self.bob, "conference.start", **params)


class MemberTests(HostileCase):
    """What others say to a node of members."""

    def test_a_roster_of_no_hub(self) -> None:
        """Only the hub says who is in it."""
        self.assertFalse(self.says(B, C, ROSTER, self.roster_of()))
        self.assertFalse(self.says(B, C, ROSTER, self.roster_of(over=Ended.HANGUP)))
        self.assertFalse(self.says(B, A, ROSTER, self.roster_of()))
        self.nothing_came()

    def test_a_roster_with_strangers(self) -> None:
        """A hub says of members alone that they are in it, and nothing of the node's own accounts."""
        eve = self.nodes[A].register("eve")
        people = [self.one(each) for each in (self.alice, self.bob, eve, self.ben)]
        self.says(A, C, ROSTER, self.roster_of(*people, self.mine(C, self.carol)))
        table = self.table(C)
        self.assertEqual(sorted(self.named(table.people())), ["alice", "ben", "bob", "carol"])
        self.says(A, B, ROSTER, self.roster_of(*people))
        self.assertNotIn(self.ben.account, self.table(B).people())

    def test_too_many(self) -> None:
        """More than six are no roster."""
        people = [self.one(self.bob)] * 7
        self.assertFalse(self.says(A, C, ROSTER, self.roster_of(*people)))
        self.nothing_came()

    def test_an_old_roster(self) -> None:
        self.says(A, C, ROSTER, self.roster_of(version=1))
        self.nothing_came()

    def test_another_call(self) -> None:
        self.says(A, C, ROSTER, self.roster_of(call=call_id(), over=Ended.HANGUP))
        self.nothing_came()

    def test_a_ring_for_others(self) -> None:
        """Nobody rings but for who is a member, and a contact of those who ring, by the word of its node."""
        rings = RingsContent(call_id(), Media.AUDIO, 45_000)
        eve = self.nodes[B].register("eve")
        self.befriend(self.alice, eve)
        self.alice.call("call.hangup", call=self.call)
        self.take()
        self.assertFalse(self.says(B, A, RINGS, rings, eve.account))
        self.says(B, A, RINGS, rings, self.ben.account)
        self.now()
        self.assertEqual([told(self.alice), told(self.amy)], [[("rings", self.ben.account)], []])

    def test_a_ring_for_ever(self) -> None:
        """Nothing rings for longer than calls ring."""
        self.alice.call("call.hangup", call=self.call)
        said = RingsContent(call_id(), Media.AUDIO, 60_000)
        self.says(B, A, RINGS, said, self.ben.account)
        [event] = self.alice.take("conference.rings")
        self.assertLessEqual(event["params"]["seconds"], RING_SECONDS)

    def test_rings_again_and_again(self) -> None:
        self.alice.call("call.hangup", call=self.call)
        for _ in range(10):
            self.says(B, A, RINGS, RingsContent(call_id(), Media.AUDIO, 45_000), self.ben.account)
        self.assertEqual(len(self.alice.take("conference.rings")), 3)

    def signal(self, client: Client, to: Client, call: str = "", data: str = "d") -> SignalContent:
        return SignalContent(call or self.call, client.device, to.account, to.device, data)

    def test_signals(self) -> None:
        """They are of those who are in it, for those who are."""
        eve, tablet = self.nodes[B].register("eve"), self.nodes[B].login("bob")
        tablet.take()
        self.says(B, C, SIGNAL, self.signal(eve, self.carol), eve.account)
        self.says(B, C, SIGNAL, self.signal(self.ben, self.carol), self.ben.account)
        self.says(B, C, SIGNAL, self.signal(tablet, self.carol), self.bob.account)
        self.says(B, C, SIGNAL, self.signal(self.bob, self.carol, call=call_id()), self.bob.account)
        self.says(B, A, SIGNAL, self.signal(self.bob, self.amy), self.bob.account)
        self.now(6)
        self.nothing_came()

    def test_oversized(self) -> None:
        said = self.signal(self.bob, self.carol, data="d" * (MOST_SIGNAL + 1))
        self.assertFalse(self.says(B, C, SIGNAL, said, self.bob.account))
        self.refused(
            "invalid_params",
            self.bob,
            "call.signal",
            call=self.call,
            account=self.carol.account,
            device=self.carol.device,
            data="d" * (MOST_SIGNAL + 1),
        )
        self.nothing_came()

    def test_many_early_ones(self) -> None:
        """What waits for a roster is bounded."""
        join(self.ben, self.chat, self.call)
        self.nodes.peers[A].passing = {}
        for _ in range(100):
            self.says(B, C, SIGNAL, self.signal(self.ben, self.carol), self.ben.account)
        self.live(20, self.alice, self.bob, self.carol, self.ben)
        self.assertEqual(told(self.carol), [("joined", self.ben.account)])
        self.assertEqual(self.nodes[C].domain.conferences.signals.waiting, 0)


class FloodTests(ConferencesAcrossCase):
    limits: ClassVar[dict[str, Any]] = {
        "conferences_per_account": 0.1,
        "conferences_per_account_burst": 3,
        "conference_signals_per_account": 1.0,
        "conference_signals_per_account_burst": 5,
        "conferences_per_node": 1.0,
        "conferences_per_node_burst": 10,
        "conference_signals_per_node": 1.0,
        "conference_signals_per_node_burst": 6,
    }

    def test_begin(self) -> None:
        for _ in range(3):
            call = start(self.bob, self.chat)["call"]
            self.bob.call("call.hangup", call=call)
        params = {"call": call_id(), "chat": self.chat, "media": "audio", "hello": "h"}
        self.refused("rate_limited", self.bob, "conference.start", **params)

    def test_signals(self) -> None:
        """What an account says, and what a node passes on of all of its accounts."""
        call = self.begin(self.bob, self.carol, self.ben)
        about = {"call": call, "account": self.carol.account, "device": self.carol.device, "data": "d"}
        for client in (self.bob, self.ben):
            for _ in range(5):
                client.call("call.signal", **about)
            self.refused("rate_limited", client, "call.signal", **about)
        self.now()
        self.assertEqual(len(self.carol.take("call.signal")), 6)

    def test_a_node(self) -> None:
        answers: Mapping[Any, Any] = self.nodes[A].domain.answers
        codes = []
        for _ in range(20):
            done: list[Any] = []
            asked = answers[ConferenceOf](B, ConferenceOf(self.chat, self.bob.account))
            Deferred.fromCoroutine(asked).addBoth(done.append)
            codes.append("" if isinstance(done[0], Struct) else done[0].value.code.code)
        self.assertGreaterEqual(codes.count("rate_limited"), 10)
