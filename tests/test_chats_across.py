"""Direct chats whose members are on two nodes: messages, edits, deletions, reactions, receipts."""

from tests.across_case import A, AcrossCase, B, Person, befriend_across
from tests.nodes import Nodes
from tests.world import Refused


class AcrossTests(AcrossCase):
    """What one does, the other sees."""

    def test_message(self) -> None:
        """A message is delivered, with the id that it has at home; the answer names the copy."""
        sent = self.write(self.alice, "hi")
        self.settle()
        [message] = self.bob.messages()
        self.assertEqual(message["origin"], sent)
        self.assertNotEqual(message["id"], sent)
        self.assertEqual((message["sender"], message["body"]["text"]), (self.alice.account, "hi"))
        self.write(self.bob, "ho", reply_to=message["id"], mentions=[self.alice.account])
        self.settle()
        [answer] = self.alice.messages()
        self.assertEqual(answer["reply_to"], sent)
        self.assertEqual(answer["mentions"], [self.alice.account])
        self.assertNotIn("origin", self.page(self.alice)[0])
        self.assertEqual(self.shown(self.alice), self.shown(self.bob))

    def test_away(self) -> None:
        """What was sent while the other node was away comes in its order; what was edited meanwhile once."""
        self.nodes.away.add(B)
        ids = [self.write(self.alice, f"{number}") for number in range(5)]
        self.edit(self.alice, ids[1], "one")
        self.delete(self.alice, ids[2])
        self.settle()
        self.assertEqual(self.page(self.bob), [])
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.shown(self.bob), self.shown(self.alice))
        self.assertEqual([words for _, words in self.shown(self.bob)], ["0", "one", "deleted", "3", "4"])
        self.assertEqual(self.bob.take("chat.changed"), [])

    def test_changes(self) -> None:
        """Edits, deletions and reactions arrive as changes of the copy."""
        sent = self.write(self.alice, "hi")
        self.settle()
        [message] = self.bob.messages()
        self.edit(self.alice, sent, "hello")
        self.settle()
        [changed] = self.bob.take("chat.changed")
        told = changed["params"]["message"]
        self.assertEqual((told["id"], told["body"]["text"]), (message["id"], "hello"))
        self.assertEqual(told["origin"], sent)
        self.react(self.bob, message["id"], "👍")
        self.settle()
        [changed] = [each for each in self.alice.take("chat.changed") if "reacted" in each["params"]]
        self.assertEqual(changed["params"]["reacted"], {"account": self.bob.account, "emoji": "👍"})
        self.assertEqual(self.page(self.alice)[0]["reactions"], [{"emoji": "👍", "count": 1}])
        self.react(self.bob, message["id"], None)
        self.settle()
        self.assertNotIn("reactions", self.page(self.alice)[0])
        self.delete(self.alice, sent)
        self.settle()
        self.assertEqual(self.page(self.bob)[0]["body"], self.page(self.alice)[0]["body"])
        self.assertEqual(self.page(self.bob)[0]["body"]["kind"], "deleted")
        self.assertEqual(self.page(self.bob)[0]["origin"], sent)
        self.write(self.bob, "why?", reply_to=message["id"])
        self.settle()
        self.assertEqual(self.page(self.alice)[-1]["reply_to"], sent)

    def test_pins(self) -> None:
        """What is pinned by one is pinned for both, and told to the devices of both."""
        sent = self.write(self.alice, "hi")
        self.settle()
        [copy] = [message["id"] for message in self.bob.messages()]
        self.pin(self.alice, sent)
        self.settle()
        [updated] = self.bob.take("chat.updated")
        self.assertEqual(updated["params"]["chat"]["pinned"], [copy])
        self.assertEqual(self.pinned(self.bob), [copy])
        self.bob.call("chat.unpin", **self.about(copy))
        self.settle()
        self.assertEqual(self.pinned(self.alice), [])

    def test_edits_at_once(self) -> None:
        """Of several edits within a millisecond the last one stays, at both nodes."""
        sent = self.write(self.alice, "0")
        self.settle()
        clock = self.nodes[A].clock
        now = clock.seconds()
        for words in "1234":
            clock.rightNow = now  # it may even be set back
            self.edit(self.alice, sent, words)
            self.settle()
        self.assertEqual(self.shown(self.bob), [(self.alice.account, "4")])
        self.assertEqual(self.page(self.bob)[0]["edited"], self.page(self.alice)[0]["edited"])

    def test_receipts(self) -> None:
        """Delivered and read are told, in the ids of the node that hears it."""
        alice = Person(self.alice, self.chat)
        sent = self.write(self.alice, "hi")
        self.settle()
        [message] = self.bob.messages()
        self.bob.notify("session.ack", cursor=message["id"])
        self.settle()
        alice.take()
        self.assertEqual(alice.receipts[self.bob.account]["delivered"], sent)
        self.assertIsNone(alice.receipts[self.bob.account]["read"])
        self.bob.call("chat.read", chat=self.chat, upto=message["id"])
        self.settle()
        alice.take()
        self.assertEqual(alice.receipts[self.bob.account]["read"], sent)
        [summary] = [c for c in self.alice.call("chat.list")["chats"] if c["chat"] == self.chat]
        self.assertEqual((summary["peer_delivered"], summary["peer_read"]), (sent, sent))

    def test_crossing_receipts(self) -> None:
        """What crossed stands the other way round at the other node: a marker covers what was read."""
        self.nodes.away.add(B)
        first = self.write(self.alice, "from A")
        second = self.write(self.bob, "from B")
        self.nodes.away.clear()
        self.settle()
        newest = self.page(self.bob)[-1]
        self.assertEqual(newest["sender"], self.alice.account)
        self.bob.call("chat.read", chat=self.chat, upto=second)
        self.settle()
        alice = Person(self.alice, self.chat)
        alice.take()
        self.assertIsNone(alice.receipts[self.bob.account]["read"])
        self.bob.call("chat.read", chat=self.chat, upto=newest["id"])
        self.settle()
        alice.take()
        self.assertEqual(alice.receipts[self.bob.account]["read"], first)

    def test_missed(self) -> None:
        """A device that was away when a message came gets it as any other."""
        self.bob.drop()
        self.write(self.alice, "hi")
        self.settle()
        self.bob.resume(self.bob.cursor)
        self.assertEqual([m["body"]["text"] for m in self.bob.messages()], ["hi"])
        [summary] = [c for c in self.bob.call("chat.list")["chats"] if c["chat"] == self.chat]
        self.assertEqual(summary["unread"], 1)
        self.assertEqual(summary["peer"], self.alice.account)

    def test_restart(self) -> None:
        """Either node starts anew with messages that wait, and nothing is lost or doubled."""
        for name in (A, B):
            with self.subTest(name):
                self.nodes.away.add(B)
                sent = self.write(self.alice, "hi")
                self.nodes.away.clear()
                self.nodes.restart(name)
                self.alice, self.bob = self.back(self.alice), self.back(self.bob)
                self.settle()
                self.assertEqual(self.page(self.bob)[-1]["origin"], sent)
                self.assertEqual(self.shown(self.bob), self.shown(self.alice))


class ThreeNodesTests(AcrossCase):
    """A third node hears of its own chats alone."""

    def test_three(self) -> None:
        """Each chat goes to the node of its other member; away is who is away."""
        nodes = Nodes(A, B, "c.example")
        alice, bob = nodes[A].register("alice"), nodes[B].register("bob")
        carol = nodes["c.example"].register("carol")
        with_bob, with_carol = befriend_across(alice, bob), befriend_across(alice, carol)
        bob_carol = befriend_across(bob, carol)
        nodes.away.add("c.example")
        alice.write(with_bob, "for Bob")
        alice.write(with_carol, "for Carol")
        bob.write(bob_carol, "from Bob")
        nodes.settle()
        self.assertEqual(bob.history(with_bob), ["for Bob"])
        self.assertEqual(carol.history(with_carol), [])
        self.assertEqual([row.node for row in nodes.peers[A].waiting], ["c.example"])
        nodes.away.clear()
        nodes.settle()
        self.assertEqual(carol.history(with_carol), ["for Carol"])
        self.assertEqual(carol.history(bob_carol), ["from Bob"])
        with self.assertRaises(Refused):
            carol.history(with_bob)
