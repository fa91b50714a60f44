"""Contact lists over whole sessions: what each side is told, and what nobody is told."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import AccountId, new_account_id
from safeum_home.storage.contacts import GONE
from tests.world import NODE, Client, Refused, World, contact

ACTIONS = ("request", "accept", "decline", "remove", "block", "unblock")


class ContactCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")

    def act(self, action: str, who: Client, whom: Client) -> str:
        """Do it; the code of the refusal, empty where it was not refused."""
        about = {"address": whom.address} if action == "request" else {}
        try:
            who.call(f"contact.{action}", account=whom.account, **about)
        except Refused as refused:
            return refused.code
        return ""

    def do(self, *steps: tuple[str, Client, Client]) -> None:
        for step in steps:
            self.assertEqual(self.act(*step), "", step[0])

    def state(self, who: Client, whom: Client) -> str:
        try:
            return str(contact(who, whom)["state"])
        except LookupError:
            return "none"

    def told(self, who: Client) -> list[str]:
        """The states that `who` was told of since the last time."""
        return [event["params"]["contact"]["state"] for event in who.take("contact.changed")]

    def refused(self, code: str, client: Client, method: str, **params: Any) -> None:
        self.assertEqual(self.assertRaises(Refused, client.call, method, **params).code, code)


class FindTests(ContactCase):
    def test_find(self) -> None:
        """An address leads to its account, however it is written."""
        for address in ("bob", "BOB", f"bob@{NODE}", "@bob", " bob "):
            found = self.alice.call("contact.find", address=address)
            self.assertEqual(found, {"account": self.bob.account, "address": f"bob@{NODE}"})

    def test_nobody(self) -> None:
        """Addresses without an account, and those of nodes that cannot be asked, are told apart."""
        self.refused("not_found", self.alice, "contact.find", address="nobody")
        self.refused("federation_refused", self.alice, "contact.find", address="bob@elsewhere.example")
        self.refused("invalid_username", self.alice, "contact.find", address="no such thing")
        self.refused("invalid_node_name", self.alice, "contact.find", address="bob@no such node")

    def test_limited(self) -> None:
        """Looking for people is limited, found or not, for each account."""
        self.world = World(finds_per_account=0.01, finds_per_account_burst=2)
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.refused("not_found", self.alice, "contact.find", address="nobody")
        self.alice.call("contact.find", address="bob")
        self.refused("rate_limited", self.alice, "contact.find", address="bob")
        self.bob.call("contact.find", address="alice")


class RequestTests(ContactCase):
    def test_request_and_accept(self) -> None:
        """Both sides see each step at once, and have the same chat at the end."""
        self.do(("request", self.alice, self.bob))
        self.assertEqual((self.told(self.alice), self.told(self.bob)), (["requested"], ["incoming"]))
        self.assertEqual(contact(self.bob, self.alice)["address"], f"alice@{NODE}")
        self.do(("accept", self.bob, self.alice))
        self.assertEqual((self.told(self.alice), self.told(self.bob)), (["accepted"], ["accepted"]))
        mine, theirs = contact(self.alice, self.bob), contact(self.bob, self.alice)
        self.assertEqual(mine["chat"], theirs["chat"])
        self.alice.write(mine["chat"], "hi")

    def test_other_devices(self) -> None:
        """All devices of both are told."""
        others = [self.world.login("alice"), self.world.login("bob")]
        for client in (self.alice, self.bob, *others):
            client.take()
        self.do(("request", self.alice, self.bob))
        self.assertEqual([self.told(client) for client in others], [["requested"], ["incoming"]])

    def test_mutual(self) -> None:
        """Asking somebody who asked is accepting, also after his request was declined."""
        self.do(("request", self.alice, self.bob), ("request", self.bob, self.alice))
        self.assertEqual(self.state(self.alice, self.bob), "accepted")
        self.do(("remove", self.bob, self.alice), ("request", self.alice, self.bob))
        self.do(("decline", self.bob, self.alice), ("request", self.bob, self.alice))
        self.assertEqual(
            (self.state(self.alice, self.bob), self.state(self.bob, self.alice)), ("accepted",) * 2
        )

    def test_declined_is_silent(self) -> None:
        """Whoever asked is not told of a decline, and cannot see it."""
        self.do(("request", self.alice, self.bob))
        self.told(self.alice)
        self.do(("decline", self.bob, self.alice))
        self.assertEqual(self.told(self.alice), [])
        self.assertEqual(
            (self.state(self.alice, self.bob), self.state(self.bob, self.alice)), ("requested", "none")
        )

    def test_removed_and_blocked_look_the_same(self) -> None:
        """What the other side is told and may do then tells nothing of the difference."""
        seen = []
        for ending in ("remove", "block"):
            world = World()
            alice, bob = world.register("alice"), world.register("bob")
            chat = world.befriend(alice, bob)
            alice.write(chat, "hi")
            self.act(ending, bob, alice)
            kept = {
                key: value for key, value in contact(alice, bob).items() if key in ("state", "display_name")
            }
            answers: list[Any] = [self.told(alice), kept]
            for method, params in (
                ("chat.send", alice.message(chat, "still there?", "1")),
                ("chat.typing", {"chat": chat}),
                ("profile.get", {"account": bob.account}),
            ):
                answers.append(self.assertRaises(Refused, alice.call, method, **params).error["data"])
            answers.append(self.act("request", alice, bob))
            answers.append(self.state(alice, bob))
            seen.append(answers)
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0][0], ["removed"])

    def test_nothing_gets_through_a_block(self) -> None:
        """A blocked account's request reaches nobody, then or after the block is lifted."""
        self.do(("block", self.bob, self.alice))
        self.told(self.bob)
        self.do(("request", self.alice, self.bob))
        self.assertEqual((self.told(self.bob), self.told(self.alice)), ([], ["requested"]))
        self.do(("unblock", self.bob, self.alice))
        self.assertEqual((self.told(self.bob), self.state(self.bob, self.alice)), (["none"], "none"))

    def test_oneself(self) -> None:
        """Nobody is his own contact."""
        for action in ACTIONS:
            self.assertEqual(self.act(action, self.alice, self.alice), "wrong_contact_state")

    @settings(max_examples=20)
    @given(st.lists(st.sampled_from(ACTIONS), max_size=12))
    def test_unknown_accounts(self, actions: list[str]) -> None:
        """Whatever is done to an account that does not exist is answered as if it did, and did nothing."""
        world = World()
        alice, bob = world.register("alice"), world.register("bob")
        nobody = Client(world)
        nobody.account, nobody.address = new_account_id(NODE), f"nobody@{NODE}"
        for action in actions:
            self.assertEqual(self.act(action, alice, bob), self.act(action, alice, nobody), action)
        known, unknown = (self.state(alice, whom) for whom in (bob, nobody))
        self.assertEqual(known, unknown)
        told = [e["params"]["contact"] for e in alice.take("contact.changed")]
        states = [[c["state"] for c in told if c["account"] == whom.account] for whom in (bob, nobody)]
        self.assertEqual(states[0], states[1])

    def test_limited(self) -> None:
        """Requests are limited, known account or not."""
        self.world = World(contact_requests_per_account=0.01, contact_requests_per_account_burst=2)
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.do(("request", self.alice, self.bob), ("remove", self.alice, self.bob))
        self.do(("request", self.alice, self.bob))
        self.assertEqual(self.act("request", self.alice, self.bob), "rate_limited")
        self.do(("remove", self.alice, self.bob))


