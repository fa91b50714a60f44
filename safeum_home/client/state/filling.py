"""A view that is being filled: the newest first, the rest page by page, while events go on coming.

A page holds what was true at one moment, and the node told everything up to then before it answered. So
what came since the filling began is applied once more on top of whatever a page brings: an event that the
page knew already changes nothing, and a newer one is not lost.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeGuard

from msgspec import Struct

from safeum_home.client.state.chat_view import ChatView
from safeum_home.protocol.events import ChatChanged, ChatUpdated, GroupInvitation, MemberChanged, Receipt
from safeum_home.protocol.types import ChatSummary, Contact, Message, Profile

if TYPE_CHECKING:
    from safeum_home.client.state.state import State

KEPT_EVENTS = 10_000


class Loaded(Struct, frozen=True):
    """Told to those who listen: more of what the client shows was loaded. Not of the node."""


class Filling:
    """What was loaded so far, and what has happened since the beginning."""

    def __init__(self, state: "State") -> None:
        self._state = state
        self._begun = False
        self.chats: dict[str, int] = {}
        """Those that pages have brought, with their places in the order of these: the newest is 0."""
        self.contacts: set[str] = set()
        self._events: list[Struct] = []
        self.overflowed = False
        """More has happened than is kept: what is not loaded yet has to be loaded from the beginning."""
        self._erased = {view.chat: view.erased for view in state.chats}

    @property
    def wanted(self) -> bool:
        """Whether no later one has begun, and this one is not over."""
        return self._state.filling is self

    def keeps(self, event: Struct) -> bool:
        """An event has come; True where there is nothing yet that it could be applied to."""
        if isinstance(event, ChatUpdated):
            self._forget_past(event)
        if not self.overflowed and len(self._events) < KEPT_EVENTS:
            self._events.append(event)
        else:
            self.overflowed = True  # for good, though room is made: what was not kept is missing
        return not self._begun

    def _forget_past(self, event: ChatUpdated) -> None:
        """What came before a chat was erased is not to be applied once more: its page has no trace of it."""
        chat, erased = event.chat.chat, event.chat.erased
        # Of a chat that is new here: one that is erased with this event says so of its own position.
        if erased is None or erased == self._erased.get(chat, None if erased == event.cursor else erased):
            return  # its past is as it was
        self._erased[chat] = erased
        past = (Message, ChatChanged, Receipt)
        kept = [each for each in self._events if not isinstance(each, past) or _about(each)[0] != chat]
        self._events = kept

    def begin(self, own: Profile, contacts: list[Contact], chats: list[ChatSummary]) -> None:
        """Replace all that is shown by the first answer."""
        if self.wanted:
            self._begun = True
            self._state.replace(own, self._new_contacts(contacts), self._new_chats(chats))
            self._apply(self._on_top_of(chats))

    def go_on(self, contacts: list[Contact], chats: list[ChatSummary]) -> None:
        """Show a further page of contacts, or of chats."""
        if not self.wanted:
            return
        contacts, chats = self._new_contacts(contacts), self._new_chats(chats)
        self._state.extend(contacts, chats)
        accounts = {contact.account for contact in contacts}
        accounts |= {summary.peer for summary in chats if summary.peer is not None}
        self._apply(self._on_top_of(chats, accounts))
        self._state.tell(Loaded())

    def end(self) -> None:
        """All is there, or nothing will come. Where not even the first answer came, all stays as it was."""
        if self.wanted:
            self._state.filling = None
            for event in [] if self._begun else self._events:
                self._state.take(event)
            if self._state.unknown:
                self._state.seek()

    def _apply(self, events: Iterable[Struct]) -> None:
        for event in events:
            self._state.apply(event)
        # What has come since the beginning is newer than whatever came before. Applying it in parts, and once
        # more, has mixed that up.
        come: dict[str | None, int] = {}
        for place, event in enumerate(self._events):
            if isinstance(event, Message):
                come[event.id] = place
            elif isinstance(event, ChatUpdated):
                come[event.chat.chat] = place

        def placed(view: ChatView) -> tuple[int, int]:
            last = view.chat if view.last is None else view.last.id
            if last in come:
                return 1, come[last]
            return 0, -self.chats.get(view.chat, len(self.chats))

        self._state.arrange(placed)

    @property
    def strangers(self) -> set[str]:
        """Listed chats in which there was a message, or that changed, and that no page has brought."""
        written = {each.chat for each in self._events if isinstance(each, Message)}
        changed = {each.chat.chat for each in self._events if isinstance(each, ChatUpdated)}
        return (written | (changed & {view.chat for view in self._state.chats})) - self.chats.keys()

    def _new_chats(self, page: Iterable[ChatSummary]) -> list[ChatSummary]:
        """Those of a page that have not come before: a chat that is written in moves to the front."""
        new = [summary for summary in page if summary.chat not in self.chats]
        for summary in new:
            self.chats[summary.chat] = len(self.chats)
        return new

    def _new_contacts(self, page: Iterable[Contact]) -> list[Contact]:
        """The same of contacts."""
        new = [contact for contact in page if contact.account not in self.contacts]
        self.contacts |= {contact.account for contact in new}
        return new

    def _on_top_of(self, chats: list[ChatSummary], accounts: set[str] | None = None) -> Iterator[Struct]:
        """The events that are to be applied to `chats`, and to what is known of `accounts` (None: of all)."""
        shown = {summary.chat for summary in chats}
        ids = [event.id if isinstance(event, Message) else None for event in self._events]
        counted = {
            chat.chat: ids.index(chat.last.id)
            for chat in chats
            if chat.last is not None and chat.last.id in ids
        }
        told = {
            event.chat.chat: place
            for place, event in enumerate(self._events)
            if isinstance(event, ChatUpdated)
        }
        for place, event in enumerate(self._events):
            chat, account = _about(event)
            if isinstance(event, Message) and place <= counted.get(event.chat, -1):
                continue  # the summary has counted it; its text comes with the history
            if isinstance(event, ChatUpdated) and told[event.chat.chat] != place:
                continue  # of what a chat is the last counts: an older one would have it wiped once more
            if self._over(event) and place < counted.get(event.chat, -1):
                continue  # the summary is of the time after it: one is in the group again
            if accounts is None or chat in shown or (chat is None and account in accounts):
                yield event

    def _over(self, event: Struct) -> TypeGuard[MemberChanged]:
        """Whether a group, or an invitation, is over for the account with this event."""
        if not isinstance(event, MemberChanged) or event.member.account != self._state.account:
            return False
        return event.member.state in ("left", "removed")


def _about(event: Any) -> tuple[str | None, str | None]:
    """The chat that an event is about, or the account."""
    chat = getattr(event, "chat", None)
    message = getattr(event, "message", None)
    if isinstance(message, Message):
        chat = message.chat
    if isinstance(event, GroupInvitation):
        chat = event.invitation.chat
    if chat is not None:
        return getattr(chat, "chat", chat), None
    contact = getattr(event, "contact", None)
    return None, getattr(contact, "account", getattr(event, "account", None))
