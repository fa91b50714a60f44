"""Secure chats through the SDK across two nodes, one of which orders the group."""

from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.across_case import A, B, befriend_across
from tests.nodes import Nodes
from tests.secure_sdk_case import SecureDevice


class AcrossTests(SynchronousTestCase):
    """Ann's node has the group; Ben is at another one."""

    def setUp(self) -> None:
        self.nodes = Nodes(A, B)
        self.nodes.untold = True
        self.ann = SecureDevice(self.nodes[A]).register("ann")
        self.ben = SecureDevice(self.nodes[B]).register("ben")
        people: list[Any] = []
        for name, device in ((A, self.ann), (B, self.ben)):
            opened = device.client.opened
            assert opened is not None
            about = SimpleNamespace(world=self.nodes[name], account=opened.account, address=opened.address)
            people.append(about)
        befriend_across(*people)
        for device in (self.ann, self.ben):  # they learn of the rows that were written behind their backs
            device.drop()
            device.back()
            device.unlock()
        self.settle()

    def tearDown(self) -> None:
        for device in (self.ann, self.ben):
            device.client.close()

    def settle(self) -> None:
        for _ in range(6):
            for name in (A, B):
                self.nodes[name].clock.pump([0.05] * 10)
            self.nodes.settle()

    def do(self, done: Any) -> Any:
        """What may take both nodes."""
        assert isinstance(done, Deferred)
        for _ in range(5):
            self.settle()
        return self.successResultOf(done)

    def say(self, device: SecureDevice, chat: str, text: str) -> None:
        device.secure.chats[chat].send(text)
        self.settle()
        self.settle()

    def test_two_nodes(self) -> None:
        """Both read what the other says, in the hub's order, and neither is warned."""
        conversation = self.do(self.ann.secure.start([self.ben.account]))
        chat = conversation.id
        self.do(self.ben.secure.accept(chat))
        for device, text in ((self.ann, "hello"), (self.ben, "from afar"), (self.ann, "well met")):
            self.say(device, chat, text)
        for device in (self.ann, self.ben):
            self.assertEqual(device.said(chat), ["hello", "from afar", "well met"])
            self.assertEqual(device.alarms, [])

    def test_roster_from_afar(self) -> None:
        """Who is at another node than the hub signs that he leaves, and it is in force by the hub's order."""
        conversation = self.do(self.ann.secure.start([self.ben.account], group=True))
        chat = conversation.id
        self.do(self.ben.secure.accept(chat))
        self.say(self.ann, chat, "hello")
        self.do(self.ben.secure.leave(self.ben.secure.chats[chat]))
        self.settle()
        self.assertEqual(conversation.members, {self.ann.account})
        self.assertEqual(self.ben.secure.chats, {})
