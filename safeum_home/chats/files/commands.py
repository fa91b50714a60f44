"""The commands `file.upload`, `file.download` and `file.quota`: tickets for HTTP."""

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat
from safeum_home.chats.files.means import FileMeans
from safeum_home.chats.files.own_keys import opener
from safeum_home.chats.files.record import OpenFile, open_file, open_upload, unreadable
from safeum_home.chats.files.tickets import DownloadGrant, Grant, UploadGrant
from safeum_home.chats.sealed import open_message
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId, FileId
from safeum_home.ports import Caller
from safeum_home.protocol.commands import (
    DownloadTicket,
    FileDownload,
    FileQuota,
    FileQuotaResult,
    FileUpload,
    UploadTicket,
)
from safeum_home.protocol.files import DOWNLOADS_PATH, UPLOADS_PATH, File, Quota
from safeum_home.protocol.voicemail_types import Voicemail
from safeum_home.storage import chats, events, files
from safeum_home.storage.rows import EventRow

NAMELESS = "file"


class FileCommands:
    """Over the session, where it is known who asks."""

    def __init__(self, means: FileMeans) -> None:
        self._means = means

    async def upload(self, caller: Caller, params: FileUpload) -> UploadTicket:
        means = self._means
        means.rate.take(caller.account)
        if params.chat == means.registry.support_chat(caller.account):
            raise Problem(Code.INVALID_PARAMS, "support takes texts only")
        chat = await means.registry.load(ChatId(params.chat), caller.account)
        if chat is None or caller.account not in chat.writers:
            raise means.registry.refusal(ChatId(params.chat), caller.account)
        path, file = UPLOADS_PATH, None
        if params.file is not None:
            file = FileId(params.file)
            blind = means.blinder.file(file)
            if not await means.database.read(lambda c: self._owns(c, chat, blind, caller.account)):
                raise Problem(Code.NOT_FOUND)
            path = f"{UPLOADS_PATH}/{file}"
        ticket, expires = self._issue(UploadGrant(caller.account, caller.device, chat.id, file))
        quota = await self._quota(caller.account)
        return UploadTicket(ticket, path, expires, means.section.largest, quota)

    async def download(self, caller: Caller, params: FileDownload) -> DownloadTicket:
        means = self._means
        means.rate.take(caller.account)
        position = means.cursors.decode(params.message)
        chat = await means.registry.load(ChatId(params.chat))
        if chat is None or caller.account not in chat.members:
            raise Problem(Code.NOT_FOUND)
        blind = means.blinder.account(caller.account)

        def read(c: Connection) -> tuple[OpenFile, str] | None:
            member = chats.member(c, chat.blind, blind)
            row = files.file(c, chat.blind, position)
            if member is None or row is None or position <= member.visible:
                return None
            opened = open_file(chat.key, row, opener(c, means.fleeting, row))
            opened.key.wipe()
            return opened, _name(c, events.event(c, chat.blind, position), chat)

        file, name = await means.find(chat, read)
        grant = DownloadGrant(caller.account, caller.device, chat.id, position, name)
        ticket, expires = self._issue(grant)
        path = f"{DOWNLOADS_PATH}/{ticket}"
        return DownloadTicket(ticket, path, expires, file.id, name, file.size, file.type)

    async def quota(self, caller: Caller, params: FileQuota) -> FileQuotaResult:
        return FileQuotaResult(await self._quota(caller.account), self._means.section.largest)

    async def _quota(self, account: AccountId) -> Quota:
        blind = self._means.blinder.account(account)
        used = await self._means.database.read(lambda c: files.used(c, blind))
        return Quota(used, self._means.section.quota)

    def _issue(self, grant: Grant) -> tuple[str, int]:
        ticket, expires = self._means.tickets.issue(grant)
        return ticket, int(expires * 1000)

    def _owns(self, c: Connection, chat: Chat, blind: bytes, account: AccountId) -> bool:
        row = files.upload(c, blind)
        if row is None or row.chat != chat.blind:
            return False
        try:
            opened = open_upload(chat.key, row, opener(c, self._means.fleeting, row))
        except Tampered:
            raise unreadable(chat) from None
        opened.key.wipe()
        return opened.account == account


def _name(c: Connection, row: EventRow | None, chat: Chat) -> str:
    """What the message calls its file. In a chat without history the message may be gone before it."""
    body = None if row is None else open_message(c, chat, row).body
    if isinstance(body, Voicemail):
        body = body.sound
    return body.name if isinstance(body, File) else NAMELESS
