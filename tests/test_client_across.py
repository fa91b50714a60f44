"""The SDK on two nodes: a chat with somebody of another node is a chat like any other."""

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.protocol import commands as c
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Message, Text
from tests.across_case import A, B, befriend_across
from tests.nodes import Nodes
from tests.sdk_world import SdkDevice


class SdkTests(SynchronousTestCase):
    """Alice and Bob each hold a client."""

    def setUp(self) -> None:
        self.nodes = Nodes(A, B)
        self.alice = SdkDevice(self.nodes[A]).register("alice")
        self.bob = SdkDevice(self.nodes[B]).register("bob")
        people: list[Any] = []
        for name, device in ((A, self.alice), (B, self.bob)):
            opened = device.client.opened
            assert opened is not None
            about = SimpleNamespace(world=self.nodes[name], account=opened.account, address=opened.address)
            people.append(about)
        self.chat = befriend_across(*people)
        for device in (self.alice, self.bob):  # they learn of the rows that were written behind their backs
            device.drop()
            device.back()

    def settle(self) -> None:
        for _ in range(2):
            for name in (A, B):
                self.nodes[name].clock.pump([0.05] * 20)
            self.nodes.settle()
        for name in (A, B):
            self.nodes[name].clock.pump([0.05] * 20)

    def shown(self, device: SdkDevice) -> list[Message]:
        view = device.client.state.chat(self.chat)
        assert view is not None
        return view.messages

    def test_chat(self) -> None:
        """Texts, an answer, an edit, a reaction, a deletion and receipts: both show the same."""
        first = self.alice.do(self.alice.client.call(c.ChatSend(self.chat, "1", Text("hi"))))
        self.settle()
        [copy] = self.shown(self.bob)
        self.assertEqual(copy.origin, first.id)
        self.bob.do(self.bob.client.call(c.ChatSend(self.chat, "1", Text("ho"), copy.id)))
        self.bob.do(self.bob.client.read(self.chat, copy.id))
        self.settle()
        self.assertEqual(self.alice.texts(self.chat), ["hi", "ho"])
        self.assertEqual(self.shown(self.alice)[1].reply_to, first.id)
        view = self.alice.client.state.chat(self.chat)
        assert view is not None
        self.assertEqual((view.peer_delivered, view.peer_read), (first.id, first.id))
        self.alice.do(self.alice.client.call(c.MessageEdit(self.chat, first.id, Text("hello"))))
        self.bob.do(self.bob.client.call(c.MessageReact(self.chat, copy.id, "👍")))
        self.settle()
        self.assertEqual(self.bob.texts(self.chat), ["hello", "ho"])
        for device in (self.alice, self.bob):
            [reaction] = self.shown(device)[0].reactions
            self.assertEqual((reaction.emoji, reaction.count), ("👍", 1))
        self.alice.do(self.alice.client.call(c.MessageDelete(self.chat, first.id)))
        self.settle()
        for device in (self.alice, self.bob):
            self.assertIsInstance(self.shown(device)[0].body, Deleted)
            self.assertEqual(self.shown(device)[0].reactions, ())

    def test_away(self) -> None:
        """The other node is away, and then the device: what was said comes when both are back."""
        self.nodes.away.add(B)
        self.alice.do(self.alice.client.call(c.ChatSend(self.chat, "1", Text("hi"))))
        self.bob.drop()
        self.nodes.away.clear()
        self.settle()
        self.bob.back()
        self.settle()
        self.assertEqual(self.bob.texts(self.chat), ["hi"])
        view = self.alice.client.state.chat(self.chat)
        assert view is not None
        self.assertEqual(view.peer_delivered, self.shown(self.alice)[0].id)
