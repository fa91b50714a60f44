"""Nodes that are put back from a backup, and histories that were switched off since."""

from unittest.mock import patch

from twisted.internet.defer import Deferred

from tests.across_case import A, B
from tests.history_across_case import HistoryCase
from tests.instant_database import InstantDatabase
from tests.nodes import Nodes
from tests.world import World


def copied(database: InstantDatabase) -> InstantDatabase:
    """A backup of a database."""
    copy = InstantDatabase()
    database.connection.connection.driver_connection.backup(  # type: ignore[union-attr]
        copy.connection.connection.driver_connection
    )
    copy._position, copy.committed = database._position, database.committed
    return copy


def put_back(nodes: Nodes, name: str, backup: InstantDatabase) -> None:
    """A node is as it was in a backup, but for its keyring."""
    before = nodes[name]
    nodes.worlds[name] = World(backup, before.vault, node=name, peers=nodes.peers[name])
    nodes[name].clock.advance(before.clock.seconds() - nodes[name].clock.seconds())


class PutBackTests(HistoryCase):
    """The other node is put back from a backup of before: it has all of it again, and may not keep it."""

    def setUp(self) -> None:
        super().setUp()
        backup = copied(self.nodes[B].database)
        with patch.object(self.nodes[B].domain.turns, "turned", Deferred):
            self.switch(self.alice)
            self.nodes.settle()  # its keyring did not turn, or the backup would be of no use
        self.nodes.peers[A].waiting.clear()
        self.nodes.peers[B].waiting.clear()
        put_back(self.nodes, B, backup)
        self.bob = self.back(self.bob)
        self.assertEqual(len(self.said(self.bob)), 2)

    def test_it_is_told(self) -> None:
        """The first thing that it hears of the chat makes it erase it once more."""
        self.write(self.alice, "after")
        self.settle()
        self.assertEqual(self.said(self.bob), ["after"])
        self.assertFalse(self.chat_of(self.bob)["history"])

    def test_it_tells(self) -> None:
        """The first thing that it says of the chat is passed over, and it hears of it."""
        self.write(self.bob, "of before")
        self.settle()
        self.assertEqual((self.said(self.bob), self.said(self.alice)), ([], []))
        self.assertEqual(self.chat_of(self.alice)["pending"], [])


class NumberTests(HistoryCase):
    """A node is put back from a backup, and switches a history off with a number that it has used before."""

    def test_used_once(self) -> None:
        """There is none: what was written since the first time is erased as well."""
        backup = copied(self.nodes[B].database)
        with patch.object(self.nodes[B].domain.turns, "turned", Deferred):
            self.bob.ask("chat.history.set", chat=self.chat, enabled=False)
            self.nodes.settle()
        self.write(self.alice, "since then")
        self.assertEqual(self.said(self.alice), ["since then"])
        for peer in self.nodes.peers.values():
            peer.waiting.clear()
        put_back(self.nodes, B, backup)
        self.pass_by(60)
        self.bob = self.back(self.bob)
        self.switch(self.bob)
        self.nodes.settle()
        self.assertEqual((self.said(self.bob), self.said(self.alice)), ([], []))
