"""Messages that are sent while nobody can get them, and come later."""

from time import perf_counter

from bench.flows import NodeFlow
from bench.framing import Spans
from bench.wire import Line, OnFrames


class _Nobody:
    """A recipient that is not there."""

    on_frames: OnFrames = staticmethod(lambda data, spans: None)

    def send(self, data: bytes) -> None:
        """Nothing is to be said to it."""


class Queued(NodeFlow):
    """Sends the next message with each acknowledgement; they come to a line at last: `receive_on`."""

    def __init__(self, sender: Line, chat: str, run: str, pair: int) -> None:
        super().__init__(sender, _Nobody(), chat, run)
        self.pair = pair
        self._most = self._pushed = 0
        self.stored = 0
        """How many were acknowledged."""

    def send_up_to(self, most: int, in_flight: int) -> None:
        """Go on until `most` are stored, with so many under way."""
        self._most = most
        self._more(in_flight)

    def receive_on(self, line: Line) -> None:
        """Take what comes to a recipient, and what has come to it already."""
        self._recipient = line
        line.on_frames = self._on_recipient
        while line.inbox:
            data = line.inbox.popleft()
            self._on_recipient(data, [(0, len(data))])

    def _on_sender(self, data: bytes, spans: Spans) -> None:
        before = len(self._unacknowledged)
        super()._on_sender(data, spans)
        done = before - len(self._unacknowledged)
        self.stored += done
        if self.meter.measuring:
            self.meter.count += done
        self._more(done)

    def _more(self, count: int) -> None:
        count = min(count, self._most - self._pushed)
        if count:
            self._pushed += count
            self.push(count, perf_counter())
