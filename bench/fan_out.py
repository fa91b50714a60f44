"""Messages of one sender to a whole group: each recipient has to get each of them, once, in order.

All recipients are sent the same octets. What the first of them gets is looked at message by message; the
others' is compared with that, so that the generator costs less than what it measures.
"""

from abc import ABC, abstractmethod
from collections import deque
from time import perf_counter

from bench.failure import Failure
from bench.flows import (
    ACK_EVERY,
    BODY,
    CURSOR,
    DIGITS,
    EVENT,
    FIRST,
    acknowledged_key,
    client_id,
    event_key,
)
from bench.framing import Spans, frame, header, split
from bench.meter import Meter
from bench.wire import Line


class Ear(Line):
    """A recipient. `hear` is given what has come, cut wherever the network cut it."""

    room: "FanOut | None" = None
    at = 0
    """How many octets of messages it has got."""
    unacknowledged = 0

    def _take(self, data: bytes) -> None:
        if self.room is None:
            super()._take(data)
            return
        if self._partial:
            data = self._partial + data
        self._partial = data[self.room.hear(self, data) :]

    def control(self, first: int, payload: bytes) -> None:
        """A frame that is no message."""
        self._control(first, payload)


class FanOut(ABC):
    """One sender and all recipients of what it writes. Done is what all of them have."""

    acknowledged = True

    def __init__(self, sender: Line, ears: list[Ear]) -> None:
        self._sender, self._ears = sender, ears
        self._next = FIRST
        self._heard = bytearray()
        """The octets of the messages that have come to anybody, from `_before` of them on."""
        self._before = 0
        self._size = 0
        """Octets of the frame of a message: all have as many."""
        self._under_way: deque[tuple[bytes, float]] = deque()
        """Numbers of messages that some recipient has not got, and when they were sent."""
        self._missing: deque[int] = deque()
        """For each of them how many have not."""
        self._unacknowledged: dict[bytes, float] = {}
        self.meter = Meter(0)
        self.refill = False
        sender.on_frames = self._on_sender
        for ear in ears:
            ear.room = self

    @property
    def under_way(self) -> int:
        return max(len(self._under_way), len(self._unacknowledged))

    def push(self, count: int, at: float) -> None:
        """Send `count` messages in one write; their latency counts from the moment `at`."""
        frames = []
        for number in range(self._next, self._next + count):
            key = b"%d" % number
            self._under_way.append((key, at))
            self._missing.append(len(self._ears))
            if self.acknowledged:
                self._unacknowledged[key] = at
            frames.append(self._encode(key))
        self._next += count
        self._sender.send(b"".join(frames))

    def tick(self) -> None:  # noqa: B027 - a relay has nothing to do then
        """Called every 200 ms."""

    @abstractmethod
    def _encode(self, key: bytes) -> bytes:
        """The frame that sends a message."""

    @abstractmethod
    def _key(self, data: bytes, start: int, end: int) -> bytes | None:
        """The number of the message that a frame brings; None where it is something else."""

    def took(self, ear: Ear, count: int) -> None:  # noqa: B027 - nor has it here
        """A recipient has got further messages."""

    def hear(self, ear: Ear, data: bytes) -> int:
        """What has come to a recipient: how much of it were whole frames."""
        size = self._size
        if size and len(data) >= size:
            whole = len(data) - len(data) % size
            place = ear.at - self._before
            if self._heard.startswith(data if whole == len(data) else data[:whole], place):
                self._count(ear, whole // size)
                return whole
        return self._look(ear, data)

    def _look(self, ear: Ear, data: bytes) -> int:
        """Frame by frame: the messages are those that were sent, or what somebody else has got already."""
        spans, others, end = split(data)
        for first, payload in others:
            ear.control(first, payload)
        for start, stop in spans:
            key = self._key(data, start, stop)
            if key is None:
                continue
            octets = data[start - 4 : stop]
            self._size = self._size or len(octets)
            place = ear.at - self._before
            if place == len(self._heard):
                number = place // self._size
                sent = self._under_way[number][0] if number < len(self._under_way) else None
                if key != sent or len(octets) != self._size:
                    raise Failure(f"message {key!r} is lost, doubled or out of order")
                self._heard += octets
            elif not self._heard.startswith(octets, place):
                raise Failure(f"message {key!r} did not come as it came to others, or out of order")
            self._count(ear, 1)
        return end

    def _count(self, ear: Ear, count: int) -> None:
        first = (ear.at - self._before) // self._size
        ear.at += count * self._size
        missing = self._missing
        for place in range(first, first + count):
            missing[place] -= 1
        if self.meter.measuring:
            self.meter.count += count
        self.took(ear, count)
        if not missing[0]:
            self._end()

    def _end(self) -> None:
        """Drop what everybody has got, and let others follow."""
        now, done = perf_counter(), 0
        while self._missing and not self._missing[0]:
            self._missing.popleft()
            _, sent = self._under_way.popleft()
            if self.meter.measuring:
                self.meter.latencies.append(now - sent)
            done += 1
        self._forget(done)
        if self.refill:
            self.push(done, now)

    def _forget(self, count: int) -> None:
        """The next `count` messages are of no more use."""
        self._before += count * self._size
        del self._heard[: count * self._size]

    def _on_sender(self, data: bytes, spans: Spans) -> None:
        now = perf_counter()
        for start, end in spans:
            key = acknowledged_key(data, start, end)
            if key is None:
                continue
            began = self._unacknowledged.pop(key, None)
            if began is None:
                raise Failure(f"message {key!r} is acknowledged twice, or was never sent")
            if self.meter.measuring:
                self.meter.ack_latencies.append(now - began)


class RelayFanOut(FanOut):
    """The relay acknowledges nothing."""

    acknowledged = False

    def _encode(self, key: bytes) -> bytes:
        return header(BODY) + key + b"x" * (BODY - DIGITS)

    def _key(self, data: bytes, start: int, end: int) -> bytes | None:
        if data[start + DIGITS : end] != b"x" * (BODY - DIGITS):
            raise Failure("the relay forwarded something else than was sent")
        return data[start : start + DIGITS]


class NodeFanOut(FanOut):
    """Messages into a group; each recipient says what it holds as the SDK does."""

    def __init__(self, sender: Line, ears: list[Ear], chat: str, run: str) -> None:
        """`run` tells this run's client ids from others': 4 hexadecimal digits."""
        super().__init__(sender, ears)
        self._chat, self._run = chat, run
        self._last = b""

    def _encode(self, key: bytes) -> bytes:
        return frame(
            b'{"jsonrpc":"2.0","method":"chat.send","params":{"chat":"%b","client_id":"%b",'
            b'"body":{"kind":"text","text":"%b"}},"id":%b}'
            % (self._chat.encode(), client_id(self._run, key), key + b"x" * (BODY - DIGITS), key)
        )

    def _key(self, data: bytes, start: int, end: int) -> bytes | None:
        return event_key(data, start, end)

    def took(self, ear: Ear, count: int) -> None:
        ear.unacknowledged += count
        if ear.unacknowledged >= ACK_EVERY:
            self._acknowledge(ear)

    def tick(self) -> None:
        for ear in self._ears:
            if ear.unacknowledged:
                self._acknowledge(ear)

    def _acknowledge(self, ear: Ear) -> None:
        ear.unacknowledged = 0
        end, cursor = ear.at - self._before, self._last
        if end > 0:  # else all have got it, and it is forgotten
            cursor = self._cursor(end)
        params = b'{"jsonrpc":"2.0","method":"session.ack","params":{"cursor":"%b"}}' % cursor
        ear.send(frame(params))

    def _forget(self, count: int) -> None:
        self._last = self._cursor(count * self._size)
        super()._forget(count)

    def _cursor(self, end: int) -> bytes:
        """The cursor of the message that ends there."""
        start = end - self._size + 4 + len(EVENT)
        return bytes(self._heard[start : start + CURSOR])
