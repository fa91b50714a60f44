"""Files in groups across nodes whose messages are gone: deleted, erased, or never kept."""

import os

from twisted.internet.defer import Deferred

from tests.file_case import Web
from tests.files_groups_case import PIN, FilesGroupsCase
from tests.groups_across_case import A, B, C
from tests.history_across_case import settle
from tests.world import PASSWORD


class GoneTests(FilesGroupsCase):
    """What was deleted, erased, or whose author has left."""

    def test_deleted(self) -> None:
        """By its author, or by who may: no node has it any more, fetched or not."""
        for deletes in (self.bob, self.alice):
            self.post(self.bob, b"octets")
            asked = self.ask(C, B, self.carol, b"octets", self.bob)
            self.fetch(self.carol, self.last(self.carol)["id"])
            path = self.link(self.carol, self.last(self.carol)["id"])
            message = self.last(deletes)["id"]
            self.come(deletes, "message.delete", chat=self.chat, message=message)
            self.assertEqual(Web(self.nodes[C]).ask("GET", path).code, "not_found")
            self.assertFalse(self.lent(B, C, asked))
            self.left(self.alice, self.bob, self.carol)

    def test_author_left(self) -> None:
        """While somebody else of his node is in the group it is to be had; with the last one it goes."""
        octets = os.urandom(100_000)
        self.post(self.bob, octets)
        before = self.last(self.alice)["id"], self.last(self.carol)["id"]
        self.come(self.bob, "group.leave", chat=self.chat)
        self.assertEqual(self.fetch(self.alice, before[0]).body, octets)
        self.come(self.ben, "group.leave", chat=self.chat)
        self.successResultOf(Deferred.fromCoroutine(self.nodes[B].domain.closing.sweep()))
        self.left(self.bob)
        self.assertEqual(self.fetch(self.carol, before[1]).code, "not_found")
        self.assertEqual(self.fetch(self.alice, before[0]).body, octets)  # it was fetched before

    def test_over(self) -> None:
        """With the last member of a node its copy goes, and what was fetched, and uploads for it."""
        self.post(self.bob, b"octets")
        self.fetch(self.carol, self.last(self.carol)["id"])
        self.upload(self.carol, self.chat, b"never sent")
        self.come(self.carol, "group.leave", chat=self.chat)
        self.successResultOf(Deferred.fromCoroutine(self.nodes[C].domain.closing.sweep()))
        self.left(self.carol)

    def test_reader_closed(self) -> None:
        """What was kept for an account that was closed goes; who else reads it has it anew."""
        octets = os.urandom(100_000)
        self.post(self.alice, octets)
        self.fetch(self.bob, self.last(self.bob)["id"])
        self.assertEqual(len(self.nodes[B].store.written), 1)
        self.bob.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.bob.call("session.block", pin=PIN)
        self.successResultOf(Deferred.fromCoroutine(self.nodes[B].domain.closing.sweep()))
        self.settle()
        self.tidy(self.ben)
        self.assertEqual(dict(self.nodes[B].store.written), {})
        self.assertEqual(self.fetch(self.ben, self.last(self.ben)["id"]).body, octets)


class HistoryTests(FilesGroupsCase):
    """The history is switched off."""

    def test_off(self) -> None:
        """Files go at all nodes, one that waits with its post as well, and are lent to nobody."""
        for author in (self.alice, self.bob):
            self.post(author, os.urandom(200_000))
            for client in self.everybody:
                self.fetch(client, self.last(client)["id"])
        octets = os.urandom(200_000)
        asked = self.ask(C, B, self.carol, octets, self.bob)
        self.assertTrue(self.lent(B, C, asked))
        self.nodes.away.add(A)
        body = self.body(self.upload(self.bob, self.chat, octets), octets)
        self.bob.ask("chat.send", **(self.bob.message(self.chat, "") | {"body": body}))
        self.nodes[B].clock.advance(5)
        self.nodes.away.clear()
        self.nodes.peers[B].held.add(A)
        self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        settle(self.nodes)
        self.nodes.peers[B].held.clear()
        settle(self.nodes)
        self.assertFalse(self.lent(B, C, asked))
        for client in self.everybody:
            self.assertEqual(client.history(self.chat), [])
        self.left(self.alice, self.bob, self.carol)

    def test_while_it_is_off(self) -> None:
        """A file can be had from everywhere, and has a life of its own."""
        self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        settle(self.nodes)
        for author in (self.alice, self.bob):
            octets = os.urandom(200_000)
            self.post(author, octets)
            settle(self.nodes)
            for client in self.everybody:
                self.assertEqual(self.fetch(client, self.last(client)["id"]).body, octets)


class NoHistoryTests(FilesGroupsCase):
    """Groups that keep no history."""

    def test_sent(self) -> None:
        """All have it for a day, from wherever it was sent; then nothing is left of it."""
        self.come(self.alice, "chat.history.set", chat=self.chat, enabled=False)
        self.settle()
        for author in (self.bob, self.alice):
            self.post(author, b"octets")
            for client in self.everybody:
                self.assertEqual(self.fetch(client, self.last(client)["id"]).body, b"octets")
        for node in (A, B, C):
            self.assertEqual(self.of_chat(node, "files"), 2)
            self.nodes[node].settle(2 * 86_400)
        self.left(self.alice, self.bob, self.carol)
