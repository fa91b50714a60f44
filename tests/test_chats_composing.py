"""Answers, mentions, copies, and bodies of kinds that the node does not know."""

from typing import Any

from safeum_home.protocol.carried import MAX_CARRIED
from tests.changes_case import ChangeCase, Group, text
from tests.world import Client, Refused, World


class ComposingCase(ChangeCase):
    def send(self, client: Client, name: str, **params: Any) -> str:
        sent = client.call("chat.send", **{"chat": self.chat, "client_id": name, **params})
        return str(sent["id"])

    def last(self, client: Client, chat: str = "") -> dict[str, Any]:
        return self.page(client, chat)[-1]


class AnswerTests(ComposingCase):
    def test_answer(self) -> None:
        """It names the message that it answers, and holds nothing of it."""
        self.send(self.bob, "r", body=text("ho"), reply_to=self.sent)
        [message] = self.alice.messages()
        self.assertEqual(message["reply_to"], self.sent)
        self.assertEqual(self.last(self.bob), message)

    def test_to_a_stub(self) -> None:
        """A deletion that crosses an answer loses nobody's words."""
        self.delete(self.alice)
        self.send(self.bob, "r", body=text("ho"), reply_to=self.sent)
        self.assertEqual(self.last(self.alice)["reply_to"], self.sent)

    def test_to_nothing(self) -> None:
        """There has to be such a message in this very chat; else nothing is stored."""
        carol = self.world.register("carol")
        elsewhere = self.alice.write(self.world.befriend(self.alice, carol), "x")["id"]
        stored = self.world.database.count("events")
        for wrong in (elsewhere, self.world.vault.cursors.encode(9999)):
            about = {"chat": self.chat, "client_id": "r", "body": text("x"), "reply_to": wrong}
            self.refused("message_gone", self.alice, "chat.send", **about)
        self.assertEqual(self.world.database.count("events"), stored)

    def test_sent_again(self) -> None:
        """The answer to an answer that is sent again is the first one's, whatever has become of the rest."""
        about = {"chat": self.chat, "client_id": "r", "body": text("ho"), "reply_to": self.sent}
        sent = self.bob.call("chat.send", **about)
        self.alice.take()
        self.assertEqual(self.bob.call("chat.send", **about), sent)
        position = self.world.vault.cursors.decode(self.sent)
        self.world.database.execute("DELETE FROM events WHERE position = ?", position)
        self.assertEqual(self.bob.call("chat.send", **about), sent)
        self.alice.call("contact.block", account=self.bob.account)
        self.assertEqual(self.bob.call("chat.send", **about), sent)
        self.assertEqual(self.alice.messages(), [])

    def test_nothing_without_consent(self) -> None:
        """Answers and copies need what a text needs."""
        self.bob.call("contact.block", account=self.alice.account)
        source = {"chat": self.chat, "message": self.sent}
        for more in ({"body": text("x"), "reply_to": self.sent}, {"forward": source}):
            about = {"chat": self.chat, "client_id": "r", **more}
            self.refused("not_a_contact", self.alice, "chat.send", **about)

    def test_to_support(self) -> None:
        """Answers go to support as texts do, counted alike; other kinds do not."""
        support = self.world.domain.registry.support_chat(self.alice.account)  # type: ignore[arg-type]
        first = self.send(self.alice, "1", chat=support, body=text("help"))
        self.send(self.alice, "2", chat=support, body=text("more"), reply_to=first)
        self.assertEqual(self.last(self.alice, support)["reply_to"], first)
        about = {"chat": support, "client_id": "3"}
        self.refused("invalid_params", self.alice, "chat.send", **about, body={"kind": "poll"})
        wrong = self.world.vault.cursors.encode(9999)
        self.refused("message_gone", self.alice, "chat.send", **about, body=text("x"), reply_to=wrong)


