"""Events on their way to the application: each once, in order, and never more held than a bound."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from msgspec import Struct
from twisted.internet.defer import Deferred, fail, succeed

from safeum_home.client.errors import SessionEnded
from safeum_home.protocol.types import Message

REMEMBERED = 4096
"""How many cursors are kept to recognise an event that comes twice."""
QUEUE = 1024
"""How many events an application may be behind before the rest is left with the node."""


class Link(Enum):
    """How the session stands, for people."""

    ONLINE = "online"
    OFFLINE = "offline"
    CONNECTING = "connecting"
    ASLEEP = "asleep"
    """Until it is woken, or used."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The session is now `link`. Said by the client itself, not by the node.

    `retry_in` is in seconds while offline. `reset` means that events were lost: it is only ever set where
    the node no longer knew the cursor. What the client's `state` holds was loaded again by then.
    `untrusted` means that whoever answered had another certificate than the node's.
    """

    link: Link
    reason: str = ""
    retry_in: float | None = None
    reset: bool = False
    untrusted: bool = False


Heard = Struct | LinkChanged
Listen = Callable[[Heard], None]


def cursor_of(event: Struct) -> str | None:
    """The place of a durable event; None for one that is not: it has no cursor (`protocol.events`)."""
    if isinstance(event, Message):
        return event.id
    cursor: str | None = getattr(event, "cursor", None)
    return cursor


class Once:
    """Recognises events that were seen, among the last `REMEMBERED`."""

    def __init__(self) -> None:
        self._order: deque[tuple[type, str]] = deque()
        self._seen: set[tuple[type, str]] = set()

    def first(self, kind: type[Struct], cursor: str) -> bool:
        """Whether this is the first time; remembers it."""
        key = (kind, cursor)
        if key in self._seen:
            return False
        self._seen.add(key)
        self._order.append(key)
        if len(self._order) > REMEMBERED:
            self._seen.discard(self._order.popleft())
        return True


class Stream:
    """`async for event in stream`: the node's events since the stream was made.

    When it is full the session takes no further events: once half of it was consumed, the session
    resumes from the last event taken, and the node sends the rest again. So nothing is lost, memory is
    bounded, and answers to commands come through meanwhile. Ends with `SessionEnded` when the
    session ends without having been closed here.
    """

    def __init__(
        self, drained: Callable[[], None], left: Callable[["Stream"], None], limit: int = QUEUE
    ) -> None:
        self._drained = drained
        self._left = left
        self._limit = limit
        self._events: deque[Struct] = deque()
        self._waiting: Deferred[Struct] | None = None
        self._end: Exception | None = None

    @property
    def full(self) -> bool:
        return len(self._events) >= self._limit

    @property
    def roomy(self) -> bool:
        """Whether it has come down to half."""
        return len(self._events) <= self._limit // 2

    def put(self, event: Struct) -> None:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.callback(event)
        else:
            self._events.append(event)

    def finish(self, ended: SessionEnded | None) -> None:
        """No event follows; those that are held are still handed out."""
        self._end = ended or StopAsyncIteration()
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.errback(self._end)

    def close(self) -> None:
        """Nobody listens any more; closing twice is harmless."""
        if self._end is None:
            self._left(self)
            self.finish(None)

    def __aiter__(self) -> "Stream":
        return self

    def __anext__(self) -> "Deferred[Struct]":
        if self._events:
            event = self._events.popleft()
            if self.roomy:
                self._drained()
            return succeed(event)
        if self._end is not None:
            return fail(self._end)
        self._waiting = Deferred(self._forget)
        return self._waiting

    def _forget(self, _: "Deferred[Struct]") -> None:
        self._waiting = None
