"""What members of other nodes write into a group: it goes to its node, and comes back in that one's order."""

from typing import Any

from tests.groups_across_case import A, B, GroupsAcrossCase
from tests.posts_case import PostsCase
from tests.world import Client, Refused


class WritingTests(PostsCase):
    """While all nodes are there."""

    def test_message(self) -> None:
        """A message has its place when it is answered, and everybody is told of it once."""
        sent = self.send(self.bob, "hi")
        self.assertNotIn("waiting", sent)
        self.assertEqual(sent["id"], self.page(self.bob)[-1]["id"])
        for client in (self.alice, self.amy, self.ben, self.carol):
            [message] = client.messages()
            self.assertEqual((message["sender"], message["body"]["text"]), (self.bob.account, "hi"))
        self.assertEqual(self.bob.messages(), [])
        self.write(self.carol, "ho")
        self.write(self.alice, "hum")
        self.assertEqual([each[2]["text"] for each in self.all_alike()[-3:]], ["hi", "ho", "hum"])
        self.assertEqual(self.nodes[B].database.count("posts"), 0)

    def test_other_devices(self) -> None:
        """The author's other devices are told that it waits, and then that it is there."""
        other = self.nodes[B].login("bob")
        command = self.begin(self.bob, "hi")
        [event] = other.take("chat.post")
        self.assertEqual(event["params"]["message"]["body"]["text"], "hi")
        self.assertEqual(event["params"]["post"], event["params"]["message"]["id"])
        self.assertEqual(self.bob.take("chat.post"), [])
        self.settle()
        [message] = other.messages()
        self.assertEqual(message["origin"], event["params"]["post"])
        self.assertEqual(message["id"], self.answer(self.bob, command)["id"])

    def test_sent_again(self) -> None:
        """The same `client_id` gets the same answer, and is one message."""
        first = self.send(self.bob, "hi", "same")
        self.assertEqual(self.send(self.bob, "hi", "same"), first)
        begun = [self.begin(self.bob, "ho", "twice"), self.begin(self.bob, "ho", "twice")]
        self.settle()
        self.assertEqual(self.answer(self.bob, begun[0])["id"], self.answer(self.bob, begun[1])["id"])
        self.assertEqual([each[2].get("text") for each in self.all_alike()[-2:]], ["hi", "ho"])

    def test_more_than_a_text(self) -> None:
        """Replies, mentions and copies are the same everywhere."""
        self.write(self.alice, "question")
        asked = self.find(self.bob, "question")
        self.write(self.bob, "answer", reply_to=asked, mentions=[self.carol.account])
        answered = self.find(self.carol, "answer")
        self.write(self.carol, "again", reply_to=answered)
        params = {"chat": self.chat, "client_id": "copy", "forward": {"chat": self.chat, "message": answered}}
        command = self.carol.ask("chat.send", **params)
        self.settle()
        self.answer(self.carol, command)
        found = self.all_alike()[-4:]
        self.assertEqual([each[3] for each in found], [None, -4, -3, None])
        self.assertEqual(found[1][4], [self.carol.account])
        self.assertEqual(found[3][5]["author"], self.bob.account)
        self.assertEqual(found[3][2]["text"], "answer")

    def test_reply_to_what_waits(self) -> None:
        """Two that are sent one behind the other have their order, and answers go with them."""
        self.nodes.away.add(A)
        for number in range(5):
            self.begin(self.bob, f"{number}")
        self.nodes.away.clear()
        self.settle()
        self.assertEqual([each[2]["text"] for each in self.all_alike()[-5:]], list("01234"))

    def test_unknown_kind(self) -> None:
        """What nobody knows is carried."""
        body = {"kind": "poll", "text": "Shall we?", "options": ["yes", "no"]}
        command = self.bob.ask("chat.send", chat=self.chat, client_id="poll", body=body)
        self.settle()
        self.answer(self.bob, command)
        self.assertEqual(self.all_alike()[-1][2], body)

    def test_notice(self) -> None:
        """What the node has written of the group can be answered from everywhere."""
        [notice] = [m["id"] for m in self.page(self.carol) if m["body"]["kind"] == "notice"][-1:]
        self.write(self.carol, "thanks", reply_to=notice)
        self.assertEqual(self.all_alike()[-1][3], -2)


