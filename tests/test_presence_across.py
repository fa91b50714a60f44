"""Who is there, and who types, across nodes: told to those who may see it, who look, and to nobody else."""

from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId, system_account
from safeum_home.ports import Acquaintance
from safeum_home.presence import lookers
from safeum_home.presence.elsewhere import DOUBT, RENEW
from safeum_home.presence.lookers import LASTS
from safeum_home.presence.presence import IDLE_SECONDS
from safeum_home.protocol.federation.events import new_event
from safeum_home.protocol.presence import NOTHING_HIDDEN
from tests.groups_across_case import GroupsAcrossCase
from tests.nodes import say_now
from tests.nodes_case import A, B, TwoNodes
from tests.world import Client

STRANGER = "@" + "z" * 26


def stranger(number: int) -> str:
    """An account of Bob's node that nobody knows."""
    return "@" + f"{number:026d}".translate(str.maketrans("0123456789", "abcdefghij")) + ":" + B


class Case(TwoNodes):
    """Alice and Bob are contacts; Eve is at Bob's node, and a stranger to both."""

    def setUp(self) -> None:
        super().setUp()
        self.eve = self.nodes[B].register("eve")
        self.chat = self.befriend()
        self.nodes.now()
        self.clear()

    def clear(self) -> None:
        for client in (self.alice, self.bob, self.eve):
            client.take()
        self.nodes.told_now.clear()

    def states(self, client: Client) -> list[tuple[str, str]]:
        """The changes that a client was told of."""
        names = {each.account: name for name, each in (("a", self.alice), ("b", self.bob), ("e", self.eve))}
        told = [event["params"] for event in client.take("presence.changed")]
        return [(names[each["account"]], each["state"]) for one in told for each in one.get("changes", [])]

    def seen(self, client: Client, other: str) -> dict[str, Any]:
        found: dict[str, Any] = client.call("presence.get", accounts=[other])["presences"][0]
        return found

    def state(self, client: Client, other: Client) -> str:
        return str(self.seen(client, other.account)["state"])

    def types(self) -> list[str]:
        """Which types of events have passed."""
        return [event.type for _, _, event in self.nodes.told_now]

    def say(self, type: str, content: dict[str, Any], sender: str | None = None, **more: Any) -> bool:
        """What Bob's node says to Alice's; whether it was taken."""
        at = more.pop("at", self.now)
        event = new_event(type, AccountId(sender or system_account(B)), at, content, **more)
        return say_now(self.nodes, B, A, event)

    @property
    def now(self) -> int:
        return int(self.nodes[A].clock.seconds() * 1000)

    def says_presence(self, account: str, state: str = "online", **more: Any) -> bool:
        seen = {name: more.pop(name) for name in ("last_seen",) if name in more}
        presences = [{"account": account, "state": state, **seen}]
        return self.say("presence", {"presences": presences}, **more)


