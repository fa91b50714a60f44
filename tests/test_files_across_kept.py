"""What is kept of files from other nodes, and for how long."""

import os

from twisted.internet.defer import Deferred

from tests.across_case import B
from tests.file_case import Web
from tests.files_across_case import MIB, FilesAcrossCase, short
from tests.history_across_case import settle


class RoomTests(FilesAcrossCase):
    """What is kept for an account is bounded."""

    def test_oldest_go(self) -> None:
        """Where there is no room, what was not asked for longest goes; it is fetched anew when wanted."""
        messages = [self.got(os.urandom(MIB)) for _ in range(4)]
        for message in (*messages[:3], messages[0]):
            self.fetch(self.bob, message)
            self.nodes[B].clock.advance(3600)
        self.fetch(self.bob, messages[3])
        self.tidy(self.bob)
        self.assertEqual(len(self.nodes[B].store.written), 3)
        before = len(self.nodes.fetched)
        for kept in (messages[0], messages[2], messages[3]):
            self.fetch(self.bob, kept)
        self.assertEqual(len(self.nodes.fetched), before)
        self.assertEqual(len(self.fetch(self.bob, messages[1]).body), MIB)
        self.assertEqual(len(self.nodes.fetched), before + 1)

    def test_forwarded_stay(self) -> None:
        """What others have from here stays; then there may be no room."""
        carol = self.nodes[B].register("carol")
        chat = self.nodes[B].befriend(self.bob, carol)
        for _ in range(3):
            message = self.got(os.urandom(MIB))
            self.fetch(self.bob, message)
            self.forward(self.bob, message, chat)
        message = self.got(b"octets")
        self.assertEqual(self.fetch(self.bob, message).code, "file_quota")
        self.assertEqual(len(self.nodes[B].store.written), 3)
        self.assertEqual(len(self.nodes[B].domain.files.copies), 0)

    def test_too_large(self) -> None:
        """What could never be kept is not fetched."""
        message = self.got(bytes(3 * MIB + 1))
        self.assertEqual(self.fetch(self.bob, message).code, "too_large")
        self.assertEqual(self.nodes.fetched, [])
        self.assertNothing(self.bob)

    def test_abandoned(self) -> None:
        """What nobody goes on with is thrown away after a day."""
        message = self.got(os.urandom(300_000))
        self.nodes.bodies = short(200_000)
        self.fetch(self.bob, message)
        self.tidy(self.bob, compare=True)
        self.assertEqual(len(self.nodes[B].store.written), 1)
        self.nodes[B].clock.advance(86_401)
        self.assertNothing(self.bob)

    def test_lost(self) -> None:
        """What is gone from the store, or damaged there, is fetched anew."""
        octets = os.urandom(200_000)
        message = self.got(octets)
        self.fetch(self.bob, message)
        store = self.nodes[B].store
        for harm in (store.written.clear, lambda: next(iter(store.written.values())).__setitem__(9, 1)):
            harm()
            answer = self.fetch(self.bob, message)
            self.assertEqual(answer.code, "busy")
            self.assertEqual(self.fetch(self.bob, message).body, octets)
        self.tidy(self.bob, compare=True)
        self.assertEqual(len(store.written), 1)

    def test_known(self) -> None:
        """What is kept is no stray, and what is not kept is not missing."""
        self.got(b"not fetched")
        self.fetch(self.bob, self.got(b"fetched"))
        self.tidy(self.bob, compare=True)
        self.assertEqual(self.nodes[B].database.count("strays"), 0)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_closed(self) -> None:
        """Bob closes his account: what was kept for him goes."""
        self.fetch(self.bob, self.got(b"octets"))
        self.bob.call("account.pin.set", password="correct horse battery", pin="284716")
        self.bob.call("session.block", pin="284716")
        self.successResultOf(Deferred.fromCoroutine(self.nodes[B].domain.closing.sweep()))
        self.settle()
        self.assertNothing(self.alice)
        self.assertNothing(self.bob)
        self.assertEqual(self.nodes[B].database.count("fetched"), 0)


class HistoryTests(FilesAcrossCase):
    """What becomes of files when the history is switched off."""

    def setUp(self) -> None:
        super().setUp()
        message = self.got(b"octets")
        self.copy = self.link(self.bob, message)
        self.assertEqual(self.fetch(self.bob, message).body, b"octets")

    def off(self) -> None:
        self.alice.ask("chat.history.set", chat=self.chat, enabled=False)
        settle(self.nodes)

    def test_erased(self) -> None:
        """They are gone at both nodes, with the copy that was fetched, and links lead to nothing."""
        self.off()
        for client in (self.alice, self.bob):
            self.tidy(client)
            self.assertEqual(dict(client.world.store.written), {})
            self.assertEqual(client.world.database.count("files"), 0)
        self.assertEqual(Web(self.nodes[B]).ask("GET", self.copy, None).status, 404)

    def test_sent_afterwards(self) -> None:
        """They can be fetched for a while, also across nodes, and then nowhere."""
        self.off()
        message = self.got(b"fleeting")
        self.assertEqual(self.fetch(self.bob, message).body, b"fleeting")
        for client in (self.alice, self.bob):
            client.world.settle(2 * 24 * 3600)
            self.tidy(client)
            self.assertEqual(dict(client.world.store.written), {})
            self.assertEqual(client.world.database.count("files"), 0)

    def test_switched_on_since(self) -> None:
        """What was sent while it was off goes like that, though it is told when it is on again."""
        self.off()
        self.nodes.away.add(B)
        file = self.upload(self.alice, self.chat, b"fleeting")
        self.send(self.alice, self.body(file, b"fleeting"))
        self.alice.call("chat.history.set", chat=self.chat, enabled=True)
        self.nodes.away.clear()
        settle(self.nodes)
        [row] = self.nodes[B].database.now(lambda c: c.exec_driver_sql("SELECT ends FROM files").all())
        self.assertGreater(row.ends, 0)
