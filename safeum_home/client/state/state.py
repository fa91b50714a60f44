"""What a client shows, in memory: contacts, chats, messages as loaded, receipts, who types.

Built from the node by `load`, kept current by the events that the session hands to `take`. Nothing here
is authoritative: it can be thrown away and loaded again at any time.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from safeum_home.client.state.applying import Applying
from safeum_home.client.state.chat_view import UNKNOWN, ChatView, view_of
from safeum_home.client.state.filling import Filling
from safeum_home.client.state.group_state import GroupState
from safeum_home.client.state.presence_view import PresenceView
from safeum_home.client.state.typing_view import TypingView
from safeum_home.client.state.voice import NodeVoice
from safeum_home.protocol.commands import Named
from safeum_home.protocol.news import is_own
from safeum_home.protocol.types import ChatSummary, Contact, Message, Profile

MAX_CHATS = 2000
NODE_NAMES = {"system": "SafeUM", "support": "SafeUM Support", "voicemail": "Voicemail"}
"""What the node's own contacts are called before it has said so."""


class State:
    """The view. `tell` is called with a `Typing(active=False)` when somebody's typing has expired.

    Also with a `Loaded` where more was loaded.
    """

    def __init__(self, clock: IReactorTime, tell: Callable[[Struct], None]) -> None:
        self._clock = clock
        self.tell = tell
        self.typing = TypingView(clock, self.held, tell)
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
        self.seek: Callable[[], None] = lambda: None
        """Asks the node for the summaries of chats that are `unknown`; set by `load`."""
        self._pauses: set[Deferred[None]] = set()
        self._events = Applying(self)

    # --- reading ---------------------------------------------------------------------------------

    @property
    def chats(self) -> list[ChatView]:
        """Chats, the one that was written in last first: as the node lists them.

        A group is one without a message, too, and so is a chat whose past was erased.
        """
        return [chat for chat in reversed(self._chats.values()) if chat.listed]

    @property
    def unknown(self) -> set[str]:
        """Chats of which nothing is known but what has come in them."""
        return {view.chat for view in self._chats.values() if view.kind == UNKNOWN}

    @property
    def unread(self) -> int:
        return sum(chat.unread for chat in self._chats.values())

    def chat(self, chat: str) -> ChatView | None:
        """A chat by its id, also one with a contact, or support, in which nothing was written yet."""
        view = self._chats.get(chat)
        if view is None and chat == self.voice.support_chat:
            view = self.hold_of_node(chat, "support")
        if view is None and chat == self.voice.notes:
            view = self.hold(ChatView(chat, "self", "", "", "Notes"))
        if view is None:
            contact = next((entry for entry in self.contacts.values() if entry.chat == chat), None)
            if contact is not None:
                view = self._of(contact)
        return view

    def held(self, chat: str) -> ChatView | None:
        """A chat by its id, where it was loaded or something of it has come."""
        return self._chats.get(chat)

    def hold(self, view: ChatView) -> ChatView:
        """A chat is known now; it counts as the one that was written in last."""
        self._chats[view.chat] = view
        return view

    def hold_of_node(self, chat: str, kind: str) -> ChatView:
        """One of the node's own chats is known now."""
        return self.hold(ChatView(chat, kind, self.voice.contact(kind), "", NODE_NAMES[kind]))

    def bring_up(self, chat: str) -> None:
        """Something was written in a chat that is held."""
        self._chats[chat] = self._chats.pop(chat)

    def _of(self, contact: Contact) -> ChatView:
        return self.hold(
            ChatView(contact.chat, "direct", contact.account, contact.address, contact.display_name)
        )

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

    def introduce(self, summary: ChatSummary) -> None:
        """The node has said which chat it is that is `unknown`; of all others more is known here."""
        if (view := self._chats.get(summary.chat)) is not None and view.kind == UNKNOWN:
            view.introduce(summary)

    def arrange(self, place: Callable[[ChatView], tuple[int, int]]) -> None:
        """Put all chats in the order of `place`, the newest last."""
        self._chats = dict(sorted(self._chats.items(), key=lambda item: place(item[1])))

    def page(self, chat: str, messages: list[Message], more: bool, waiting: Sequence[Message] = ()) -> None:
        """Older messages, or the newest, of a chat, and what of this account's waits behind them."""
        view = self.chat(chat)
        if view is not None:
            view.join(messages, more)
            for message in waiting:
                view.wait(message.id, message)
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
        self._events.apply(event)

    def again(self, message: Message) -> None:
        """A message of one's own, which was shown when the node had it, has come in its order."""
        if (view := self._chats.get(message.chat)) is not None:
            view.again(message)
            if is_own(message, self.account):
                view.unread = 0

    def marked(self, chat: str, upto: str) -> None:
        """This account has read up to `upto`, here or elsewhere."""
        if (view := self._chats.get(chat)) is not None:
            view.marked(self.account, upto)

    def rename(self, account: str, display_name: str) -> None:
        """This is what somebody goes by now."""
        for view in self._chats.values():
            if view.peer == account:
                view.display_name = display_name

    def wipe(self, chat: str) -> None:
        """The chat was erased on the node: nothing of it stays here either."""
        self._chats.pop(chat, None)
        self.typing.wipe(chat)
        self.voice.forget()

    def pause(self, seconds: float) -> "Deferred[None]":
        """Some time, or until `stop`: it is cancelled then."""
        pause = deferLater(self._clock, seconds, lambda: None)
        self._pauses.add(pause)

        def over(result: "Failure | None") -> "Failure | None":
            self._pauses.discard(pause)
            return result

        return pause.addBoth(over)

    def stop(self) -> None:
        """No timer is left behind."""
        for pause in list(self._pauses):
            pause.cancel()
        self.typing.stop()