class MentionTests(ComposingCase):
    def test_members(self) -> None:
        """Those who are mentioned are in the chat, each once."""
        self.send(self.alice, "m", body=text("you"), mentions=[self.bob.account])
        self.assertEqual(self.last(self.bob)["mentions"], [self.bob.account])
        eve = self.world.register("eve")
        about = {"chat": self.chat, "client_id": "n", "body": text("x")}
        self.refused("not_a_member", self.alice, "chat.send", **about, mentions=[eve.account])
        twice = [self.bob.account] * 2
        self.refused("invalid_params", self.alice, "chat.send", **about, mentions=twice)
        many = [self.bob.account] * 21
        self.refused("invalid_params", self.alice, "chat.send", **about, mentions=many)


class ForwardTests(ComposingCase):
    def setUp(self) -> None:
        super().setUp()
        self.carol = self.world.register("carol")
        self.other = self.world.befriend(self.bob, self.carol)
        self.source = {"chat": self.chat, "message": self.sent}

    def test_copied_by_the_node(self) -> None:
        """The device that asked gets the copy too: it may not know what is in it."""
        self.world.clock.advance(9)
        self.send(self.bob, "f", chat=self.other, forward=self.source)
        [message] = self.carol.messages()
        self.assertEqual(message["body"], text("hi"))
        self.assertEqual(message["sender"], self.bob.account)
        self.assertEqual(message["forwarded"], {"at": self.page(self.bob)[0]["at"]})
        self.assertGreater(message["at"], message["forwarded"]["at"])
        self.assertEqual(self.bob.messages(), [message])

    def test_an_author_is_named_to_those_who_know_him(self) -> None:
        """In a chat that its author is in, and in one's own notes; nowhere else."""
        notes = self.world.domain.registry.self_chat(self.bob.account)  # type: ignore[arg-type]
        group = Group(self.world, self.alice, self.bob)
        for chat, named in ((notes, True), (group.id, True), (self.chat, True), (self.other, False)):
            self.send(self.bob, f"f{chat}", chat=chat, forward=self.source)
            mark = self.last(self.bob, chat)["forwarded"]
            self.assertEqual(mark.get("author"), self.alice.account if named else None, chat)

    def test_nobody_becomes_the_author_of_a_copy(self) -> None:
        """A copy of a copy has the mark of the first; where the author is not named, he stays so."""
        copy = self.send(self.bob, "f", chat=self.other, forward=self.source)
        again = {"chat": self.other, "message": copy}
        dave = self.world.register("dave")
        far = self.world.befriend(self.carol, dave)
        self.send(self.carol, "g", chat=far, forward=again)
        self.assertNotIn("author", self.last(dave, far)["forwarded"])
        self.send(self.bob, "h", chat=self.chat, forward=again)
        self.assertNotIn("author", self.last(self.alice)["forwarded"])

    def test_the_mark_cannot_be_made_up(self) -> None:
        """No parameter says that something is a copy."""
        about = {"chat": self.chat, "client_id": "f", "body": text("x")}
        mark = {"at": 1, "author": self.bob.account}
        self.refused("invalid_params", self.alice, "chat.send", **about, forwarded=mark)
        self.refused("invalid_params", self.alice, "chat.send", **about, forward=self.source)
        self.refused("invalid_params", self.alice, "chat.send", chat=self.chat, client_id="f")

    def test_only_what_one_can_see(self) -> None:
        """A message of a chat that one is not in is none, by whatever name it is asked for."""
        about = {"chat": self.other, "client_id": "f"}
        self.refused("not_found", self.carol, "chat.send", **about, forward=self.source)
        cross = {"chat": self.other, "message": self.sent}
        self.refused("message_gone", self.carol, "chat.send", **about, forward=cross)

    def test_not_what_the_node_writes(self) -> None:
        """An alert stays in the chat that it was written into."""
        system = next(each for each in self.bob.call("chat.list")["chats"] if each["kind"] == "system")
        alert = {"chat": system["chat"], "message": system["last"]["id"]}
        self.refused("not_forwardable", self.bob, "chat.send", chat=self.other, client_id="f", forward=alert)

    def test_deleted_in_that_moment(self) -> None:
        """What was deleted after it was read and before it was stored is not copied."""
        self.world.database.hold = True
        deleting = self.alice.ask("message.delete", **self.about())
        forwarding = self.bob.ask("chat.send", chat=self.other, client_id="f", forward=self.source)
        self.world.database.hold = False
        self.world.database.release()
        self.assertEqual(self.alice.answer(deleting), {})
        self.bob.take()
        self.assertEqual(self.bob.answers[forwarding]["error"]["data"]["code"], "busy")
        self.assertEqual(self.carol.messages(), [])
        about = {"chat": self.other, "client_id": "f", "forward": self.source}
        self.refused("not_forwardable", self.bob, "chat.send", **about)


