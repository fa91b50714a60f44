"""Files at a client, for tests: a file of a message, and a node in memory that knows one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from twisted.internet.defer import Deferred, fail, succeed

from safeum_home.client.errors import Closing, Disconnected
from safeum_home.protocol.files import File
from safeum_home.protocol.types import Message
from tests.client_desk import DeskTestCase
from tests.client_double import BOB, CHAT, cursor

FILE = "F" + "a" * 26


def of_file(name: str = "a.txt", size: int = 5, number: int = 9) -> Message:
    return Message(cursor(number), CHAT, BOB, 1_700_000_000_000, File(FILE, name, size, "text/plain"))


class FakeWeb:
    """HTTPS to a node in memory that knows one file. `breaks` are the octets after which a request breaks."""

    def __init__(self, held: bytes = b"", breaks: tuple[int | Exception, ...] = ()) -> None:
        self.held = bytearray(held)
        self.breaks = list(breaks)
        self.asked: list[tuple[str, str]] = []
        self.fields: list[dict[str, str]] = []

    def ask(
        self,
        method: str,
        path: str,
        fields: dict[str, str],
        *,
        source: tuple[BinaryIO, int, int] | None = None,
        sink: Callable[[Any], Any] | None = None,
        moved: Callable[[int], object] = lambda octets: None,
    ) -> "Deferred[Any]":
        self.asked.append((method, path))
        self.fields.append(fields)
        broken = self.breaks.pop(0) if self.breaks and method in ("PATCH", "GET") else None
        if isinstance(broken, Exception):
            return fail(broken)
        if method == "POST":
            return succeed(FakeReply(201, {"Location": f"/v1/uploads/{FILE}"}))
        if method == "HEAD":
            return succeed(FakeReply(200, {"Upload-Offset": str(len(self.held))}))
        if method == "PATCH":
            assert source is not None
            file, offset, length = source
            assert offset == len(self.held) == int(fields["Upload-Offset"])
            file.seek(offset)
            data = file.read(length)[:broken]
            self.held += data
            moved(len(data))
        else:
            assert sink is not None
            start = int(fields["Range"].removeprefix("bytes=").rstrip("-"))
            span = f"bytes {start}-{len(self.held) - 1}/{len(self.held)}"
            data = bytes(self.held[start:])[:broken]
            sink(FakeReply(206, {"Content-Range": span})).write(data)
            moved(len(data))
        if broken is not None:
            return fail(Disconnected(Closing(1006, "the connection was lost")))
        return succeed(FakeReply(204, {"Upload-Offset": str(len(self.held))}))


class FakeReply:
    def __init__(self, status: int, fields: dict[str, str]) -> None:
        self.status = status
        self._fields = fields

    def __getitem__(self, name: str) -> str | None:
        return self._fields.get(name)


class TransferCase(DeskTestCase):
    """A client whose node has a `FakeWeb`."""

    def setUp(self) -> None:
        super().setUp()
        self.tickets: list[dict[str, Any]] = []
        quota = {"used": 0, "limit": 1000}
        ticket = {"ticket": "t" * 43, "expires": 1, "file": FILE, "name": "a.txt", "type": "text/plain"}

        def upload(params: dict[str, Any]) -> dict[str, Any]:
            self.tickets.append(params)
            return {**ticket, "path": "/v1/uploads", "largest": 1000, "quota": quota}

        self.node.answers |= {
            "file.upload": upload,
            "file.download": lambda params: {**ticket, "path": "/v1/downloads/x", "size": 20},
        }
        self.wire.answers |= self.node.answers
        self.use(FakeWeb())
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def use(self, web: FakeWeb) -> FakeWeb:
        self.web = web
        dial: Any = self.node.client._dial
        self.patch(type(self.node.client), "_web", lambda _: web)
        assert dial is not None
        return web

    def wait(self, doing: "Deferred[Any]") -> Any:
        """What comes of it, with time for all that it waits for."""
        for _ in range(200):
            if doing.called and not isinstance(doing.result, Deferred):
                break
            self.node.clock.advance(1)
        return self.successResultOf(doing)
