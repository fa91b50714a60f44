"""Writing to support, and being answered."""

import sys
from argparse import Namespace
from io import StringIO

from sqlalchemy import select
from twisted.internet.defer import Deferred

from safeum_home.admin import support_cli
from safeum_home.admin.support_wire import SupportReplied
from safeum_home.ids import AccountId, ChatId, support_account
from safeum_home.storage.schema import support
from tests.support_case import SupportCase
from tests.world import Client, Refused, World


class WritingTests(SupportCase):
    """An account's side."""

    def test_the_chat_is_there_before_its_row(self) -> None:
        """It has an id, an empty history and typing; a row it has from the first message on."""
        database = self.world.database
        before = database.count("chats")
        self.assertEqual(self.alice.call("chat.history", chat=self.chat), {"messages": [], "more": False})
        self.assertEqual(self.alice.call("chat.typing", chat=self.chat), {})
        self.assertEqual(database.count("chats"), before)
        self.alice.write(self.chat, "help")
        self.assertEqual(database.count("chats"), before + 1)
        self.assertEqual(self.alice.history(self.chat), ["help"])
        self.assertEqual(self.alice.call("chat.typing", chat=self.chat), {})

    def test_its_id_comes_with_each_login(self) -> None:
        """With the node's key: at the sign-up, a login and a return."""
        client = Client(self.world)
        opened = client.call(
            "session.login",
            username="alice",
            password="correct horse battery",
            device={"name": "a", "system": "b"},
        )
        self.assertEqual(opened["support_chat"], self.chat)
        self.assertEqual(opened["node_key"], self.world.services.node_key)
        other = Client(self.world)
        again = other.call("session.resume", token=opened["token"])
        self.assertEqual((again["support_chat"], again["node_key"]), (self.chat, opened["node_key"]))

    def test_it_is_listed_as_support(self) -> None:
        """Once something was written, with the name and the address of the contact."""
        self.alice.write(self.chat, "help")
        [found] = [chat for chat in self.alice.call("chat.list")["chats"] if chat["kind"] == "support"]
        self.assertEqual((found["chat"], found["display_name"]), (self.chat, "SafeUM Support"))
        self.assertEqual((found["address"], found["unread"]), ("safeum-support@home.example", 0))

    def test_once(self) -> None:
        """The same message sent again is stored once, and waits once."""
        first = self.alice.write(self.chat, "help", "one")
        self.assertEqual(self.alice.write(self.chat, "help", "one"), first)
        self.assertEqual(self.alice.history(self.chat), ["help"])

    def test_messages_that_come_before_the_chat_is_made_keep_their_order(self) -> None:
        """Several at once make one chat; none is lost."""
        database = self.world.database
        database.hold = True
        asked = [self.alice.ask("chat.send", **self.alice.message(self.chat, str(n))) for n in range(5)]
        for _ in range(4):
            database.commit()
            database.report()
        asked.append(self.alice.ask("chat.send", **self.alice.message(self.chat, "5")))
        database.hold = False
        database.commit()
        database.report()
        self.assertTrue(all(self.alice.answer(number) is not None for number in asked))
        self.assertEqual(self.alice.history(self.chat), [str(n) for n in range(6)])

    def test_the_chat_of_another(self) -> None:
        """Nobody writes into it or reads it, be it there or not."""
        eve = self.world.register("eve")
        for _ in range(2):
            for method, params in (
                ("chat.send", eve.message(self.chat, "psst")),
                ("chat.typing", {"chat": self.chat}),
                ("chat.history", {"chat": self.chat}),
            ):
                refusal = self.assertRaises(Refused, eve.call, method, **params)
                self.assertIn(refusal.code, ("not_a_contact", "not_found"))
            self.alice.write(self.chat, "mine")
        self.assertEqual(self.alice.history(self.chat), ["mine", "mine"])

    def test_nobody_keeps_another_from_having_one(self) -> None:
        """A stranger who asks for the chat in the moment before its owner does."""
        eve, database = self.world.register("eve"), self.world.database
        database.hold_reads = True
        strangers = eve.ask("chat.send", **eve.message(self.chat, "x"))
        owners = self.alice.ask("chat.send", **self.alice.message(self.chat, "help"))
        database.hold_reads = False
        database.answer_reads()
        self.assertEqual(self.assertRaises(Refused, eve.answer, strangers).code, "not_a_contact")
        self.assertIsNotNone(self.alice.answer(owners))

    def test_a_limit_for_each_account(self) -> None:
        """So many at once; another account is not concerned, and other chats neither."""
        self.begin(World(support_messages_per_account_burst=3))
        bob = self.world.register("bob")
        friends = self.world.befriend(self.alice, bob)
        sent_first = "the first"
        for number in range(3):
            self.alice.write(self.chat, str(number), sent_first if number == 0 else None)
        refusal = self.assertRaises(Refused, self.alice.write, self.chat, "4")
        self.assertEqual(refusal.code, "rate_limited")
        self.assertIn("retry_after", refusal.error["data"])
        first = self.alice.call("chat.history", chat=self.chat)["messages"][0]
        again = {"chat": self.chat, "client_id": sent_first, "body": first["body"]}
        self.assertEqual(self.alice.call("chat.send", **again)["id"], first["id"])
        self.alice.write(friends, "hi")
        bob.write(self.support_of(bob), "help")
        self.world.clock.advance(refusal.error["data"]["retry_after"])
        self.alice.write(self.chat, "4")

    def test_an_answer_before_reading(self) -> None:
        """Whoever answers what nobody has read is told that it still waits."""
        self.alice.write(self.chat, "help", "one")
        about = {"account": "alice", "text": "Turn it off and on"}
        self.assertEqual(self.staff("reply", **about), {"waits": True})
        self.staff("read", account="alice@home.example")
        self.assertEqual(self.staff("reply", **about), {"waits": False})
        for waits in (True, False):
            said = StringIO()
            self.patch(support_cli, "call", lambda *_, waits=waits: SupportReplied(waits))
            self.patch(sys, "stdin", StringIO("Turn it off\n"))
            self.patch(sys, "stderr", said)
            self.assertEqual(support_cli._reply(Namespace(account="alice"), ""), 0)
            self.assertEqual("still waits" in said.getvalue(), waits)

    def test_closed(self) -> None:
        """The operator takes none: a code says so, no row is made, and what was said can be read."""
        self.alice.write(self.chat, "help", "one")
        database, vault = self.world.database, self.world.vault
        world = World(database, vault, support_open=False)
        alice = world.login("alice")
        for method, params in (
            ("chat.send", alice.message(self.chat, "more")),
            ("chat.typing", {"chat": self.chat}),
        ):
            refusal = self.assertRaises(Refused, alice.call, method, **params)
            self.assertEqual((refusal.code, refusal.error["code"]), ("support_closed", -32070))
        self.assertEqual(alice.history(self.chat), ["help"])
        kinds = {chat["kind"]: chat["display_name"] for chat in alice.call("chat.list")["chats"]}
        self.assertEqual(kinds["support"], "SafeUM Support")
        alice.take()
        reply = world.domain.support.reply(AccountId(self.alice.account), "Done")
        self.successResultOf(Deferred.fromCoroutine(reply))
        self.assertEqual([m["body"]["text"] for m in alice.messages()], ["Done"])
        bob = world.register("bob")
        chat = world.services.support_chat(AccountId(bob.account))
        self.assertEqual(self.assertRaises(Refused, bob.write, chat, "help").code, "support_closed")
        self.assertEqual(bob.call("chat.history", chat=chat)["messages"], [])

    def test_while_nothing_is_stored(self) -> None:
        """The first message is refused where the chat cannot be made, and taken afterwards."""
        self.world.database.failing = True
        refusal = self.assertRaises(Refused, self.alice.write, self.chat, "help", "one")
        self.assertEqual(refusal.code, "storage_unavailable")
        self.world.database.failing = False
        self.alice.write(self.chat, "help", "one")
        self.assertEqual(self.alice.history(self.chat), ["help"])

    def test_a_contact_request_does_no_harm(self) -> None:
        """Whoever asks support to be a contact, or blocks it, has the chat all the same."""
        account = support_account("home.example")
        self.alice.call("contact.request", account=account, address="safeum-support@home.example")
        self.alice.write(self.chat, "help")
        self.staff("reply", account="alice", text="done")
        self.alice.call("contact.remove", account=account)
        bob = self.world.register("bob")
        chat, database = self.support_of(bob), self.world.database
        database.hold = True
        sent = bob.ask("chat.send", **bob.message(chat, "help"))
        asked = bob.ask("contact.request", account=account, address="safeum-support@home.example")
        for _ in range(4):
            database.commit()
            database.report()
        database.hold = False
        self.assertEqual((bob.answer(asked), bob.history(chat)), ({}, ["help"]))
        self.assertIsNotNone(bob.answer(sent))
        self.alice.write(self.chat, "thanks")
        self.assertEqual(self.alice.history(self.chat), ["help", "done", "thanks"])

    def test_a_device_that_was_away(self) -> None:
        """It gets the answer, once, with the signature."""
        self.alice.write(self.chat, "help")
        cursor = self.world.cursor
        self.alice.drop()
        self.staff("reply", account="alice", text="done")
        [answer] = [m for m in self.alice.resume(cursor).messages() if m["sender"] != self.alice.account]
        self.assertEqual(answer["body"]["text"], "done")
        self.assertTrue(self.authentic(answer))


