"""Messages of a chat without history: they live until everybody holds them, and no longer than a week."""

from functools import partial
from unittest.mock import patch

from sqlalchemy import Connection

from safeum_home.chats import fleeting
from safeum_home.chats.sealed import open_encoded, open_under
from safeum_home.config import Config, HistorySection, NodeSection
from safeum_home.errors import Erased, Tampered
from safeum_home.ids import AccountId, ChatId, direct_chat_id
from safeum_home.jobs import AGAIN
from safeum_home.ports import WrappedKey
from safeum_home.storage import events, keys
from safeum_home.storage.rows import EventRow
from tests.erasure_case import HOUR
from tests.fleeting_case import FleetingCase
from tests.world import World, texts


class DeliveryTests(FleetingCase):
    def test_until_delivered(self) -> None:
        """It comes as others do, and is gone with its key as soon as the other device says that it has it."""
        sent = self.alice.write(self.chat, "short")
        self.assertEqual(self.left(), [1, 1, 1])
        self.assertEqual(texts(self.bob.messages()), ["short"])
        self.acknowledge(self.alice)
        self.gather()
        self.assertEqual(self.left(), [1, 1, 1], "its sender has it anyway")
        self.bob.call("session.ack", cursor=sent["id"])
        self.gather()
        self.assertEqual(self.left(), [0, 0, 0])
        self.assertEqual(self.bob.history(self.chat), [])

    def test_a_copy(self) -> None:
        """Who has a message copied by the node does not have it before it was told what it holds."""
        notes = direct_chat_id(AccountId(self.alice.account), AccountId(self.alice.account))
        note = self.alice.write(notes, "a note")
        self.alice.take()
        source = {"chat": notes, "message": note["id"]}
        self.alice.call("chat.send", chat=self.chat, client_id="copy", forward=source)
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual(self.left(), [1, 1, 1])
        self.assertEqual(texts(self.alice.messages()), ["a note"])
        self.acknowledge(self.alice)
        self.gather()
        self.assertEqual(self.left(), [0, 0, 0])

    def test_an_earlier_acknowledgement(self) -> None:
        """What is held up to one message says nothing of the next."""
        first = self.alice.write(self.chat, "first")
        self.alice.write(self.chat, "second")
        self.bob.call("session.ack", cursor=first["id"])
        self.gather()
        self.assertEqual(self.alice.history(self.chat), ["second"])

    def test_all_devices(self) -> None:
        """Of both members, also those that are away; coming back with `since` says what a device holds."""
        tablet, phone = self.world.login("bob"), self.world.login("alice")
        self.world.settle()
        since = self.world.cursor
        tablet.drop()
        self.alice.write(self.chat, "for all")
        for client in (self.bob, phone):
            self.acknowledge(client)
        self.gather()
        self.assertEqual(self.left(), [1, 1, 1])
        tablet.take()
        tablet.resume(since)
        self.gather()
        self.assertEqual(texts(tablet.messages()), ["for all"])
        self.assertEqual(self.left(), [1, 1, 1])
        tablet.resume(self.world.cursor)
        self.gather()
        self.assertEqual(self.left(), [0, 0, 0])

    def test_a_device_that_is_revoked(self) -> None:
        """It is not waited for any more."""
        tablet = self.world.login("bob")
        self.alice.write(self.chat, "for all")
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual(self.rows("events"), 1)
        self.bob.call("device.revoke", device=tablet.device)
        self.look()
        self.assertEqual(self.left(), [0, 0, 0])

    def test_a_device_that_is_new(self) -> None:
        """It sees what still lives, and is not waited for with that."""
        self.alice.write(self.chat, "lives")
        tablet = self.world.login("bob")
        self.assertEqual(tablet.history(self.chat), ["lives"])
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual(self.left(), [0, 0, 0])

    def test_an_account_without_devices(self) -> None:
        """It is waited for: the next device gets the message, and then it is gone."""
        self.bob.call("session.logout")
        self.alice.write(self.chat, "come back")
        self.acknowledge(self.alice)
        self.look()
        self.assertEqual(self.left(), [1, 1, 1])
        self.bob.connect()
        self.bob.login("bob")
        self.look()
        self.assertEqual(self.bob.history(self.chat), ["come back"])
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual(self.left(), [0, 0, 0])

    def test_a_sender_without_devices(self) -> None:
        """Who has sent it and logged out needs nothing of it."""
        self.alice.write(self.chat, "bye")
        self.alice.call("session.logout")
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual(self.left(), [0, 0, 0])

    def test_a_week(self) -> None:
        """A device that never comes: after a week, and not before, nothing is left."""
        self.bob.drop()
        self.alice.write(self.chat, "too late")
        self.world.clock.advance(166 * HOUR)
        self.look()
        self.assertEqual(self.left(), [1, 1, 1])
        self.world.clock.advance(2 * HOUR)
        self.look()
        self.assertEqual(self.left(), [0, 0, 0])
        self.bob.resume(self.bob.cursor)
        self.world.settle()
        self.assertEqual(self.bob.messages(), [])

    def test_many(self) -> None:
        """More than are dropped in one transaction."""
        for number in range(450):
            self.alice.write(self.chat, f"{number}")
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual(self.left(), [0, 0, 0])

    def test_sent_again(self) -> None:
        """Its answer got lost, and it is gone by now: it is answered, and nobody gets it twice."""
        about = self.alice.message(self.chat, "once", "its-id")
        sent = self.alice.call("chat.send", **about)
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual(len(self.bob.messages()), 1)
        self.assertEqual(self.alice.call("chat.send", **about)["id"], sent["id"])
        self.assertEqual(self.bob.messages(), [])
        self.assertEqual(self.left(), [0, 0, 0])

    def test_read(self) -> None:
        """Receipts are told, also of what is gone by then."""
        sent = self.alice.write(self.chat, "seen?")
        self.acknowledge(self.bob)
        self.gather()
        self.alice.take()
        self.bob.call("chat.read", chat=self.chat, upto=sent["id"])
        [told] = [event["params"] for event in self.alice.take("chat.receipt")]
        self.assertEqual((told["account"], told["read"]), (self.bob.account, sent["id"]))

    def test_read_elsewhere(self) -> None:
        """What is gone from one chat was never in another one, and cannot be read there."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.bob, carol)
        carol.write(other, "hello")
        sent = self.alice.write(self.chat, "seen?")
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual(self.left(), [0, 0, 0])
        self.refused("not_found", self.bob, "chat.read", chat=other, upto=sent["id"])
        self.bob.call("chat.read", chat=self.chat, upto=sent["id"])

    def test_switched_on_again(self) -> None:
        """What waits then waits on, and goes as it would have; what follows stays."""
        self.alice.write(self.chat, "fleeting")
        self.on()
        self.alice.write(self.chat, "kept")
        self.assertEqual(self.bob.history(self.chat), ["fleeting", "kept"])
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual(self.bob.history(self.chat), ["kept"])

    def test_switched_off_again(self) -> None:
        """Then what waits is erased as well: its own key is of no use without the chat's."""
        self.alice.write(self.chat, "fleeting")
        self.on()
        self.off(self.bob)
        self.assertEqual(self.bob.history(self.chat), [])
        self.assertEqual(self.left(), [1, 1, 1], "the notice alone")

    def test_after_a_crash(self) -> None:
        """What was acknowledged and not noted is so again when the devices come back."""
        self.alice.write(self.chat, "lives on")
        self.acknowledge(self.bob)
        cursor = self.world.cursor
        self.restart()
        self.assertEqual(self.left(), [1, 1, 1])
        self.bob.resume(cursor)
        self.gather()
        self.assertEqual(self.left(), [0, 0, 0])

    def test_others_are_not_noted(self) -> None:
        """Nothing is written for devices of accounts that nobody waits for."""
        carol, dave = map(self.world.register, ("carol", "dave"))
        other = self.world.befriend(carol, dave)
        self.alice.write(self.chat, "waits")
        sent = carol.write(other, "stays")
        transactions = self.world.database.transactions
        dave.call("session.ack", cursor=sent["id"])
        self.world.clock.advance(0.01)
        self.assertEqual(self.world.domain.fleeting._gathered, {})
        self.assertEqual(self.world.database.transactions, transactions)

    def test_bounds(self) -> None:
        """Beyond them nobody is noted: messages wait for longer, and nothing else happens."""
        self.acknowledge(self.alice)
        self.look(2)  # nothing waits: nobody is waited for
        self.assertEqual(self.world.domain.fleeting._waited_for, {})
        with patch.object(fleeting, "MOST_ACCOUNTS", 1):
            self.alice.write(self.chat, "waits")
            self.assertEqual(len(self.world.domain.fleeting._waited_for), 1)
        with patch.object(fleeting, "MOST_GATHERED", 0):
            self.acknowledge(self.bob)
            self.acknowledge(self.alice)
        self.gather()
        self.assertEqual(self.rows("events"), 1)
        self.look()
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual(self.rows("events"), 0)

    def test_storage_that_fails(self) -> None:
        """What a device has said to hold is noted once it can be: it does not say so again."""
        self.alice.write(self.chat, "waits")
        self.world.database.failing = True
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual(self.left(), [1, 1, 1])
        self.world.database.failing = False
        self.world.settle(AGAIN)
        self.assertEqual(self.left(), [0, 0, 0])


