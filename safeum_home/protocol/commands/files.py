"""Files: tickets for their octets, which go over HTTPS."""

from safeum_home.protocol.command import Params, Result, command
from safeum_home.protocol.files import FileIdText, FileName, FileSize, MediaType, Quota, Ticket
from safeum_home.protocol.types import Chat, CursorText, Milliseconds


class UploadTicket(Result, frozen=True):
    """What opens `path` (on the node's HTTPS port) for one upload, as `Authorization: Bearer TICKET`."""

    ticket: Ticket
    path: str
    """Where an upload is created (POST), or, for one that goes on, where it is."""
    expires: Milliseconds
    """From then on the ticket is good no more; each use of it puts that off."""
    largest: int
    """Octets of the largest file that the node takes."""
    quota: Quota


@command("file.upload", UploadTicket, cost=2)
class FileUpload(Params, frozen=True):
    """A ticket for one file, which can then be sent into this chat. `file` names one that was begun."""

    chat: Chat
    file: FileIdText | None = None


class DownloadTicket(Result, frozen=True):
    """What `path` is fetched with. The ticket is part of it, so that it can be a link."""

    ticket: Ticket
    path: str
    expires: Milliseconds
    """From then on the ticket is good no more; each use of it puts that off."""
    file: FileIdText
    name: FileName
    size: FileSize
    type: MediaType


@command("file.download", DownloadTicket, cost=2, activity=False)
class FileDownload(Params, frozen=True):
    """A ticket for the file of a message."""

    chat: Chat
    message: CursorText


class FileQuotaResult(Result, frozen=True):
    """What the account's files take."""

    quota: Quota
    largest: int


@command("file.quota", FileQuotaResult)
class FileQuota(Params, frozen=True):
    """How much room there is for files."""
