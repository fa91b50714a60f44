"""Files in groups whose members are at several nodes."""

from typing import Any, ClassVar

from twisted.internet.defer import Deferred

from safeum_home.errors import Problem
from safeum_home.protocol.federation.files import FetchFile
from tests.file_case import OCTETS
from tests.files_across_case import SECTION, FileHands
from tests.groups_across_case import GroupsAcrossCase
from tests.world import Client

PIN = "284716"


class FilesGroupsCase(FileHands, GroupsAcrossCase):
    limits: ClassVar[dict[str, Any]] = {"files": SECTION}

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.amy, self.bob, self.ben, self.carol)

    def post(self, client: Client, octets: bytes, **more: Any) -> dict[str, Any]:
        """Send a file from wherever; the answer."""
        body = self.body(self.upload(client, self.chat, octets), octets, **more)
        return self.come(client, "chat.send", **(client.message(self.chat, "") | {"body": body}))

    def last(self, client: Client) -> dict[str, Any]:
        """The newest message that somebody has written."""
        page = client.call("chat.history", chat=self.chat, limit=200)["messages"]
        return dict([each for each in page if each["body"]["kind"] != "notice"][-1])

    def copied(self, client: Client, message: str, chat: str, source: str) -> dict[str, Any]:
        """A message is copied into another chat; the answer."""
        params = client.message(chat, "")
        del params["body"]
        return self.come(client, "chat.send", **params, forward={"chat": source, "message": message})

    def ask(self, node: str, origin: str, reader: Client, octets: bytes, sender: Client) -> FetchFile:
        """What the node of `reader` would ask `origin` for, of the last message, which `sender` has sent."""
        mine, theirs = self.last(sender), self.last(reader)
        name = theirs.get("origin") or mine.get("origin") or mine["id"]
        return FetchFile(self.chat, name, reader.account, mine["body"]["file"], len(octets), OCTETS)

    def lent(self, origin: str, node: str, asked: FetchFile) -> bool:
        """Whether `origin` gives it to `node`."""
        done: list[Any] = []
        lending: Any = self.nodes[origin].domain.files.lend(node, asked)
        Deferred.fromCoroutine(lending).addBoth(done.append)
        if hasattr(done[0], "value"):
            self.assertIsInstance(done[0].value, Problem)
            self.assertEqual(done[0].value.code.code, "not_found")
            return False
        done[0].close()
        return True

    def table(self, node: str, table: str) -> list[Any]:
        """All rows of a table of a node."""
        query = f"SELECT * FROM {table}"
        return list(self.nodes[node].database.now(lambda c: c.exec_driver_sql(query).all()))

    def left(self, *clients: Client) -> None:
        """Nothing of any file is at the nodes of these."""
        for client in clients:
            self.tidy(client, compare=True)
            self.assertEqual(dict(client.world.store.written), {})
            for table in ("files", "blobs", "fetched", "uploads", "dropped"):
                self.assertEqual(client.world.database.count(table), 0, table)
            self.assertEqual(len(client.world.domain.files.copies), 0)
            self.assertEqual(client.world.domain.files.means.slots.total, 0)
