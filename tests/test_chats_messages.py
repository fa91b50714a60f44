"""Sending: consent before anything is stored, the commit before the answer, the answer before delivery."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import AccountId, ChatId, direct_chat_id, new_account_id
from safeum_home.storage.events import event
from tests.world import NODE, Client, Refused, World, texts


class MessageCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")

    def chat_of(self, first: str, second: str) -> str:
        return direct_chat_id(AccountId(first), AccountId(second))

    def refused(self, code: str, client: Client, method: str, **params: Any) -> dict[str, Any]:
        error = self.assertRaises(Refused, client.call, method, **params)
        self.assertEqual(error.code, code)
        return {**error.error["data"]}


class ConsentTests(MessageCase):
    def test_nothing_is_stored_without_it(self) -> None:
        """Before, during and after a contact: what is refused has left nothing in the database."""
        chat = self.chat_of(self.alice.account, self.bob.account)
        tables = ("events", "dedupe", "chats")
        steps = (
            None,
            (self.alice, "contact.request", self.bob),
            (self.bob, "contact.decline", self.alice),
            (self.alice, "contact.remove", self.bob),
            (self.bob, "contact.block", self.alice),
            (self.bob, "contact.unblock", self.alice),
        )
        before = [self.world.database.count(table) for table in tables]
        for step in steps:
            if step is not None:
                about = {"address": "bob"} if step[1] == "contact.request" else {}
                step[0].call(step[1], account=step[2].account, **about)
            for sender in (self.alice, self.bob):
                self.refused("not_a_contact", sender, "chat.send", **sender.message(chat, "psst"))
            self.assertEqual([self.world.database.count(table) for table in tables], before)
        chat = self.world.befriend(self.alice, self.bob)
        self.alice.write(chat, "hi")
        stored = self.world.database.count("events")
        for ending in ("remove", "block"):
            self.bob.call(f"contact.{ending}", account=self.alice.account)
            for sender in (self.alice, self.bob):
                self.refused("not_a_contact", sender, "chat.send", **sender.message(chat, "psst"))
            self.assertEqual(self.world.database.count("events"), stored)
            if ending == "remove":
                self.world.befriend(self.alice, self.bob)

    def test_strangers_and_nobody_look_the_same(self) -> None:
        """The refusal does not tell whether there is such a chat, account or contact."""
        carol = self.world.register("carol")
        existing = self.world.befriend(self.bob, carol)
        chats = [
            self.chat_of(self.alice.account, self.bob.account),
            self.chat_of(self.alice.account, new_account_id(NODE)),
            existing,
            "!" + "a" * 26,
        ]
        sends = [
            self.refused("not_a_contact", self.alice, "chat.send", **self.alice.message(c, "hi"))
            for c in chats
        ]
        typing = [self.refused("not_a_contact", self.alice, "chat.typing", chat=chat) for chat in chats]
        reading = [self.refused("not_found", self.alice, "chat.history", chat=chat) for chat in chats]
        marking = [
            self.refused("not_found", self.alice, "chat.read", chat=chat, upto=self.alice.cursor)
            for chat in chats
        ]
        for answers in (sends, typing, reading, marking):
            self.assertEqual(answers, [answers[0]] * 4)

    def test_former_contacts_read_on(self) -> None:
        """What was written stays readable to both."""
        chat = self.world.befriend(self.alice, self.bob)
        self.alice.write(chat, "hi")
        self.bob.call("contact.remove", account=self.alice.account)
        self.assertEqual((self.alice.history(chat), self.bob.history(chat)), (["hi"], ["hi"]))


class SendTests(MessageCase):
    def setUp(self) -> None:
        super().setUp()
        self.chat = self.world.befriend(self.alice, self.bob)

    def test_delivery(self) -> None:
        """Everyone in the chat gets the message as it was stored, but the device that sent it."""
        tablet = self.world.login("alice")
        tablet.take()
        sent = self.alice.write(self.chat, "hé\u2028\u0000")
        [message] = self.bob.messages()
        self.assertEqual(
            message,
            {
                "id": sent["id"],
                "chat": self.chat,
                "sender": self.alice.account,
                "at": sent["at"],
                "body": {"kind": "text", "text": "hé\u2028\u0000"},
            },
        )
        self.assertEqual(tablet.messages(), [message])
        self.assertEqual(self.alice.messages(), [])
        self.assertEqual(self.bob.call("chat.history", chat=self.chat)["messages"], [message])

    def test_bodies(self) -> None:
        """A text has 1 to 8192 characters, whichever they are."""
        for text in ("", "x" * 8193):
            self.refused("invalid_params", self.alice, "chat.send", **self.alice.message(self.chat, text))
        for text in ("x", "\u0000" * 8192, "\U0001f600" * 8192):
            self.alice.write(self.chat, text)
            self.assertEqual(texts(self.bob.messages()), [text])
        for body in ({"text": "x"}, {"kind": "Letter", "text": "x"}, {"kind": "text"}):
            about = {"chat": self.chat, "client_id": "1", "body": body}
            self.refused("invalid_params", self.alice, "chat.send", **about)
        alert = {"kind": "login_alert", "device": "D" + "a" * 16, "name": "x", "system": "x", "at": 0}
        about = {"chat": self.chat, "client_id": "1", "body": alert}
        self.refused("invalid_params", self.alice, "chat.send", **about)

    def test_idempotent(self) -> None:
        """What is sent again is answered as the first time, and is one message."""
        first = self.alice.write(self.chat, "hi", "1")
        self.world.clock.advance(60)
        self.assertEqual(self.alice.write(self.chat, "hi", "1"), first)
        self.assertEqual(self.alice.write(self.chat, "something else", "1"), first)
        self.assertEqual(texts(self.bob.messages()), ["hi"])
        self.alice.resume()
        self.assertEqual(self.alice.write(self.chat, "hi", "1"), first)
        again = World(self.world.database, self.world.vault)
        self.alice.world = again
        self.assertEqual(self.alice.resume().write(self.chat, "hi", "1"), first)
        self.assertEqual(self.alice.history(self.chat), ["hi"])

    def test_sent_again_after_the_end(self) -> None:
        """A message whose answer got lost was sent, also when its sender may write no more."""
        other = self.world.befriend(self.alice, self.world.register("carol"))
        first = self.alice.write(self.chat, "hi", "1")
        self.alice.write(other, "hi", "2")
        self.bob.call("contact.remove", account=self.alice.account)
        self.assertEqual(self.alice.write(self.chat, "hi", "1"), first)
        for client_id in ("2", "3"):
            params = self.alice.message(self.chat, "hi", client_id)
            self.refused("not_a_contact", self.alice, "chat.send", **params)
        self.assertEqual(self.bob.history(self.chat), ["hi"])

    def test_client_ids_are_of_a_device(self) -> None:
        """Another device, and another account, may use the same one."""
        tablet = self.world.login("alice")
        ids = [client.write(self.chat, "hi", "1")["id"] for client in (self.alice, tablet, self.bob)]
        self.assertEqual(len(set(ids)), 3)

    def test_the_same_client_id_elsewhere(self) -> None:
        """One that was used in another chat is refused: the message is not there, and nowhere else."""
        other = self.world.befriend(self.alice, self.world.register("carol"))
        self.alice.write(self.chat, "hi", "1")
        error = self.refused(
            "invalid_params", self.alice, "chat.send", **self.alice.message(other, "hi", "1")
        )
        self.assertIn("client_id", error["detail"])
        self.assertEqual(self.alice.history(other), [])

    def test_duplicates_at_once(self) -> None:
        """Sent several times in one commit it is one message, and all get its answer."""
        self.world.database.hold = True
        asked = [self.alice.ask("chat.send", **self.alice.message(self.chat, "hi", "1")) for _ in range(3)]
        self.world.database.release()
        answers = [self.alice.answer(number) for number in asked]
        self.assertEqual(answers, [answers[0]] * 3)
        self.assertIsNotNone(answers[0])
        self.assertEqual((texts(self.bob.messages()), self.bob.history(self.chat)), (["hi"], ["hi"]))

    def test_acknowledged_before_published(self) -> None:
        """The answer is written before anyone is told, and neither before the commit has been reported."""
        order: list[str] = []
        for name, client in (("answer", self.alice), ("event", self.bob)):
            self.patch(client.connection, "write", lambda frame, name=name: order.append(name))
        self.world.database.hold = True
        for number in range(2):
            self.alice.ask("chat.send", **self.alice.message(self.chat, str(number)))
        self.assertEqual(order, [])
        self.world.database.commit()
        self.assertEqual(order, [])
        self.world.database.report()
        self.assertEqual(order, ["answer", "event"] * 2)

    def test_a_commit_that_fails(self) -> None:
        """Nothing is acknowledged and nobody is told; the next one is tried as usual."""
        self.world.database.failing = True
        error = self.refused(
            "storage_unavailable", self.alice, "chat.send", **self.alice.message(self.chat, "1", "1")
        )
        self.assertGreater(error["retry_after"], 0)
        self.assertEqual(self.bob.take(), [])
        self.world.database.failing = False
        self.alice.write(self.chat, "1", "1")
        self.assertEqual(texts(self.bob.messages()), ["1"])
        self.assertEqual(self.bob.history(self.chat), ["1"])

    def test_gone_before_the_answer(self) -> None:
        """A message whose sender went away is delivered all the same, and recognised when he is back."""
        self.world.database.hold = True
        self.alice.ask("chat.send", **self.alice.message(self.chat, "hi", "1"))
        self.alice.drop()
        self.world.database.release()
        [message] = self.bob.messages()
        self.world.database.hold = False
        self.assertEqual(self.alice.resume().write(self.chat, "hi", "1")["id"], message["id"])

    @settings(max_examples=25)
    @given(st.lists(st.sampled_from(["alice", "tablet", "bob", "commit", "report"]), max_size=40))
    def test_order(self, steps: list[str]) -> None:
        """However commits fall, all see one order, and each sender's messages in the order he sent them."""
        world = World()
        alice, bob = world.register("alice"), world.register("bob")
        chat = world.befriend(alice, bob)
        clients = {"alice": alice, "tablet": world.login("alice"), "bob": bob}
        viewer = world.login("bob")
        for client in (*clients.values(), viewer):
            client.take()
        sent: dict[str, list[str]] = {name: [] for name in clients}
        world.database.hold = True
        for place, step in enumerate(steps):
            if step in clients:
                sent[step].append(f"{step} {place}")
                clients[step].ask("chat.send", **clients[step].message(chat, sent[step][-1]))
            else:
                getattr(world.database, step)()
        world.database.release()
        world.database.hold = False
        seen = texts(viewer.messages())
        self.assertEqual(seen, alice.history(chat, limit=200))
        for name, client in clients.items():
            self.assertEqual([text for text in seen if text.startswith(name)], sent[name])
            self.assertEqual(texts(client.messages()), [text for text in seen if text not in sent[name]])


