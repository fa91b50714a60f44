"""What a caller has left becomes a message of the account's voicemail chat, with the sound as its file.

The message is sealed under the key of its day, and then under the chat's. The file is sealed under a key of
its own, which its row has under the key of the day, under one that is dropped with the row, and under the
chat's. The octets are never anywhere but in memory before they are sealed.
"""

from collections.abc import Callable
from secrets import token_bytes

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home import ids
from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.files.means import FileMeans
from safeum_home.chats.files.octets import chunks, seal_chunks
from safeum_home.chats.files.own_keys import OwnKey
from safeum_home.chats.files.record import OpenFile, seal_voicemail
from safeum_home.chats.record import ChatRecord
from safeum_home.chats.sealed import seal_for_day
from safeum_home.chats.voicemail.days import DAY, VoicemailDays
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports.files import BLOB_SIZE
from safeum_home.ports.voicemail import Recorded
from safeum_home.protocol import frames
from safeum_home.protocol.files import File
from safeum_home.protocol.types import Message
from safeum_home.protocol.voicemail_types import Voicemail
from safeum_home.storage import accounts, chats, events, files, voicemails
from safeum_home.storage.rows import FileRow, NewEvent

MOST = 100
"""Messages of an account that are kept at once: afterwards calls are not answered."""
NAME, TYPE = "voicemail.ogg", "audio/ogg"


class VoicemailDelivery:
    """`ports.voicemail.VoicemailChats`."""

    def __init__(
        self,
        means: FileMeans,
        delivery: Delivery,
        system: AccountId,
        signed: Callable[[Message], Message],
        days: VoicemailDays,
    ) -> None:
        """`system` is the node's own contact, which writes; `signed` puts its signature to a message."""
        self._means = means
        self._delivery = delivery
        self._system = system
        self._signed = signed
        self._days = days

    async def has_room(self, account: AccountId) -> bool:
        blind = self._means.blinder.chat(self._means.registry.voicemail_chat(account))
        return await self._means.database.read(lambda c: files.count_files(c, blind)) < MOST

    async def deliver(self, account: AccountId, recorded: Recorded) -> None:
        chat = await self._chat(account)
        blob, key = token_bytes(BLOB_SIZE), chat.key.fresh()
        file = OpenFile(ids.new_file_id(), account, len(recorded.sound), TYPE, blob, key)
        try:
            await self._put(file, recorded.sound)
            try:
                publish = await self._store(chat, account, file, recorded)
            except BaseException:
                await self._means.forget_blob(blob)
                raise
        finally:
            key.wipe()
        publish()

    async def _chat(self, account: AccountId) -> Chat:
        """The account's voicemail chat, which is made here where it is not there yet."""
        means = self._means
        name = means.registry.voicemail_chat(account)
        if (chat := await means.registry.load(name)) is not None:
            return chat
        insert = means.opener.make(ChatKind.VOICEMAIL, ChatRecord(name, (account,)))[1]
        blind = means.blinder.account(account)

        def found(c: Connection) -> None:
            if accounts.account(c, blind) is not None:  # else it was closed meanwhile
                insert(c)

        await means.database.transact(found)
        if (chat := await means.registry.load(name)) is None:
            raise Problem(Code.NOT_FOUND)
        return chat

    async def _put(self, file: OpenFile, sound: bytes) -> None:
        """The sealed octets are in the store, durably."""
        means = self._means

        def work() -> None:
            sealed = seal_chunks(file.key, file.blob, 0, chunks(file.size), sound)
            step = max(1, means.store.batch)
            for start in range(0, len(sealed), step):
                means.store.append(file.blob, start, sealed[start : start + step])
            means.store.sync(file.blob)

        await means.work(work)

    def _store(
        self, chat: Chat, account: AccountId, file: OpenFile, recorded: Recorded
    ) -> "Deferred[Callable[[], None]]":
        """In one commit; what tells of it then."""
        means, now = self._means, int(self._means.now() * 1000)
        day, position = now // DAY, means.database.next_position()
        message = self._signed(self._message(chat, file, recorded, now, position))
        encoded = frames.encode_params(message)
        own = OwnKey(means.fleeting, files.file_owner(chat.blind, position))
        who, name = means.blinder.account(account), means.blinder.file(file.id)
        sent = means.blinder.alias(message.id)  # its own id: what the node writes is never sent again

        def store(c: Connection) -> None:
            if chats.chat(c, chat.blind) is None:
                raise Problem(Code.NOT_FOUND)  # the account was closed, and this chat erased
            day_key = self._days.key(c, day)
            try:
                sealed = seal_for_day(day_key, chat.key, chat.blind, position, encoded)
                record = seal_voicemail(chat.key, chat.blind, position, file, own.key, day, day_key)
            finally:
                day_key.wipe()
            events.append_events(c, [NewEvent(chat.blind, position, sealed, sent)])
            voicemails.add_voicemail(c, chat.blind, position, day)
            own.store(c)
            row = FileRow(chat.blind, position, who, name, file.blob, 0, record)
            files.attach_new(c, row, file.size)

        def stored(_: object) -> Callable[[], None]:
            return lambda: self._delivery.message(chat, self._system, encoded, position, None)

        def over(result: object) -> object:
            own.key.wipe()
            return result

        storing = means.database.transact(store)
        storing.addBoth(over)
        return storing.addCallback(stored)

    def _message(self, chat: Chat, file: OpenFile, recorded: Recorded, now: int, position: int) -> Message:
        sound = File(file.id, NAME, file.size, file.type, duration=recorded.milliseconds)
        until = self._days.until(now // DAY)
        body = Voicemail(sound, recorded.at, until, recorded.caller or None)
        return Message(self._means.cursors.encode(position), chat.id, self._system, now, body)
