"""What waits while a group's node is away, and what that one does not take."""

from typing import Any

from twisted.internet.defer import Deferred

from tests.groups_across_case import A, B, C
from tests.posts_case import PostsCase
from tests.world import Refused


class AwayTests(PostsCase):
    """While the group's node is away."""

    def test_waiting(self) -> None:
        """What is written waits, and is shown to its author alone; then it comes, in its order."""
        self.nodes.away.add(A)
        other = self.nodes[B].login("bob")
        command = self.begin(self.bob, "hi", "hi")
        self.assertIsNone(self.bob.answer(command))
        self.patience(self.bob)
        sent = self.answer(self.bob, command)
        self.assertTrue(sent["waiting"])
        # Whoever waited in vain once does not wait again.
        later = self.begin(self.bob, "ho")
        self.patience(self.bob, 0.0)
        self.assertTrue(self.answer(self.bob, later)["waiting"])
        again = self.begin(self.bob, "hi", "hi")
        self.patience(self.bob, 0.0)
        self.assertEqual(self.answer(self.bob, again), sent)
        self.assertEqual((self.waiting(self.bob), self.waiting(other)), (["hi", "ho"], ["hi", "ho"]))
        self.assertEqual(self.waiting(self.ben), [])
        self.assertEqual(self.words(self.ben, self.chat)[-1], "joined")
        fresh = self.nodes[B].login("bob")
        self.assertEqual(self.waiting(fresh), ["hi", "ho"])
        self.bob.take()
        self.nodes.away.clear()
        self.settle()
        came = self.bob.messages()
        self.assertEqual(came[0]["origin"], sent["id"])
        self.assertEqual([message["body"]["text"] for message in came], ["hi", "ho"])
        self.assertEqual(self.waiting(self.bob), [])
        self.assertEqual(self.send(self.bob, "hi", "hi")["id"], came[0]["id"])
        self.assertEqual([each[2]["text"] for each in self.all_alike()[-2:]], ["hi", "ho"])

    def test_resumed(self) -> None:
        """A device that was away learns what waits, and later that it has come."""
        other = self.nodes[B].login("bob")
        other.drop()
        self.nodes.away.add(A)
        self.begin(self.bob, "hi")
        other.resume(other.cursor)
        [event] = other.take("chat.post")
        post = event["params"]["post"]
        other.cursor = event["params"]["cursor"]
        other.drop()
        self.nodes.away.clear()
        self.settle()
        other.resume(other.cursor)
        events = other.take()
        self.assertNotIn("chat.post", [e["method"] for e in events])
        [message] = [e["params"] for e in events if e["method"] == "chat.message"]
        self.assertEqual(message["origin"], post)

    def test_order_of_one(self) -> None:
        """The order is that of the group's node, and each author's own is kept in it."""
        self.nodes.away.add(A)
        for number in range(3):
            self.begin(self.bob, f"bob {number}")
            self.begin(self.carol, f"carol {number}")
        self.alice.write(self.chat, "alice")
        self.nodes.away = {C, A}
        self.nodes.away.discard(A)
        self.settle()
        self.nodes.away.clear()
        self.settle()
        said = [each[2]["text"] for each in self.all_alike() if each[2]["kind"] == "text"]
        self.assertEqual([each for each in said if each.startswith("bob")], [f"bob {n}" for n in range(3)])
        self.assertEqual([each for each in said if each.startswith("car")], [f"carol {n}" for n in range(3)])
        self.assertEqual(said[0], "alice")

    def test_at_rest(self) -> None:
        """On disk nothing says what waits, nor what is passed on, nor who wrote it."""
        self.nodes.away.add(A)
        self.begin(self.bob, "a secret")
        self.sealed(B, "posts")
        self.nodes.away.clear()
        self.settle()
        self.sealed(A, "passed_on")

    def sealed(self, name: str, table: str) -> None:
        query = f"SELECT * FROM {table}"
        [row] = self.nodes[name].database.now(lambda c: c.exec_driver_sql(query).all())
        octets = b"".join(each for each in row if isinstance(each, bytes))
        for word in (b"secret", self.bob.account.encode(), self.chat.encode()):
            self.assertNotIn(word, octets)

    def test_withdrawn(self) -> None:
        """What waits can be deleted by its author: nothing of it is left, and none of it is told."""
        self.nodes.away.add(A)
        other = self.nodes[B].login("bob")
        command = self.begin(self.bob, "secret", "one")
        self.patience(self.bob)
        post = self.answer(self.bob, command)["id"]
        other.take()
        self.refused("message_gone", self.ben, "message.delete", chat=self.chat, message=post)
        self.assertEqual(self.do_at_once("message.delete", post), {})
        for client in (self.bob, other):
            event = client.take("chat.post")[-1]["params"]
            self.assertEqual((event["post"], event["code"]), (post, "message_gone"))
            self.assertNotIn("message", event)
        self.assertEqual(self.waiting(self.bob), [])
        self.refused("message_gone", self.bob, "message.delete", chat=self.chat, message=post)
        again = self.begin(self.bob, "secret", "one")
        self.assertEqual(self.assertRaises(Refused, self.answer, self.bob, again).code, "message_gone")
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.bob.take("chat.post"), [])
        self.assertNotIn("secret", self.words(self.alice, self.chat))
        self.all_alike()

    def test_withdrawn_too_late(self) -> None:
        """What was on its way already is deleted there."""
        command = self.begin(self.bob, "secret")
        self.patience(self.bob)
        post = self.answer(self.bob, command)["id"]
        self.nodes._carry(B)
        self.assertIn("secret", self.words(self.alice, self.chat))
        self.do_at_once("message.delete", post)
        self.assertEqual(self.waiting(self.bob), [])
        self.settle()
        self.assertEqual(self.all_alike()[-1][2]["kind"], "deleted")
        self.assertEqual(self.rows(self.nodes[B], "posts"), 0)

    def do_at_once(self, method: str, message: str) -> dict[str, Any]:
        return self.bob.call(method, chat=self.chat, message=message)

    def test_changes_wait(self) -> None:
        """Edits, reactions and deletions wait as well, and are answered so."""
        first, second = self.write(self.bob, "one"), self.write(self.bob, "two")
        self.nodes.away.add(A)
        edit = self.bob.ask(
            "message.edit", chat=self.chat, message=first, body={"kind": "text", "text": "eins"}
        )
        delete = self.bob.ask("message.delete", chat=self.chat, message=second)
        self.patience(self.bob)
        self.assertEqual([self.answer(self.bob, each) for each in (edit, delete)], [{"waiting": True}] * 2)
        self.assertEqual(self.words(self.bob, self.chat)[-2:], ["one", "two"])
        self.assertEqual(self.waiting(self.bob), [])
        self.nodes.away.clear()
        self.settle()
        self.all_alike()
        self.assertEqual(self.words(self.bob, self.chat)[-2:], ["eins", "deleted"])

    def test_restarted(self) -> None:
        """What waits is on disk, and goes on when the node was started anew; so is what was on its way."""
        self.nodes.away.add(A)
        self.begin(self.bob, "hi", "hi")
        self.nodes.restart(B)
        self.bob = self.back(self.bob)
        self.ben = self.back(self.ben)
        self.everybody = (self.alice, self.amy, self.bob, self.ben, self.carol)
        self.assertEqual(self.waiting(self.bob), ["hi"])
        self.nodes.peers[B].waiting.clear()  # the group's node had it, and was put back from a backup
        Deferred.fromCoroutine(self.nodes[B].domain.posts.again())
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.all_alike()[-1][2]["text"], "hi")
        self.assertEqual(self.rows(self.nodes[B], "posts"), 0)

    def test_reading_goes_on(self) -> None:
        """While the group's node is away all that was told is there."""
        self.write(self.alice, "hi")
        self.nodes.away.add(A)
        self.assertEqual(self.words(self.bob, self.chat)[-1], "hi")
        self.bob.call("chat.read", chat=self.chat, upto=self.find(self.bob, "hi"))


