"""The secure chats of a desk: whether they are open, and what stands in them."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.threads import deferToThreadPool

from safeum_home.client.desk import alarms, secure_shown
from safeum_home.client.desk.comparing_desk import ComparingDesk
from safeum_home.client.desk.mentions import mentioned
from safeum_home.client.desk.notices import Outgoing
from safeum_home.client.errors import ClientError
from safeum_home.client.secure.payloads import Unknown
from safeum_home.client.secure.refused import Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.items import Item
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.client.words.secure_words import KEPT, listed, not_said
from safeum_home.protocol.types import Message
from safeum_home.spawn import spawn

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk

InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


class SecureDesk:
    """`forget` after something was said, or became something else: what is shown is made anew then."""

    def __init__(self, desk: "Desk", clock: IReactorTime) -> None:
        self._desk = desk
        reactor: Any = clock
        self.in_thread: InThread = lambda work: deferToThreadPool(reactor, reactor.getThreadPool(), work)
        """Does something that takes its time, and has the screen go on meanwhile."""
        self.stretch: Callable[[str, str, str | None], UniqueKey] = UniqueKey.of
        """An account's unique key of a passphrase: it takes its time."""
        self.unlocking = False
        self.replacing = False
        """Whether another key is being put in force: what was kept with the one before does not open."""
        self.alarms = alarms.Alarms(desk)
        self.comparing = ComparingDesk(desk)
        self._opened: dict[str, ChatView] = {}
        self._unsent: dict[str, secure_shown.Unsent] = {}

    # --- locked and unlocked

    @property
    def chats(self) -> SecureChats | None:
        """None while they are locked."""
        return self._desk.client.secure

    @property
    def used(self) -> bool:
        """Whether there is anything that could be unlocked."""
        state = self._desk.state
        invited = any(one.secure for one in state.groups.invitations.values())
        return invited or any(view.secure for view in state.chats)

    async def unlock(self, key: UniqueKey) -> SecureChats:
        """Open what is sealed with a key, which is wiped with all that once it is locked."""
        secure = await self._desk.client.unlock_with(key)
        self.forget()
        self._desk.drafts.unlocked()
        for view in self._desk.state.chats:
            if view.secure and view.loaded:
                with suppress(ClientError):  # /history loads it
                    await self.reach(view)
        if (shown := self._desk.chat) is not None:
            self._desk.pages.seen(shown)
            draft = self._desk.drafts.of(shown.chat)
            if shown.secure and draft is not None and self._desk.drafts.is_empty(shown.chat):
                self._desk.opened(draft.text)
        return secure

    async def lock(self) -> None:
        """Nothing that was said in secure chats stays on the screen, or in what can be called up on it."""
        desk = self._desk
        desk.drafts.keep()
        locking = desk.client.lock()
        self._opened.clear()
        self._unsent.clear()
        self.comparing.forget()
        secure = {view.chat for view in desk.state.chats if view.secure}
        kept = [
            notice
            for notice in desk.notices
            if notice.style == alarms.STYLE or not {notice.chat, notice.about} & secure
        ]
        desk.notices.clear()
        desk.notices.extend(kept)
        for chat in secure:
            desk.drafts.wipe(chat)
        desk.banner = ""
        desk.read([])
        desk.wiped()
        await locking

    def state(self) -> str:
        """For the last line of the screen; empty for who has no secure chats."""
        if self.unlocking:
            return "unlocking…"
        return "unlocked" if self.chats is not None else "locked" if self.used else ""

    # --- what is shown

    def forget(self) -> None:
        self._opened.clear()

    def of(self, view: ChatView) -> Conversation | None:
        """What is within a secure chat; None while it is locked."""
        return None if self.chats is None else self.chats.chats.get(view.chat)

    def opened(self, view: ChatView) -> ChatView:
        """A chat as it is shown."""
        if not view.secure:
            return view
        if (shown := self._opened.get(view.chat)) is None:
            shown = secure_shown.opened(view, self.of(view), self._desk.state.account)
            self._opened[view.chat] = shown
        return shown

    def shown(self, message: Message) -> Message | None:
        """One message as it is shown; None where it is not."""
        view = self._desk.state.chat(message.chat)
        if view is None or not view.secure:
            return message
        shown = self.opened(view)
        place = shown.place(message.id)
        return None if place < 0 else shown.messages[place]

    def sealed(self, view: ChatView) -> bool:
        """Whether it cannot be read here now."""
        return view.secure and self.of(view) is None

    def enter(self, view: ChatView) -> None:
        """It is looked at: open it, where that has not worked before."""
        if self.chats is not None and self.sealed(view):
            spawn(self._enter(self.chats, view), "opening a secure chat")

    async def _enter(self, secure: SecureChats, view: ChatView) -> None:
        with suppress(ClientError):  # it is opened with the next thing that comes
            await secure.enter(view.chat)
        self.forget()
        self._desk.refresh()

    async def reach(self, view: ChatView) -> None:
        """Have all opened that is held of a chat. Raises `ClientError`."""
        conversation, before = self.of(view), len(view.messages)
        while conversation is not None and conversation.more:
            place = view.place(conversation.oldest)
            if not 0 < place < before:
                break
            before = place
            await conversation.earlier()
        self.forget()

    def item(self, message: Message) -> Item | None:
        """What a message is within its chat, where that is open."""
        view = self._desk.state.chat(message.chat)
        conversation = None if view is None else self.of(view)
        if conversation is None:
            return None
        ids = (message.id, message.origin)
        return next((item for item in conversation.items.all if item.id is not None and item.id in ids), None)

    # --- what is said

    def write(self, view: ChatView, text: str, reply_to: str | None) -> None:
        """Say something: never in clear."""
        desk, conversation = self._desk, self.of(view)
        if conversation is None:
            desk.note(KEPT, "error")
            desk.drafts.aside(view.chat, text)  # it is not lost, and /unlock can be typed
            return
        answered = None if reply_to is None else self._hash(view, reply_to)
        try:
            conversation.send(text, reply=answered, mentions=mentioned(desk, view, text))
        except Refused as refused:
            desk.note(not_said(refused.reason), "error")
            desk.opened(text)
            return
        desk.drafts.sent(view.chat)
        desk.follow()

    def _hash(self, view: ChatView, id: str) -> str | None:
        place = view.place(id)
        item = None if place < 0 else self.item(view.messages[place])
        return None if item is None else item.hash

    def unsent(self, view: ChatView) -> list[Outgoing]:
        """What was said in it and has no place there yet."""
        conversation = self.of(view) if view.secure else None
        if conversation is None:
            return []
        return self._of(view.chat).of(conversation, self._desk.state.account)

    def all_unsent(self) -> list[Outgoing]:
        """The same of all chats: it is gone with the program."""
        return [each for view in self._desk.state.chats for each in self.unsent(view)]

    def retry(self) -> None:
        """Say again what was refused."""
        for view in self._desk.state.chats:
            conversation = self.of(view) if view.secure else None
            if conversation is None or not self.unsent(view):
                continue
            for item in self._of(view.chat).refused():
                conversation.items.all.remove(item)
                if not isinstance(item.payload, Unknown):
                    conversation.say(item.payload)
        self.forget()

    def drop(self, view: ChatView) -> int:
        """Forget what could not be said, and what waits; how much that was."""
        conversation, dropped = self.of(view), 0
        if conversation is None:
            return 0
        unsent = self._of(view.chat)
        for outgoing in self.unsent(view):
            item = unsent.item(outgoing)
            if item is not None and (outgoing.error or conversation.forget(item)):
                conversation.items.all.remove(item)
                dropped += 1
        return dropped

    def _of(self, chat: str) -> secure_shown.Unsent:
        if chat not in self._unsent:
            self._unsent[chat] = secure_shown.Unsent(chat, self.named, self._desk.last)
        return self._unsent[chat]

    def login(self, account: str) -> str:
        """By what somebody is named in a command."""
        names, state = self._desk.names, self._desk.state
        known = state.contacts.get(account) or state.groups.anywhere(account)
        return names.name(account) if known is None else names.short(known.address)

    def named(self, accounts: Iterable[str]) -> str:
        """Several people in one line."""
        return listed(self._desk.names.name(each) for each in accounts)
