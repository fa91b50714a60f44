"""Files of secure chats through the SDK: HTTPS of a client to the resources of a node in memory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from safeum_home.client.errors import Closing, Disconnected
from safeum_home.client.unlocked.chat_files import ChatFiles
from safeum_home.client.unlocked.items import Item
from safeum_home.config import FileSection
from tests.file_case import Answer, Web, request
from tests.secure_sdk_case import SecureDevice, SecureSdkCase
from tests.world import World

LIMITS = FileSection(largest=2 * 1024**2, quota=8 * 1024**2, waiting=5)
STEP = 64 * 1024
Change = Callable[[bytes], bytes]


class _Reply:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.status = answer.status

    def __getitem__(self, name: str) -> str | None:
        return self._answer.fields.get(name.lower())


class NodeWeb:
    """`client.web.Web`. `breaks` are the octets after which a transfer breaks; `bend` changes what comes."""

    def __init__(self, world: World, *breaks: int | Exception | None, bend: Change | None = None) -> None:
        self._web = Web(world)
        self.breaks = list(breaks)
        self.bend = bend
        self.lost = 0
        """Octets of what was read that do not come to the node, where a transfer breaks."""
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.sent: list[bytes] = []
        """The bodies that came to the node, in pieces as they were read."""

    def ask(
        self,
        method: str,
        path: str,
        fields: dict[str, str],
        *,
        source: Any = None,
        sink: Any = None,
        moved: Callable[[int], object] = lambda octets: None,
    ) -> "Deferred[Any]":
        self.asked.append((method, fields))
        broken = self.breaks.pop(0) if self.breaks and method in ("PATCH", "GET") else None
        if isinstance(broken, Exception):
            return fail(broken)
        body = None if source is None else self._read(source, broken)
        head: dict[str, str | None] = dict(fields)
        if source is not None:
            head["Content-Length"] = str(source[2])
        connection = self._web.connect()
        came = body if body is None or broken is None else body[: len(body) - self.lost]
        connection.send(request(method, path, came, **head))
        if source is not None:
            moved(len(body or b""))
        if broken is not None and source is not None:
            connection.lose()
            return fail(_lost())
        answer = Answer(connection.sent())
        if answer.status < 400 and sink is not None:
            octets = answer.body if self.bend is None else self.bend(answer.body)
            taking = sink(_Reply(answer))
            for at in range(0, len(octets[:broken]), STEP):
                piece = octets[:broken][at : at + STEP]
                taking.write(piece)
                moved(len(piece))
        if broken is not None:
            return fail(_lost())
        return succeed(_Reply(answer))

    def _read(self, part: tuple[Any, int, int], most: int | None) -> bytes:
        """What is sent of a file, in steps, and at most so much of it."""
        source, offset, length = part
        pieces, left = list[bytes](), length if most is None else min(length, most)
        while left:
            source.seek(offset)
            piece = source.read(min(STEP, left))
            if not piece:
                break
            pieces.append(piece)
            offset, left = offset + len(piece), left - len(piece)
        self.sent.append(b"".join(pieces))
        return self.sent[-1]


def _lost() -> Disconnected:
    return Disconnected(Closing(1006, "the connection was lost"))


class SecureFileCase(SecureSdkCase):
    """Ann, Ben and Cay, with HTTPS to their node, and room for files."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        for each in self.everybody:
            self.use(each)

    def new_world(self) -> World:
        return World(files=LIMITS)

    def use(
        self, device: SecureDevice, *breaks: int | Exception | None, bend: Change | None = None
    ) -> NodeWeb:
        """A device's HTTPS from now on."""
        web = NodeWeb(self.world, *breaks, bend=bend)
        device.client._web = lambda: web  # type: ignore[method-assign, assignment, return-value]
        return web

    def files(self, device: SecureDevice, chat: str) -> ChatFiles:
        return self.chat(device, chat).files

    def last(self, device: SecureDevice, chat: str) -> Item:
        return self.chat(device, chat).items.all[-1]
