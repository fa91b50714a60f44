"""Files in a `World`: HTTP connections in memory, to the resources that the edge serves them with."""

from base64 import b64encode
from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.files import janitor
from safeum_home.config import FileSection
from safeum_home.gateway.downloads import DownloadsResource
from safeum_home.gateway.http import EdgeSite, place, site_root
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.uploads import UploadsResource
from safeum_home.ports.files import BlobStore
from tests.memory_store import MemoryStore
from tests.world import Client, World

ORIGIN = "https://chat.example"
OCTETS = "application/octet-stream"


class Answer:
    """A response, taken apart."""

    def __init__(self, octets: bytes, head: bool = False) -> None:
        top, _, self.body = octets.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1])
        self.fields = {
            name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)
        }

    def __getitem__(self, name: str) -> str:
        return self.fields[name]

    @property
    def code(self) -> str:
        """The stable code of a problem."""
        assert self["content-type"] == "application/problem+json", self.fields
        document = msgspec.json.decode(self.body)
        assert document["status"] == self.status
        return str(document["code"])


class Connection:
    """A connection on which one request after the other is sent; its transport is in memory."""

    def __init__(self, web: "Web") -> None:
        self.transport = StringTransport()
        self.channel: Any = web.site.buildProtocol(None)
        self.channel.makeConnection(self.transport)

    def send(self, octets: bytes) -> None:
        self.channel.dataReceived(octets)

    def sent(self) -> bytes:
        """What was answered since the last time."""
        octets: bytes = self.transport.value()
        self.transport.clear()
        return octets

    def lose(self) -> None:
        from twisted.internet.error import ConnectionLost
        from twisted.python.failure import Failure

        self.channel.connectionLost(Failure(ConnectionLost()))


class Web:
    """The HTTP side of a `World`."""

    def __init__(self, world: World, limits: EdgeLimits | None = None) -> None:
        self.world = world
        self.limits = limits or EdgeLimits()
        transfers = world.domain.files.transfers
        root = site_root(dict)
        uploads = UploadsResource(transfers, [ORIGIN])
        place(root, "/v1/uploads", uploads)
        place(
            root, "/v1/downloads", DownloadsResource(world.clock, transfers, self.limits.read_stall, [ORIGIN])
        )
        self.site = EdgeSite(world.clock, self.limits, root)
        self.site.streams = uploads.stream
        self.root = root

    def connect(self) -> Connection:
        return Connection(self)

    def ask(self, method: str, path: str, body: bytes | None = None, **fields: str | None) -> Answer:
        """A request on a connection of its own, and the answer to it."""
        connection = self.connect()
        connection.send(request(method, path, body, **fields))
        return Answer(connection.sent())

    def tus(
        self, method: str, path: str, ticket: str, body: bytes | None = None, **fields: str | None
    ) -> Answer:
        """The same as an upload needs it."""
        return self.ask(method, path, body, **tus_fields(ticket, fields))


def tus_fields(ticket: str, fields: dict[str, str | None]) -> dict[str, str | None]:
    return {"Tus_Resumable": "1.0.0", "Authorization": f"Bearer {ticket}", **fields}