class StaffTests(SupportCase):
    """The operator's side."""

    def test_a_conversation(self) -> None:
        """List, read, reply, close; and again."""
        self.assertEqual(self.staff("list"), {"conversations": [], "before": None})
        self.alice.write(self.chat, "help")
        self.world.clock.advance(60)
        self.alice.write(self.chat, "please")
        [found] = self.staff("list")["conversations"]
        self.assertEqual((found["account"], found["login"]), (self.alice.account, "alice"))
        self.assertEqual((found["last"]["text"], found["last"]["staff"]), ("please", False))
        page = self.staff("read", account="alice")
        self.assertEqual([message["text"] for message in page["messages"]], ["help", "please"])
        self.assertEqual(found["waiting_since"], page["messages"][0]["at"])
        [receipt] = self.alice.take("chat.receipt")
        self.assertEqual(receipt["params"]["read"], page["messages"][-1]["id"])

        self.staff("reply", account=self.alice.account, text="so be it")
        [answer] = self.alice.messages()
        self.assertEqual((answer["chat"], answer["body"]["text"]), (self.chat, "so be it"))
        self.assertTrue(self.authentic(answer))
        self.assertEqual(self.alice.call("chat.history", chat=self.chat)["messages"][-1], answer)
        [found] = self.staff("list")["conversations"]
        self.assertEqual((found["waiting_since"], found["last"]["staff"]), (None, True))
        self.assertEqual(self.staff("close", account="alice@home.example"), {"closed": True})
        self.assertEqual(self.staff("list")["conversations"], [])

        self.alice.write(self.chat, "thanks")
        [found] = self.staff("list")["conversations"]
        self.assertIsNotNone(found["waiting_since"])

    def test_what_was_not_read_is_not_answered(self) -> None:
        """What comes in while an answer is written still waits, and cannot be closed unseen."""
        self.alice.write(self.chat, "one")
        self.staff("read", account="alice")
        self.world.clock.advance(10)
        sent = self.alice.write(self.chat, "two")
        self.staff("reply", account="alice", text="to one")
        [found] = self.staff("list")["conversations"]
        self.assertEqual(found["waiting_since"], sent["at"])
        self.assertEqual(self.staff("close", account="alice"), {"closed": False})
        self.staff("read", account="alice")
        self.assertEqual(self.staff("close", account="alice"), {"closed": True})

    def test_order_and_pages(self) -> None:
        """The newest message first, a page at a time; and the messages of one, a page at a time."""
        people = [self.alice, *(self.world.register(f"person{number}") for number in range(4))]
        for person in people:
            person.write(self.support_of(person), "help")
        people[1].write(self.support_of(people[1]), "again")
        names: list[str] = []
        before = None
        while True:
            page = self.staff("list", before=before, limit=2)
            names += [each["login"] for each in page["conversations"]]
            before = page["before"]
            if before is None:
                break
        self.assertEqual(names, ["person0", "person3", "person2", "person1", "alice"])
        for number in range(6):
            self.alice.write(self.chat, str(number))
        newest = self.staff("read", account="alice", limit=4)
        older = self.staff("read", account="alice", limit=4, before=newest["before"])
        texts = [message["text"] for page in (older, newest) for message in page["messages"]]
        self.assertEqual(texts, ["help", *map(str, range(6))])
        self.assertIsNone(older["before"])

    def test_the_longest_fit_a_line(self) -> None:
        """Long messages are paged by size, at their worst encoding, and each is shown."""
        self.begin(World(support_messages_per_account_burst=1000))
        for _ in range(5):
            self.alice.write(self.chat, "\x01" * 8192)
        shown, before = 0, None
        while True:
            page = self.staff("read", account="alice", before=before, limit=100)
            shown += len(page["messages"])
            before = page["before"]
            if before is None:
                break
        self.assertEqual(shown, 5)

    def test_nobody_who_has_not_written(self) -> None:
        """The staff begins nothing: neither with an account, nor with what is none."""
        stored = self.stored()
        for whom in ("alice", self.alice.account, "nobody", "@" + "a" * 26 + ":home.example", "a b", "@"):
            for method, more in (("read", {}), ("reply", {"text": "buy this"}), ("close", {})):
                self.assertNotIn("buy", self.refused("not_found", method, account=whom, **more))
        self.assertEqual(self.stored(), stored)
        self.assertEqual(self.alice.take(), [])

    def test_a_message_that_was_not_stored_begins_nothing(self) -> None:
        """The chat is made, and then the disk fails: there is nothing to answer yet."""
        self.alice.write(self.chat, "help")
        bob = self.world.register("bob")
        chat = self.support_of(bob)
        registry = self.world.domain.registry
        self.successResultOf(registry.load(ChatId(chat), AccountId(bob.account)))
        self.refused("not_found", "reply", account="bob", text="hello")

    def test_nothing_else_is_read(self) -> None:
        """Whoever has no conversation has none to be read, whatever he has said to others."""
        bob = self.world.register("bob")
        friends = self.world.befriend(self.alice, bob)
        bob.write(friends, "a secret")
        self.alice.write(self.chat, "help")
        shown = str(self.staff("list")) + str(self.staff("read", account="alice"))
        self.assertNotIn("a secret", shown)
        self.refused("not_found", "read", account="bob")

    def test_bad_requests(self) -> None:
        """Unknown fields, empty and overlong texts, and numbers out of range are refused."""
        self.alice.write(self.chat, "help")
        for method, params in (
            ("list", {"limit": 0}),
            ("list", {"limit": 31}),
            ("list", {"before": -1}),
            ("read", {"account": ""}),
            ("read", {"account": "x" * 321}),
            ("reply", {"account": "alice", "text": ""}),
            ("reply", {"account": "alice", "text": "x" * 8193}),
            ("reply", {"account": ["alice", "bob"], "text": "x"}),
            ("reply", {"text": "x"}),
            ("close", {"account": "alice", "all": True}),
        ):
            self.refused("invalid_params", method, **params)

    def test_sealed(self) -> None:
        """The table names nobody: a blind index and two places."""
        self.alice.write(self.chat, "help")
        [row] = self.world.database.now(lambda c: c.execute(select(support)).all())
        self.assertEqual([type(value) for value in row], [bytes, int, int])
        self.assertEqual(len(row.chat), 16)
