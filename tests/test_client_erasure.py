"""Real clients whose chat is erased: the one that does it, those that look on, and those that were away."""

from msgspec import json
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats import backlog
from safeum_home.client.methods.message import sent_message
from safeum_home.client.state.chat_view import ChatView
from safeum_home.protocol.commands import ChatSend
from safeum_home.protocol.events import ChatUpdated
from safeum_home.protocol.types import Text
from tests.sdk_world import SdkDevice, written
from tests.world import World


class ErasedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.world.domain.fleeting.start()
        self.alice = SdkDevice(self.world).register("alice")
        self.bob = SdkDevice(self.world).register("bob")
        self.chat = self.alice.befriend(self.bob)
        self.tablet = SdkDevice(self.world).login("bob")
        for number in range(3):
            self.alice.do(self.alice.client.send(self.chat, f"text {number}"))
        self.settle()

    def tearDown(self) -> None:
        self.world.domain.fleeting.stop()

    def settle(self) -> None:
        self.world.clock.pump([0.05] * 40)

    def view(self, device: SdkDevice) -> ChatView:
        view = device.client.state.chat(self.chat)
        assert view is not None
        return view

    def off(self) -> None:
        done = self.alice.do(self.alice.client.set_history(self.chat, False))
        self.assertFalse(done.history)
        self.settle()

    def wiped(self, device: SdkDevice) -> None:
        view = self.view(device)
        self.assertEqual((device.texts(self.chat), view.history), ([], False))
        self.assertIsNone(view.read)

    def test_online(self) -> None:
        """Every device that is there wipes at once, before whoever asked for it is answered."""
        for device in (self.bob, self.tablet):
            self.assertEqual(device.texts(self.chat), ["text 0", "text 1", "text 2"])
            self.assertEqual(self.view(device).unread, 3)
        self.off()
        for device in (self.alice, self.bob, self.tablet):
            self.wiped(device)
        self.assertEqual(self.view(self.bob).unread, 0)

    def test_away_while_it_changed_again(self) -> None:
        """What was written between the erasure and a later change of the chat is not wiped with the past."""
        self.tablet.drop()
        self.off()
        self.alice.do(self.alice.client.send(self.chat, "in between"))
        self.alice.do(self.alice.client.set_history(self.chat, True))
        self.settle()
        self.alice.do(self.alice.client.send(self.chat, "behind it"))
        self.settle()
        self.tablet.back()
        self.settle()
        self.assertEqual(self.tablet.texts(self.chat), ["in between", "behind it"])
        self.assertTrue(self.view(self.tablet).history)

    def test_away_while_others_changed(self) -> None:
        """It is wiped where that was, though it is told of that in pages, and of other chats in between."""
        self.patch(backlog, "PAGE", 1)
        others = [SdkDevice(self.world).register(f"other{number}") for number in range(3)]
        chats = [self.bob.befriend(other) for other in others]
        self.tablet.drop()
        self.off()
        self.alice.do(self.alice.client.send(self.chat, "in between"))
        for other, chat in zip(others, chats, strict=True):
            other.do(other.client.send(chat, "erased"))
            other.do(other.client.set_history(chat, False))
            self.settle()
            other.do(other.client.send(chat, "of another"))
        self.alice.do(self.alice.client.set_history(self.chat, True))
        for other, chat in zip(others, chats, strict=True):
            other.do(other.client.set_history(chat, True))
        self.settle()
        told: list[object] = []
        self.tablet.client.listen(told.append)
        self.tablet.back()
        self.settle()
        self.assertEqual(self.tablet.texts(self.chat), ["in between"])
        for chat in chats:
            self.assertEqual(self.tablet.texts(chat), ["of another"])
        places = [event.cursor for event in told if isinstance(event, ChatUpdated)]
        erased = [
            event.cursor
            for event in told
            if isinstance(event, ChatUpdated) and event.chat.erased == event.cursor
        ]
        self.assertEqual((len(places), len(erased)), (8, 4))

    def test_nothing_left(self) -> None:
        """A chat whose messages were all delivered, and so are gone, is there all the same."""
        second = SdkDevice(self.world).register("carol")
        other = self.alice.befriend(second)
        self.off()
        self.alice.do(self.alice.client.send(self.chat, "short"))
        self.settle()
        self.assertEqual(self.world.database.count("spool"), 0)
        second.do(second.client.send(other, "later"))
        group = self.alice.do(self.alice.client.create_group("Walks")).chat.chat
        self.alice.do(self.alice.client.set_history(group, False))
        self.settle()
        fresh = SdkDevice(self.world).login("alice")
        listed = fresh.do(fresh.client.chats()).chats
        shown = fresh.client.state.chats
        self.assertEqual([view.chat for view in shown], [summary.chat for summary in listed])
        self.assertLessEqual({self.chat, other, group}, {view.chat for view in shown})
        self.assertEqual([view.chat for view in shown if view.last is None], [group, self.chat])
        self.bob.do(self.bob.client.set_history(self.chat, True))
        self.settle()
        self.assertEqual(fresh.client.state.chats[0].chat, self.chat)

    def test_sent_again_behind_it(self) -> None:
        """What a device sent, and gives again since the answer was lost, is not shown where it was erased."""
        params = ChatSend(self.chat, "its id", Text("lost answer"))
        sent = self.alice.do(self.alice.client.call(params))
        self.assertIsNotNone(sent_message(params, sent, "alice"))
        self.off()
        again = self.alice.do(self.alice.client.call(params))
        self.assertEqual(again.id, sent.id)
        self.assertIsNone(sent_message(params, again, "alice"))

    def test_an_answer_that_was_lost(self) -> None:
        """What a device has sent stands where it was written, though it is gone before the device knows."""
        self.off()
        self.alice.do(self.alice.client.send(self.chat, "first"))
        self.settle()
        for question in ("question", "another"):
            self.alice.client.send(self.chat, question)
        self.world.clock.advance(0)
        self.alice.drop()
        self.settle()
        for device in (self.bob, self.tablet):
            self.assertEqual(device.texts(self.chat), ["first", "question", "another"])
        self.bob.do(self.bob.client.send(self.chat, "answer"))
        self.tablet.do(self.tablet.client.send(self.chat, "more of it"))
        self.settle()
        self.assertEqual(self.world.database.count("spool"), 2, "what was asked is gone")
        self.alice.back()
        expected = ["first", "question", "another", "answer", "more of it"]
        self.assertEqual(self.alice.texts(self.chat), expected)
        self.assertEqual(self.view(self.alice).unread, 2)
        self.settle()
        self.assertEqual(self.world.database.count("spool"), 0)

    def test_an_answer_that_comes_late(self) -> None:
        """The same where what was written behind it was there before."""
        self.off()
        params = ChatSend(self.chat, "its id", Text("question"))
        request = {"jsonrpc": "2.0", "id": 10_000, "method": "chat.send", "params": params}
        self.alice.wire.receive(json.encode(request))  # nobody at the device waits for the answer
        self.settle()
        self.assertEqual(self.alice.texts(self.chat), [])
        self.assertEqual(self.world.database.count("spool"), 0)
        self.tablet.drop()
        for text in ("answer", "more of it"):
            self.bob.do(self.bob.client.send(self.chat, text))
        self.settle()
        self.assertEqual(self.alice.texts(self.chat), ["answer", "more of it"])
        self.assertEqual(self.view(self.alice).unread, 2)
        sent = self.alice.do(self.alice.client.call(params))
        self.assertEqual(sent.before, self.view(self.alice).messages[-2].id)
        self.assertEqual(self.alice.texts(self.chat), ["question", "answer", "more of it"])
        self.assertEqual(self.view(self.alice).unread, 2)

    def test_away(self) -> None:
        """A device that was offline wipes with its first sync, and goes on from there."""
        self.tablet.drop()
        self.off()
        self.alice.do(self.alice.client.send(self.chat, "after"))
        self.assertEqual(self.tablet.texts(self.chat), ["text 0", "text 1", "text 2"], "it cannot know")
        self.tablet.back()
        self.assertEqual(self.tablet.texts(self.chat), ["after"])
        self.assertFalse(self.view(self.tablet).history)

    def test_in_the_middle_of_pages(self) -> None:
        """It is behind by more than a page, and the chat is erased while it is being brought up to date."""
        self.tablet.drop()
        for number in range(450):
            self.alice.do(self.alice.client.send(self.chat, f"more {number}"))
        self.tablet.slow = True  # the network is: the next page waits until this one is taken
        self.tablet.back()
        held = len(self.tablet.texts(self.chat))
        self.assertTrue(3 < held < 453, held)
        asked = self.alice.client.set_history(self.chat, False)
        self.settle()
        self.tablet.slow = False
        session = self.tablet.wire.session
        session.resumed()
        self.settle()
        self.assertFalse(self.alice.do(asked).history)
        self.wiped(self.tablet)
        self.alice.do(self.alice.client.send(self.chat, "after"))
        self.settle()
        self.assertEqual(self.tablet.texts(self.chat), ["after"])

    def test_logged_in_later(self) -> None:
        """It shows the state, and of the messages those that still live."""
        self.tablet.drop()
        self.off()
        self.alice.do(self.alice.client.send(self.chat, "lives"))
        fresh = SdkDevice(self.world).login("bob")
        page = fresh.do(fresh.client.history(self.chat))
        self.assertEqual(written(page.messages), ["lives"])
        self.assertFalse(self.view(fresh).history)

    def test_gone_when_held(self) -> None:
        """The clients acknowledge by themselves: with the last of them the node has nothing more."""
        self.off()
        self.alice.do(self.alice.client.send(self.chat, "short"))
        self.settle()
        for device in (self.bob, self.tablet):
            self.assertEqual(device.texts(self.chat), ["short"])
        self.assertEqual(self.world.database.count("spool"), 0)
        page = self.bob.do(self.bob.client.history(self.chat))
        self.assertEqual(page.messages, [])
        self.tablet.drop()
        self.alice.do(self.alice.client.send(self.chat, "waits"))
        self.settle()
        self.assertEqual(self.world.database.count("spool"), 1)
        self.tablet.back()
        self.assertEqual(self.tablet.texts(self.chat)[-1], "waits")
        self.settle()
        self.assertEqual(self.world.database.count("spool"), 0)

    def test_on_again(self) -> None:
        """All see it, and keep what they show."""
        self.off()
        self.bob.do(self.bob.client.set_history(self.chat, True))
        self.alice.do(self.alice.client.send(self.chat, "kept"))
        self.settle()
        for device in (self.alice, self.bob, self.tablet):
            self.assertTrue(self.view(device).history)
        self.assertEqual(self.tablet.texts(self.chat), ["kept"])