class TypingTests(MessageCase):
    def test_typing(self) -> None:
        """It is told to the other side alone, and leaves nothing behind."""
        chat = self.world.befriend(self.alice, self.bob)
        tablet = self.world.login("alice")
        tablet.take()
        self.alice.take()
        transactions = self.world.database.transactions
        self.alice.notify("chat.typing", chat=chat)
        self.assertEqual(self.alice.call("chat.typing", chat=chat, active=False), {})
        told = [event["params"] for event in self.bob.take("chat.typing")]
        about = {"chat": chat, "account": self.alice.account}
        self.assertEqual(told, [{**about, "active": True}, {**about, "active": False}])
        self.assertEqual((tablet.take(), self.alice.take()), ([], []))
        self.assertEqual(self.world.database.transactions, transactions)
        self.assertEqual(self.bob.resume(self.bob.cursor).take("chat.typing"), [])


class DamageTests(MessageCase):
    def setUp(self) -> None:
        super().setUp()
        self.chat = self.world.befriend(self.alice, self.bob)
        self.cursor = self.bob.cursor
        self.ids = [self.alice.write(self.chat, str(number))["id"] for number in range(6)]
        self.bob.take()

    def damage(self, *places: int) -> None:
        for place in places:
            position = self.world.vault.cursors.decode(self.ids[place])
            self.world.database.execute("UPDATE events SET sealed = x'00' WHERE position = ?", position)

    def history(self, limit: int) -> list[str]:
        """All of the chat, by pages, as a client reads it."""
        found: list[dict[str, Any]] = []
        more, before = True, None
        while more:
            page = self.bob.call("chat.history", chat=self.chat, limit=limit, before=before)
            found = page["messages"] + found
            more = page["more"]
            before = found[0]["id"] if found else None
            self.assertFalse(more and before is None, "the client cannot go on")
        return texts(found)

    def test_one_message(self) -> None:
        """A damaged message is left out of pages, lists and what was missed; the rest is there."""
        for places, left in (((2,), "01345"), ((0, 5), "134"), ((1,), "34"), ((3, 4), "")):
            self.damage(*places)
            for limit in (1, 2, 50):
                self.assertEqual("".join(self.history(limit)), left)
            missed = self.bob.resume(self.cursor)
            self.assertEqual("".join(texts(missed.messages())), left)
            chats = [c for c in self.bob.call("chat.list")["chats"] if c["kind"] == "direct"]
            self.assertEqual(
                [(c["unread"], c["last"] is None) for c in chats], [(len(left), "5" not in left)]
            )

    def test_the_log(self) -> None:
        """The operator learns that something is damaged, and nothing of whose it is."""
        logged: list[Any] = []
        observe: Any = logged.append
        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        self.damage(1, 2)
        self.history(50)
        told = [str(formatEvent(event)) for event in logged]
        self.assertEqual(told, ["2 messages cannot be opened and were left out."])

    def test_a_whole_chat(self) -> None:
        """A chat whose key is lost does not keep the others from being read."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.bob, carol)
        carol.write(other, "hello")
        blind = self.world.vault.blinder.chat(ChatId(self.chat))
        self.world.database.execute("UPDATE keys SET wrapped = x'00' WHERE owner = ?", blind)
        self.bob.take()
        self.bob.world = World(self.world.database, self.world.vault)
        self.bob.resume(self.cursor)
        self.assertEqual(texts(self.bob.messages()), ["hello"])
        self.assertEqual([c["kind"] for c in self.bob.call("chat.list")["chats"]], ["direct", "system"])
        self.refused("internal_error", self.bob, "chat.history", chat=self.chat)
        self.assertEqual(len(self.flushLoggedErrors()), 1)

    def test_rows_that_were_moved(self) -> None:
        """A message put in another's place by somebody's hand is not taken for it."""
        first, last = (self.world.vault.cursors.decode(self.ids[place]) for place in (0, 5))
        blind = self.world.vault.blinder.chat(ChatId(self.chat))
        row = self.world.database.now(lambda c: event(c, blind, first))
        assert row is not None
        self.world.database.execute("UPDATE events SET sealed = ? WHERE position = ?", row.sealed, last)
        self.assertEqual("".join(self.history(50)), "01234")

    def test_a_member_that_somebody_put_in(self) -> None:
        """Who is in a chat is sealed in it: a row in the index, put there by a hand, opens nothing."""
        eve = self.world.register("eve")
        cursor, blind = eve.cursor, self.world.vault.blinder
        self.world.database.execute(
            "INSERT INTO members VALUES (?, ?, 0, 0, ?, 0)",
            blind.chat(ChatId(self.chat)),
            blind.account(AccountId(eve.account)),
            self.world.database.committed,
        )
        self.assertEqual([c["kind"] for c in eve.call("chat.list")["chats"]], ["system"])
        self.refused("not_found", eve, "chat.history", chat=self.chat)
        self.bob.call("chat.read", chat=self.chat, upto=self.ids[-1])
        missed = eve.resume(cursor).take()
        self.assertEqual([e for e in missed if e["params"].get("chat") == self.chat], [])
        self.assertEqual(missed[-1]["method"], "session.synced")
