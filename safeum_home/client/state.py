"""What a client shows, in memory: contacts, chats, messages as loaded, receipts, who types.

Built from the node by `load`, kept current by the events that the session hands to `take`. Nothing here
is authoritative: it can be thrown away and loaded again at any time.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from safeum_home.client.chat_view import MAX_UNREAD, ChatView, view_of
from safeum_home.client.filling import Filling
from safeum_home.client.group_state import GroupState
from safeum_home.client.presence_view import PresenceView
from safeum_home.client.typing_view import TypingView
from safeum_home.client.voice import NodeVoice
from safeum_home.protocol.commands import Named
from safeum_home.protocol.events import (
    ChatChanged,
    ChatUpdated,
    ContactChanged,
    GroupInvitation,
    MemberChanged,
    ProfileChanged,
    Receipt,
    SettingsChanged,
    Typing,
)
from safeum_home.protocol.news import is_news, is_own
from safeum_home.protocol.types import ChatSummary, Contact, ContactState, Message, Profile

MAX_CHATS = 2000
NODE_NAMES = {"system": "SafeUM", "support": "SafeUM Support"}
"""What the node's own contacts are called before it has said so."""


class State:
    """The view. `tell` is called with a `Typing(active=False)` when somebody's typing has expired.

    Also with a `Loaded` where more was loaded.
    """

    def __init__(self, clock: IReactorTime, tell: Callable[[Struct], None]) -> None:
        self._clock = clock
        self.tell = tell
        self._typing = TypingView(clock, self._held, tell)
        self.presence = PresenceView()
        """How it is with contacts: who is online, and when others were seen last."""
        self.account = ""
        self.address = ""
        self.profile = Profile()
        self.policy: str | None = None
        """A version of the node's policy that its reader has not agreed to yet."""
        self.voice = NodeVoice()
        """Tells what the node has signed from what only says that it is the node's."""
        self.contacts: dict[str, Contact] = {}
        self._chats: dict[str, ChatView] = {}  # the one that was written in last is the last
        self.people: dict[str, Named] = {}
        """Those in groups, as the list of chats named them."""
        self.self_chat: str | None = None
        """The chat with oneself, once `load` was called."""
        self.groups = GroupState()
        self.ready = False
        self.filling: Filling | None = None
        """What is being loaded."""
        self._pause: Deferred[None] | None = None
        self._handlers: dict[type[Struct], Callable[[Any], None]] = {
            Message: self._message,
            Receipt: self._receipt,
            Typing: self._typing.take,
            ContactChanged: lambda event: self._contact(event.contact),
            ProfileChanged: lambda event: self._profile(event.account, event.profile),
            ChatUpdated: self._updated,
            ChatChanged: self._changed,
            SettingsChanged: self._set,
            GroupInvitation: self.groups.invited,
            MemberChanged: self._member,
        }

    # --- reading ---------------------------------------------------------------------------------

    @property
    def chats(self) -> list[ChatView]:
        """Chats that hold a message, the one that was written in last first."""
        return [chat for chat in reversed(self._chats.values()) if chat.messages]

    @property
    def empty_groups(self) -> list[ChatView]:
        """Groups in which nothing is to be seen: one is in them, though their history was erased."""
        return [chat for chat in self._chats.values() if chat.kind == "group" and not chat.messages]

    @property
    def unread(self) -> int:
        return sum(chat.unread for chat in self._chats.values())

    def chat(self, chat: str) -> ChatView | None:
        """A chat by its id, also one with a contact, or support, in which nothing was written yet."""
        view = self._chats.get(chat)
        if view is None and chat == self.voice.support_chat:
            view = self._of_node(chat, "support")
        if view is None and chat == self.voice.notes:
            self._chats[chat] = view = ChatView(chat, "self", "", "", "Notes")
        if view is None:
            contact = next((entry for entry in self.contacts.values() if entry.chat == chat), None)
            if contact is not None:
                view = self._of(contact)
        return view

    def _held(self, chat: str) -> ChatView | None:
        return self._chats.get(chat)

    def _of(self, contact: Contact) -> ChatView:
        view = ChatView(contact.chat, "direct", contact.account, contact.address, contact.display_name)
        self._chats[contact.chat] = view
        return view

    def _of_node(self, chat: str, kind: str) -> ChatView:
        view = ChatView(chat, kind, self.voice.contact(kind), "", NODE_NAMES[kind])
        self._chats[chat] = view
        return view

    def authentic(self, message: Message) -> bool | None:
        """Whether the node has signed a message: False for one that is only said to be the node's.

        None for all that nobody says that of. Never show as the node's what is not True.
        """
        return self.voice.authentic(message)

    # --- building --------------------------------------------------------------------------------

    @property
    def used(self) -> bool:
        """Whether it was ever loaded, or is just being loaded."""
        return self.ready or self.filling is not None

    def begin(self) -> Filling:
        """Load everything anew: what comes from now on is applied on top of that."""
        self.filling = Filling(self)
        return self.filling

    def replace(self, own: Profile, contacts: list[Contact], chats: list[ChatSummary]) -> None:
        """Show this and nothing else."""
        self.profile = own
        self.contacts = {contact.account: contact for contact in contacts}
        self._chats = {summary.chat: view_of(summary) for summary in reversed(chats)}
        self.groups.rosters.clear()
        self.people.clear()
        self.ready = True

    def extend(self, contacts: list[Contact], chats: list[ChatSummary]) -> None:
        """Show more contacts, and chats that are older than all before, or that only messages told of."""
        self.contacts |= {contact.account: contact for contact in contacts}
        views = {summary.chat: view_of(summary) for summary in reversed(chats)}
        older = {chat: view for chat, view in views.items() if chat not in self._chats}
        self._chats = {**older, **{chat: views.get(chat, view) for chat, view in self._chats.items()}}

    def arrange(self, place: Callable[[ChatView], tuple[int, int]]) -> None:
        """Put all chats in the order of `place`, the newest last."""
        self._chats = dict(sorted(self._chats.items(), key=lambda item: place(item[1])))

    def page(self, chat: str, messages: list[Message], more: bool) -> None:
        """Older messages, or the newest, of a chat."""
        view = self.chat(chat)
        if view is not None:
            view.join(messages, more)
            if view.read is not None:
                self.marked(chat, view.read)  # it may be among these, and was not held before

    # --- events ----------------------------------------------------------------------------------

    def take(self, event: Struct) -> None:
        """Apply an event; before the view was built there is nothing to apply it to, but who is there."""
        self.presence.take(event)
        if self.filling is not None and self.filling.keeps(event):
            return
        if self.ready:
            self.apply(event)

    def apply(self, event: Struct) -> None:
        """What an event changes, whether it was applied before or not."""
        if (apply := self._handlers.get(type(event))) is not None:
            apply(event)

    def again(self, message: Message) -> None:
        """A message of one's own, which was shown when the node had it, has come in its order."""
        if (view := self._chats.get(message.chat)) is not None:
            view.again(message)
            if is_own(message, self.account):
                view.unread = 0

    def _message(self, message: Message) -> None:
        view = self.chat(message.chat)
        if view is None:
            kind = self.voice.kind(message.chat)
            if kind != "direct":
                view = self._of_node(message.chat, kind)
            else:
                view = ChatView(message.chat, kind, message.sender, message.sender)
                self._chats[message.chat] = view
        contact = self.contacts.get(view.peer)
        if contact is not None and contact.state is ContactState.CLOSED:
            return  # it was on its way while the account was closed, and is erased
        if view.add(message):
            self._chats[message.chat] = self._chats.pop(message.chat)
            if is_news(message, self.account):
                view.unread = min(view.unread + 1, MAX_UNREAD)
            elif is_own(message, self.account):
                view.unread = 0
        self._typing.take(Typing(message.chat, message.sender, False))

    def _updated(self, event: ChatUpdated) -> None:
        info = event.chat
        view = self.chat(info.chat)
        if view is None:
            self._chats[info.chat] = view = ChatView(info.chat, info.kind, "", "")
        if view.update(info, event.cursor):
            self._typing.wipe(info.chat)
            self.voice.forget()

    def _changed(self, event: ChatChanged) -> None:
        # A chat that is not held is read as it is now when it is asked for.
        if (view := self.chat(event.message.chat)) is not None:
            view.change(event, self.account)

    def _set(self, event: SettingsChanged) -> None:
        if (view := self.chat(event.chat)) is not None:
            view.settings = event.settings

    def _member(self, event: MemberChanged) -> None:
        view = self._chats.get(event.chat)
        if event.member.account == self.account:
            self.groups.answered(event.chat)
            if event.member.state in ("left", "removed"):
                self.groups.drop(event.chat)
                self._wipe(event.chat)
                return
            if view is None:
                self._chats[event.chat] = view = ChatView(event.chat, "group", "", "")
            view.role = event.member.role
        self.groups.member(event, view)

    def _receipt(self, receipt: Receipt) -> None:
        if (view := self.chat(receipt.chat)) is None:
            return
        if receipt.account == self.account:
            if receipt.read is not None:
                self.marked(receipt.chat, receipt.read)
            return
        view.peer_delivered = receipt.delivered or view.peer_delivered
        view.peer_read = receipt.read or view.peer_read

    def marked(self, chat: str, upto: str) -> None:
        """This account has read up to `upto`, here or elsewhere."""
        if (view := self._chats.get(chat)) is not None:
            view.marked(self.account, upto)

    def _contact(self, contact: Contact) -> None:
        if contact.state is ContactState.NONE:
            self.contacts.pop(contact.account, None)
        else:
            self.contacts[contact.account] = contact
        if contact.state is ContactState.CLOSED:
            self._wipe(contact.chat)
        view = self._chats.get(contact.chat)
        if view is not None:
            view.address, view.display_name = contact.address, contact.display_name or view.display_name

    def _wipe(self, chat: str) -> None:
        """The chat was erased on the node: nothing of it stays here either."""
        self._chats.pop(chat, None)
        self._typing.wipe(chat)
        self.voice.forget()

    def _profile(self, account: str, profile: Profile) -> None:
        if account == self.account:
            self.profile = profile
            return
        if (contact := self.contacts.get(account)) is not None:
            self.contacts[account] = replace(contact, display_name=profile.display_name)
        for view in self._chats.values():
            if view.peer == account:
                view.display_name = profile.display_name

    def pause(self, seconds: float) -> "Deferred[None]":
        """Some time, or until `stop`: it is cancelled then."""
        self._pause = deferLater(self._clock, seconds, lambda: None)
        return self._pause

    def stop(self) -> None:
        """No timer is left behind."""
        if self._pause is not None:
            self._pause.cancel()
        self._typing.stop()
