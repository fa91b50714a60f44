"""What `safeum pipe` does with files itself: octets do not go through JSON lines."""

from twisted.internet.defer import Deferred

from safeum_home.client.errors import local
from safeum_home.client.session import Client
from safeum_home.errors import Code
from safeum_home.protocol.commands import Params, Result, Sent


class SendFile(Params, frozen=True):
    """`client.send_file`: upload the file at `path`, and send it."""

    chat: str
    path: str
    caption: str = ""
    name: str | None = None
    type: str | None = None
    duration: int | None = None
    """Of sound or pictures, in milliseconds: that of a voice note."""


class SaveFile(Params, frozen=True):
    """`client.save_file`: store the file of a message at `path`, where nothing may be yet."""

    chat: str
    message: str
    path: str


class SavedFile(Result, frozen=True):
    """It is there, and has so many octets."""

    path: str
    size: int


FILE_METHODS: dict[str, type[Params]] = {"client.send_file": SendFile, "client.save_file": SaveFile}


def do(client: Client, params: SendFile | SaveFile) -> "Deferred[Sent | SavedFile]":
    """Fails with a `ClientError`, also where a file cannot be read or written."""
    return Deferred.fromCoroutine(_do(client, params))


async def _do(client: Client, params: SendFile | SaveFile) -> Sent | SavedFile:
    try:
        if isinstance(params, SendFile):
            chat, path, caption = params.chat, params.path, params.caption
            return await client.send_file(
                chat, path, caption, name=params.name, type=params.type, duration=params.duration
            )
        message = await client.file_of(params.chat, params.message)
        return SavedFile(params.path, await client.download(message, params.path))
    except OSError as error:
        raise local(Code.INVALID_PARAMS, f"path: {error.strerror}") from None
