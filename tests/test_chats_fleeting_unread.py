"""Chats without history, as they are listed and caught up with."""

from typing import Any

from safeum_home.ids import AccountId, direct_chat_id
from tests.fleeting_case import FleetingCase
from tests.world import Client, texts


class UnreadTests(FleetingCase):
    def setUp(self) -> None:
        """Bob's phone is told of a message, and does not say that it has it."""
        super().setUp()
        self.first = self.alice.write(self.chat, "first")
        self.acknowledge(self.alice)
        self.gather()

    def unread(self, client: Client) -> int:
        [listed] = [each for each in client.call("chat.list")["chats"] if each["chat"] == self.chat]
        return int(listed["unread"])

    def write(self, **more: Any) -> None:
        """Bob writes, and all but that phone say that they have all."""
        about = self.bob.message(self.chat, "second", "its-id")
        self.bob.call("chat.send", **about, **more)
        self.assertEqual(self.unread(self.bob), 0, "he has read what he wrote behind")
        self.acknowledge(self.alice)
        self.gather()

    def test_behind_what_is_gone(self) -> None:
        """What he wrote is gone, and what was before it waits: nothing tells that he has read that."""
        self.write()
        self.assertEqual(self.bob.history(self.chat), ["first"])
        self.assertEqual([self.unread(one) for one in (self.bob, self.world.login("bob"))], [1, 1])

    def test_behind_an_answer_that_is_gone(self) -> None:
        """The same where it is an answer to what was dropped before."""
        self.bob.call("session.ack", cursor=self.first["id"])
        self.gather()
        self.assertEqual(self.left(), [0, 0, 0])
        self.alice.write(self.chat, "next")
        self.write(reply_to=self.first["id"])
        self.assertEqual(self.bob.history(self.chat), ["next"])
        self.assertEqual(self.unread(self.bob), 1)

    def test_once_it_was_read(self) -> None:
        """It is read where he says so."""
        self.write()
        self.bob.call("chat.read", chat=self.chat, upto=self.first["id"])
        self.assertEqual(self.unread(self.bob), 0)

    def test_once_it_is_held(self) -> None:
        """What is gone is not unread."""
        self.write()
        self.acknowledge(self.bob)
        self.gather()
        self.assertEqual((self.left(), self.unread(self.bob)), ([0, 0, 0], 0))


class SelfTests(FleetingCase):
    def test_with_oneself(self) -> None:
        """A note without history is for one's other devices; where there is none it is gone in a minute."""
        own = self.alice.call("chat.send", **self.alice.message(self._own(), "note"))
        self.off(chat=self._own())
        self.assertTrue(own["id"])
        self.acknowledge(self.alice)
        self.gather()
        tablet = self.world.login("alice")
        self.alice.write(self._own(), "for the tablet")
        self.assertEqual(texts(tablet.messages()), ["for the tablet"])
        self.look()
        self.assertEqual(self.world.database.count("spool"), 1)
        self.acknowledge(tablet)
        self.gather()
        self.assertEqual(self.world.database.count("spool"), 0)
        tablet.call("session.logout")
        self.alice.write(self._own(), "for nobody")
        self.look()
        self.assertEqual(self.world.database.count("spool"), 0)

    def _own(self) -> str:
        account = AccountId(self.alice.account)
        return direct_chat_id(account, account)


class CatchUpTests(FleetingCase):
    def test_missed(self) -> None:
        """What waits comes with `since`, in its order, among others."""
        since = self.bob.cursor
        self.bob.drop()
        for text in ("one", "two"):
            self.alice.write(self.chat, text)
        self.bob.resume(since)
        self.world.settle()
        self.assertEqual(texts(self.bob.messages()), ["one", "two"])