def request(method: str, path: str, body: bytes | None = None, **fields: str | None) -> bytes:
    """A request as octets; in names of `fields` an underscore is a dash, None leaves one out."""
    head: dict[str, str | None] = {"Host": "home.example", **fields}
    if body is not None and "Content_Length" not in fields and "Transfer_Encoding" not in fields:
        head["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in head.items() if value is not None]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class FileCase(SynchronousTestCase):
    """Alice and Bob are contacts, and there is room for files."""

    section = FileSection(largest=4 * 1024**2, quota=8 * 1024**2, waiting=5)
    limits: dict[str, Any] = {}

    def setUp(self) -> None:
        self.world = World(files=self.section, store=self.new_store(), **self.limits)
        self.web = Web(self.world)
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.chat = self.world.befriend(self.alice, self.bob)

    def new_store(self) -> BlobStore:
        """Where the files of this test lie."""
        return MemoryStore()

    @property
    def store(self) -> Any:
        return self.world.store

    def ticket(self, client: Client | None = None, **params: Any) -> dict[str, Any]:
        """What `file.upload` answers."""
        return (client or self.alice).call("file.upload", **{"chat": self.chat, **params})

    def create(
        self, size: int, kind: str = OCTETS, client: Client | None = None, **params: Any
    ) -> tuple[str, str]:
        """The ticket and the path of a new upload."""
        ticket = self.ticket(client, **params)["ticket"]
        metadata = "filetype " + b64encode(kind.encode()).decode()
        about: dict[str, str | None] = {"Upload_Length": str(size), "Upload_Metadata": metadata}
        answer = self.web.tus("POST", "/v1/uploads", ticket, None, **about)
        self.assertEqual(answer.status, 201, answer.body)
        return ticket, answer["location"]

    def patch_upload(self, ticket: str, path: str, offset: int, body: bytes, **fields: str | None) -> Answer:
        more = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": str(offset), **fields}
        return self.web.tus("PATCH", path, ticket, body, **more)

    def begun(self, ticket: str, path: str, octets: bytes, until: int) -> Connection:
        """A connection on which `octets` are being sent, of which those before `until` have come."""
        connection = self.web.connect()
        fields = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"}
        length = {"Content_Length": str(len(octets))}
        head = request("PATCH", path, b"", **tus_fields(ticket, {**fields, **length}))
        connection.send(head + octets[:until])
        return connection

    def upload(self, octets: bytes, kind: str = OCTETS, client: Client | None = None, **params: Any) -> str:
        """Upload all of it; the file's id."""
        ticket, path = self.create(len(octets), kind, client, **params)
        if octets:
            answer = self.patch_upload(ticket, path, 0, octets)
            self.assertEqual((answer.status, answer["upload-offset"]), (204, str(len(octets))), answer.body)
        return path.rpartition("/")[2]

    def body(self, file: str, size: int, kind: str = OCTETS, **more: Any) -> dict[str, Any]:
        return {"kind": "file", "file": file, "name": "notes.txt", "size": size, "type": kind, **more}

    def send(
        self, body: dict[str, Any], client: Client | None = None, chat: str | None = None
    ) -> dict[str, Any]:
        who = client or self.alice
        message = who.message(chat or self.chat, "")
        return who.call("chat.send", **{**message, "body": body})

    def sent(self, octets: bytes, **more: Any) -> dict[str, Any]:
        """Upload and send it; what `chat.send` answers."""
        return self.send(self.body(self.upload(octets), len(octets), **more))

    def link(self, client: Client, message: str, chat: str | None = None) -> str:
        return str(client.call("file.download", chat=chat or self.chat, message=message)["path"])

    def fetch(self, path: str, method: str = "GET", **fields: str | None) -> Answer:
        return self.web.ask(method, path, None, **fields)

    def offset(self, ticket: str, path: str) -> int:
        """Where the upload is, as HEAD tells."""
        return int(self.web.tus("HEAD", path, ticket)["upload-offset"])

    def tidy(self) -> None:
        """The janitor runs once, with all that it does, and a day later as far as unknown blobs go."""
        with patch.object(janitor, "GRACE", 0):
            self.compare()
        self.successResultOf(Deferred.fromCoroutine(self.world.domain.files.janitor.tidy()))

    def compare(self) -> None:
        """The store is compared with the database."""
        self.successResultOf(Deferred.fromCoroutine(self.world.domain.files.janitor.compare()))

    def assertTidy(self, blobs: int = 0) -> None:
        """After the janitor ran there are so many blobs, each with its row, and nothing else."""
        self.tidy()
        self.assertEqual(len(self.store.written), blobs)
        self.assertEqual(self.world.database.count("blobs"), blobs)
        self.assertEqual(self.world.database.count("dropped"), 0)


def chunked(parts: Iterable[bytes]) -> bytes:
    """A body in the chunked transfer coding (RFC 9112 section 7.1)."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
