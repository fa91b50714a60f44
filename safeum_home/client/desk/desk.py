"""What a person does at a terminal, and what is shown to them: without a terminal."""

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime

from safeum_home.client.abilities.attention import Attention
from safeum_home.client.desk import secure_standing
from safeum_home.client.desk.call_desk import CallDesk
from safeum_home.client.desk.chat_list import listed
from safeum_home.client.desk.drafts import Drafts
from safeum_home.client.desk.history_pages import HistoryPages
from safeum_home.client.desk.mentions import mentioned
from safeum_home.client.desk.notices import Notice, Outgoing, undone
from safeum_home.client.desk.numbers import Numbers
from safeum_home.client.desk.outbox import Outbox
from safeum_home.client.desk.progress import Transfers
from safeum_home.client.desk.questions import Questions
from safeum_home.client.desk.secure_desk import SecureDesk
from safeum_home.client.desk.standing import refusal
from safeum_home.client.errors import ClientError
from safeum_home.client.events import Link, LinkChanged
from safeum_home.client.methods.voucher_tokens import Token
from safeum_home.client.session import Client
from safeum_home.client.state import alerts
from safeum_home.client.state.chat_view import UNKNOWN, ChatView
from safeum_home.client.state.state import State
from safeum_home.client.words.names import SECURE_MARK, Names
from safeum_home.client.words.text import explain
from safeum_home.ids import is_number
from safeum_home.protocol.commands import ContactFound
from safeum_home.protocol.types import Contact, ContactState
from safeum_home.spawn import spawn

TYPING_EVERY = 4_000
MAX_TEXT = 8192


