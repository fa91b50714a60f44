"""Calls in a group whose members are at three nodes: the same for all of them, whichever node goes away."""

from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId
from safeum_home.protocol.call_types import MOST_SIGNAL
from safeum_home.protocol.federation.conferences import SIGNAL
from tests.conference_case import call_id, join, names, start, told
from tests.conferences_across_case import ConferencesAcrossCase
from tests.groups_across_case import A, B, C
from tests.keys_across_case import FIRST
from tests.keys_case import query
from tests.nodes import NOW_STEP
from tests.world import Client


class ComingAcrossTests(ConferencesAcrossCase):
    def test_ring(self) -> None:
        """Alice knows all: devices ring at all nodes, whose own accounts it is about."""
        start(self.alice, self.chat)
        self.now()
        ring = ("rings", self.alice.account)
        self.assertEqual([told(each) for each in self.everybody], [[], *[[ring]] * 4])
        self.assertEqual(
            {(to, event.type) for _, to, event in self.nodes.told_now if "conf" in event.type},
            {(B, "conference.rings"), (C, "conference.rings")},
        )

    def test_begun_at_a_copy(self) -> None:
        """Bob knows Alice alone: hers ring, at the hub; his node says so, not the hub."""
        begun = start(self.bob, self.chat)
        self.now()
        self.assertEqual(names(begun, *self.everybody), ["bob"])
        self.assertEqual(
            [told(each) for each in (self.alice, self.amy, self.carol, self.ben)],
            [[("rings", self.bob.account)], [], [], []],
        )
        self.assertEqual(self.inside(self.carol), ["bob"])

    def test_join(self) -> None:
        call = start(self.bob, self.chat)["call"]
        self.now()
        self.take()
        self.assertEqual(names(join(self.carol, self.chat, call), *self.everybody), ["bob", "carol"])
        self.assertEqual(names(join(self.alice, self.chat, call), *self.everybody), ["bob", "carol", "alice"])
        self.now()
        self.assertEqual(told(self.bob), [("joined", self.carol.account), ("joined", self.alice.account)])
        self.assertEqual(told(self.carol), [("joined", self.alice.account)])
        everybody = ["bob", "carol", "alice"]
        self.assertEqual(self.tables(), dict.fromkeys((A, B, C), everybody))

    def test_two_of_one_node(self) -> None:
        self.call = self.begin(self.bob, self.carol)
        self.assertEqual(
            names(join(self.ben, self.chat, self.call), *self.everybody), ["bob", "carol", "ben"]
        )
        self.assertEqual(told(self.bob), [("joined", self.ben.account)])
        self.now()
        self.assertEqual([told(self.bob), told(self.carol)], [[], [("joined", self.ben.account)]])

    def test_six(self) -> None:
        """A seventh device finds it full, wherever it is."""
        everybody = [*self.everybody]
        names_ = iter("defg")
        while len(everybody) < 7:
            name = next(names_)
            client = self.nodes[B].register(name * 3)
            self.befriend(self.alice, client)
            self.alice.call("group.invite", chat=self.chat, accounts=[client.account])
            self.settle()
            self.come(client, "group.accept", chat=self.chat)
            everybody.append(client)
        call = start(everybody[0], self.chat)["call"]
        for client in everybody[1:6]:
            join(client, self.chat, call)
        params = {"call": call, "chat": self.chat, "hello": "h"}
        self.refused("conference_full", everybody[6], "conference.join", **params)
        self.refused("conference_full", everybody[6], "conference.start", media="audio", **params)
        everybody[5].call("call.hangup", call=call)
        self.now()
        self.assertEqual(len(join(everybody[6], self.chat, call)["participants"]), 6)

    def test_the_roster_before_the_answer(self) -> None:
        """What the hub has told of those who came later is not lost."""
        self.call = self.begin(self.bob)
        peers = self.nodes.peers[C]
        ask, held = peers.ask, []

        def slow(node: str, question: Any, result: Any) -> Any:
            answered = ask(node, question, result)
            later: Deferred[Any] = Deferred()
            held.append((answered, later))
            return later

        self.patch(peers, "ask", slow)
        number = self.carol.ask("conference.join", call=self.call, chat=self.chat, hello="h")
        join(self.alice, self.chat, self.call)
        self.now()
        answered, later = held[0]
        answered.chainDeferred(later)
        answer = self.carol.answer(number)
        assert answer is not None
        self.assertEqual(names(answer, *self.everybody), ["bob", "carol", "alice"])
        self.now()
        self.assertEqual(told(self.carol), [])
        self.assertEqual(self.table(C).version, self.table(A).version)


