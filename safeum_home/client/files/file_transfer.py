"""Uploads and downloads of the Twisted client: over HTTPS, going on where they were when something breaks.

After a failure that may pass, a transfer waits a little and goes on with a new ticket. It is given up when
it has failed several times in a row without a single octet getting through.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from twisted.internet.defer import Deferred

from safeum_home.client.abilities.finding import Finding
from safeum_home.client.connection.web import Reply, Sink, Web
from safeum_home.client.errors import BadAnswer, Disconnected, RemoteProblem, TimedOut, local
from safeum_home.client.files.file_names import sendable, type_of
from safeum_home.client.files.partial_file import PartialFile, Rest
from safeum_home.client.files.upload import Upload
from safeum_home.errors import Code
from safeum_home.protocol import commands as c
from safeum_home.protocol.files import File
from safeum_home.protocol.types import Message, Voicemail

TRIES = 8
MOST_WAIT = 8.0
Progress = Callable[[int, int], object]
"""Called with the octets that are done, and with how many there are."""
T = TypeVar("T")
_AGAIN = (Code.BAD_TICKET, Code.WRONG_OFFSET, Code.TOO_SLOW, Code.NODE_UNREACHABLE)
"""After these it may go on with a new ticket."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that is on the node, to be sent. It is thrown away where that is not done within a day."""

    file: str
    name: str
    size: int
    type: str

    def body(self, caption: str = "", **more: Any) -> File:
        """The body of a message with it; `more` are further members of `protocol.files.File`."""
        return File(self.file, self.name, self.size, self.type, caption, **more)


