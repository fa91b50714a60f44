"""Secure chats through the SDK across two nodes, one of which orders the group."""

from io import BytesIO
from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.unlocked.items import Item
from tests.across_case import A, B, befriend_across
from tests.files_across_case import SECTION
from tests.nodes import Nodes
from tests.secure_file_case import NodeWeb
from tests.secure_sdk_case import SecureDevice


class AcrossTests(SynchronousTestCase):
    """Ann's node has the group; Ben is at another one."""

    def setUp(self) -> None:
        self.nodes = Nodes(A, B, files=SECTION)
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

    def test_files(self) -> None:
        """A file of either comes to both, also one that has waited for the hub and has another id then."""
        chat = self.do(self.ann.secure.start([self.ben.account])).id
        self.do(self.ben.secure.accept(chat))
        self.settle()
        for name, device in ((A, self.ann), (B, self.ben)):
            web = NodeWeb(self.nodes[name])
            device.client._web = lambda web=web: web  # type: ignore[method-assign, misc]
        self.send(self.ann, chat, b"of Ann")
        self.nodes.peers[B].held.add(A)
        item = self.send(self.ben, chat, b"of Ben")
        meanwhile = item.id
        self.assertEqual(self.had(self.ben, item), b"of Ben")
        self.nodes.peers[B].held.clear()
        self.settle()
        self.assertNotIn(item.id, (None, meanwhile))
        for device in (self.ann, self.ben):
            items = device.secure.chats[chat].items.all
            self.assertEqual([self.had(device, each) for each in items], [b"of Ann", b"of Ben"])

    def send(self, device: SecureDevice, chat: str, octets: bytes) -> Item:
        item: Item = self.do(device.secure.chats[chat].files.send(BytesIO(octets), name="a"))
        self.settle()
        return item

    def had(self, device: SecureDevice, item: Item) -> bytes:
        """What it fetches."""
        [chat] = device.secure.chats.values()
        octets: bytes = self.do(chat.files.sound_of(item))
        return octets
