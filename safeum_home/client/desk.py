"""What a person does at a terminal, and what is shown to them: without a terminal."""

from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from safeum_home.client.chat_view import ChatView
from safeum_home.client.errors import ClientError
from safeum_home.client.events import Heard, Link, LinkChanged
from safeum_home.client.session import Client
from safeum_home.client.state import State
from safeum_home.client.text import explain, safe
from safeum_home.protocol.events import ContactChanged
from safeum_home.protocol.types import Contact, ContactState, LoginAlert, Message, Text
from safeum_home.spawn import spawn

TYPING_EVERY = 4_000
MAX_TEXT = 8192


@dataclass(frozen=True, slots=True)
class Notice:
    """A line for this person alone, in the chat where it came up (None: the first page)."""

    at: int
    chat: str | None
    text: str
    style: str = "notice"


@dataclass(slots=True)
class Outgoing:
    """A message that the node does not have yet; `error` says why it will not have it."""

    chat: str
    client_id: str
    text: str
    at: int
    error: str = ""


@dataclass
class Desk:
    """The model behind the terminal client. `now` is in milliseconds; `refresh` asks for a redraw."""

    client: Client
    now: Callable[[], int]
    refresh: Callable[[], None] = lambda: None
    leave: Callable[[], None] = lambda: None
    current: str | None = None
    scroll: int = 0
    """Lines that the newest one is below the window."""
    new_from: str | None = None
    """The first message that was unread when the chat was opened."""
    link: LinkChanged = field(default_factory=lambda: LinkChanged(Link.ONLINE))
    link_at: int = 0
    banner: str = ""
    notices: "deque[Notice]" = field(default_factory=lambda: deque(maxlen=300))
    outgoing: list[Outgoing] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    """The ids behind the numbers of the last numbered list."""
    _typed: int = 0

    @property
    def state(self) -> State:
        return self.client.state

    @property
    def chat(self) -> ChatView | None:
        """The chat that is open."""
        return None if self.current is None else self.state.chat(self.current)

    # --- names -----------------------------------------------------------------------------------

    def name(self, account: str) -> str:
        """What to call an account: a display name, else an address; never an id where a name is known."""
        if account == self.state.account:
            return "You"
        contact = self.state.contacts.get(account)
        if contact is not None:
            return safe(contact.display_name) or self.short(contact.address)
        for chat in self.state.chats:
            if chat.peer == account:
                return self.title(chat)
        return safe(account)

    def title(self, chat: ChatView) -> str:
        """What to call a chat."""
        if chat.kind == "system":
            return safe(chat.display_name) or "Your node"
        return safe(chat.display_name) or self.short(chat.address)

    def short(self, address: str) -> str:
        """An address as one writes it here: without the node where that is one's own."""
        home = "@" + self.state.address.partition("@")[2]
        return safe(address.removesuffix(home))

    def wanted(self) -> list[Contact]:
        """Requests that wait for an answer."""
        return [entry for entry in self.state.contacts.values() if entry.state is ContactState.INCOMING]

    # --- telling ---------------------------------------------------------------------------------

    def note(self, text: str, style: str = "notice") -> None:
        """A line for this person, here."""
        self.notices.append(Notice(self.now(), self.current, text, style))
        self.scroll = 0
        self.refresh()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something; what goes wrong is told in words."""

        async def told() -> None:
            try:
                await work
            except ClientError as error:
                self.note(explain(error), "error")

        spawn(told(), "a command")

    # --- chats -----------------------------------------------------------------------------------

    def open(self, chat: str | None) -> None:
        """Show a chat, or the first page."""
        self.current, self.scroll, self.new_from = chat, 0, None
        view = self.chat
        if view is not None:
            self.banner = ""
            if view.loaded:
                self._opened(view)
            else:
                self.run(self._first_page(view))
        self.refresh()

    async def _first_page(self, view: ChatView) -> None:
        await self.older(view)
        if self.current == view.chat:
            self._opened(view)

    def _opened(self, view: ChatView) -> None:
        theirs = [message for message in view.messages if message.sender != self.state.account]
        if 0 < view.unread <= len(theirs):
            self.new_from = theirs[-view.unread].id
        self._mark_read(view)

    async def older(self, view: ChatView) -> None:
        """Load the page before what is held."""
        before = view.messages[0].id if view.loaded and view.messages else None
        page = await self.client.history(view.chat, before)
        self.state.page(view.chat, page.messages, page.more)
        self.refresh()

    def _mark_read(self, view: ChatView) -> None:
        if view.unread and view.last is not None:
            self.run(self._read(view.chat, view.last.id))

    async def _read(self, chat: str, upto: str) -> None:
        await self.client.read(chat, upto)
        self.refresh()

    def neighbour(self, step: int) -> None:
        """Open the next chat of the list, or the one before."""
        chats = [None, *(chat.chat for chat in self.state.chats)]
        place = chats.index(self.current) if self.current in chats else 0
        self.open(chats[(place + step) % len(chats)])

    def scrolled(self, lines: int, highest: int | None = None) -> None:
        """Move the window up (or down), to `highest` at most; there older messages are asked for."""
        self.scroll = max(0, self.scroll + lines)
        view = self.chat
        if highest is not None and self.scroll >= highest:
            self.scroll = highest
            if view is not None and view.loaded and view.more:
                self.run(self.older(view))
        self.refresh()

    # --- writing ---------------------------------------------------------------------------------

    def typed(self) -> None:
        """A key was hit in a message: tell the other side, seldom."""
        if self.current is not None and self.now() - self._typed >= TYPING_EVERY:
            self._typed = self.now()
            self.client.typing(self.current)

    def write(self, text: str) -> None:
        """Send a message into the open chat."""
        view = self.chat
        if view is None:
            self.note("No chat is open. /chat NAME opens one, /add login@node finds somebody.", "error")
        elif view.kind == "system":
            self.note("This is where your node writes to you. Nobody reads answers here.", "error")
        elif len(text) > MAX_TEXT:
            self.note(f"That is too long: {len(text)} characters, and {MAX_TEXT} is the most.", "error")
        else:
            outgoing = Outgoing(view.chat, token_hex(12), text, self.now())
            self.outgoing.append(outgoing)
            self.scroll, self._typed = 0, 0
            self.deliver(outgoing)

    def deliver(self, outgoing: Outgoing) -> None:
        """Send, or send again: the same message both times."""
        outgoing.error = ""
        spawn(self._deliver(outgoing), "sending")
        self.refresh()

    async def _deliver(self, outgoing: Outgoing) -> None:
        try:
            await self.client.send(outgoing.chat, outgoing.text, outgoing.client_id)
            self.outgoing.remove(outgoing)
        except ClientError as error:
            outgoing.error = explain(error)
        self.refresh()

    # --- events ----------------------------------------------------------------------------------

    def heard(self, event: Heard) -> None:
        """Listen with this: `client.listen(desk.heard)`."""
        if isinstance(event, LinkChanged):
            self._link(event)
        elif isinstance(event, Message):
            self._message(event)
        elif isinstance(event, ContactChanged):
            self._contact(event.contact)
        self.refresh()

    def _link(self, event: LinkChanged) -> None:
        self.link, self.link_at = event, self.now()
        if event.reset:
            self.open(self.current if self.chat is not None else None)
            self.note("The node has forgotten what came last. This is what it holds now.")
        if event.link is Link.CLOSED:
            self.note(
                f"The session is over: {safe(event.reason)} Nothing more will arrive; /quit leaves.", "error"
            )

    def _message(self, message: Message) -> None:
        if message.sender == self.state.account:
            return
        view = self.state.chat(message.chat)
        if isinstance(message.body, LoginAlert) and message.chat != self.current:
            self.banner = body_text(message)
        if view is None:
            return
        if message.chat != self.current:
            self.banner = f"{self.title(view)}: {body_text(message)}"
        elif self.scroll == 0:
            self._mark_read(view)

    def _contact(self, contact: Contact) -> None:
        name = self.short(contact.address)
        if contact.state is ContactState.INCOMING:
            self.wants(contact)
        told = {
            ContactState.ACCEPTED: f"You and {name} are contacts now: /chat {name}",
            ContactState.REMOVED: f"{name} is no longer your contact.",
        }.get(contact.state)
        if told is not None:
            self.note(told, "contact")

    def wants(self, contact: Contact) -> None:
        """Somebody asks to be a contact."""
        name = self.short(contact.address)
        self.note(f"{name} asks to be your contact: /accept {name} or /decline {name}", "contact")


def body_text(message: Message) -> str:
    """A message as text that is safe to show; its line breaks are kept."""
    body = message.body
    if isinstance(body, Text):
        return safe(body.text, newlines=True)
    return f"New login: {safe(body.name)} on {safe(body.system)}"
