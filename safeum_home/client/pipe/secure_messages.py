"""What `safeum pipe` says in secure chats. Messages are named by their hashes, as nobody can forge those."""

from safeum_home.client.errors import local
from safeum_home.client.pipe.command import ChatCommand, item_of
from safeum_home.client.pipe.files import SavedFile
from safeum_home.client.pipe.secure_told import Said, said
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.errors import Code
from safeum_home.protocol.commands import Done, Params, Result


class SaidOne(Result, frozen=True):
    """What becomes of it comes as `client.secure.changed`."""

    item: Said


class SaidAll(Result, frozen=True):
    """The oldest first."""

    items: list[Said]
    more: bool


class Send(ChatCommand, frozen=True):
    """`client.secure.send`: say something; `reply` is the hash of what is answered."""

    text: str
    reply: str | None = None
    mentions: list[str] = []

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        return SaidOne(said(conversation.send(self.text, reply=self.reply, mentions=self.mentions)))


class Edit(ChatCommand, frozen=True):
    """`client.secure.edit`: another text for a message of one's own."""

    message: str
    text: str
    mentions: list[str] = []

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        item = item_of(conversation, self.message)
        conversation.edit(self.message, self.text, self.mentions)
        return SaidOne(said(item))


class React(ChatCommand, frozen=True):
    """`client.secure.react`: one reaction to each message; none takes it back."""

    message: str
    emoji: str | None = None

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        item = item_of(conversation, self.message)
        conversation.react(self.message, self.emoji)
        return SaidOne(said(item))


class Delete(ChatCommand, frozen=True):
    """`client.secure.delete`: a message of one's own, for all."""

    message: str

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        item = item_of(conversation, self.message)
        conversation.delete(self.message)
        return SaidOne(said(item))


class Forget(ChatCommand, frozen=True):
    """`client.secure.forget`: say something no more that waits; it has no hash yet."""

    reference: str

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        item = conversation.items.by_reference(self.reference)
        if item is None or not conversation.forget(item):
            raise local(Code.NOT_FOUND, "nothing of this reference waits")
        return Done()


class Items(ChatCommand, frozen=True):
    """`client.secure.items`: what was said last, as far as it is loaded; `earlier` loads a page before."""

    earlier: bool = False

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        if self.earlier:
            await conversation.earlier()
        return SaidAll([said(item) for item in conversation.items.all], conversation.more)


class SendFile(ChatCommand, frozen=True):
    """`client.secure.send_file`: encrypt and upload the file at `path`, and say it."""

    path: str
    caption: str = ""
    name: str | None = None
    type: str | None = None
    reply: str | None = None

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        sending = conversation.files.send(
            self.path, self.caption, name=self.name, type=self.type, reply=self.reply
        )
        return SaidOne(said(await sending))


class SendVoice(ChatCommand, frozen=True):
    """`client.secure.send_voice`: the same with a voice note.

    `duration` is in milliseconds, `wave` how loud it is: at most 128 octets, base64.
    """

    path: str
    duration: int
    wave: bytes = b""
    reply: str | None = None

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        sending = conversation.files.send_voice(self.path, self.duration, self.wave, reply=self.reply)
        return SaidOne(said(await sending))


class SaveFile(ChatCommand, frozen=True):
    """`client.secure.save_file`: store the file of a message at `path`, where nothing may be yet."""

    message: str
    path: str

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        item = item_of(conversation, self.message)
        return SavedFile(self.path, await conversation.files.save(item, self.path))


MESSAGES: dict[str, type[Params]] = {
    "client.secure.send": Send,
    "client.secure.edit": Edit,
    "client.secure.react": React,
    "client.secure.delete": Delete,
    "client.secure.forget": Forget,
    "client.secure.items": Items,
    "client.secure.send_file": SendFile,
    "client.secure.send_voice": SendVoice,
    "client.secure.save_file": SaveFile,
}