class ListTests(ContactCase):
    def setUp(self) -> None:
        self.world = World(contacts=3)
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")

    def people(self, count: int) -> list[Client]:
        return [self.world.register(f"friend{number}") for number in range(count)]

    def test_pages(self) -> None:
        """Pages hold every contact once."""
        friends = self.people(3)
        for friend in friends:
            self.do(("request", self.alice, friend))
        found, after = [], None
        for _ in range(3):
            page = self.alice.call("contact.list", after=after, limit=1)
            found += page["contacts"]
            after = page["next"]
        self.assertIsNone(after)
        self.assertEqual({c["account"] for c in found}, {friend.account for friend in friends})

    def test_full(self) -> None:
        """A full list takes nobody in, not even those that were in it; those that go make room."""
        friends = self.people(4)
        for friend in friends[:3]:
            self.do(("request", self.alice, friend))
        self.assertEqual(self.act("request", self.alice, friends[3]), "limit_reached")
        self.assertEqual(self.act("block", self.alice, friends[3]), "limit_reached")
        self.do(("remove", self.alice, friends[0]), ("request", self.alice, friends[3]))
        self.assertEqual(self.act("request", self.alice, friends[0]), "limit_reached")

    def test_a_full_list_takes_no_requests(self) -> None:
        """Others cannot fill a list beyond its bound, and are not told that it is full."""
        for friend in self.people(4):
            self.do(("request", friend, self.alice))
            self.assertEqual(self.state(friend, self.alice), "requested")
        self.assertEqual(len(self.alice.call("contact.list")["contacts"]), 3)
        self.assertEqual(self.told(self.alice), ["incoming"] * 3)

    def test_what_is_gone_is_bounded(self) -> None:
        """Contacts that are gone are remembered for devices that were away, but not without end."""
        friends = self.people(6)
        for friend in friends:
            self.do(("block", self.alice, friend), ("unblock", self.alice, friend))
        rows = self.world.database.now(
            lambda c: c.exec_driver_sql("SELECT position FROM contacts WHERE state = ?", (GONE,)).all()
        )
        self.assertEqual(len(rows), 3)
        self.alice.take()
        missed = self.alice.resume(self.alice.cursor).take("contact.changed")
        accounts = [event["params"]["contact"]["account"] for event in missed]
        self.assertEqual(accounts, [friend.account for friend in friends[3:]])

    def test_damaged(self) -> None:
        """A contact that cannot be opened is left out; the rest is there, and it can still be blocked."""
        friends = self.people(3)
        for friend in friends:
            self.do(("request", self.alice, friend), ("accept", friend, self.alice))
        peer = self.world.vault.blinder.account(AccountId(friends[1].account))
        self.world.database.execute("UPDATE contacts SET sealed = x'00' WHERE peer = ?", peer)
        for limit in (1, 2, 50):
            found, after = [], None
            while True:
                page = self.alice.call("contact.list", limit=limit, after=after)
                found += page["contacts"]
                if (after := page["next"]) is None:
                    break
            self.assertEqual({c["account"] for c in found}, {friends[0].account, friends[2].account})
        self.alice.take()
        self.assertEqual(len(self.alice.resume(self.alice.cursor).take("contact.changed")), 2)
        self.do(("block", self.alice, friends[1]))
        self.assertEqual(self.state(friends[1], self.alice), "removed")
        self.assertEqual(self.state(self.alice, friends[1]), "blocked")