class Desk:
    """The model behind the terminal client. `now` is in milliseconds; `refresh` asks for a redraw."""

    def __init__(self, client: Client, clock: IReactorTime, now: Callable[[], int]) -> None:
        self.client = client
        self.now = now
        self.refresh: Callable[[], None] = lambda: None
        self.leave: Callable[[], None] = lambda: None
        self.names = Names(client.state)
        self.attention = Attention(client, clock)
        self.outbox = Outbox(client, clock, now, self.last, self._redraw)
        self.pages = HistoryPages(self)
        self.numbers = Numbers(self)
        self.drafts = Drafts(client, client.state, clock)
        self.opened: Callable[[str], None] = lambda draft: None
        """Called with what was begun in the chat that is opened: it goes into the line for typing."""
        self.bell: Callable[[], None] = lambda: None
        """Called where somebody is to look up."""
        self.wiped: Callable[[], None] = lambda: None
        """Called where something is erased: lines that were typed before are not to be offered again."""
        self.profile = DeferredLock()
        """Held while one's own profile is read, changed and written: it is only ever replaced whole."""
        self.current: str | None = None
        self.mark: object = None
        """The newest entry when the window was moved up, to which it stays fixed; None: it follows."""
        self.scroll = 0
        """Lines that the end of `mark` is below the window."""
        self.reading: list[Notice] = []
        """A text that is shown instead of the chat, from the line `top` on."""
        self.reading_title = ""
        self.top = 0
        self.new_from: str | None = None
        """The first message that was unread when the chat was opened."""
        self.link = LinkChanged(Link.ONLINE)
        self.link_at = 0
        self.banner = ""
        self.keys_since: dict[str, int] = {}
        """Of the changes of keys that were shown last, of each account: when those came into force."""
        self.untrusted = False
        """Whether it was left because the node showed another certificate."""
        self.notices: deque[Notice] = deque(maxlen=300)
        self.listed: list[str] = []
        self.tokens: dict[str, Token] = {}
        """Of vouchers that were not redeemed yet, by their codes."""
        """The ids behind the numbers of the last numbered list."""
        self.shown_policy: str | None = None
        """The version of the node's policy that was on the screen."""
        self.agreed_policy: str | None = None
        """The version that this account has agreed to, where that is known here."""
        self.questions = Questions()
        self.calls = CallDesk(self)
        self.secure = SecureDesk(self, clock)
        self.names.sign = lambda view: secure_standing.sign(self, view)
        self.names.partner = lambda view: secure_standing.partner(self, view)
        self.transfers = Transfers()
        """Files on their way."""
        self.found: dict[str, ContactFound] = {}
        """Those whom /sync found last, by their numbers."""
        self.wanted_numbers: frozenset[str] = frozenset()
        """Phone numbers that are looked up once this person agrees."""
        self._typed = 0
        self._told: set[object] = set()

    @property
    def state(self) -> State:
        return self.client.state

    @property
    def device(self) -> str:
        return "" if self.client.opened is None else self.client.opened.device

    @property
    def has_number(self) -> bool:
        """Whether this account goes by a mobile number."""
        return is_number(self.state.address.partition("@")[0])

    # --- chats -----------------------------------------------------------------------------------

    @property
    def chat(self) -> ChatView | None:
        """The chat that is open, with what can be read in it."""
        view = None if self.current is None else self.state.chat(self.current)
        return None if view is None else self.secure.opened(view)

    @property
    def prompt(self) -> str:
        """What stands before the line; with a lock where what is written there is sealed."""
        view, prompt = self.chat, self.questions.prompt
        open = view is not None and view.secure and not self.secure.sealed(view)
        return f"{SECURE_MARK}{prompt}" if open and not self.questions.open else prompt

    def chats(self) -> list[ChatView]:
        """All chats: the node's own, those in which something was written, the newest first, the others."""
        return listed(self)

    def standing(self, view: ChatView) -> ContactState | None:
        """How things stand with the other side; None where that side is in no list."""
        contact = self.state.contacts.get(view.peer)
        return None if contact is None else contact.state

    def wanted(self) -> list[Contact]:
        """Requests that wait for an answer."""
        return [entry for entry in self.state.contacts.values() if entry.state is ContactState.INCOMING]

    def unread(self, view: ChatView) -> int:
        """Messages that are news to the person here."""
        return alerts.unread(view, self.device, self.state.account)

    def last(self, chat: str) -> str | None:
        """The newest message of a chat."""
        view = self.state.chat(chat)
        return None if view is None or view.last is None else view.last.id

    # --- telling ---------------------------------------------------------------------------------

    def tell(
        self,
        text: str,
        style: str = "notice",
        chat: str | None = None,
        hang: int = 0,
        about: str | None = None,
    ) -> None:
        """A line for this person that nobody asked for: it leaves the window where it is.

        `about` is the chat that it has words of, where it does not stand there.
        """
        where = chat or self.current
        after = None if where is None else self.last(where)
        self.notices.append(Notice(self.now(), where, text, style, after, hang, about))
        self.refresh()

    def note(self, text: str, style: str = "notice", hang: int = 0, about: str | None = None) -> None:
        """A line that answers this person, here; what follows of it is indented by `hang`."""
        self.reading = []
        self.follow()
        self.tell(text, style, hang=hang, about=about)

    def read(self, lines: list[Notice], title: str = "Help") -> None:
        """Show a text instead of the chat; with no lines, the chat again."""
        self.reading, self.top, self.reading_title = lines, 0, title
        if not lines and self.mark is None:
            self.follow()
        self.refresh()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something; what goes wrong is told in words."""

        async def told() -> None:
            try:
                await work
            except ClientError as error:
                self.note(explain(error), "error")

        spawn(told(), "a command")

    # --- reading ---------------------------------------------------------------------------------

    def begin(self) -> None:
        """`state` was loaded: look at what is in it."""
        self.names.forget()
        self.pages.begin()
        self.refresh()

    def open(self, chat: str | None) -> None:
        """Show a chat, or the first page."""
        elsewhere = chat != self.current
        if elsewhere and self.current is not None:
            self.drafts.left(self.current)
        self.current, self.new_from, self.reading = chat, None, []
        self.mark, self.scroll = None, 0
        view = self.chat
        draft = None if chat is None else self.drafts.of(chat)
        if elsewhere:
            self.opened("" if draft is None else draft.text)
            self.numbers.opened()
        if view is not None:
            self.banner = ""
            self.secure.alarms.seen(chat)
            self.pages.open(view)
        self.refresh()

    def neighbour(self, step: int) -> None:
        """Open the next chat of the list, or the one before."""
        chats = [None, *(chat.chat for chat in self.chats())]
        place = chats.index(self.current) if self.current in chats else 0
        self.open(chats[(place + step) % len(chats)])

    def follow(self) -> None:
        """Show the newest, also when more comes."""
        self.mark, self.scroll = None, 0
        if self.chat is not None:
            self.pages.seen(self.chat)

    # --- writing ---------------------------------------------------------------------------------

    def typed(self, text: str) -> None:
        """A key was hit in a message, which is this now: tell the other side, seldom, and keep a draft."""
        if self.current is None:
            return
        self.drafts.typed(self.current, text)
        known = self.chat is None or self.chat.kind != UNKNOWN
        if text and known and self.now() - self._typed >= TYPING_EVERY:
            self._typed = self.now()
            self.client.typing(self.current)

    def write(self, text: str, reply_to: str | None = None) -> None:
        """Send a message into the open chat; `@name` in a group mentions that member."""
        view = self.chat
        if view is None:
            self.note("No chat is open. /chat NAME opens one, /add login@node finds somebody.", "error")
        elif view.kind == "system":
            self.note("This is where your node writes to you. Nobody reads answers here.", "error")
        elif view.kind == "voicemail":
            self.note("Nobody reads answers here: /dial NUMBER calls back.", "error")
        elif (refused := refusal(self, view)) is not None:
            self.drafts.sent(view.chat)
            self.outbox.refuse(view.chat, text, f"{refused}.", reply_to)
            self.follow()
        elif len(text) > MAX_TEXT:
            self.note(f"That is too long: {len(text)} characters, and {MAX_TEXT} is the most.", "error")
        elif view.secure:
            self.secure.write(view, text, reply_to)
        else:
            self._typed = 0
            self.follow()
            self.drafts.sent(view.chat)
            self.outbox.put(view.chat, text, reply_to, mentioned(self, view, text))

    @property
    def unsent(self) -> list[Outgoing]:
        """What was written and is not on the node."""
        return [*self.outbox.items, *self.secure.all_unsent()]

    def _redraw(self) -> None:
        self.refresh()

    def quit(self) -> None:
        """Leave; where something was not sent, or is on its way, only when that was said before."""
        waiting, moving = self.unsent, self.transfers.under_way()
        unsent = len(waiting)
        missing = {*(item.client_id for item in waiting), *moving}
        if missing <= self._told:
            self.leave()
            return
        self._told |= missing
        over = self.link.link is Link.CLOSED
        retry = "what is to be kept has to be copied from here" if over else "/retry sends again"
        instead = retry if unsent else "and what is on its way ends there"
        self.note(f"{undone(unsent, len(moving))}; leave all the same? /quit does, {instead}.", "error")
