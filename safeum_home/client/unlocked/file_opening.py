"""A file on its way out of a secure chat: decrypted as it comes, and whole only once all of it was."""

from collections.abc import Awaitable, Callable
from io import SEEK_END, BytesIO
from typing import BinaryIO

from safeum_home.client.connection.web import Sink
from safeum_home.client.errors import BadAnswer
from safeum_home.client.files.file_transfer import FileTransfer, Progress
from safeum_home.client.files.partial_file import PartialFile
from safeum_home.client.secure.files import CHUNK, HEADER, MORE, FileOpener, sealed_size
from safeum_home.client.secure.octets import malformed
from safeum_home.client.secure.payloads import File
from safeum_home.client.secure.refused import Refused
from safeum_home.protocol.files import File as NodeFile
from safeum_home.protocol.signing import decode_octets
from safeum_home.protocol.types import Message

STEP = 8
"""Chunks of an earlier try that are gone through at once: some milliseconds."""


class _Opening:
    """Decrypts what comes, into a file."""

    def __init__(self, opener: FileOpener, file: Sink) -> None:
        self._opener = opener
        self._file = file
        self.refused: Refused | None = None

    def write(self, data: bytes, /) -> None:
        """Raises `BadAnswer` of what is `refused`, which no other try would mend."""
        try:
            opened = self._opener.add(data)
        except Refused as refused:
            self.refused = refused
            raise BadAnswer("What the node has is not the file.") from None
        self._file.write(opened)


class OpenedFile:
    """The file of one message; `pause` lets others have their turn."""

    def __init__(
        self,
        client: FileTransfer,
        message: Message,
        payload: File,
        pause: Callable[[], Awaitable[object]],
        progress: Progress | None,
    ) -> None:
        """`message` says what the node has, `payload` what it is; raises `Refused` where these differ."""
        if not isinstance(message.body, NodeFile) or message.body.size != sealed_size(payload.size):
            raise malformed()
        self._client = client
        self._message = message
        self._body = message.body
        self._payload = payload
        self._pause = pause
        self._progress = progress

    async def save(self, partial: PartialFile) -> None:
        """Into a file that has its name only then. Of what is not the file nothing is left."""
        try:
            opener, done = await self._again(partial.file)
            try:
                await self._open(opener, done, partial.file)
            except Refused:
                if not done:
                    raise
                # What was there may have been of something else: once more, from the front.
                partial.file.seek(0)
                partial.file.truncate()
                await self.write(partial.file)
            partial.complete()
        except Refused:
            partial.drop()
            raise
        finally:
            partial.close()

    async def write(self, file: Sink) -> None:
        """From the front; it is the file only once this has not raised."""
        await self._open(self._opener(), 0, file)

    def _opener(self) -> FileOpener:
        key, hash = decode_octets(self._payload.key, 32), decode_octets(self._payload.hash, 32)
        if key is None or hash is None:
            raise malformed()
        return FileOpener(key, self._payload.size, hash)

    async def _again(self, file: BinaryIO) -> tuple[FileOpener, int]:
        """Go on with what is there of an earlier try; and how many octets of the node's that were."""
        chunk = CHUNK + MORE
        last = (self._body.size - HEADER - 1) // chunk
        chunks = min(file.seek(0, SEEK_END), self._payload.size) // CHUNK
        chunks = min(chunks, last)
        file.truncate(chunks * CHUNK)
        file.seek(0)
        opener = self._opener()
        if not chunks:
            return opener, 0
        try:
            header = BytesIO()
            await self._client._span(self._message, self._body, (0, HEADER), header, None)
            opener.add(header.getvalue())
            for number in range(chunks):
                opener.again(file.read(CHUNK))
                if number % STEP == STEP - 1:
                    await self._pause()
        except BaseException:
            opener.wipe()
            raise
        file.seek(chunks * CHUNK)
        return opener, HEADER + chunks * chunk

    async def _open(self, opener: FileOpener, done: int, file: Sink) -> None:
        opening = _Opening(opener, file)
        try:
            await self._client._span(
                self._message, self._body, (done, self._body.size), opening, self._progress
            )
            file.write(opener.end())
        except BadAnswer:
            if opening.refused is not None:
                raise opening.refused from None
            raise
        finally:
            opener.wipe()