class FileTransfer(Finding):
    """A client that sends and fetches files."""

    _dial: Any

    def upload(
        self,
        chat: str,
        source: str | os.PathLike[str] | BinaryIO,
        *,
        name: str | None = None,
        type: str | None = None,
        progress: Progress | None = None,
    ) -> "Deferred[Uploaded]":
        """Upload a file, for a message into `chat`.

        `source` is a path, or a file that is open for reading and can be sought in. `name` and `type` (a
        media type) are what the message will say; they are taken from the path where they are not given.
        Fails with `RemoteProblem` (`too_large`, `file_quota`, `not_a_contact`), `Disconnected`, OSError.
        """
        return Deferred.fromCoroutine(self._upload(chat, source, name, type, progress))

    def send_file(
        self,
        chat: str,
        source: str | os.PathLike[str] | BinaryIO,
        caption: str = "",
        *,
        name: str | None = None,
        type: str | None = None,
        progress: Progress | None = None,
        **more: Any,
    ) -> "Deferred[c.Sent]":
        """Upload a file and send it. `more` are `preview`, `width`, `height` and `duration`."""

        async def send() -> c.Sent:
            uploaded = await self._upload(chat, source, name, type, progress)
            return await self.send_body(chat, uploaded.body(caption, **more))

        return Deferred.fromCoroutine(send())

    def download(
        self,
        message: Message,
        target: str | os.PathLike[str] | BinaryIO,
        *,
        progress: Progress | None = None,
    ) -> "Deferred[int]":
        """Fetch the file of a message; fires with its size.

        `target` is a path, where nothing may be yet: until it is complete the file is beside it, as
        `NAME.FILE.part`, and what is there of an earlier try is gone on with. Or it is a file that is open
        for reading and writing: what is in it is taken for the beginning, and the rest is put behind that.
        Fails with `RemoteProblem` (`not_found`, `file_lost`), `Disconnected`, and OSError.
        """
        return Deferred.fromCoroutine(self._download(message, target, progress))

    def file_of(self, chat: str, message: str) -> "Deferred[Message]":
        """What the node says of the file of a message, by its id: as much of the message as `download` needs.

        Fails with `not_found` where it has none.
        """

        async def ask() -> Message:
            told: c.DownloadTicket = await self._ask(c.FileDownload(chat, message), c.DownloadTicket)
            return Message(message, chat, "", 0, File(told.file, told.name, told.size, told.type))

        return Deferred.fromCoroutine(ask())

    def sound_of(self, message: Message) -> "Deferred[bytes]":
        """The sound of voicemail (Ogg Opus), in memory alone; fails as `download` does."""

        async def fetch() -> bytes:
            octets = BytesIO()
            await self._download(message, octets, None)
            return octets.getvalue()

        return Deferred.fromCoroutine(fetch())

    async def _upload(
        self, chat: str, source: Any, name: str | None, type: str | None, progress: Progress | None
    ) -> Uploaded:
        file = opened_source(source)
        try:
            given = name or os.path.basename(os.fspath(getattr(file, "name", "") or "file"))
            shown = sendable(str(given))
            size = file.seek(0, os.SEEK_END)
            kind = type or type_of(shown)
            upload = Upload(self._web(), self._ticket(chat), file, size, kind, progress)
            await self._finish(upload)
        finally:
            if file is not source:
                file.close()
        assert upload.file is not None
        return Uploaded(upload.file, shown, size, kind)

    async def _finish(self, upload: Upload) -> None:
        await self._persist(upload.go_on, lambda: upload.offset)

    def _ticket(self, chat: str) -> Callable[[str | None], Awaitable[c.UploadTicket]]:
        return lambda file: self._ask(c.FileUpload(chat, file), c.UploadTicket)

    async def _download(self, message: Message, target: Any, progress: Progress | None) -> int:
        body = file_in(message)
        if body is None:
            raise local(Code.INVALID_PARAMS, "this message has no file")
        if not isinstance(target, str | os.PathLike):
            await self._fetch(message, body, target, progress)
            return body.size
        partial = PartialFile(Path(target), body.file)
        try:
            await self._fetch(message, body, partial.file, progress)
            partial.complete()
        finally:
            partial.close()
        return body.size

    async def _fetch(self, message: Message, body: File, file: BinaryIO, progress: Progress | None) -> None:
        if file.seek(0, os.SEEK_END) > body.size:
            file.truncate(0)
        await self._span(message, body, (file.seek(0, os.SEEK_END), body.size), file, progress)

    async def _span(
        self, message: Message, body: File, span: tuple[int, int], sink: Sink, progress: Progress | None
    ) -> None:
        """Fetch the octets of a file from the first number on, and before the second one."""
        done, end = span
        if progress is not None:
            progress(done, body.size)

        def moved(octets: int) -> None:
            nonlocal done
            done += octets
            if progress is not None:
                progress(done, body.size)

        async def fetch() -> None:
            if done == end:
                return
            ticket: c.DownloadTicket = await self._ask(
                c.FileDownload(message.chat, message.id), c.DownloadTicket
            )
            last = "" if end == body.size else end - 1
            fields = {"Range": f"bytes={done}-{last}", "If-Range": f'"{body.file}"'}

            def rest(reply: Reply) -> Rest:
                if reply.status != 206 or reply["Content-Range"] != f"bytes {done}-{end - 1}/{body.size}":
                    raise BadAnswer("The node answered with something else than the rest of the file.")
                return Rest(sink, end - done)

            await self._web().ask("GET", ticket.path, fields, sink=rest, moved=moved)
            if done != end:
                raise BadAnswer("The file is not as long as its message says.")

        await self._persist(fetch, lambda: done)

    async def _persist(self, attempt: Callable[[], Awaitable[T]], done: Callable[[], int]) -> T:
        """Do it until it is done; give up after `TRIES` failures in a row that brought nothing."""
        failures, before = 0, done()
        while True:
            try:
                return await attempt()
            except (Disconnected, TimedOut, RemoteProblem) as error:
                wait = _passes(error)
                if wait is None:
                    raise
                failures = 1 if done() > before else failures + 1
                before = done()
                if failures >= TRIES:
                    raise
                await self._wait(max(wait, min(MOST_WAIT, 0.25 * 2**failures)))

    def _web(self) -> Web:
        web: Web = self._dial.web
        return web


def file_in(message: Message) -> File | None:
    """The file of a message, where it has one: also the sound of voicemail."""
    body = message.body.sound if isinstance(message.body, Voicemail) else message.body
    return body if isinstance(body, File) else None


def opened_source(source: Any) -> BinaryIO:
    if isinstance(source, str | os.PathLike):
        return open(source, "rb")
    file: BinaryIO = source
    return file


def _passes(error: Exception) -> float | None:
    """For how many seconds to wait at least before it is tried again; None where that would not help."""
    if not isinstance(error, RemoteProblem):
        return 0.0
    if error.passing or error.of(*_AGAIN):
        return min(error.retry_after or 0.0, 60.0)
    return None