class RefusedTests(PostsCase):
    """What the group's node does not take."""

    def test_removed(self) -> None:
        """Who was removed while it waited is told, with the code; nobody else sees it."""
        self.nodes.away.add(A)
        other = self.nodes[B].login("bob")
        command = self.begin(self.bob, "hi", "hi")
        self.patience(self.bob)
        post = self.answer(self.bob, command)["id"]
        self.alice.call("group.remove", chat=self.chat, account=self.bob.account)
        for client in (self.bob, other):
            client.take()
        self.nodes.away.clear()
        self.settle()
        for client in (self.bob, other):
            [event] = client.take("chat.post")
            self.assertEqual((event["params"]["post"], event["params"]["code"]), (post, "not_a_contact"))
        self.assertNotIn("hi", self.words(self.alice, self.chat))

    def test_answered(self) -> None:
        """A command that still waits is answered with the code, and so is the same one again."""
        message = self.write(self.bob, "hi")
        self.alice.call("message.delete", chat=self.chat, message=self.find(self.alice, "hi"))
        # Bob's node has not heard of it yet.
        command = self.bob.ask("message.react", chat=self.chat, message=message, emoji="👍")
        self.settle()
        self.assertEqual(self.assertRaises(Refused, self.answer, self.bob, command).code, "message_gone")
        self.all_alike()

    def test_missed(self) -> None:
        """A device that was away learns of a refusal when it comes back."""
        message = self.write(self.bob, "hi")
        other = self.nodes[B].login("bob")
        other.drop()
        self.alice.call("message.delete", chat=self.chat, message=self.find(self.alice, "hi"))
        self.bob.ask("message.react", chat=self.chat, message=message, emoji="👍")
        self.settle()
        other.resume(other.cursor)
        [event] = other.take("chat.post")
        self.assertEqual((event["params"]["code"], event["params"]["about"]), ("message_gone", message))

    def test_never_told(self) -> None:
        """What could not be told for 30 days is given up."""
        self.nodes.away.add(A)
        command = self.begin(self.bob, "hi")
        self.patience(self.bob)
        self.answer(self.bob, command)
        self.bob.take()
        self.nodes.give_up(B, A)
        [event] = self.bob.take("chat.post")
        self.assertEqual(event["params"]["code"], "not_taken")
        self.assertEqual(self.waiting(self.bob), [])
