"""Profiles: shown to contacts, to nobody else, and the same to all of them."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.directory import AccountDirectory
from safeum_home.chats.system import support_contact, system_contact
from safeum_home.errors import Erased
from safeum_home.ids import AccountId, new_account_id
from tests.world import NODE, Client, Refused, World, contact

BOBBY = {"display_name": "Bobby", "status": "at sea"}
BOBBY_SHOWN: dict[str, Any] = {
    **BOBBY,
    "about": "",
    "fields": [],
    "avatar": None,
    "safenum": None,
    "show_safenum": None,
}
BOBBY_OWN = {**BOBBY_SHOWN, "show_safenum": False}


class ProfileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")

    def hidden(self, client: Client, account: str) -> None:
        error = self.assertRaises(Refused, client.call, "profile.get", account=account)
        self.assertEqual(error.code, "not_found")

    def names(self, client: Client) -> list[str]:
        return [e["params"]["profile"]["display_name"] for e in client.take("profile.changed")]

    def test_visibility(self) -> None:
        """Before they are contacts, and after, there is nothing to be seen; strangers look like nobody."""
        self.bob.call("profile.set", profile=BOBBY)
        self.hidden(self.alice, self.bob.account)
        self.hidden(self.alice, new_account_id(NODE))
        self.alice.call("contact.request", account=self.bob.account, address="bob")
        self.hidden(self.alice, self.bob.account)
        self.hidden(self.bob, self.alice.account)
        self.bob.call("contact.accept", account=self.alice.account)
        shown = self.alice.call("profile.get", account=self.bob.account)
        expected = {"account": self.bob.account, "address": f"bob@{NODE}", "profile": BOBBY_SHOWN}
        self.assertEqual(shown, expected)
        self.assertEqual(contact(self.alice, self.bob)["display_name"], "Bobby")
        self.bob.call("contact.remove", account=self.alice.account)
        self.hidden(self.alice, self.bob.account)

    def test_names_in_lists(self) -> None:
        """A name is shown in chats and contact lists as long as the other side agrees, and not after."""
        self.bob.call("profile.set", profile=BOBBY)
        chat = self.world.befriend(self.alice, self.bob)
        self.bob.write(chat, "hi")
        [summary] = [c for c in self.alice.call("chat.list")["chats"] if c["kind"] == "direct"]
        self.assertEqual((summary["display_name"], summary["address"]), ("Bobby", f"bob@{NODE}"))
        for ending in ("remove", "block"):
            self.bob.call(f"contact.{ending}", account=self.alice.account)
            self.bob.call("profile.set", profile={"display_name": "Secret"})
            [summary] = [c for c in self.alice.call("chat.list")["chats"] if c["kind"] == "direct"]
            self.assertEqual((summary["display_name"], summary["address"]), ("", f"bob@{NODE}"))
            self.assertEqual(contact(self.alice, self.bob)["display_name"], "")
            told = [e["params"]["contact"]["display_name"] for e in self.alice.take("contact.changed")]
            self.assertEqual((told, self.names(self.alice)), ([""], []))
            if ending == "remove":
                self.world.befriend(self.alice, self.bob)

    def test_told(self) -> None:
        """Contacts and one's own other devices are told at once, others never."""
        carol, tablet = self.world.register("carol"), self.world.login("bob")
        self.world.befriend(self.alice, self.bob)
        carol.call("contact.request", account=self.bob.account, address="bob")
        self.bob.call("profile.set", profile=BOBBY)
        told = [self.names(client) for client in (self.alice, self.bob, tablet, carol)]
        self.assertEqual(told, [["Bobby"], ["Bobby"], ["Bobby"], []])

    def test_missed(self) -> None:
        """Whoever was away learns the profile as it is now, once."""
        self.world.befriend(self.alice, self.bob)
        self.alice.drop()
        for name in ("One", "Two"):
            self.bob.call("profile.set", profile={"display_name": name})
        self.assertEqual(self.names(self.alice.resume(self.alice.cursor)), ["Two"])
        self.assertEqual(self.names(self.bob.resume(self.bob.cursor)), ["One", "Two", "Two"])

    def test_contacts_that_come_and_go(self) -> None:
        """Who is told is decided by the contact list at the time of the commit."""
        carol = self.world.register("carol")
        self.world.befriend(carol, self.bob)
        self.alice.call("contact.request", account=self.bob.account, address="bob")
        database = self.world.database
        for client in (self.alice, carol):
            client.take()
        database.hold_reads = database.hold = True
        asked = [self.bob.ask("profile.set", profile=BOBBY)]
        database.hold_reads = False
        asked.append(self.bob.ask("contact.accept", account=self.alice.account))
        asked.append(self.bob.ask("contact.remove", account=carol.account))
        database.commit()
        database.answer_reads()
        database.release()
        self.assertEqual([self.bob.answer(number) for number in asked], [{}] * 3)
        self.assertEqual((self.names(self.alice), self.names(carol)), (["Bobby"], []))

    def test_a_commit_that_fails(self) -> None:
        """A profile that was not stored is shown to nobody."""
        self.world.befriend(self.alice, self.bob)
        self.world.database.failing = True
        error = self.assertRaises(Refused, self.bob.call, "profile.set", profile=BOBBY)
        self.assertEqual((error.code, self.names(self.alice)), ("storage_unavailable", []))
        self.world.database.failing = False
        self.assertEqual(self.bob.call("profile.get")["profile"]["display_name"], "")

    def test_restart(self) -> None:
        """A profile is kept, and every login sees it."""
        self.bob.call("profile.set", profile=BOBBY)
        again = World(self.world.database, self.world.vault)
        self.assertEqual(Client(again).login("bob").call("profile.get")["profile"], BOBBY_OWN)

    def test_frames(self) -> None:
        """A page of contacts with the longest names there are fits a frame."""
        longest = {"display_name": "\u0001" * 64, "status": "\u0001" * 256}
        for number in range(50):
            friend = self.world.register(f"{'x' * 29}{number:03}")
            friend.call("profile.set", profile=longest)
            self.world.befriend(self.alice, friend)
        self.assertEqual(len(self.alice.call("contact.list", limit=50)["contacts"]), 50)


