"""Closing an account with a PIN: what its contacts see of it."""

from typing import Any

from safeum_home.node.turning import LEAST_SECONDS
from tests.closing_case import PIN, ClosingCase
from tests.sync_support import BOB, Finder, SyncCase, sign_up
from tests.world import PASSWORD, Client, World, contact, texts


class ContactTests(ClosingCase):
    def test_told(self) -> None:
        """Contacts see that it is closed, at once; the chat is gone on both sides; others' chats are not."""
        tablet = self.world.login("bob")
        tablet.take()
        self.block()
        entry = contact(self.bob, self.alice)
        self.assertEqual(
            (entry["state"], entry["chat"], entry["address"], entry["display_name"]),
            ("closed", self.chat, self.alice.address, ""),
        )
        for client in (self.bob, tablet):
            [event] = client.take("contact.changed")
            self.assertEqual(event["params"]["contact"], entry)
        self.assertEqual(self.carol.take("contact.changed"), [])
        self.refused("not_found", self.bob, "chat.history", chat=self.chat)
        self.refused("not_a_contact", self.bob, "chat.send", **self.bob.message(self.chat, "there?"))
        self.refused("not_found", self.bob, "profile.get", account=self.alice.account)
        shown = [chat["chat"] for chat in self.bob.call("chat.list", limit=25)["chats"]]
        self.assertIn(self.other, shown)
        self.assertNotIn(self.chat, shown)
        self.assertEqual(self.bob.history(self.other), ["stays"])

    def test_the_entry_can_be_removed(self) -> None:
        """That, and nothing else: there is nobody to ask any more."""
        self.block()
        self.bob.take()
        about = {"account": self.alice.account}
        for method in ("accept", "decline", "block", "unblock"):
            self.refused("wrong_contact_state", self.bob, f"contact.{method}", **about)
        self.refused("wrong_contact_state", self.bob, "contact.request", address="alice", **about)
        self.bob.call("contact.remove", **about)
        self.assertEqual(self.bob.take("contact.changed")[0]["params"]["contact"]["state"], "none")
        self.assertRaises(LookupError, contact, self.bob, self.alice)

    def test_a_contact_that_is_away(self) -> None:
        """It learns of it when it comes back; what was written there does not come any more."""
        self.bob.drop()
        self.alice.write(self.chat, "read this")
        self.carol.write(self.other, "and this")
        self.block()
        self.bob.resume(self.bob.cursor)
        events = self.bob.take()
        messages = [event["params"] for event in events if event["method"] == "chat.message"]
        self.assertEqual(
            texts([one for one in messages if one["body"]["kind"] == "text"]), ["stays", "and this"]
        )
        changed = [event["params"]["contact"] for event in events if event["method"] == "contact.changed"]
        self.assertEqual(
            [(entry["account"], entry["state"]) for entry in changed][-1], (self.alice.account, "closed")
        )

    def test_relations_without_a_chat(self) -> None:
        """Her own request is withdrawn; who asks her, or has blocked her, learns nothing."""
        dave, erin, frank = map(self.world.register, ("dave", "erin", "frank"))
        self.alice.call("contact.request", account=dave.account, address="dave")
        erin.call("contact.request", account=self.alice.account, address="alice")
        frank.call("contact.block", account=self.alice.account)
        for client in (dave, erin, frank):
            client.take()
        self.block()
        [event] = dave.take("contact.changed")
        self.assertEqual(event["params"]["contact"]["state"], "none")
        self.assertEqual(erin.take("contact.changed") + frank.take("contact.changed"), [])
        self.assertEqual(contact(erin, self.alice)["state"], "requested")
        self.assertEqual(contact(frank, self.alice)["state"], "blocked")

    def test_former_contacts(self) -> None:
        """Who has parted from her still had the chat: that is erased too, and is told."""
        self.bob.call("contact.block", account=self.alice.account)
        self.world.settle()
        self.bob.take()
        self.block()
        [event] = self.bob.take("contact.changed")
        self.assertEqual(event["params"]["contact"]["state"], "closed")
        self.refused("not_found", self.bob, "chat.history", chat=self.chat)

    def test_removed_contacts(self) -> None:
        """Who has removed her from the list does not see her there again, but that the chat is gone."""
        away = self.world.login("bob")
        self.bob.call("contact.remove", account=self.alice.account)
        self.world.settle()
        away.drop()
        self.bob.take()
        self.block()
        for device in (self.bob, away.resume(away.cursor)):
            event = device.take("contact.changed")[-1]["params"]
            told = (event["contact"]["state"], event["contact"]["chat"], event.get("erased"))
            self.assertEqual(told, ("none", self.chat, True))
        self.assertRaises(LookupError, contact, self.bob, self.alice)
        self.refused("not_found", self.bob, "chat.history", chat=self.chat)

    def test_removed_behind_it(self) -> None:
        """Who was away while the contact was closed, and then removed, is told that the chat is gone."""
        away = self.world.login("bob")
        away.drop()
        self.block()
        self.bob.take()
        self.bob.call("contact.remove", account=self.alice.account)
        self.bob.call("contact.remove", account=self.carol.account)
        away.resume(away.cursor)
        told = [event["params"] for event in away.take("contact.changed")]
        self.assertEqual(
            [(one["contact"]["chat"], one["contact"]["state"], one.get("erased", False)) for one in told],
            [(self.chat, "none", True), (self.other, "none", False)],
        )

    def test_removed_long_ago(self) -> None:
        """However many were removed since: one with whom there is a chat is not forgotten."""
        self.world = World(contacts=3)
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.chat = self.world.befriend(self.alice, self.bob)
        self.alice.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.bob.call("contact.remove", account=self.alice.account)
        for number in range(5):
            other = self.world.register(f"other{number}").account
            self.bob.call("contact.request", account=other, address=f"other{number}")
            self.bob.call("contact.remove", account=other)
        self.bob.take()
        self.block()
        self.assertEqual(self.bob.take("contact.changed")[0]["params"]["contact"]["chat"], self.chat)

    def test_one_statement(self) -> None:
        """All sides facing hers are written together: a commit that is long holds up everybody."""
        others = [self.world.register(f"friend{number}") for number in range(3)]
        for other in others:
            self.world.befriend(self.alice, other)
        statements: list[str] = []
        driver: Any = self.world.database.connection.connection.driver_connection
        driver.set_trace_callback(statements.append)
        self.block()
        driver.set_trace_callback(None)
        writes = [one for one in statements if one.startswith("INSERT INTO contacts")]
        self.assertEqual(len(writes), 1)
        for other in (self.bob, *others):
            self.assertEqual(contact(other, self.alice)["state"], "closed")

    def test_both_close(self) -> None:
        """Nothing is in the way of the second."""
        self.bob.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.block()
        self.world.settle(LEAST_SECONDS)
        self.bob.call("session.block", pin=PIN)
        self.assertEqual(self.carol.take("contact.changed")[-1]["params"]["contact"]["state"], "closed")
        self.world.settle()
        self.assertEqual(self.rows()["erasing"], 0)


class FoundByNumberTests(SyncCase):
    def test_not_found_any_more(self) -> None:
        """Who is found by number closes the account by it too; then the number is free for somebody else."""
        self.assertEqual(list(self.finder.find(BOB)), [BOB])
        self.bob.call("account.pin.set", password=PASSWORD, pin=PIN)
        Client(self.world).call("account.block", username=BOB, pin=PIN)
        self.assertEqual(self.bob.connection.close_code, 4011)
        # Numbers go back to their operators, and to other people: those get an account of their own.
        self.assertEqual(self.world.database.count("tombstones"), 0)
        again = sign_up(self.world, BOB, findable=True)
        self.assertNotEqual(again.account, self.bob.account)
        self.assertEqual(Finder(self.ada).find(BOB)[BOB].account, again.account)

    def test_nobody_has_the_number(self) -> None:
        """A closed account is taken out of the set at once."""
        self.bob.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.bob.call("session.block", pin=PIN)
        self.assertEqual(Finder(self.ada).find(BOB), {})
