"""Messages on their way: one flow per pair of a sender and a recipient."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from time import perf_counter, time
from typing import Protocol

from bench.failure import Failure
from bench.framing import Spans, frame, header
from bench.meter import Meter
from bench.wire import OnFrames

BODY = 200
FIRST = 1_000_000_000
"""Messages are numbered from here, so that every number has as many digits as the next."""
DIGITS = 10
ACK_EVERY = 50


class End(Protocol):
    """As much of a connection as a flow needs."""

    on_frames: OnFrames

    @property
    def send(self) -> Callable[[bytes], None]: ...


class Flow(ABC):
    """One sender, one recipient, and the messages between them.

    A message is done when the recipient has it and the sender has its acknowledgement; where `refill`
    is set the next one then takes its place. Messages must arrive in order, each once.
    """

    acknowledged = True

    def __init__(self, sender: End, recipient: End) -> None:
        self._sender, self._recipient = sender, recipient
        self._next = FIRST
        self._unreceived: dict[bytes, float] = {}
        self._unacknowledged: dict[bytes, float] = {}
        self.meter = Meter(0)
        self.refill = False
        recipient.on_frames = self._on_recipient
        sender.on_frames = self._on_sender

    @property
    def under_way(self) -> int:
        return len(self._unreceived.keys() | self._unacknowledged.keys())

    def push(self, count: int, at: float) -> None:
        """Send `count` messages in one write; their latency counts from the moment `at`."""
        frames = []
        for number in range(self._next, self._next + count):
            key = b"%d" % number
            self._unreceived[key] = at
            if self.acknowledged:
                self._unacknowledged[key] = at
            frames.append(self._encode(key))
        self._next += count
        self._sender.send(frames[0] if count == 1 else b"".join(frames))

    def tick(self) -> None:  # noqa: B027 - a relay has nothing to do then
        """Called every 200 ms."""

    @abstractmethod
    def _encode(self, key: bytes) -> bytes:
        """The frame that sends a message."""

    @abstractmethod
    def _key(self, data: bytes, start: int, end: int) -> bytes | None:
        """The number of the message that a frame brings to the recipient; None where it is something else."""

    @abstractmethod
    def _ack_key(self, data: bytes, start: int, end: int) -> bytes | None:
        """The number of the message that a frame acknowledges; None where it is something else."""

    def _on_recipient(self, data: bytes, spans: Spans) -> None:
        now = perf_counter()
        meter, unreceived, unacknowledged = self.meter, self._unreceived, self._unacknowledged
        done = 0
        for start, end in spans:
            key = self._key(data, start, end)
            if key is None:
                continue
            if key != next(iter(unreceived), None):
                raise Failure(f"message {key!r} is lost, doubled or out of order")
            began = unreceived.pop(key)
            if meter.measuring:
                meter.latencies.append(now - began)
            done += key not in unacknowledged
        if done:
            self._done(done, now)

    def _on_sender(self, data: bytes, spans: Spans) -> None:
        now = perf_counter()
        meter, unreceived, unacknowledged = self.meter, self._unreceived, self._unacknowledged
        done = 0
        for start, end in spans:
            key = self._ack_key(data, start, end)
            if key is None:
                continue
            began = unacknowledged.pop(key, None)
            if began is None:
                raise Failure(f"message {key!r} is acknowledged twice, or was never sent")
            if meter.measuring:
                meter.ack_latencies.append(now - began)
            done += key not in unreceived
        if done:
            self._done(done, now)

    def _done(self, count: int, now: float) -> None:
        if self.meter.measuring:
            self.meter.count += count
        if self.refill:
            self.push(count, now)


class RelayFlow(Flow):
    """The relay acknowledges nothing: a message is done when it has arrived."""

    acknowledged = False

    def __init__(self, sender: End, recipient: End) -> None:
        super().__init__(sender, recipient)
        self._before, self._after = header(BODY), b"x" * (BODY - DIGITS)

    def _encode(self, key: bytes) -> bytes:
        return self._before + key + self._after

    def _key(self, data: bytes, start: int, end: int) -> bytes | None:
        if end - start != BODY:
            raise Failure(f"the relay forwarded {end - start} octets where {BODY} were sent")
        return data[start : start + DIGITS]

    def _ack_key(self, data: bytes, start: int, end: int) -> bytes | None:
        raise Failure("the relay sent something to a sender")


_RESULT = b'{"jsonrpc":"2.0","id":'
EVENT = b'{"jsonrpc":"2.0","method":"chat.message","params":{"id":"'
_OTHER_EVENT = b'{"jsonrpc":"2.0","method":"'
_TEXT = b'"text":"'
CURSOR = 22
_UUID = 36


class NodeFlow(Flow):
    """Messages in a direct chat; the recipient's device says what it holds as the SDK does."""

    def __init__(self, sender: End, recipient: End, chat: str, run: str) -> None:
        """`run` tells this run's client ids from others': 4 hexadecimal digits."""
        super().__init__(sender, recipient)
        before = f'{{"jsonrpc":"2.0","method":"chat.send","params":{{"chat":"{chat}","client_id":"'.encode()
        between = b'","body":{"kind":"text","text":"'
        after = b"x" * (BODY - DIGITS) + b'"}},"id":'
        size = len(before) + _UUID + len(between) + len(after) + 2 * DIGITS + 1
        self._parts = header(size) + before, between, after
        self._run = run
        self._received = 0
        self._cursor = b""

    def _encode(self, key: bytes) -> bytes:
        before, between, after = self._parts
        return b"%b%b%b%b%b%b}" % (before, client_id(self._run, key), between, key, after, key)

    def tick(self) -> None:
        if self._received:
            self._acknowledge()

    def _on_recipient(self, data: bytes, spans: Spans) -> None:
        super()._on_recipient(data, spans)
        if self._received >= ACK_EVERY:
            self._acknowledge()

    def _acknowledge(self) -> None:
        self._received = 0
        params = b'{"jsonrpc":"2.0","method":"session.ack","params":{"cursor":"%b"}}' % self._cursor
        self._recipient.send(frame(params))

    def _key(self, data: bytes, start: int, end: int) -> bytes | None:
        key = event_key(data, start, end)
        if key is not None:
            self._received += 1
            start += len(EVENT)
            self._cursor = data[start : start + CURSOR]
        return key

    def _ack_key(self, data: bytes, start: int, end: int) -> bytes | None:
        return acknowledged_key(data, start, end)


