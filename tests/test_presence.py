"""Presence through whole sessions: who is told what, and who learns nothing."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.presence.presence import IDLE_SECONDS
from tests.world import Client, Refused, World

SETTLED = 5.0


class PresenceCase(SynchronousTestCase):
    """Alice and Bob are contacts, and both are connected; Eve is a stranger."""

    def setUp(self) -> None:
        self.begin(World())

    def begin(self, world: World) -> None:
        self.world = world
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.eve = self.world.register("eve")
        self.chat = self.world.befriend(self.alice, self.bob)
        self.wait()
        self.told(self.alice, self.bob, self.eve)

    def wait(self, seconds: float = SETTLED) -> None:
        """Time passes, a round of presence after the other."""
        self.world.clock.pump([0.05] * int(seconds / 0.05))

    def wait_long(self, seconds: float = IDLE_SECONDS + 30) -> None:
        self.world.clock.pump([1.0] * int(seconds))

    def told(self, *clients: Client) -> list[dict[str, Any]]:
        """What the clients were told of presence and privacy since the last time."""
        events = [event for client in clients for event in client.take()]
        return [e["params"] for e in events if e["method"] in ("presence.changed", "privacy.changed")]

    def states(self, client: Client) -> list[tuple[str, str]]:
        """The changes that a client was told of, one after the other: name and state."""
        names = {each.account: name for name, each in (("a", self.alice), ("b", self.bob), ("e", self.eve))}
        changes = [change for told in self.told(client) for change in told.get("changes", [])]
        return [(names[change["account"]], change["state"]) for change in changes]

    def seen(self, client: Client, other: str) -> dict[str, Any]:
        """How it is with an account, as `presence.get` answers."""
        found = client.call("presence.get", accounts=[other])["presences"]
        self.assertEqual([each["account"] for each in found], [other])
        return {name: value for name, value in found[0].items() if name != "account"}


class StoryTests(PresenceCase):
    def test_coming_and_going(self) -> None:
        """A contact that goes is offline and seen last in that minute; one that comes is online."""
        self.bob.drop()
        self.wait()
        [told] = self.told(self.alice)
        minute = int(self.world.clock.seconds() - SETTLED) // 60 * 60_000
        about = {"account": self.bob.account, "state": "offline", "last_seen": minute}
        self.assertEqual(told, {"changes": [about]})
        self.bob.resume()
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "online")])
        self.assertEqual(self.told(self.eve), [])

    def test_what_a_session_begins_with(self) -> None:
        """The first that a device is told is how it is with everybody, before anything else happens."""
        tablet = self.world.login("alice")
        self.world.clock.advance(0)
        self.assertEqual(self.states(tablet), [("b", "online")])
        self.bob.drop()
        self.wait()
        self.told(tablet)
        tablet.resume(self.world.cursor)
        self.world.clock.advance(0.1)
        self.assertEqual(self.states(tablet), [("b", "offline")])

    def test_coming_back_at_once(self) -> None:
        """Who is gone for a moment was not gone: nobody is told."""
        for _ in range(5):
            self.bob.resume()
            self.wait(0.3)
        self.wait()
        self.assertEqual(self.states(self.alice), [])

    def test_idle(self) -> None:
        """After 3 minutes without a command somebody is away; acknowledging is none, reading is."""
        for _ in range(int(IDLE_SECONDS) + 30):
            self.bob.notify("session.ack", cursor=self.world.cursor)
            self.alice.call("chat.history", chat=self.chat)
            self.world.clock.advance(1.0)
        self.assertEqual(self.states(self.alice), [("b", "away")])
        self.assertEqual(self.states(self.bob), [])
        self.assertEqual(self.seen(self.alice, self.bob.account)["state"], "away")
        self.bob.notify("chat.typing", chat=self.chat)
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "online")])

    def test_idle_is_seen_when_it_was(self) -> None:
        """The time of an idle account is that of its last command, and stays so when it goes."""
        began = int(self.world.clock.seconds()) // 60 * 60_000
        self.wait_long(600)
        self.bob.drop()
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "away"), ("b", "offline")])
        last = self.seen(self.alice, self.bob.account)["last_seen"]
        self.assertIn(last, (began, began - 60_000))

    def test_put_away(self) -> None:
        """A device that is put away is away at once, is told nothing, and is told all when it is taken up."""
        self.bob.call("presence.set", active=False)
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "away")])
        self.bob.call("chat.list")
        self.alice.drop()
        self.wait()
        self.assertEqual(self.told(self.bob), [])
        self.assertEqual(self.seen(self.bob, self.alice.account)["state"], "offline")
        self.bob.call("presence.set", active=True)
        self.wait()
        [told] = self.told(self.bob)
        self.assertTrue(told["reset"])
        self.assertEqual([change["state"] for change in told["changes"]], ["offline"])

    def test_several_devices(self) -> None:
        """One device in use is enough to be online; the last one in use tells when that was."""
        tablet = self.world.login("bob")
        self.bob.call("presence.set", active=False)
        self.wait()
        self.assertEqual(self.states(self.alice), [])
        tablet.drop()
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "away")])
        self.bob.drop()
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "offline")])

    def test_the_same_device_anew(self) -> None:
        """A device that connects before its old connection is gone is one device."""
        old = self.bob.connection
        self.bob.connect()
        self.bob.opened(self.bob.call("session.resume", token=self.bob.token))
        old.lose()
        self.wait()
        self.assertEqual(self.states(self.alice), [])
        self.bob.drop()
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "offline")])

    def test_nothing_is_written(self) -> None:
        """Whatever happens to presence, the disk is left alone; and so a restart forgets it."""
        before = self.world.database.transactions
        for active in (False, True, False, True):
            self.bob.call("presence.set", active=active)
            self.wait()
        self.bob.notify("chat.typing", chat=self.chat)
        self.bob.drop()
        self.wait()
        self.assertEqual(self.world.database.transactions, before)
        self.assertNotEqual(self.seen(self.alice, self.bob.account), {"state": "unknown"})
        again = World(self.world.database, self.world.vault)
        alice = again.login("alice")
        again.clock.pump([0.5] * 20)
        self.assertEqual(self.seen(alice, self.bob.account), {"state": "unknown"})
        self.assertEqual(self.told(alice), [])

    def test_the_database_was_away(self) -> None:
        """Contacts that cannot be read are read later; nobody is told before."""
        self.world.database.reading_fails = True
        again = Client(self.world)
        self.world.database.reading_fails = False
        again.login("bob")
        self.world.database.reading_fails = True
        self.bob.drop()
        self.world.domain.presence.read_anew()
        self.wait(2)
        self.world.database.reading_fails = False
        self.wait(12)
        again.take()
        self.alice.drop()
        self.wait()
        self.assertEqual(self.states(again), [("a", "offline")])


class RelationTests(PresenceCase):
    def test_strangers(self) -> None:
        """Who is no contact, was asked, or does not exist, is unknown: the same to the letter."""
        self.eve.call("contact.request", account=self.bob.account, address=self.bob.address)
        nobody = "@" + "a" * 26 + ":home.example"
        for account in (self.bob.account, self.alice.account, nobody, self.eve.account):
            self.assertEqual(self.seen(self.eve, account), {"state": "unknown"})
        self.bob.drop()
        self.wait()
        self.assertEqual(self.seen(self.eve, self.bob.account), {"state": "unknown"})
        self.assertEqual(self.told(self.eve), [])

    def test_accepted(self) -> None:
        """Whoever accepts and is accepted sees, and is seen, without connecting anew."""
        self.world.befriend(self.alice, self.eve)
        self.wait()
        self.assertEqual(self.states(self.alice), [("e", "online")])
        self.assertEqual(self.states(self.eve), [("a", "online")])

    def test_accepted_again(self) -> None:
        """A command that is sent again, since its answer was lost, parts nobody."""
        again = {"contact.accept": {}, "contact.request": {"address": self.bob.address}}
        for method, more in again.items():
            self.alice.call(method, account=self.bob.account, **more)
            self.wait()
            self.assertEqual(self.seen(self.alice, self.bob.account), {"state": "online"}, method)
            self.assertEqual(self.seen(self.bob, self.alice.account), {"state": "online"}, method)
            self.told(self.alice)
            self.bob.drop()
            self.wait()
            self.assertEqual(self.states(self.alice), [("b", "offline")], method)
            self.bob.resume()
            self.wait()

    def test_parted(self) -> None:
        """Removing and blocking end it at once, also for what was about to be told."""
        for action in ("contact.remove", "contact.block"):
            with self.subTest(action):
                self.setUp()
                tablet = self.world.login("bob")
                self.wait()
                self.told(self.alice, self.bob, tablet)
                self.bob.drop()
                tablet.call("presence.set", active=False)
                self.wait(2.5)
                self.alice.call(action, account=self.bob.account)
                tablet.call("presence.set", active=True)
                self.wait()
                self.assertEqual(self.states(self.alice), [])
                self.assertEqual(self.states(tablet), [])
                for one, other in ((self.alice, self.bob), (tablet, self.alice)):
                    self.assertEqual(self.seen(one, other.account), {"state": "unknown"})

    def test_closed(self) -> None:
        """Nothing is known of an account that was closed."""
        self.bob.call("account.pin.set", password="correct horse battery", pin="804523")
        known = len(self.world.domain.presence)
        self.bob.call("session.block", pin="804523")
        self.wait()
        self.assertEqual(self.seen(self.alice, self.bob.account), {"state": "unknown"})
        self.assertEqual(len(self.world.domain.presence), known - 1)
        self.assertEqual(self.states(self.alice), [])


class PrivacyTests(PresenceCase):
    def test_hidden_both_ways(self) -> None:
        """Who hides is unknown at once, and sees nobody at once; showing again is the same."""
        shown = {"hide_presence": False, "hide_typing": False}
        self.assertEqual(self.bob.call("account.privacy"), shown)
        hidden = {"hide_presence": True, "hide_typing": False}
        self.assertEqual(self.bob.call("account.privacy", hide_presence=True), hidden)
        self.assertEqual(self.seen(self.alice, self.bob.account), {"state": "unknown"})
        self.assertEqual(self.seen(self.bob, self.alice.account), {"state": "unknown"})
        self.wait()
        self.assertEqual(self.told(self.bob), [{"privacy": hidden}, {"changes": [], "reset": True}])
        self.assertEqual(self.states(self.alice), [("b", "unknown")])
        for client in (self.alice, self.bob):
            client.resume()
            self.wait()
        self.assertEqual((self.states(self.alice), self.states(self.bob)), ([], []))
        self.bob.call("account.privacy", hide_presence=False)
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "online")])
        self.assertEqual(self.states(self.bob), [("a", "online")])

    def test_what_waits_is_not_told(self) -> None:
        """Between a change and its telling somebody hides: the change is not told."""
        self.bob.drop()
        self.wait(2.5)
        self.bob.resume()
        self.bob.call("account.privacy", hide_presence=True)
        self.wait()
        self.assertEqual({state for _, state in self.states(self.alice)} - {"unknown"}, set())

    def test_hidden_is_not_remembered(self) -> None:
        """Who leaves hidden leaves nothing, also when it is shown later from elsewhere."""
        self.bob.call("account.privacy", hide_presence=True)
        known = len(self.world.domain.presence)
        self.bob.drop()
        self.wait()
        self.assertEqual(len(self.world.domain.presence), known - 1)
        self.assertEqual(self.states(self.alice), [("b", "unknown")])

    def test_it_is_kept(self) -> None:
        """The setting is with the account, sealed, and survives a restart; a new device is told of it."""
        self.bob.call("account.privacy", hide_presence=True, hide_typing=True)
        again = World(self.world.database, self.world.vault)
        bob, alice = again.login("bob"), again.login("alice")
        again.clock.pump([0.1] * 50)
        hidden = {"hide_presence": True, "hide_typing": True}
        self.assertEqual(self.told(bob), [{"privacy": hidden}])
        self.assertEqual(bob.call("account.privacy"), hidden)
        self.assertEqual(self.told(alice), [])
        rows = self.world.database.now(lambda c: c.exec_driver_sql("SELECT sealed FROM accounts").fetchall())
        self.assertFalse(any(b"hide" in row[0] for row in rows))

    def test_other_devices_are_told(self) -> None:
        """All devices of the account show the setting as it is."""
        tablet = self.world.login("bob")
        self.wait()
        self.told(tablet)
        self.bob.call("account.privacy", hide_typing=True)
        self.assertEqual(self.told(tablet), [{"privacy": {"hide_presence": False, "hide_typing": True}}])

    def test_a_commit_that_fails(self) -> None:
        """A setting that was not stored is not in force."""
        self.world.database.failing = True
        with self.assertRaisesRegex(Refused, "storage_unavailable"):
            self.bob.call("account.privacy", hide_presence=True)
        self.world.database.failing = False
        self.assertEqual(self.bob.call("account.privacy")["hide_presence"], False)
        self.assertEqual(self.seen(self.alice, self.bob.account), {"state": "online"})

    def test_limited(self) -> None:
        """Settings are written to the disk: that is limited as changes of a profile are."""
        world = World(profile_changes_per_account=0.001, profile_changes_per_account_burst=3)
        carol = world.register("carol")
        for hide in (True, False, True):
            carol.call("account.privacy", hide_presence=hide)
        with self.assertRaisesRegex(Refused, "rate_limited"):
            carol.call("account.privacy", hide_presence=False)
        self.assertEqual(carol.call("account.privacy")["hide_presence"], True)


class TypingTests(PresenceCase):
    def typing(self, client: Client) -> list[bool]:
        return [event["params"]["active"] for event in client.take("chat.typing")]

    def test_with_each_key(self) -> None:
        """A client that says it with each key costs the other side one event in 3 seconds."""
        for _ in range(100):
            self.alice.notify("chat.typing", chat=self.chat)
            self.world.clock.advance(0.1)
        self.assertEqual(self.typing(self.bob), [True] * 4)
        for _ in range(10):
            self.alice.notify("chat.typing", chat=self.chat, active=False)
        self.assertEqual(self.typing(self.bob), [False])

    def test_a_message_ends_it(self) -> None:
        """What is typed after a message is told at once: the message has ended what was typed before."""
        self.alice.notify("chat.typing", chat=self.chat)
        self.alice.write(self.chat, "hi")
        self.alice.notify("chat.typing", chat=self.chat, active=False)
        self.assertEqual(self.typing(self.bob), [True])
        self.alice.notify("chat.typing", chat=self.chat)
        self.assertEqual(self.typing(self.bob), [True])

    def test_hidden_both_ways(self) -> None:
        """Who hides typing is not seen typing, and does not see others type."""
        self.alice.call("account.privacy", hide_typing=True)
        for client in (self.alice, self.bob):
            self.assertEqual(client.call("chat.typing", chat=self.chat), {})
        self.assertEqual((self.typing(self.alice), self.typing(self.bob)), ([], []))
        self.alice.call("account.privacy", hide_typing=False)
        self.alice.notify("chat.typing", chat=self.chat)
        self.assertEqual(self.typing(self.bob), [True])
