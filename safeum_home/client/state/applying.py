"""What each event of the node changes in what a client shows, whether it was applied before or not."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from safeum_home.client.state.chat_view import MAX_UNREAD, UNKNOWN, ChatView
from safeum_home.protocol.events import (
    ChatChanged,
    ChatUpdated,
    ContactChanged,
    GroupInvitation,
    MemberChanged,
    PostChanged,
    ProfileChanged,
    Receipt,
    SettingsChanged,
    Typing,
)
from safeum_home.protocol.news import is_news, is_own
from safeum_home.protocol.types import ContactState, Message, Profile

if TYPE_CHECKING:
    from safeum_home.client.state.state import State


class Applying:
    """Carries events into a `State`."""

    def __init__(self, state: "State") -> None:
        self._state = state
        self._handlers: dict[type[Struct], Callable[[Any], None]] = {
            Message: self._message,
            Receipt: self._receipt,
            Typing: state.typing.take,
            ContactChanged: self._contact,
            ProfileChanged: lambda event: self._profile(event.account, event.profile),
            ChatUpdated: self._updated,
            ChatChanged: self._changed,
            SettingsChanged: self._set,
            PostChanged: self._post,
            GroupInvitation: state.groups.invited,
            MemberChanged: self._member,
        }

    def apply(self, event: Struct) -> None:
        """An event that changes nothing of what is shown is passed over."""
        if (apply := self._handlers.get(type(event))) is not None:
            apply(event)

    def _message(self, message: Message) -> None:
        state = self._state
        view = state.chat(message.chat)
        if view is None:
            view = self._stranger(message)
        contact = state.contacts.get(view.peer)
        if contact is not None and contact.state is ContactState.CLOSED:
            return  # it was on its way while the account was closed, and is erased
        if view.add(message):
            state.bring_up(message.chat)
            if is_news(message, state.account):
                view.unread = min(view.unread + 1, MAX_UNREAD)
            elif is_own(message, state.account):
                view.unread = 0
        state.typing.take(Typing(message.chat, message.sender, False))
        if view.kind == UNKNOWN:
            state.seek()

    def _stranger(self, message: Message) -> ChatView:
        """A chat that only this message tells of: with its sender where its id says so, else of any kind."""
        kind = self._state.voice.kind(message.chat, message.sender)
        if kind is None:
            return self._state.hold(ChatView(message.chat, UNKNOWN, "", ""))
        if kind == "direct":
            return self._state.hold(ChatView(message.chat, kind, message.sender, message.sender))
        return self._state.hold_of_node(message.chat, kind)

    def _updated(self, event: ChatUpdated) -> None:
        info = event.chat
        view = self._state.chat(info.chat)
        if view is None:
            view = self._state.hold(ChatView(info.chat, info.kind, "", ""))
        if view.update(info, event.cursor):
            self._state.typing.wipe(info.chat)
            self._state.voice.forget()
        if view.last is None:  # with nothing in it, its place in the list is where it changed
            self._state.bring_up(info.chat)
        if view.kind == "direct" and not view.peer:
            view.kind = UNKNOWN  # with whom it is is not told with this
            self._state.seek()

    def _changed(self, event: ChatChanged) -> None:
        # A chat that is not held is read as it is now when it is asked for.
        if (view := self._state.chat(event.message.chat)) is not None:
            view.change(event, self._state.account)

    def _post(self, event: PostChanged) -> None:
        if (view := self._state.chat(event.chat)) is None:
            return
        if event.code is not None:
            view.waiting.pop(event.post, None)
        elif event.message is not None:
            view.wait(event.post, event.message)

    def _set(self, event: SettingsChanged) -> None:
        if (view := self._state.chat(event.chat)) is not None:
            view.settings = event.settings

    def _member(self, event: MemberChanged) -> None:
        state = self._state
        view = state.held(event.chat)
        if event.member.account == state.account:
            state.groups.answered(event.chat)
            if event.member.state in ("left", "removed"):
                state.groups.drop(event.chat)
                state.wipe(event.chat)
                return
            if view is None:
                view = state.hold(ChatView(event.chat, "group", "", ""))
            view.role = event.member.role
        state.groups.member(event, view)

    def _receipt(self, receipt: Receipt) -> None:
        if (view := self._state.chat(receipt.chat)) is None:
            return
        if receipt.account == self._state.account:
            if receipt.read is not None:
                self._state.marked(receipt.chat, receipt.read)
            return
        view.peer_delivered = receipt.delivered or view.peer_delivered
        view.peer_read = receipt.read or view.peer_read

    def _contact(self, event: ContactChanged) -> None:
        state, contact = self._state, event.contact
        if contact.state is ContactState.NONE:
            state.contacts.pop(contact.account, None)
        else:
            state.contacts[contact.account] = contact
        if event.erased or contact.state is ContactState.CLOSED:
            state.wipe(contact.chat)
        view = state.held(contact.chat)
        if view is not None:
            if view.kind == UNKNOWN:
                view.kind, view.peer = "direct", contact.account
            view.address, view.display_name = contact.address, contact.display_name or view.display_name

    def _profile(self, account: str, profile: Profile) -> None:
        state = self._state
        if account == state.account:
            state.profile = profile
            return
        if (contact := state.contacts.get(account)) is not None:
            state.contacts[account] = replace(contact, display_name=profile.display_name)
        state.rename(account, profile.display_name)
