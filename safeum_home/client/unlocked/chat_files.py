"""Files and voice notes of a secure chat, for programs: sent and fetched, and read by nobody else."""

import os
from collections.abc import Awaitable, Callable, Coroutine
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from safeum_home.client.connection.web import Sink
from safeum_home.client.errors import ClientError, local
from safeum_home.client.files.file_names import sendable, type_of
from safeum_home.client.files.file_transfer import Progress, opened_source
from safeum_home.client.files.partial_file import PartialFile
from safeum_home.client.secure.payloads import File, Reply, Voice
from safeum_home.client.unlocked.file_opening import OpenedFile
from safeum_home.client.unlocked.file_sealing import SealedSource, SealedUpload
from safeum_home.client.unlocked.home import Home
from safeum_home.client.unlocked.items import Item
from safeum_home.errors import Code
from safeum_home.protocol.signing import encode_octets

T = TypeVar("T")
MOST_SOUND = 32 * 1024**2
"""Octets of a voice note that is fetched into memory."""
_NOT_YET = "F" + "a" * 26, "A" * 43
"""What stands for a file's id, key and hash until it is there."""
AnySource = str | os.PathLike[str] | BinaryIO


class ChatFiles:
    """`Conversation.files`. What is sent is uploaded, and then said: it waits for keys as messages do."""

    def __init__(
        self,
        home: Home,
        chat: str,
        answer: Callable[[str | None], Reply | None],
        check: Callable[[File], None],
        say: Callable[[File], Item],
        check_open: Callable[[], None],
    ) -> None:
        self._home = home
        self._chat = chat
        self._answer = answer
        self._check = check
        self._say = say
        self._check_open = check_open
        self._running: set[Deferred[Any]] = set()

    def send(
        self,
        source: AnySource,
        caption: str = "",
        *,
        name: str | None = None,
        type: str | None = None,
        reply: str | None = None,
        preview: bytes = b"",
        width: int | None = None,
        height: int | None = None,
        progress: Progress | None = None,
    ) -> Awaitable[Item]:
        """Encrypt and upload a file, and say it; what becomes of the `Item` then is as of any other.

        `source` is a path, or a file that is open for reading and can be sought in. `name` and `type` (a
        media type) are taken from the path where they are not given. `reply` is the hash of the message that
        is answered, `preview` a small picture of at most 8 KiB. `progress` is told the octets that are done,
        and how many there are, as they lie at the node. Cancel what is returned to give it up.

        Raises `FileTooLarge`, `RemoteProblem` (`file_quota`), `Disconnected`, OSError, and `Refused` as
        `Conversation.send`.
        """
        file = self._file(name or _name_of(source), type, reply)
        said = replace(file, caption=caption, preview=preview, width=width, height=height)
        return self._run(self._send(source, said, progress))

    def send_voice(
        self,
        source: AnySource,
        duration: int,
        wave: bytes = b"",
        *,
        name: str = "voice.ogg",
        type: str | None = None,
        reply: str | None = None,
        progress: Progress | None = None,
    ) -> Awaitable[Item]:
        """The same with a voice note. `duration` is in milliseconds, `wave` how loud it is: at most 128
        octets, at equal distances.
        """
        said = replace(self._file(name, type, reply), voice=Voice(duration, wave))
        return self._run(self._send(source, said, progress))

    def save(
        self, item: Item, target: str | os.PathLike[str] | BinaryIO, *, progress: Progress | None = None
    ) -> Awaitable[int]:
        """Fetch and decrypt the file of an item; what is returned comes to its size.

        `target` is a path, where nothing may be yet: until all of it is there, and is what was sent, the file
        is beside it (`partial_file.partial_path(target, item.payload.hash)`), and what is there of an earlier
        try is gone on with. Or it is a file that is open for writing: what was written is the file only once
        this has come to its end.

        Raises `Refused` (UNDECRYPTABLE, MALFORMED) where the node has something else, and leaves nothing of
        that at a path; `RemoteProblem` (`not_found` of what was deleted, `file_lost`, `wrong_state` of what
        is not sent yet), `Disconnected`, FileExistsError, OSError.
        """
        return self._run(self._save(item, target, progress))

    def sound_of(self, item: Item) -> Awaitable[bytes]:
        """A voice note, or another small file, in memory alone. Raises as `save`, and `too_large`."""
        return self._run(self._sound_of(item))

    def close(self) -> None:
        """Give up what is under way: its keys are wiped with it, and who waits gets `CancelledError`."""
        for running in list(self._running):
            running.cancel()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> Awaitable[T]:
        try:
            self._check_open()
        except ClientError:
            coroutine.close()
            raise
        running = Deferred.fromCoroutine(coroutine)
        self._running.add(running)
        running.addBoth(self._over, running)
        return self._home.awaitable(_result(running))

    def _over(self, result: T, running: "Deferred[Any]") -> T:
        self._running.discard(running)
        return result

    # --- out

    def _file(self, name: str, type: str | None, reply: str | None) -> File:
        """What is said of a file before it is there."""
        shown = sendable(name)
        file, octets = _NOT_YET
        return File(file, octets, octets, 0, shown, type or type_of(shown), reply=self._answer(reply))

    async def _send(self, source: AnySource, said: File, progress: Progress | None) -> Item:
        file = opened_source(source)
        try:
            said = replace(said, size=file.seek(0, os.SEEK_END))
            self._check(said)
            sealed = SealedSource(file, said.size)
            try:
                id = await self._upload(sealed, progress)
            finally:
                sealed.wipe()
        finally:
            if file is not source:
                file.close()
        key, hash = encode_octets(sealed.key), encode_octets(sealed.hash)
        return self._say(replace(said, file=id, key=key, hash=hash))

    async def _upload(self, sealed: SealedSource, progress: Progress | None) -> str:
        client = self._home.client
        upload = SealedUpload(client._web(), client._ticket(self._chat), sealed, progress)
        await client._finish(upload)
        assert upload.file is not None
        return upload.file

    # --- in

    async def _save(self, item: Item, target: AnySource, progress: Progress | None) -> int:
        payload = _payload_of(item)
        if not isinstance(target, str | os.PathLike):
            await self._write(item, payload, target, progress)
            return payload.size
        partial = PartialFile(Path(target), payload.hash)
        try:
            opened = await self._opened(item, payload, progress)
        except BaseException:
            partial.close()
            raise
        await opened.save(partial)
        return payload.size

    async def _sound_of(self, item: Item) -> bytes:
        payload, octets = _payload_of(item), BytesIO()
        if payload.size > MOST_SOUND:
            raise local(Code.TOO_LARGE, f"{MOST_SOUND} octets are the most in memory")
        await self._write(item, payload, octets, None)
        return octets.getvalue()

    async def _write(self, item: Item, payload: File, file: Sink, progress: Progress | None) -> None:
        await (await self._opened(item, payload, progress)).write(file)

    async def _opened(self, item: Item, payload: File, progress: Progress | None) -> OpenedFile:
        if item.id is None:
            raise local(Code.WRONG_STATE, "this is not sent yet")
        client, clock = self._home.client, self._home.clock
        message = await client.file_of(self._chat, item.id)
        return OpenedFile(client, message, payload, lambda: deferLater(clock, 0), progress)


async def _result(running: "Deferred[T]") -> T:
    return await running


def _payload_of(item: Item) -> File:
    if item.deleted:
        raise local(Code.NOT_FOUND, "this was deleted, and its file with it")
    if not isinstance(item.payload, File):
        raise local(Code.INVALID_PARAMS, "this has no file")
    return item.payload


def _name_of(source: AnySource) -> str:
    if isinstance(source, str | os.PathLike):
        return os.path.basename(os.fspath(source))
    return os.path.basename(str(getattr(source, "name", "") or "file"))
