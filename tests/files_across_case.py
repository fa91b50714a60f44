"""Files between people of different nodes, and bodies that another node may answer with."""

from base64 import b64encode
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config import FileSection
from safeum_home.ports.files import Reading
from tests.across_case import AcrossCase
from tests.file_case import OCTETS, Answer, Connection, Web, request
from tests.nodes import MemoryBody
from tests.world import Client

MIB = 1024**2
SECTION = FileSection(largest=4 * MIB, quota=8 * MIB, copies=3 * MIB, waiting=5)


class FileHands(SynchronousTestCase):
    """What people do with files in `chat`, or another one."""

    chat = ""

    def upload(self, client: Client, chat: str, octets: bytes, kind: str = OCTETS) -> str:
        """The id that the file has at the node of `client`."""
        web = Web(client.world)
        ticket = client.call("file.upload", chat=chat)["ticket"]
        metadata = "filetype " + b64encode(kind.encode()).decode()
        about: dict[str, str | None] = {"Upload_Length": str(len(octets)), "Upload_Metadata": metadata}
        made = web.tus("POST", "/v1/uploads", ticket, None, **about)
        self.assertEqual(made.status, 201, made.body)
        if octets:
            more: dict[str, str | None] = {"Content_Type": "application/offset+octet-stream"}
            more["Upload_Offset"] = "0"
            self.assertEqual(web.tus("PATCH", made["location"], ticket, octets, **more).status, 204)
        return made["location"].rpartition("/")[2]

    def body(self, file: str, octets: bytes, **more: Any) -> dict[str, Any]:
        about = {"kind": "file", "file": file, "name": "notes.txt", "size": len(octets), "type": OCTETS}
        return {**about, **more}

    def send(self, client: Client, body: dict[str, Any], chat: str | None = None) -> str:
        params = client.message(chat or self.chat, "") | {"body": body}
        return str(client.call("chat.send", **params)["id"])

    def forward(self, client: Client, message: str, chat: str, source: str | None = None) -> str:
        """The id of the copy."""
        params = client.message(chat, "")
        del params["body"]
        about = {"chat": source or self.chat, "message": message}
        return str(client.call("chat.send", **params, forward=about)["id"])

    def link(self, client: Client, message: str, chat: str | None = None) -> str:
        return str(client.call("file.download", chat=chat or self.chat, message=message)["path"])

    def fetch(self, client: Client, message: str, chat: str | None = None, **fields: str | None) -> Answer:
        return Web(client.world).ask("GET", self.link(client, message, chat), None, **fields)

    def begun(self, client: Client, message: str) -> Connection:
        """A download on a connection of its own, of which something may come later."""
        connection = Web(client.world).connect()
        connection.send(request("GET", self.link(client, message), None))
        return connection

    def tidy(self, client: Client, compare: bool = False) -> None:
        """The janitor of the node of `client` runs once."""
        janitor = client.world.domain.files.janitor
        if compare:
            self.successResultOf(Deferred.fromCoroutine(janitor.compare()))
        self.successResultOf(Deferred.fromCoroutine(janitor.tidy()))

    def assertNothing(self, client: Client) -> None:
        """No octets are kept at the node of `client`, nothing is open, and nobody waits for anything."""
        world = client.world
        self.assertEqual(len(world.domain.files.copies), 0)
        self.assertEqual(world.domain.files.means.slots.total, 0)
        self.tidy(client)
        self.assertEqual(dict(world.store.written), {})
        self.assertEqual(world.database.count("dropped"), 0)


class FilesAcrossCase(FileHands, AcrossCase):
    """Alice sends to Bob, who is at another node."""

    options = {"files": SECTION}

    def sent(self, octets: bytes, **more: Any) -> str:
        """Alice sends a file; the id of her message."""
        return self.send(self.alice, self.body(self.upload(self.alice, self.chat, octets), octets, **more))

    def got(self, octets: bytes, **more: Any) -> str:
        """Alice has sent it; the id of the message that Bob has."""
        self.sent(octets, **more)
        self.settle()
        return str(self.page(self.bob)[-1]["id"])


class ByHand:
    """`ports.Intake` of which a test says what comes: `give` it, and `end` it."""

    def __init__(self) -> None:
        self.broken = False
        self.stopped = False
        self.taken = 0
        self._buffer = b""
        self._over = False
        self._waiting: tuple[int, Deferred[bytes]] | None = None

    def take(self, least: int) -> "Deferred[bytes]":
        waiting: Deferred[bytes] = Deferred()
        self._waiting = least, waiting
        self._tell()
        return waiting

    def give(self, octets: bytes) -> None:
        self._buffer += octets
        self._tell()

    def end(self, broken: bool = True) -> None:
        self._over, self.broken = True, broken
        self._tell()

    def stop(self) -> None:
        self.stopped = True
        if not self._over:
            self.end()

    def _tell(self) -> None:
        if self._waiting is not None and (len(self._buffer) >= self._waiting[0] or self._over):
            waiting, self._waiting = self._waiting[1], None
            octets, self._buffer = self._buffer, b""
            self.taken += len(octets)
            waiting.callback(octets)


def short(ends: int) -> Any:
    """What makes bodies that break off in front of an octet."""
    return lambda reading, offset: MemoryBody(reading, offset, ends)


def by_hand(body: ByHand) -> Any:
    """What gives this body, whatever is asked for."""

    def make(reading: Reading, _offset: int) -> ByHand:
        reading.close()
        return body

    return make
