"""Reading back: pages of a chat, the list of chats, and all that a new device starts from."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.backlog import PAGE_OCTETS
from tests.world import Client, Refused, World, contact, texts


class HistoryCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.chat = self.world.befriend(self.alice, self.bob)

    def send(self, count: int, sender: Client | None = None) -> list[str]:
        sender = sender or self.alice
        return [sender.write(self.chat, str(number))["id"] for number in range(count)]

    def listed(self, client: Client, **params: Any) -> list[dict[str, Any]]:
        """Direct chats, in the order of the list."""
        return [c for c in client.call("chat.list", **params)["chats"] if c["kind"] == "direct"]


class PageTests(HistoryCase):
    def test_pages(self) -> None:
        """Pages hold every message once, each page oldest first, and say whether there are older ones."""
        ids = self.send(7)
        for limit in (1, 2, 3, 7, 8, 200):
            found: list[str] = []
            before, more = None, True
            while more:
                page = self.bob.call("chat.history", chat=self.chat, limit=limit, before=before)
                found = [message["id"] for message in page["messages"]] + found
                before, more = found[0], page["more"]
            self.assertEqual(found, ids)

    def test_before(self) -> None:
        """A page ends before any cursor, not only before a message of the chat."""
        self.send(2)
        self.world.login("bob")
        between = self.world.cursor
        self.send(2)
        self.assertEqual(self.bob.history(self.chat, before=between), ["0", "1"])
        self.assertEqual(self.bob.history(self.chat, before=self.bob.cursor), [])
        error = self.assertRaises(Refused, self.bob.history, self.chat, before="A" * 22)
        self.assertEqual(error.code, "invalid_cursor")

    def test_empty(self) -> None:
        """A chat in which nothing was written yet has an empty history."""
        self.assertEqual(self.bob.call("chat.history", chat=self.chat), {"messages": [], "more": False})

    def test_octets(self) -> None:
        """The longest messages there are come in frames of at most 64 KiB, none of them lost."""
        expected = [chr(number % 32) * 8192 for number in range(200)]
        for text in expected:
            self.alice.write(self.chat, text)
        found: list[str] = []
        before, more, pages = None, True, 0
        while more:
            page = self.bob.call("chat.history", chat=self.chat, limit=200, before=before)
            found = texts(page["messages"]) + found
            before, more = page["messages"][0]["id"], page["more"]
            pages += 1
        self.assertEqual(found, expected)
        self.assertGreater(pages, 10)
        self.listed(self.bob, limit=50)
        self.bob.take()
        self.assertEqual(texts(self.bob.resume(self.bob.cursor).messages()), expected)

    def test_pages_of_what_was_missed(self) -> None:
        """They are bounded in octets, whatever was written."""
        for _ in range(30):
            self.alice.write(self.chat, "\u0000" * 8192)
        missed: Any = self.world.services.missed
        after = self.world.vault.cursors.decode(self.bob.cursor or "")
        sizes, more, seen = [], True, []
        while more:
            events, after, more = self.successResultOf(missed(self.bob.account, after))
            sizes.append(sum(len(event.frame) for event in events))
            seen += [event.position for event in events]
        self.assertTrue(all(size <= PAGE_OCTETS for size in sizes))
        self.assertEqual(seen, sorted(set(seen)))
        self.assertGreater(len(sizes), 4)


class ListTests(HistoryCase):
    def test_empty_chats(self) -> None:
        """A chat is listed when it holds a message."""
        self.assertEqual(self.listed(self.bob), [])
        self.send(1)
        [summary] = self.listed(self.bob)
        self.assertEqual(
            {key: summary[key] for key in ("chat", "peer", "address", "unread", "read", "peer_read")},
            {
                "chat": self.chat,
                "peer": self.alice.account,
                "address": self.alice.address,
                "unread": 1,
                "read": None,
                "peer_read": None,
            },
        )
        self.assertEqual(summary["last"]["body"]["text"], "0")

    def test_pages(self) -> None:
        """Newest first, by pages, every chat once."""
        friends = [self.world.register(f"friend{number}") for number in range(5)]
        for friend in friends:
            friend.write(self.world.befriend(self.bob, friend), "hi")
        for limit in (1, 2, 5, 50):
            peers: list[str] = []
            before = None
            while True:
                page = self.bob.call("chat.list", limit=limit, before=before)
                peers += [chat["peer"] for chat in page["chats"] if chat["kind"] == "direct"]
                if (before := page["next"]) is None:
                    break
            self.assertEqual(peers, [friend.account for friend in reversed(friends)])

    def test_octets(self) -> None:
        """Chats with the longest messages and names come in frames of at most 64 KiB."""
        friends = [self.world.register(f"{'x' * 30}{number}") for number in range(5)]
        for friend in friends:
            friend.call("profile.set", profile={"display_name": "\u0001" * 64})
            friend.write(self.world.befriend(self.bob, friend), "\u0001" * 8192)
        found, before, pages = [], None, 0
        while True:
            page = self.bob.call("chat.list", limit=50, before=before)
            found += page["chats"]
            pages += 1
            if (before := page["next"]) is None:
                break
        self.assertEqual(len(found), 6)
        self.assertGreaterEqual(pages, 5)

    def test_unread(self) -> None:
        """Of the newest 100 messages those of others behind the read marker, and behind one's own last."""
        self.send(120, self.bob)
        self.assertEqual([c["unread"] for c in self.listed(self.bob)], [0])
        self.assertEqual([c["unread"] for c in self.listed(self.alice)], [100])
        ids = self.send(3)
        self.assertEqual([c["unread"] for c in self.listed(self.bob)], [3])
        self.assertEqual([c["unread"] for c in self.listed(self.alice)], [0])
        self.bob.call("chat.read", chat=self.chat, upto=ids[1])
        self.assertEqual([(c["unread"], c["read"]) for c in self.listed(self.bob)], [(1, ids[1])])
        self.send(100)
        self.assertEqual([c["unread"] for c in self.listed(self.bob)], [100])


class FreshLoginTests(HistoryCase):
    def test_everything(self) -> None:
        """A device that has nothing is shown all that the others see."""
        carol = self.world.register("carol")
        for client, name in ((self.alice, "Alice"), (self.bob, "Bob")):
            client.call("profile.set", profile={"display_name": name, "status": ""})
        carol.call("contact.request", account=self.bob.account, address="bob")
        ids = self.send(3)
        self.bob.write(self.chat, "answer")
        self.bob.call("chat.read", chat=self.chat, upto=ids[1])
        self.alice.call("chat.read", chat=self.chat, upto=ids[2])
        again = World(self.world.database, self.world.vault)
        phone = Client(again).login("bob")
        self.assertEqual(phone.call("profile.get")["profile"]["display_name"], "Bob")
        self.assertEqual(contact(phone, self.alice)["display_name"], "Alice")
        self.assertEqual(contact(phone, carol)["state"], "incoming")
        [summary] = self.listed(phone)
        about = ("chat", "display_name", "unread", "read", "peer_read")
        self.assertEqual([summary[key] for key in about], [self.chat, "Alice", 0, ids[1], ids[2]])
        self.assertEqual(phone.history(self.chat), ["0", "1", "2", "answer"])
        self.assertEqual(len(phone.call("device.list")["devices"]), 2)
