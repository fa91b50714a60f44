"""Files across nodes in chats that keep no history, and what becomes of them when that is switched."""

from tests.across_case import A, B
from tests.file_case import Web
from tests.files_across_case import SECTION, FilesAcrossCase
from tests.history_across_case import HistoryCase
from tests.world import Client, Refused

DAY = SECTION.without_history_seconds


class FilesWithoutHistoryTests(FilesAcrossCase, HistoryCase):
    """Alice sends to Bob."""

    def off(self) -> None:
        self.switch(self.alice)
        self.settle()

    def rows(self, table: str) -> list[int]:  # type: ignore[override]  # of the base it is another thing
        """How many rows a table has, at each node."""
        return [self.nodes[name].database.count(table) for name in (A, B)]

    def newest(self, client: Client) -> str:
        """The message with a file that has come last."""
        messages = [event["params"] for event in client.take("chat.message")]
        return str(next(m["id"] for m in reversed(messages) if m["body"]["kind"] == "file"))

    def test_switched(self) -> None:
        """What was there goes at both nodes, with the copies."""
        message = self.got(b"octets")
        self.assertEqual(self.fetch(self.bob, message).body, b"octets")
        path = self.link(self.bob, message)
        self.off()
        for client in (self.alice, self.bob):
            self.assertNothing(client)
        self.assertEqual((self.rows("files"), self.rows("fetched")), ([0, 0], [0, 0]))
        self.assertIn(self.download(path), ("not_found", "bad_ticket"))

    def test_fetched_after(self) -> None:
        """It can be had for a day, though its message is gone; then at neither node, and nothing is left."""
        self.off()
        self.bob.take()
        self.sent(b"octets")
        self.settle()
        message = self.newest(self.bob)
        for client in (self.alice, self.bob):
            client.notify("session.ack", cursor=client.world.cursor)
        self.settle()
        self.pass_by(3600)
        self.settle()
        self.assertEqual(self.fetch(self.bob, message).body, b"octets")
        self.assertEqual(self.rows("files"), [1, 1])
        self.pass_by(DAY)
        for client in (self.alice, self.bob):
            self.assertNothing(client)
        self.assertEqual((self.rows("files"), self.rows("fetched")), ([0, 0], [0, 0]))
        self.assertEqual(self.rows("fleeting_keys"), [0, 0])
        self.assertRaises(Refused, self.fetch, self.bob, message)

    def test_own_keys(self) -> None:
        """At both nodes its key is sealed under one that goes with it."""
        self.off()
        self.sent(b"octets")
        self.settle()
        for name in (A, B):
            held = self.nodes[name].database.now(
                lambda c: c.exec_driver_sql("SELECT ends FROM files WHERE ends > 0").all()
            )
            self.assertEqual(len(held), 1)

    def download(self, path: str) -> str:
        return Web(self.nodes[B]).ask("GET", path).code