class ChangingTests(PostsCase):
    """Edits, deletions, reactions and pins."""

    def test_edit(self) -> None:
        """An author edits what he wrote, from wherever; others cannot."""
        for author in (self.bob, self.alice):
            message = self.write(author, "hi")
            for client in self.everybody:
                client.take()
            answer = self.do(author, "message.edit", message, body={"kind": "text", "text": "hello"})
            self.assertEqual(answer, {})
            for client in self.everybody:
                [changed] = client.take("chat.changed")
                self.assertEqual(changed["params"]["message"]["body"]["text"], "hello")
            self.assertEqual(self.all_alike()[-1][2]["text"], "hello")
            theirs = self.find(self.carol, "hello")
            self.refused(
                "not_yours",
                self.carol,
                "message.edit",
                chat=self.chat,
                message=theirs,
                body={"kind": "text", "text": "no"},
            )

    def test_edited_again(self) -> None:
        """Each edit counts, within a millisecond too, and the last one stays."""
        message = self.write(self.bob, "0")
        for words in "1234":
            self.bob.ask(
                "message.edit", chat=self.chat, message=message, body={"kind": "text", "text": words}
            )
        self.settle()
        found = self.all_alike()[-1]
        self.assertEqual(found[2]["text"], "4")

    def test_delete(self) -> None:
        """An author, and who moderates, from wherever; nothing is left, and no reaction."""
        for author, other in ((self.bob, self.carol), (self.alice, self.bob)):
            message = self.write(author, "hi")
            self.do(other, "message.react", self.find(other, "hi"), emoji="👍")
            self.do(author, "message.delete", message)
            found = self.all_alike()[-1]
            self.assertEqual((found[2]["kind"], found[2]["by"]), ("deleted", author.account))
            self.assertEqual(found[7], [])
        self.write(self.alice, "theirs")
        with self.assertRaises(Refused):
            self.do(self.bob, "message.delete", self.find(self.bob, "theirs"))
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="admin")
        self.settle()
        self.do(self.bob, "message.delete", self.find(self.bob, "theirs"))
        found = [each for each in self.all_alike() if each[2]["kind"] == "deleted"][-1]
        self.assertEqual((found[0], found[2]["by"]), (self.alice.account, self.bob.account))
        mine = self.write(self.carol, "carol's")
        self.do(self.alice, "message.delete", self.find(self.alice, "carol's"))
        found = [each for each in self.all_alike() if each[2]["kind"] == "deleted"][-1]
        self.assertEqual((found[0], found[2]["by"]), (self.carol.account, self.alice.account))
        self.refused("message_gone", self.carol, "message.react", chat=self.chat, message=mine, emoji="👍")
        self.assertEqual(self.rows(self.nodes[A], "passed_on"), 2)  # Bob's two stubs

    def test_react(self) -> None:
        """Reactions of all nodes count together, are replaced, and are taken back."""
        self.write(self.bob, "hi")
        for client in self.everybody:
            self.do(client, "message.react", self.find(client, "hi"), emoji="👍")
        self.assertEqual(self.all_alike()[-1][7], [("👍", 5)])
        for client in (self.bob, self.amy):
            self.do(client, "message.react", self.find(client, "hi"), emoji="🎉")
        self.do(self.carol, "message.react", self.find(self.carol, "hi"), emoji=None)
        self.do(self.alice, "message.react", self.find(self.alice, "hi"), emoji=None)
        self.assertEqual(self.all_alike()[-1][7], [("🎉", 2), ("👍", 1)])
        for client in self.everybody:
            listed = client.call("message.reactions", chat=self.chat, message=self.find(client, "hi"))
            found = {each["account"]: each["emoji"] for each in listed["reactions"]}
            self.assertEqual(found, {self.bob.account: "🎉", self.amy.account: "🎉", self.ben.account: "👍"})
            self.assertEqual(self.page(client)[-1].get("mine"), found.get(client.account))

    def test_pins(self) -> None:
        """Who moderates pins for all, from wherever; others cannot."""
        for words in ("one", "two"):
            self.write(self.carol, words)
        self.refused(
            "not_permitted", self.bob, "chat.pin", chat=self.chat, message=self.find(self.bob, "one")
        )
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="admin")
        self.settle()
        self.do(self.bob, "chat.pin", self.find(self.bob, "one"))
        self.do(self.alice, "chat.pin", self.find(self.alice, "two"))
        self.assertEqual(self.pins(), ["one", "two"])
        self.do(self.bob, "chat.unpin", self.find(self.bob, "two"))
        self.assertEqual(self.pins(), ["one"])
        self.do(self.carol, "message.delete", self.find(self.carol, "one"))
        self.assertEqual(self.pins(), [])

    def pins(self) -> list[str]:
        """What is pinned, for everybody."""
        found = []
        for client in self.everybody:
            pinned = client.call("chat.pinned", chat=self.chat)["messages"]
            found.append([message["body"]["text"] for message in pinned])
            self.assertEqual(self.info(client, self.chat)["pinned"], [message["id"] for message in pinned])
        self.assertEqual(found, [found[0]] * len(found))
        return found[0]

    def test_changed_on_its_way(self) -> None:
        """Who is answered that a message is there is told what has become of it meanwhile, also later on."""
        command = self.begin(self.bob, "hi")
        self.nodes._carry(B)
        theirs = self.find(self.alice, "hi")
        self.alice.call("message.delete", chat=self.chat, message=theirs)
        self.settle()
        sent = self.answer(self.bob, command)
        [changed] = self.bob.take("chat.changed")
        self.assertEqual(changed["params"]["message"]["id"], sent["id"])
        self.assertEqual(changed["params"]["message"]["body"]["kind"], "deleted")
        self.bob.resume(sent["id"])
        [changed] = self.bob.take("chat.changed")
        self.assertEqual(changed["params"]["message"]["body"]["kind"], "deleted")
        self.all_alike()

    def test_place(self) -> None:
        """A message that has changed waits in its own place, and is not noted once more behind others."""
        self.nodes.away.add(B)
        first = self.alice.write(self.chat, "first")["id"]
        self.alice.write(self.chat, "second")
        body = {"kind": "text", "text": "FIRST"}
        self.alice.call("message.edit", chat=self.chat, message=first, body=body)
        waiting = [row.type for row in self.nodes.peers[A].waiting if row.node == B]
        self.assertEqual(waiting, ["group.message", "group.message", "group.change"])
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.words(self.bob, self.chat)[-2:], ["FIRST", "second"])

    def test_nothing_changes(self) -> None:
        """What is so already is answered at once, and nobody is told."""
        message = self.write(self.bob, "hi")
        self.do(self.bob, "message.react", message, emoji="👍")
        for client in self.everybody:
            client.take()
        self.assertEqual(self.bob.call("message.react", chat=self.chat, message=message, emoji="👍"), {})
        body = {"kind": "text", "text": "hi"}
        self.assertEqual(self.bob.call("message.edit", chat=self.chat, message=message, body=body), {})
        self.settle()
        self.assertEqual([client.take() for client in self.everybody], [[]] * 5)
        self.assertEqual(self.rows(self.nodes[B], "posts"), 0)