class KeyTests(FleetingCase):
    def event(self) -> EventRow:
        [row] = self.world.database.now(lambda c: events.events_before(c, self.blind(), None, 1))
        return row

    def test_two_keys(self) -> None:
        """The chat's key alone opens nothing of it, and a row that was moved neither."""
        self.alice.write(self.chat, "secret")
        row = self.event()
        chat = self.world.domain.registry.get(ChatId(self.chat))
        assert chat is not None
        self.assertNotIn(b"secret", open_under(chat.key, row))
        database = self.world.database
        self.assertIn(b"secret", database.now(lambda c: open_encoded(c, chat, row)))
        owner = keys.message_owner(row.chat, row.position)
        database.execute("DELETE FROM fleeting_keys WHERE owner = ?", owner)
        with self.assertRaises(Tampered):
            database.now(lambda c: open_encoded(c, chat, row))
        self.assertEqual(self.bob.history(self.chat), [])

    def test_the_keyring_turns_for_many(self) -> None:
        """An hour later what was dropped opens for nobody; in between the keyring is left alone."""
        keyring = self.world.vault.fleeting
        epoch, other = keyring.epoch, self.world.vault.keyring.epoch
        wraps = []
        for text in ("one", "two"):
            self.alice.write(self.chat, text)
            row = self.event()
            owner = keys.message_owner(row.chat, row.position)
            wrapped = self.world.database.now(partial(_key, owner))
            assert wrapped is not None
            wraps.append((owner, wrapped))
            self.acknowledge(self.bob)
            self.gather()
        self.look(50)
        self.assertEqual(keyring.epoch, epoch)
        for owner, wrapped in wraps:
            keyring.unwrap(owner, wrapped).wipe()
        self.look(15)
        self.assertEqual(keyring.oldest, epoch + 1)
        for owner, wrapped in wraps:
            self.assertRaises(Erased, keyring.unwrap, owner, wrapped)
        self.look(130)
        self.assertEqual(keyring.epoch, epoch + 1, "nothing was dropped since then")
        self.assertEqual(
            self.world.vault.keyring.epoch, other, "the keys of accounts and chats are left alone"
        )

    def test_settings(self) -> None:
        """Less than a week, where the operator says so; never more."""
        self.world.domain.fleeting.stop()
        world = World()
        config = Config(NodeSection("home.example", "/nowhere"), history=HistorySection(undelivered_hours=2))
        world.domain.fleeting._hours = config.history.undelivered_hours
        alice, bob = map(world.register, ("alice", "bob"))
        chat = world.befriend(alice, bob)
        alice.call("chat.history.set", chat=chat, enabled=False)
        world.domain.fleeting.start()
        self.addCleanup(world.domain.fleeting.stop)
        bob.drop()
        alice.write(chat, "soon gone")
        world.settle(HOUR * 3)
        self.assertEqual(world.database.count("spool"), 0)


def _key(owner: bytes, c: Connection) -> WrappedKey | None:
    return keys.FLEETING.key(c, owner)