class CarriedTests(ComposingCase):
    def test_as_it_is(self) -> None:
        """It is told, kept and listed as it was sent, to the octet that counts."""
        body: dict[str, Any] = {
            "kind": "x.poll",
            "q": "é\u0001",
            "n": [1, -(2**53) + 1, None, True, {"a": {}}],
            "text": "?",
        }
        self.send(self.alice, "p", body=body)
        [event] = self.bob.take("chat.message")
        self.assertEqual(event["params"]["body"], body)
        self.assertEqual(self.last(self.bob)["body"], body)
        self.bob.resume(self.bob.cursor)
        self.assertIn(body, [each["params"]["body"] for each in self.bob.take("chat.message")])
        shown = [each for each in self.bob.call("chat.list")["chats"] if each["chat"] == self.chat]
        self.assertEqual(shown[0]["last"]["body"], body)
        self.assertEqual(shown[0]["unread"], 2)

    def test_refused(self) -> None:
        """Kinds of the node, known ones of another form, and what could not be signed."""
        deep: Any = {}
        for _ in range(17):
            deep = {"d": deep}
        bodies: list[Any] = [
            {"kind": "node.notice"},
            {"kind": "notice", "act": 1},
            {"kind": "login_alert"},
            {"kind": "deleted"},
            {"kind": "text"},
            {"kind": "Poll"},
            {"kind": ""},
            {"kind": "p" * 65},
            {"kind": 1},
            {"kind": "poll", "x": 1.5},
            {"kind": "poll", "x": 2**53},
            {"kind": "poll", "é": 1},
            {"kind": "poll", "": 1},
            {"kind": "poll", "deep": deep},
            {"kind": "poll", "x": "x" * MAX_CARRIED},
            ["poll"],
            "poll",
        ]
        for body in bodies:
            about = {"chat": self.chat, "client_id": "p", "body": body}
            self.refused("invalid_params", self.alice, "chat.send", **about)
        self.assertEqual(self.bob.take("chat.message"), [])

    def test_why_it_is_refused(self) -> None:
        """What is wrong with such a body is said, and not that its kind is not known, which it may be."""
        deep: list[Any] = []
        for _ in range(17):
            deep = [deep]
        for more, why in (
            ({"x": 1.5}, "a number that is no integer"),
            ({"x": 2**53}, "beyond 2^53-1"),
            ({"é": 1}, "not of visible ASCII"),
            ({"x": deep}, "deeper than 16"),
            ({"x": "x" * MAX_CARRIED}, f"{MAX_CARRIED} is the most"),
            ({"kind": "node.x"}, "written by nodes alone"),
            ({"kind": "notice"}, "missing required field `action`"),
            ({"kind": "Poll"}, "`$.params.body.kind`"),
        ):
            about = {"chat": self.chat, "client_id": "p", "body": {"kind": "poll", **more}}
            error = self.assertRaises(Refused, self.alice.call, "chat.send", **about).error["data"]
            self.assertEqual(error["code"], "invalid_params")
            self.assertIn(why, error["detail"])
            self.assertIn("`$.params.body", error["detail"])

    def test_not_a_number(self) -> None:
        """What is no JSON is none inside a body either."""
        frame = (
            b'{"jsonrpc":"2.0","id":"n","method":"chat.send","params":{"chat":"%b","client_id":"p",'
            b'"body":{"kind":"poll","x":%b}}}'
        )
        for number in (b"NaN", b"Infinity", b"1e400", b"1e2", b"-0.0"):
            self.alice.answers.clear()
            self.alice.send(frame % (self.chat.encode(), number))
            codes = [answer["error"]["data"]["code"] for answer in self.alice.answers.values()]
            self.assertIn(codes, (["parse_error"], ["invalid_params"]))
        self.assertEqual(self.bob.take("chat.message"), [])

    def test_the_rest_of_the_command_is_as_strict(self) -> None:
        """A kind that is not known opens no other way in."""
        about: dict[str, Any] = {"chat": self.chat, "client_id": "p", "body": {"kind": "poll"}}
        for wrong in ({"chat": "x"}, {"client_id": ""}, {"extra": 1}, {"reply_to": "x"}, {"mentions": ["x"]}):
            self.refused("invalid_params", self.alice, "chat.send", **{**about, **wrong})
        del about["client_id"]
        self.refused("invalid_params", self.alice, "chat.send", **about)