class ComingTests(GroupsAcrossCase):
    """A node gets to know what was before its first member came."""

    def test_earlier(self) -> None:
        """With what was made of it: edits, deletions, reactions and pins, also by those of third nodes."""
        chat = self.group(self.amy, self.carol, earlier=True)
        self.alice.write(chat, "one")
        self.settle()
        begun = [
            self.carol.ask("chat.send", **self.carol.message(chat, words))
            for words in ("two", "three", "four")
        ]
        self.settle()
        ids = {m["body"].get("text"): m["id"] for m in self.alice.call("chat.history", chat=chat)["messages"]}
        theirs = [self.carol.answer(each) or {} for each in begun]
        edit = {"kind": "text", "text": "TWO"}
        self.carol.ask("message.edit", chat=chat, message=theirs[0]["id"], body=edit)
        self.carol.ask("message.delete", chat=chat, message=theirs[1]["id"])
        self.carol.ask("message.react", chat=chat, message=theirs[2]["id"], emoji="👍")
        self.settle()
        self.amy.call("message.react", chat=chat, message=ids["four"], emoji="👍")
        self.amy.call("message.react", chat=chat, message=ids["one"], emoji="🎉")
        self.alice.call("chat.pin", chat=chat, message=ids["one"])
        self.settle()
        self.alice.call("group.invite", chat=chat, accounts=[self.bob.account])
        self.settle()
        self.come(self.bob, "group.accept", chat=chat)
        self.settle()
        shown = [self.seen(client, chat) for client in (self.alice, self.carol, self.bob)]
        self.assertEqual(shown[1][-5:], shown[0][-5:])
        self.assertEqual(shown[2], shown[0])
        pinned = self.bob.call("chat.pinned", chat=chat)["messages"]
        self.assertEqual([message["body"]["text"] for message in pinned], ["one"])

    def seen(self, client: Client, chat: str) -> list[Any]:
        page = client.call("chat.history", chat=chat)["messages"]
        return [
            (m["at"], m["body"], m.get("edited"), [(r["emoji"], r["count"]) for r in m.get("reactions", [])])
            for m in page
        ]