class LeavingAcrossTests(ConferencesAcrossCase):
    def setUp(self) -> None:
        super().setUp()
        self.call = self.begin(self.alice, self.bob, self.carol)

    def test_hangup(self) -> None:
        self.bob.call("call.hangup", call=self.call)
        self.now()
        self.assertEqual([told(self.alice), told(self.carol)], [[("left", self.bob.account)]] * 2)
        self.assertEqual(self.tables(), {A: ["alice", "carol"], B: [], C: ["alice", "carol"]})

    def test_a_node_that_is_gone(self) -> None:
        """Whose node says nothing for a minute is in it no more; at that node the others are."""
        self.nodes.away.add(C)
        self.live(80, self.alice, self.bob, self.carol)
        self.assertEqual([told(self.alice), told(self.bob)], [[("left", self.carol.account)]] * 2)
        self.assertEqual(told(self.carol), [])
        self.assertEqual(self.tables()[C], ["alice", "bob", "carol"])

    def test_it_comes_back(self) -> None:
        self.nodes.away.add(C)
        self.live(80, self.alice, self.bob, self.carol)
        self.take()
        self.nodes.away.clear()
        self.live(20, self.alice, self.bob, self.carol)
        self.assertEqual([told(self.alice), told(self.bob)], [[("joined", self.carol.account)]] * 2)
        self.assertEqual(told(self.carol), [])

    def test_the_hub_is_gone(self) -> None:
        """Those who are in it stay so, and speak to each other; nobody else gets in."""
        self.nodes.away.add(A)
        self.live(200, self.alice, self.bob, self.carol)
        self.assertEqual([told(self.bob), told(self.carol)], [[], []])
        self.bob.call(
            "call.signal", call=self.call, account=self.carol.account, device=self.carol.device, data="still"
        )
        self.now()
        self.assertEqual([each["params"]["data"] for each in self.carol.take("call.signal")], ["still"])
        params = {"call": self.call, "chat": self.chat, "hello": "h"}
        self.refused("node_unreachable", self.ben, "conference.join", **params)
        self.assertEqual(self.inside(self.ben), ["alice", "bob", "carol"])
        self.nodes.away.clear()
        self.live(40, self.alice, self.bob, self.carol)
        self.assertEqual(self.tables(), {node: ["alice", "bob", "carol"] for node in (A, B, C)})

    def test_a_hub_started_anew(self) -> None:
        """It learns from the others' nodes who is in it, and those do not even notice."""
        since = self.table(A).people()[AccountId(self.alice.account)].since
        self.nodes.restart(A)
        for client in (self.bob, self.carol):
            for kind in client.world.domain.expiring:
                kind.back(A)  # the hub has said that it is there again
        self.now()
        self.assertEqual(self.tables()[B], ["alice", "bob", "carol"])
        alice = self.back(self.alice)
        alice.take()
        self.refused("not_found", alice, "call.alive", call=self.call, since=0)
        again = start(alice, self.chat, self.call, hello=self.alice.device, since=since)
        self.assertEqual(again["call"], self.call)
        self.assertEqual(sorted(names(again, *self.everybody)), ["alice", "bob", "carol"])
        self.now()
        self.assertEqual([told(self.bob), told(self.carol), told(alice)], [[], [], []])
        self.alice = alice
        self.live(60, alice, self.bob, self.carol)
        self.assertEqual(self.tables(), dict.fromkeys((A, B, C), self.tables()[A]))
        self.assertEqual(self.inside(self.amy_again()), self.tables()[A])

    def amy_again(self) -> Client:
        return self.back(self.amy)

    def test_who_did_not_come_back(self) -> None:
        """Of those who were in it when the hub was started anew, who is not heard of has left."""
        self.nodes.restart(A)
        self.live(40, self.bob, self.carol)
        self.assertEqual([told(self.bob), told(self.carol)], [[], []])
        self.live(40, self.bob, self.carol)
        self.assertEqual([told(self.bob), told(self.carol)], [[("left", self.alice.account)]] * 2)

    def test_a_node_started_anew(self) -> None:
        """Its devices go on where they were."""
        since = self.carol_since()
        self.nodes.restart(C)
        carol = self.back(self.carol)
        again = start(carol, self.chat, self.call, hello=self.carol.device, since=since)
        self.assertEqual(names(again, *self.everybody), ["alice", "bob", "carol"])
        self.now()
        self.assertEqual([told(self.alice), told(self.bob)], [[], []])
        self.assertEqual(self.tables(), {node: ["alice", "bob", "carol"] for node in (A, B, C)})

    def carol_since(self) -> int:
        return int(self.table(C).people()[AccountId(self.carol.account)].since)

    def test_another_one_meanwhile(self) -> None:
        """Where the hub has forgotten it, and another one was begun there, that one goes on."""
        self.nodes.restart(A)
        amy = self.back(self.amy)
        other = start(amy, self.chat, call_id())["call"]
        self.now(25)
        self.assertNotEqual(other, self.call)
        self.assertIn(("ended", "replaced"), told(self.bob))
        self.assertIn(("ended", "replaced"), told(self.carol))
        self.assertEqual(self.tables(), {A: ["amy"], B: [], C: []})

    def test_removed(self) -> None:
        self.alice.call("group.remove", chat=self.chat, account=self.bob.account)
        self.settle()
        self.now()
        self.assertIn(("ended", "hangup"), told(self.bob))
        self.assertIn(("left", self.bob.account), told(self.carol))

    def test_alone(self) -> None:
        for client in (self.alice, self.carol):
            client.call("call.hangup", call=self.call)
        self.live(300, self.bob)
        self.now(21)
        self.assertIn(("ended", "no_answer"), told(self.bob))
        self.assertEqual(self.tables(), {A: [], B: [], C: []})


