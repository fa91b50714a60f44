"""Where events arrive: each is taken once, in order, told to whoever listens, and acknowledged."""

from collections.abc import Callable

from msgspec import Struct
from twisted.internet.interfaces import IReactorTime

from safeum_home.client.abilities.acks import Acks
from safeum_home.client.errors import SessionEnded
from safeum_home.client.events import QUEUE, Heard, Listen, Once, Stream, cursor_of
from safeum_home.client.listeners import Listeners
from safeum_home.client.methods.message import sent_message
from safeum_home.client.state.state import State
from safeum_home.protocol.commands import ChatSend, Opened, Sent
from safeum_home.protocol.events import PostChanged
from safeum_home.protocol.types import Message


class Inbox:
    """The receiving half of a session. `cursor` is where the next connection goes on.

    When a stream is full nothing further is taken; when all have room again `catch_up` is called, which
    has the session resume from `cursor`.
    """

    def __init__(
        self, clock: IReactorTime, acknowledge: Callable[[str], bool], catch_up: Callable[[], None]
    ) -> None:
        self.cursor: str | None = None
        self.seen: str | None = None
        """The newest message of this device that the node has: no event told of it, so `cursor` may be before
        it. It must not become the cursor, as events that come before it may be on their way still."""
        self._seen_at = 0
        self.once = Once()
        self.acks = Acks(clock, acknowledge)
        self.state = State(clock, self.tell)
        self._catch_up = catch_up
        self._listeners = Listeners[Heard]()
        self._streams: list[Stream] = []
        self._behind = False

    def opened(self, opened: Opened) -> None:
        """A session is open on a new connection: the node has said who it is, and where it begins."""
        self.state.voice.pin(opened)
        if self.cursor is None:
            self.cursor = opened.cursor
        self.state.policy = opened.policy

    def forget(self) -> None:
        """The node does not know the cursor: it may use those seen before for other events."""
        self.cursor = self.seen = None
        self._seen_at = 0
        self.once = Once()
        self.acks.forget()

    def listen(self, listener: Listen) -> Callable[[], None]:
        return self._listeners.add(listener)

    def stream(self, limit: int = QUEUE) -> Stream:
        stream = Stream(self._drained, self._left, limit)
        self._streams.append(stream)
        return stream

    def take(self, event: Struct) -> None:
        """An event has come from the node."""
        if self._behind or any(stream.full for stream in self._streams):
            self._behind = True
            return
        cursor = cursor_of(event)
        if cursor is not None:
            self.cursor = cursor
            self.acks.took(cursor)
            if not self.once.first(type(event), cursor):
                if isinstance(event, Message):
                    self.state.again(event)
                return
        self.state.take(event)
        self.tell(event)
        for stream in list(self._streams):
            stream.put(event)

    def sent(self, params: ChatSend, sent: Sent, account: str) -> None:
        """The node has a message of one's own: it is shown from now on, and is nothing new when it comes."""
        if sent.waiting:
            self._waits(params, sent, account)
            return
        # Of one that is gone the time is that of the answer. What was sent again may be an older one.
        if not sent.erased and sent.before is None and sent.at >= self._seen_at:
            self.seen, self._seen_at = sent.id, sent.at
        own = sent_message(params, sent, account)
        if own is None or not self.once.first(Message, own.id):
            return
        before = self.state.chat(own.chat)
        unread = 0 if before is None else before.unread
        self.state.take(own)
        view = self.state.chat(own.chat)
        if view is not None and view.put_before(own.id, sent.before):
            # It is gone, so no event tells its place. What was written behind it is as unread as it was.
            view.unread = min(unread, view.news(account, view.place(own.id) + 1))

    def _waits(self, params: ChatSend, sent: Sent, account: str) -> None:
        """It has no place in the chat yet."""
        if (own := sent_message(params, sent, account)) is not None:
            self.state.take(PostChanged(sent.id, own.chat, sent.id, own))

    def tell(self, event: Heard) -> None:
        """Call the listeners; one that fails harms nobody."""
        self._listeners.tell(event)

    def _drained(self) -> None:
        if self._behind and all(stream.roomy for stream in self._streams):
            self._behind = False
            self._catch_up()

    def _left(self, stream: Stream) -> None:
        self._streams.remove(stream)
        self._drained()

    def end(self, ended: SessionEnded | None) -> None:
        """Nothing follows."""
        self.acks.stop()
        self.state.stop()
        for stream in list(self._streams):
            stream.finish(ended)