class DirectoryTests(SynchronousTestCase):
    """The accounts that are kept in memory."""

    def setUp(self) -> None:
        self.world = World()
        self.bob = self.world.register("bob")
        self.account = AccountId(self.bob.account)
        vault = self.world.vault
        self.directory = AccountDirectory(
            self.world.database,
            vault.keyring,
            vault.blinder,
            system_contact(NODE),
            support_contact(NODE),
            size=2,
        )

    def get(self, account: str) -> Any:
        return self.successResultOf(self.directory.get(AccountId(account)))

    def test_bounded(self) -> None:
        """The one not asked for longest makes room; what is kept is the same object."""
        others = [self.world.register(f"other{number}") for number in range(2)]
        first, second = self.get(self.bob.account), self.get(others[0].account)
        self.assertIs(self.get(self.bob.account), first)
        self.get(others[1].account)
        self.assertIs(self.get(self.bob.account), first)
        self.assertIsNot(self.get(others[0].account), second)

    def test_read_twice_at_once(self) -> None:
        """Two who ask at the same time get one account."""
        self.world.database.hold_reads = True
        asked = [self.directory.get(self.account), self.directory.by_username("bob")]
        self.world.database.answer_reads()
        found = [self.successResultOf(deferred) for deferred in asked]
        self.assertIs(found[0], found[1])
        self.assertIsNotNone(found[0])

    def test_evicted_while_changing(self) -> None:
        """A profile set by whoever held the account while it made room is the one that is shown."""
        world = self.world
        world.domain.directory._size = 1
        alice = world.register("alice")
        world.befriend(alice, self.bob)
        world.database.hold = True
        asked = self.bob.ask("profile.set", profile=BOBBY)
        world.database.hold_reads = True
        stale = alice.ask("profile.get", account=self.bob.account)
        world.database.release()
        world.database.hold = world.database.hold_reads = False
        world.database.answer_reads()
        self.assertIsNotNone(self.bob.answer(asked))
        self.assertIsNotNone(alice.answer(stale))
        world.domain.directory._size = 10
        shown = alice.call("profile.get", account=self.bob.account)["profile"]
        self.assertEqual(shown, BOBBY_SHOWN)

    def test_wiped(self) -> None:
        """When the node stops no key is left that opens anything."""
        opened = self.get(self.bob.account)
        self.directory.wipe()
        self.assertRaises(Erased, opened.key.seal, b"x", b"")