class StoryTests(Case):
    def test_coming_and_going(self) -> None:
        """A contact that goes is offline and seen last in that minute; one that comes is online."""
        self.assertEqual(self.state(self.alice, self.bob), "online")
        self.bob.drop()
        self.nodes.now()
        self.assertEqual(self.states(self.alice), [("b", "offline")])
        last = self.seen(self.alice, self.bob.account)["last_seen"]
        self.assertEqual((last % 60_000, self.now - last < 120_000), (0, True))
        self.bob.resume()
        self.nodes.now()
        self.assertEqual(self.states(self.alice), [("b", "online")])
        self.assertEqual(self.states(self.eve), [])

    def test_what_a_session_begins_with(self) -> None:
        """Who comes later is told of who is there, and of who was there; who sees it is told too."""
        self.alice.drop()
        self.nodes.now()
        self.bob.drop()
        self.nodes.now()
        self.alice.resume()
        self.nodes.now()
        self.assertEqual(self.states(self.alice), [("b", "offline")])
        self.bob.take()
        self.bob.resume()
        self.nodes.now()
        self.assertEqual(self.states(self.bob), [("a", "online")])

    def test_idle(self) -> None:
        """Who gives no command for 3 minutes is away, as on one node."""
        for _ in range(int(IDLE_SECONDS) // 30 + 2):
            self.alice.call("chat.list")
            self.nodes.now(30)
        self.assertEqual(self.states(self.alice), [("b", "away")])

    def test_nothing_is_written(self) -> None:
        """Whatever happens to presence and typing, the disks are left alone."""
        before = [self.nodes[name].database.transactions for name in (A, B)]
        for active in (False, True):
            self.bob.call("presence.set", active=active)
            self.bob.call("chat.typing", chat=self.chat)
            self.nodes.now()
        self.assertEqual([self.nodes[name].database.transactions for name in (A, B)], before)
        self.assertIn(("b", "away"), self.states(self.alice))

    def test_new_contacts(self) -> None:
        """Who become contacts see each other at once; who part do not any more."""
        self.alice.call("contact.request", account=self.eve.account, address="eve@b.example")
        self.nodes.settle()
        self.nodes.now()
        self.assertEqual(self.state(self.alice, self.eve), "unknown")
        self.eve.call("contact.accept", account=self.alice.account)
        self.nodes.settle()
        self.nodes.now()
        self.assertEqual(self.states(self.alice), [("e", "online")])
        self.assertEqual(self.states(self.eve), [("a", "online")])
        self.eve.call("contact.remove", account=self.alice.account)
        self.nodes.settle()
        self.clear()
        self.eve.drop()
        self.nodes.now()
        self.assertEqual(self.states(self.alice), [])
        self.assertEqual(self.state(self.alice, self.eve), "unknown")
        self.assertEqual(self.state(self.alice, self.bob), "online")

    def test_blocked(self) -> None:
        """Who was blocked sees nothing, whatever its node asks, nor while it has not heard of it yet."""
        self.nodes.peers[B].held.add(A)
        self.bob.call("contact.block", account=self.alice.account)
        self.clear()
        self.bob.drop()
        self.nodes.now(RENEW + 10)
        self.assertEqual([e for _, to, e in self.nodes.told_now if to == A and e.type == "presence"], [])
        self.assertNotIn(("b", "offline"), self.states(self.alice))

    def test_blocked_while_it_waits(self) -> None:
        """What waits to be told when somebody is blocked is not told, though others there still look."""
        self.alice.call("contact.request", account=self.eve.account, address="eve@b.example")
        self.nodes.settle()
        self.eve.call("contact.accept", account=self.alice.account)
        self.nodes.settle()
        self.nodes.now()
        self.bob.call("presence.set", active=False)
        self.nodes[B].clock.pump([0.05] * 100)
        self.assertTrue([type for _, type, _ in self.nodes.peers[B].passing if type == "presence"])
        self.bob.call("contact.block", account=self.alice.account)
        self.clear()
        self.nodes.now(0.25)
        self.assertEqual([e for _, to, e in self.nodes.told_now if to == A and e.type == "presence"], [])


class InterestTests(Case):
    def test_nobody_looks(self) -> None:
        """Where no contact is connected at another node, that node is told nothing."""
        self.bob.drop()
        self.nodes.now()
        self.clear()
        self.alice.drop()
        self.nodes.now()
        self.alice.resume()
        self.nodes.now()
        self.assertEqual(
            {event.type for _, to, event in self.nodes.told_now if to == B}, {"presence.looking"}
        )

    def test_gone_in_between(self) -> None:
        """Who is gone looks no more, also where it was told that it was there a moment before."""
        self.alice.drop()
        self.alice.resume()
        self.nodes.now(1.5)
        self.alice.drop()
        self.nodes.now(3)
        self.assertEqual(len(self.nodes[B].domain.presence.elsewhere.lookers), 0)

    def test_put_away(self) -> None:
        """A device that is put away is told nothing, so its node asks for nothing; then it is told all."""
        self.alice.call("presence.set", active=False)
        self.nodes.now()
        self.clear()
        self.bob.drop()
        self.nodes.now()
        self.assertEqual([to for _, to, event in self.nodes.told_now if event.type == "presence"], [])
        self.alice.call("presence.set", active=True)
        self.nodes.now()
        self.assertIn(("b", "offline"), self.states(self.alice))

    def test_it_lapses(self) -> None:
        """A node that says no more that somebody looks is told nothing after a while."""
        self.nodes.away.add(A)
        for _ in range(int(LASTS) // 60 + 2):
            self.bob.call("chat.list")
            self.nodes.now(60)
        self.nodes.away.clear()
        self.assertEqual(len(self.nodes[B].domain.presence.elsewhere.lookers), 0)
        self.assertEqual(self.state(self.alice, self.bob), "unknown")
        self.nodes.now(RENEW)
        self.assertNotEqual(self.state(self.alice, self.bob), "unknown")

    def test_renewed(self) -> None:
        """While both look they go on seeing each other, and little is said for it."""
        self.clear()
        for _ in range(int(LASTS) * 2 // 60):
            self.alice.call("device.list")
            self.bob.call("device.list")
            self.nodes.now(60)
        self.assertEqual((self.state(self.alice, self.bob), self.states(self.alice)), ("online", []))
        self.assertLessEqual(len(self.types()), 4 * (int(LASTS * 2 / RENEW) + 1))

    def test_many_look_and_it_is_told_once(self) -> None:
        """However many look at somebody, their node is told once."""
        for number in range(5):
            other = self.nodes[A].register(f"other{number}")
            other.call("contact.request", account=self.bob.account, address="bob@b.example")
            self.nodes.settle()
            self.bob.call("contact.accept", account=other.account)
            self.nodes.settle()
        self.nodes.now(10)
        self.clear()
        self.bob.drop()
        self.nodes.now(10)
        told = [event for _, to, event in self.nodes.told_now if to == A and event.type == "presence"]
        self.assertEqual([len(event.content["presences"]) for event in told], [1])

    def test_started_anew(self) -> None:
        """A node that was started anew says so: it is asked again, and what it does not know is forgotten."""
        self.nodes.restart(B)
        for kind in self.nodes[A].domain.expiring:
            kind.back(B)
        self.nodes.now(DOUBT + 5)
        self.assertEqual(self.states(self.alice), [("b", "unknown")])
        self.assertEqual(len(self.nodes[B].domain.presence.elsewhere.lookers), 1)

    def test_lost_for_a_moment(self) -> None:
        """A node that could not be told once, and is there again, changes nothing for anybody."""
        for kind in self.nodes[A].domain.expiring:
            kind.lost(B)
        self.nodes.now(DOUBT * 2)
        self.assertEqual(self.states(self.alice), [])
        self.assertEqual(self.state(self.alice, self.bob), "online")

    def test_lost(self) -> None:
        """Of whom nothing can be heard any more nothing is known."""
        self.nodes.away.add(B)
        for kind in self.nodes[A].domain.expiring:
            kind.lost(B)
        self.nodes.now(DOUBT + 5)
        self.assertEqual(self.states(self.alice), [("b", "unknown")])


class HidingTests(Case):
    def test_who_hides(self) -> None:
        """Whoever hides is unknown at once, sees nobody, and its node says nothing of it."""
        self.bob.call("account.privacy", hide_presence=True)
        self.nodes.now()
        self.assertEqual(self.states(self.alice), [("b", "unknown")])
        self.assertEqual(self.state(self.bob, self.alice), "unknown")
        self.assertEqual(len(self.nodes[A].domain.presence.elsewhere.lookers), 0)
        self.clear()
        self.bob.drop()
        self.alice.drop()
        self.nodes.now()
        self.assertEqual([e for _, _, e in self.nodes.told_now if e.type == "presence"], [])

    def test_while_it_waits(self) -> None:
        """What waits to be told when somebody hides is told as unknown."""
        self.bob.call("presence.set", active=False)
        for world in self.nodes.worlds.values():
            world.clock.pump([0.05] * 100)
        self.assertTrue(self.nodes.peers[B].passing)
        self.bob.call("account.privacy", hide_presence=True)
        self.nodes.now(0.25)
        told = [e.content["presences"] for _, _, e in self.nodes.told_now if e.type == "presence"]
        self.assertEqual([each["state"] for some in told for each in some], ["unknown"])

    def test_many_hide(self) -> None:
        """However many hide at once, and though it is asked for all meanwhile, each is unknown then."""
        others = [self.nodes[B].register(f"other{number}") for number in range(40)]
        for other in others:
            other.call("contact.request", account=self.alice.account, address="alice@a.example")
            self.nodes.settle()
            self.alice.call("contact.accept", account=other.account)
            self.nodes.settle()
        self.nodes.now(10)
        states = {self.state(self.alice, other) for other in others}
        self.assertEqual(states, {"online"})
        for other in others:
            other.call("account.privacy", hide_presence=True)
        event = new_event(
            "presence.looking", system_account(A), self.now, {"accounts": [self.alice.account], "look": True}
        )
        self.assertTrue(say_now(self.nodes, A, B, event))
        self.nodes.now()
        self.assertEqual({self.state(self.alice, other) for other in others}, {"unknown"})

    def test_shown_again(self) -> None:
        """Who shows again what was hidden is seen, and sees."""
        for hide in (True, False):
            self.bob.call("account.privacy", hide_presence=hide)
            self.nodes.now()
        self.assertEqual(self.states(self.alice), [("b", "unknown"), ("b", "online")])
        self.assertEqual(self.state(self.bob, self.alice), "online")


class TypingTests(Case):
    def typed(self, client: Client) -> list[bool]:
        """What a client was told of typing."""
        return [event["params"].get("active", True) for event in client.take("chat.typing")]

    def test_typing(self) -> None:
        """It is told with the first key, not with each, and with the end."""
        for _ in range(5):
            self.bob.call("chat.typing", chat=self.chat)
        self.nodes.now(0.5)
        self.bob.call("chat.typing", chat=self.chat, active=False)
        self.nodes.now(0.5)
        self.assertEqual(self.typed(self.alice), [True, False])
        self.assertEqual(self.typed(self.eve), [])

    def test_hidden(self) -> None:
        """Who hides it is not told of, nor told."""
        self.alice.call("account.privacy", hide_typing=True)
        self.bob.call("chat.typing", chat=self.chat)
        self.nodes.now(0.5)
        self.assertEqual(self.typed(self.alice), [])
        self.clear()
        self.alice.call("chat.typing", chat=self.chat)
        self.nodes.now(0.5)
        self.assertEqual((self.typed(self.bob), self.types()), ([], []))

    def test_hidden_while_it_waits(self) -> None:
        """It is in force for what waits, too."""
        self.bob.call("chat.typing", chat=self.chat)
        self.bob.call("account.privacy", hide_typing=True)
        self.nodes.now(0.5)
        self.assertEqual((self.typed(self.alice), self.types()), ([], []))

    def test_hostile(self) -> None:
        """It is not taken of strangers, in chats of others, nor as often as somebody likes."""
        taken = [self.say("typing", {"active": True}, self.bob.account, chat=self.chat) for _ in range(9)]
        self.assertEqual(taken, [True] * 5 + [False] * 4)
        self.assertEqual(self.typed(self.alice), [True] * 5)
        for sender, chat in ((f"{STRANGER}:{B}", self.chat), (self.eve.account, self.chat)):
            self.say("typing", {"active": True}, sender, chat=chat)
        self.nodes[A].clock.advance(60)
        self.say("typing", {"active": True}, self.bob.account, chat="!" + "a" * 26)
        self.say("typing", {"active": "yes"}, self.bob.account, chat=self.chat)
        self.say("typing", {"active": True}, self.bob.account)
        self.assertEqual(self.typed(self.alice), [])

    def test_strangers_cost_nothing(self) -> None:
        """For who is nobody's contact nothing is looked up."""

        def read(*_: object) -> None:
            raise AssertionError("something is looked up")

        self.patch(self.nodes[A].database, "read", read)
        for number in range(50):
            self.say("typing", {"active": True}, stranger(number), chat="!" + "a" * 26)
            self.assertTrue(self.says_presence(stranger(number)))
        self.assertEqual(self.states(self.alice), [])


class HostileTests(Case):
    def test_accounts_that_are_not_its_own(self) -> None:
        """A node that tells of accounts of others is not believed, of this node's or of a third one's."""
        for account in (self.alice.account, f"{STRANGER}:{A}", f"{STRANGER}:c.example"):
            self.says_presence(account, "away")
            self.say("presence.looking", {"accounts": [account], "look": True})
        self.nodes.now()
        self.assertEqual(self.state(self.bob, self.alice), "online")
        self.assertEqual(len(self.nodes[A].domain.presence.elsewhere.lookers), 1)

    def test_strangers(self) -> None:
        """Nothing is kept of strangers, and they are told nothing."""
        known = len(self.nodes[A].domain.presence)
        self.says_presence(self.eve.account)
        self.say("presence.looking", {"accounts": [self.eve.account, f"{STRANGER}:{B}"], "look": True})
        self.clear()
        self.nodes.now()
        self.alice.call("presence.set", active=False)
        self.nodes.now()
        self.assertEqual(len(self.nodes[A].domain.presence), known)
        told = [e.content["presences"] for _, to, e in self.nodes.told_now if e.type == "presence"]
        self.assertEqual([len(each) for each in told], [1])

    def test_stale_looking(self) -> None:
        """Nor does an older word of who looks."""
        lookers = self.nodes[A].domain.presence.elsewhere.lookers
        about = {"accounts": [self.bob.account], "look": False}
        self.assertTrue(self.say("presence.looking", about, at=self.now - 60_000))
        self.assertEqual(len(lookers), 1)
        self.assertTrue(self.say("presence.looking", about, at=self.now))
        self.assertEqual(len(lookers), 0)

    def test_stale(self) -> None:
        """What is older than what is known changes nothing."""
        self.says_presence(self.bob.account, "away", at=self.now + 2)
        self.says_presence(self.bob.account, "offline", at=self.now + 1)
        self.nodes.now(3)
        self.assertEqual(self.states(self.alice), [("b", "away")])

    def test_senseless(self) -> None:
        """Times of the future, to the millisecond, or where there are none, are made sense of or left out."""
        self.says_presence(self.bob.account, "offline", last_seen=self.now + 10**9)
        self.nodes.now(0.25)
        self.assertEqual(self.seen(self.alice, self.bob.account)["last_seen"], self.now // 60_000 * 60_000)
        self.says_presence(self.bob.account, "online", last_seen=5)
        self.nodes.now(0.25)
        self.assertNotIn("last_seen", self.seen(self.alice, self.bob.account))
        senseless: list[dict[str, Any]] = [{}, {"presences": [{}]}, {"presences": [], "more": 1}]
        for content in senseless:
            self.assertFalse(self.say("presence", content))

    def test_flood(self) -> None:
        """However often a node says that a contact comes and goes, devices are told once in a while."""
        for number in range(400):
            self.says_presence(self.bob.account, ("online", "away")[number % 2], at=self.now + number)
            self.nodes[A].clock.advance(0.05)
        self.nodes[A].clock.pump([0.05] * 200)
        told = [state for _, state in self.states(self.alice)]
        self.assertLessEqual(len(told), 14)
        self.assertEqual(told[-1], "away")

    def test_crowd(self) -> None:
        """A node cannot have more accounts look than it may, and those that are nobody's are let go."""
        self.patch(lookers, "LOOKERS_OF_NODE", 1_000)
        crowd = self.nodes[A].domain.presence.elsewhere.lookers
        source, slow = crowd._loading._source, Deferred[list[Acquaintance | None]]()
        self.patch(source, "of", lambda accounts: slow)
        for page in range(3):
            accounts = [stranger(page * 500 + number) for number in range(500)]
            self.assertTrue(self.say("presence.looking", {"accounts": accounts, "look": True}))
        self.assertEqual(len(crowd), 1_000)
        del source.of
        slow.callback([Acquaintance(b"", NOTHING_HIDDEN)])
        self.nodes[A].clock.pump([0.1] * 30)
        self.assertEqual(len(crowd), 1)
        self.assertEqual(len(self.nodes[A].domain.presence), 2)


class LiesTests(GroupsAcrossCase):
    """A third node has no say in what two others tell each other."""

    def says(self, type: str, content: dict[str, Any]) -> None:
        at = int(self.nodes[A].clock.seconds() * 1000) + 1
        say_now(self.nodes, B, A, new_event(type, system_account(B), at, content))
        self.nodes.now()

    def test_presence(self) -> None:
        """Bob's node cannot say how it is with Carol, who is at another one."""
        self.nodes.now()
        self.says("presence", {"presences": [{"account": self.carol.account, "state": "away"}]})
        seen = self.alice.call("presence.get", accounts=[self.carol.account])["presences"]
        self.assertEqual([each["state"] for each in seen], ["online"])

    def test_looking(self) -> None:
        """Nor that Carol looks no more, or looks though she hides."""
        self.nodes.now()
        lookers = self.nodes[A].domain.presence.elsewhere.lookers
        self.assertEqual(len(lookers), 3)
        self.says("presence.looking", {"accounts": [self.carol.account], "look": False})
        self.assertEqual(len(lookers), 3)
        self.carol.call("account.privacy", hide_presence=True)
        self.nodes.now()
        self.says("presence.looking", {"accounts": [self.carol.account], "look": True})
        self.assertEqual(len(lookers), 2)
