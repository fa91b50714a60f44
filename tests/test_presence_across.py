"""Who is there, and who types, across nodes: told to those who may see it, who look, and to nobody else."""

from safeum_home.ids import system_account
from safeum_home.presence.elsewhere import DOUBT, RENEW
from safeum_home.presence.lookers import LASTS
from safeum_home.presence.presence import IDLE_SECONDS
from safeum_home.protocol.federation.events import new_event
from tests.nodes import say_now
from tests.nodes_case import A, B
from tests.presence_across_case import STRANGER, PresenceAcrossCase, stranger
from tests.world import Client


class StoryTests(PresenceAcrossCase):
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


class InterestTests(PresenceAcrossCase):
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


class HidingTests(PresenceAcrossCase):
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


class TypingTests(PresenceAcrossCase):
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