class RaceTests(ContactCase):
    def test_both_at_once(self) -> None:
        """Two who ask each other in the same commit are contacts after it."""
        self.world.database.hold = True
        asked = [
            client.ask("contact.request", account=other.account, address=other.address)
            for client, other in ((self.alice, self.bob), (self.bob, self.alice))
        ]
        self.world.database.release()
        self.assertEqual([self.alice.answer(asked[0]), self.bob.answer(asked[1])], [{}, {}])
        self.world.database.hold = False
        self.assertEqual(
            (self.state(self.alice, self.bob), self.state(self.bob, self.alice)), ("accepted",) * 2
        )

    def test_a_commit_that_fails(self) -> None:
        """Nobody is told, nothing has changed, and the chat is open for whoever waited for it."""
        chat = self.world.befriend(self.alice, self.bob)
        self.world.database.hold = self.world.database.failing = True
        block = self.bob.ask("contact.block", account=self.alice.account)
        send = self.alice.ask("chat.send", **self.alice.message(chat, "hi"))
        self.world.database.release()
        self.assertEqual(self.assertRaises(Refused, self.bob.answer, block).code, "storage_unavailable")
        self.world.database.failing = False
        self.world.database.release()
        self.assertIsNotNone(self.alice.answer(send))
        self.assertEqual((self.told(self.alice), self.state(self.bob, self.alice)), ([], "accepted"))

    def test_written_while_being_blocked(self) -> None:
        """What is sent after a block was handed in is refused, whichever way the disk and the reads take."""
        for late_read in (False, True):
            world = World()
            alice, bob = world.register("alice"), world.register("bob")
            chat = world.befriend(alice, bob)
            world = self.restart(world, alice, bob)
            database = world.database
            stored = database.count("events")
            database.hold, database.hold_reads = True, late_read
            early = [alice.ask("chat.send", **alice.message(chat, "while it is read"))] if late_read else []
            bob.ask("contact.block", account=alice.account)
            database.hold_reads = False
            if not late_read:
                early = [alice.ask("chat.send", **alice.message(chat, "while it is committed"))]
            database.release()
            database.answer_reads()
            database.release()
            code = self.assertRaises(Refused, alice.answer, early[0]).code
            self.assertEqual((code, database.count("events")), ("not_a_contact", stored))
            self.assertEqual(bob.messages(), [])

    def restart(self, world: World, *clients: Client) -> World:
        """The same node with nothing in memory."""
        again = World(world.database, world.vault)
        for client in clients:
            client.world = again
            client.resume().take()
            client.call("device.list")
        return again

    def test_waiting_keeps_the_order(self) -> None:
        """Messages that waited for a change go in their order, before those that came after it."""
        chat = self.world.befriend(self.alice, self.bob)
        database = self.world.database
        database.hold = True
        self.bob.ask("contact.accept", account=self.alice.account)
        for number in range(3):
            self.alice.ask("chat.send", **self.alice.message(chat, str(number)))
        database.release()
        self.alice.ask("chat.send", **self.alice.message(chat, "3"))
        database.release()
        self.assertEqual([m["body"]["text"] for m in self.bob.messages()], ["0", "1", "2", "3"])