def client_id(run: str, key: bytes) -> bytes:
    """As those of the SDK: a UUID of version 7 (RFC 9562), and its random part is what tells it apart."""
    stamp = b"%012x" % int(time() * 1000)
    return b"%b-%b-7%b-8%b00-%012x" % (stamp[:8], stamp[8:], run[:3].encode(), run[3:].encode(), int(key))


def event_key(data: bytes, start: int, end: int) -> bytes | None:
    """The number of the message that a node's frame brings; None where it is another event."""
    if not data.startswith(EVENT, start):
        _ignore_event(data, start, end)
        return None
    text = data.index(_TEXT, start + len(EVENT), end) + len(_TEXT)
    if data.find(b"x" * (BODY - DIGITS) + b'"', text, end) != text + DIGITS:
        raise Failure("a message did not arrive as it was sent")
    return data[text : text + DIGITS]


def is_answer(data: bytes, start: int) -> bool:
    """Whether a node's frame answers a command, and is not an event."""
    return data.startswith(_RESULT, start)


def acknowledged_key(data: bytes, start: int, end: int) -> bytes | None:
    """The number of the message that a node's frame answers; None where it is an event."""
    if not data.startswith(_RESULT, start):
        _ignore_event(data, start, end)
        return None
    start += len(_RESULT)
    if not data.startswith(b',"result"', start + DIGITS):
        raise Failure(f"refused: {data[start:end]!r}")
    return data[start : start + DIGITS]


def _ignore_event(data: bytes, start: int, end: int) -> None:
    if not data.startswith(_OTHER_EVENT, start):
        raise Failure(f"not expected: {data[start:end]!r}")