class NotesTests(ComposingCase):
    """The chat with oneself."""

    def test_one_writes_and_the_others_have_it(self) -> None:
        """Other devices are told; nothing is unread, and there is no receipt of it."""
        tablet = self.world.login("alice")
        notes = self.world.domain.registry.self_chat(self.alice.account)  # type: ignore[arg-type]
        self.world.settle()
        self.alice.take()
        tablet.take()
        sent = self.alice.write(notes, "milk")
        [message] = tablet.messages()
        self.assertEqual(message["id"], sent["id"])
        tablet.notify("session.ack", cursor=message["id"])
        self.assertEqual(tablet.history(notes), ["milk"])
        tablet.call("chat.list")
        self.world.settle()
        for device in (self.alice, tablet):
            self.assertEqual(device.take("chat.receipt", "chat.message"), [])
            shown = next(each for each in device.call("chat.list")["chats"] if each["kind"] == "self")
            self.assertEqual((shown["chat"], shown["unread"], shown["peer"]), (notes, 0, None))
        self.refused("not_a_contact", self.bob, "chat.send", **self.bob.message(notes, "x"))
        self.refused("not_found", self.bob, "chat.history", chat=notes)
        self.refused("not_found", self.bob, "message.delete", chat=notes, message=sent["id"])

    def test_changed(self) -> None:
        """All that can be done with a message can be done with a note."""
        notes = self.world.domain.registry.self_chat(self.alice.account)  # type: ignore[arg-type]
        sent = self.alice.write(notes, "milk")["id"]
        about = {"chat": notes, "message": sent}
        self.alice.call("message.edit", **about, body=text("bread"))
        self.alice.call("message.react", **about, emoji="✅")
        self.alice.call("chat.pin", **about)
        self.assertEqual(self.alice.call("chat.pinned", chat=notes)["messages"], self.page(self.alice, notes))
        self.alice.call("message.delete", **about)
        self.assertEqual(self.alice.call("chat.pinned", chat=notes)["messages"], [])


class CostTests(ComposingCase):
    """Plain texts go the way they went."""

    def test_one_commit(self) -> None:
        """A text is one row in two tables, and asks nothing before."""
        world = World()
        alice, bob = world.register("alice"), world.register("bob")
        chat = world.befriend(alice, bob)
        alice.write(chat, "first")
        before = [world.database.count(table) for table in ("events", "dedupe", "changes", "reactions")]
        transactions = world.database.transactions
        world.database.hold_reads = True
        alice.write(chat, "second")
        self.assertEqual(world.database.transactions, transactions + 1)
        after = [world.database.count(table) for table in ("events", "dedupe", "changes", "reactions")]
        self.assertEqual([b - a for a, b in zip(before, after, strict=True)], [1, 1, 0, 0])
