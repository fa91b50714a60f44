"""Edits, deletions, reactions and answers in a chat without history: while a message lives, and with it."""

from safeum_home.chats.sealed import open_under
from safeum_home.ids import ChatId
from safeum_home.storage import events, keys
from tests.erasure_case import ErasureCase
from tests.world import texts


class ChangeTests(ErasureCase):
    def setUp(self) -> None:
        super().setUp()
        self.off()
        self.world.domain.fleeting.start()
        self.addCleanup(self.world.domain.fleeting.stop)
        for client in (self.alice, self.bob):
            self.acknowledge(client)
        self.gather()
        self.sent = self.alice.write(self.chat, "as it was")
        for client in (self.alice, self.bob):
            client.take()

    def change(self, method: str, client: str = "alice", **more: object) -> None:
        by = self.alice if client == "alice" else self.bob
        by.call(method, chat=self.chat, message=self.sent["id"], **more)

    def test_edited(self) -> None:
        """Under the key that it had: the chat's alone opens nothing of it before, and nothing after."""
        self.change("message.edit", body={"kind": "text", "text": "as it is"})
        [row] = self.world.database.now(lambda c: events.events_before(c, self.blind(), None, 1))
        chat = self.world.domain.registry.get(ChatId(self.chat))
        assert chat is not None
        self.assertNotIn(b"as it is", open_under(chat.key, row))
        self.assertEqual(self.bob.history(self.chat), ["as it is"])
        [event] = self.bob.take("chat.changed")
        self.assertEqual(event["params"]["message"]["body"]["text"], "as it is")
        owner = keys.message_owner(row.chat, row.position)
        self.world.database.execute("DELETE FROM fleeting_keys WHERE owner = ?", owner)
        self.assertEqual(self.bob.history(self.chat), [])

    def test_gone_with_it(self) -> None:
        """What was changed and what was reacted goes with the message, also from a device's backlog."""
        since = self.alice.cursor
        self.change("message.edit", body={"kind": "text", "text": "as it is"})
        self.change("message.react", "bob", emoji="👍")
        self.assertEqual([self.rows(table) for table in ("changes", "reactions")], [1, 1])
        listed = self.alice.call("message.reactions", chat=self.chat, message=self.sent["id"])["reactions"]
        self.assertEqual([one["emoji"] for one in listed], ["👍"])
        chat = self.world.domain.registry.get(ChatId(self.chat))
        assert chat is not None
        [sealed] = self.world.database.now(
            lambda c: c.exec_driver_sql("SELECT target, account, sealed FROM reactions").all()
        )
        context = b"reaction" + chat.blind + sealed[0].to_bytes(8, "big") + sealed[1]
        self.assertNotIn("👍".encode(), chat.key.open(sealed[2], context))
        for client in (self.alice, self.bob):
            self.acknowledge(client)
        self.gather()
        tables = ("events", "spool", "changes", "reactions")
        self.assertEqual([self.rows(table) for table in tables], [0, 0, 0, 0])
        self.alice.take()
        self.alice.resume(since)
        self.world.settle()
        self.assertEqual(self.alice.take("chat.changed"), [])
        about = {"chat": self.chat, "message": self.sent["id"]}
        self.refused("message_not_kept", self.alice, "message.delete", **about)

    def test_answered_and_pinned_when_it_is_gone(self) -> None:
        """It is on the screens of all who hold it: an answer goes out, and what cannot be says why."""
        for client in (self.alice, self.bob):
            self.acknowledge(client)
        self.gather()
        self.assertEqual(self.rows("events"), 0)
        text = {"kind": "text", "text": "yes"}
        params = {"chat": self.chat, "client_id": "answer", "body": text}
        self.bob.call("chat.send", **params, reply_to=self.sent["id"])
        [answer] = self.alice.take("chat.message")
        self.assertEqual(answer["params"]["reply_to"], self.sent["id"])
        about = {"chat": self.chat, "message": self.sent["id"]}
        self.refused("message_not_kept", self.bob, "chat.pin", **about)
        self.refused("message_not_kept", self.alice, "message.edit", **about, body=text)
        # In another chat it is none, and nor is it for who does not see it any more.
        carol = self.world.register("carol")
        other = self.world.befriend(carol, self.bob)
        about = {"chat": other, "message": self.sent["id"]}
        self.refused("message_gone", self.bob, "chat.pin", **about)
        self.refused(
            "message_gone",
            self.bob,
            "chat.send",
            **params | {"chat": other, "reply_to": self.sent["id"], "client_id": "1"},
        )
        self.world.settle(20)  # a turn of the keyring is not begun at once after another
        for enabled in (True, False):  # which erases what there is
            self.bob.call("chat.history.set", chat=self.chat, enabled=enabled)
        self.refused("message_gone", self.bob, "chat.pin", chat=self.chat, message=self.sent["id"])
        self.refused(
            "message_gone", self.bob, "chat.send", **params | {"client_id": "2"}, reply_to=self.sent["id"]
        )

    def test_deleted(self) -> None:
        """A stub that waits as the message did."""
        self.change("message.delete")
        self.assertEqual(self.bob.history(self.chat), [])
        self.assertEqual(self.rows("spool"), 1)
        for client in (self.alice, self.bob):
            self.acknowledge(client)
        self.gather()
        self.assertEqual(self.rows("spool"), 0)

    def test_a_device_that_has_the_message_alone(self) -> None:
        """It is waited for with what became of that: else it would show for ever what was deleted for all."""
        tablet = self.world.login("bob")
        sent = self.alice.write(self.chat, "regretted")
        self.acknowledge(tablet)
        since = tablet.cursor = self.world.cursor
        tablet.drop()
        tablet.take()
        self.alice.call("message.delete", chat=self.chat, message=sent["id"])
        for client in (self.alice, self.bob):
            self.acknowledge(client)
        self.gather()
        self.assertEqual(self.rows("spool"), 1)
        tablet.resume(since)
        self.world.settle()
        [event] = tablet.take("chat.changed")
        self.assertEqual(event["params"]["message"]["body"]["kind"], "deleted")
        self.acknowledge(tablet)
        self.gather()
        self.assertEqual(self.rows("spool"), 0)

    def test_answered(self) -> None:
        """An answer lives as messages do, and is recognised when it is sent again."""
        about = {**self.bob.message(self.chat, "yes", "answer"), "reply_to": self.sent["id"]}
        first = self.bob.call("chat.send", **about)
        self.assertEqual(self.rows("spool"), 2)
        self.assertEqual(texts(self.alice.messages()), ["yes"])
        for client in (self.alice, self.bob):
            self.acknowledge(client)
        self.gather()
        self.assertEqual(self.rows("spool"), 0)
        self.assertEqual(self.bob.call("chat.send", **about)["id"], first["id"])
        self.assertEqual(self.alice.messages(), [])

    def test_of_before(self) -> None:
        """Nothing that was erased can be changed, and what had changed of it is told to nobody."""
        self.on()
        old = self.alice.write(self.chat, "old")
        since = self.world.cursor
        self.alice.call(
            "message.edit", chat=self.chat, message=old["id"], body={"kind": "text", "text": "older"}
        )
        self.bob.call("message.react", chat=self.chat, message=old["id"], emoji="👍")
        self.alice.call("chat.pin", chat=self.chat, message=old["id"])
        self.off()
        for method, more in (("message.react", {"emoji": "👍"}), ("message.delete", {}), ("chat.pin", {})):
            self.refused("message_gone", self.alice, method, chat=self.chat, message=old["id"], **more)
        self.bob.take()
        self.bob.resume(since)
        self.world.settle()
        self.assertEqual(self.bob.take("chat.changed"), [])
        self.assertEqual([self.rows(table) for table in ("changes", "reactions")], [0, 0])
        self.assertEqual(self.bob.call("chat.pinned", chat=self.chat)["messages"], [])
