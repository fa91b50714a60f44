"""Requests as streams of one connection: what the peer says of them, without input or output."""

from collections.abc import Callable
from typing import Any

from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)

from safeum_home.outgoing.answers import TOO_LONG, UNREADABLE, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.http2.asking import Asker, Asking
from safeum_home.outgoing.http2.pulse import Allowance
from safeum_home.outgoing.http2.wire import Wire

HEAD = 2048
"""Octets that may come for an answer besides its body: header fields, and frames that keep it flowing."""
BROKEN_OFF = "the other side broke the request off"


class Streams:
    """Tells `asker` what becomes of requests; `answered` is told of each answer before it is."""

    def __init__(
        self,
        wire: Wire,
        asker: Asker,
        longest: int,
        allowance: Allowance,
        answered: Callable[[Answer], None],
    ) -> None:
        self._wire = wire
        self._asker = asker
        self._longest = longest
        self._allowance = allowance
        self._answered = answered
        self._open: dict[int, Asking] = {}
        self._stalled: dict[int, Asking] = {}
        """Those whose bodies wait for the peer's windows."""

    def __len__(self) -> int:
        return len(self._open)

    @property
    def stalled(self) -> bool:
        """Whether the peer takes no more octets now."""
        return bool(self._stalled)

    def begin(self, asking: Asking) -> None:
        """Send a request."""
        asking.stream = self._wire.begin(asking.head, not asking.body)
        self._open[asking.stream] = asking
        self._send(asking)

    def drop(self, asking: Asking) -> None:
        """Nobody waits for it any more."""
        if self._open.get(asking.stream) is asking:
            self._reset(asking)

    def go_on(self) -> None:
        """The windows may be wider."""
        for asking in tuple(self._stalled.values()):
            self._send(asking)

    def take(self, beyond: int = 0) -> list[Asking]:
        """Forget those with higher numbers than `beyond`."""
        taken = [asking for stream, asking in self._open.items() if stream > beyond]
        for asking in taken:
            self._forget(asking)
        return taken

    def happened(self, event: Event) -> None:
        """The peer said something."""
        if (on := _ON.get(type(event))) is not None:
            on(self, event)

    # --- what it said

    def _on_head(self, event: Any) -> None:
        asking = self._open.get(event.stream_id)
        if asking is None:
            return
        # Of a list that may be received the pseudo-header field is the first (RFC 9113, section 8.3).
        (_, status), *fields = event.headers
        asking.status = int(status) if len(status) == 3 and status.isdigit() else 0
        for name, value in fields:
            asking.fields.addRawHeader(name, value)
        self._on_more_head(event)

    def _on_more_head(self, event: Any) -> None:
        asking = self._open.get(event.stream_id)
        if asking is not None:
            self._grows(asking, sum(len(name) + len(value) for name, value in event.headers))

    def _on_data(self, event: Any) -> None:
        self._wire.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        asking = self._open.get(event.stream_id)
        if asking is not None:
            self._allowance.earn(len(event.data))
            asking.came += event.data
            self._grows(asking, len(event.data))

    def _grows(self, asking: Asking, octets: int) -> None:
        asking.size += octets
        if asking.size > self._longest:
            self._reset(asking)
            self._asker.fail(asking, NoAnswer(TOO_LONG))

    def _on_end(self, event: Any) -> None:
        asking = self._open.get(event.stream_id)
        if asking is None:
            return
        if asking.sent < len(asking.body):
            # It answers without the rest of the body.
            self._reset(asking)
        else:
            self._forget(asking)
        if not asking.status:
            self._asker.fail(asking, NoAnswer(UNREADABLE))
            return
        answer = Answer(asking.status, asking.came, asking.fields)
        self._allowance.earn(HEAD)
        self._answered(answer)
        self._asker.answer(asking, answer)

    def _on_reset(self, event: Any) -> None:
        asking = self._open.get(event.stream_id)
        if asking is None:
            return
        self._forget(asking)
        if event.error_code == ErrorCodes.REFUSED_STREAM:
            self._asker.unprocessed([asking])
        else:
            self._asker.fail(asking, NoAnswer(BROKEN_OFF))

    def _on_window(self, event: Any) -> None:
        if self._stalled:
            self.go_on()

    # --- means

    def _send(self, asking: Asking) -> None:
        wire, body, stream = self._wire, asking.body, asking.stream
        while (left := len(body) - asking.sent) > 0:
            size = min(left, wire.local_flow_control_window(stream), wire.max_outbound_frame_size)
            if size <= 0:
                self._stalled[stream] = asking
                return
            wire.send_data(stream, body[asking.sent : asking.sent + size], size == left)
            asking.sent += size
        self._stalled.pop(stream, None)

    def _forget(self, asking: Asking) -> None:
        del self._open[asking.stream]
        self._stalled.pop(asking.stream, None)
        self._wire.forget()

    def _reset(self, asking: Asking) -> None:
        self._forget(asking)
        self._wire.give_up(asking.stream)


_ON: dict[type[Event], Callable[[Streams, Any], None]] = {
    ResponseReceived: Streams._on_head,
    InformationalResponseReceived: Streams._on_more_head,
    TrailersReceived: Streams._on_more_head,
    DataReceived: Streams._on_data,
    StreamEnded: Streams._on_end,
    StreamReset: Streams._on_reset,
    WindowUpdated: Streams._on_window,
}