class SignalsAcrossTests(ConferencesAcrossCase):
    def setUp(self) -> None:
        super().setUp()
        self.call = self.begin(self.alice, self.bob, self.carol)

    def signal(self, client: Client, to: Client, data: str) -> None:
        client.call("call.signal", call=self.call, account=to.account, device=to.device, data=data)

    def said(self, client: Client) -> list[str]:
        return [each["params"]["data"] for each in client.take("call.signal")]

    def test_in_order(self) -> None:
        """From node to node, not by the hub; the same words twice are said twice."""
        self.nodes.told_now.clear()
        for data in ("one", "two", "two"):
            self.signal(self.bob, self.carol, data)
        self.now()
        self.assertEqual(self.said(self.carol), ["one", "two", "two"])
        self.assertEqual({(of, to) for of, to, _ in self.nodes.told_now}, {(B, C)})

    def test_in_turns(self) -> None:
        """Who says much stands behind itself; what is lost with a node, or too late, leaves nothing."""
        join(self.ben, self.chat, self.call)
        self.now()
        self.take()
        for _ in range(8):
            self.signal(self.bob, self.carol, "x" * MOST_SIGNAL)
        self.signal(self.ben, self.carol, "y")
        self.now(NOW_STEP)
        self.assertEqual([data[0] for data in self.said(self.carol)], ["x", "y", "x"])
        self.now(2)
        self.assertEqual(len(self.said(self.carol)), 6)
        out = self.nodes[B].domain.conferences.signals.out
        [kind] = [kind for kind in self.nodes[B].domain.conferences.kinds if kind.type == SIGNAL]
        for _ in range(12):
            self.signal(self.bob, self.carol, "x" * MOST_SIGNAL)
        self.assertGreater(out.bounds.octets, 9 * MOST_SIGNAL)
        self.assertLessEqual(out.bounds.octets, 256 * 1024)
        kind.missed(C, [AccountId(self.bob.account)])
        self.assertEqual(out.bounds.octets, 0)
        self.signal(self.bob, self.carol, "x")
        kind.lost(C)
        self.assertEqual(out.bounds.octets, 0)

    def test_early(self) -> None:
        """What a device says of which the hub has not told yet waits for that, and comes after it."""
        join(self.ben, self.chat, self.call)
        passing, self.nodes.peers[A].passing = self.nodes.peers[A].passing, {}
        self.signal(self.ben, self.carol, "first")
        self.now()
        self.assertEqual(told(self.carol), [])
        self.nodes.peers[A].passing = passing
        self.now()
        self.assertEqual(told(self.carol), [("joined", self.ben.account), ("signal", self.ben.account)])

    def test_too_early(self) -> None:
        """It does not wait for long."""
        join(self.ben, self.chat, self.call)
        passing, self.nodes.peers[A].passing = self.nodes.peers[A].passing, {}
        self.signal(self.ben, self.carol, "first")
        self.now(6)
        self.nodes.peers[A].passing = passing
        self.now()
        self.assertEqual(told(self.carol), [("joined", self.ben.account)])


class KeysAcrossTests(ConferencesAcrossCase):
    """Launch keys are for contacts, and for those with whom one is in a conference."""

    def setUp(self) -> None:
        super().setUp()
        for client in (self.alice, self.bob, self.carol):
            at = int(client.world.clock.seconds() * 1000)
            client.call("keys.launch", sign=FIRST.sign, box=FIRST.box, at=at)

    def seen(self, client: Client, other: Client) -> list[str]:
        """The devices of which somebody is shown launch keys."""
        self.now(11)  # what was answered before is not answered again
        return [each["device"] for each in query(client, other, launches=True)[0].get("launches", [])]

    def test_while_it_goes_on(self) -> None:
        self.assertEqual(self.seen(self.bob, self.carol), [])
        self.call = self.begin(self.bob, self.carol)
        self.assertEqual(self.seen(self.bob, self.carol), [self.carol.device])
        self.assertEqual(self.seen(self.carol, self.bob), [self.bob.device])
        self.assertEqual(self.seen(self.ben, self.carol), [])
        self.carol.call("call.hangup", call=self.call)
        self.assertEqual(self.seen(self.bob, self.carol), [])
        self.assertEqual(self.seen(self.carol, self.bob), [])
