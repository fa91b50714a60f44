"""Nodes that lie about who is there, and ask for what they may not see."""

from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.ids import system_account
from safeum_home.ports import Acquaintance
from safeum_home.presence import lookers
from safeum_home.protocol.federation.events import new_event
from safeum_home.protocol.presence import NOTHING_HIDDEN
from tests.groups_across_case import GroupsAcrossCase
from tests.nodes import say_now
from tests.nodes_case import A, B
from tests.presence_across_case import STRANGER, PresenceAcrossCase, stranger


class HostileTests(PresenceAcrossCase):
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
