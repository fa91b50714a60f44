"""The protocol of one connection: when it takes requests, whether the peer behaves, and its end."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, RemoteSettingsChanged
from h2.exceptions import ProtocolError
from OpenSSL import SSL
from twisted.internet.interfaces import IHandshakeListener, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from safeum_home.outgoing.answers import BROKE_OFF, IN_TIME, UNREADABLE, NoAnswer, no_answer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.http2.asking import Asker, Asking
from safeum_home.outgoing.http2.limits import Http2Limits
from safeum_home.outgoing.http2.machine import Core, new_connection
from safeum_home.outgoing.http2.pulse import Allowance, Pulse
from safeum_home.outgoing.http2.streams import Streams
from safeum_home.outgoing.http2.wire import LAST_STREAM, Wire

NO_HTTP2 = "the other side does not speak HTTP/2"
_REFUSAL = "no application protocol"
"""The alert of a server that speaks none of what is proposed (RFC 7301, section 3.2)."""
TOO_MUCH = "the other side says too much"
GOODBYE = 5.0
"""Seconds for the end of a connection, before it is cut off."""


@implementer(IHandshakeListener)
class Link(Protocol):
    """Carries requests for `asker`. `clock` provides IReactorTime.

    Until an answer `proves` that the peer takes the node's requests, one is under way at a time.
    """

    transport: Any

    def __init__(
        self, clock: Any, asker: Asker, limits: Http2Limits, proves: Callable[[Answer], bool] | None
    ) -> None:
        self._clock = clock
        self._asker = asker
        self._proves = proves
        self._core = Core(limits.at_once)
        self._machine = new_connection(self._core)
        self._wire = Wire()
        self._allowance = Allowance(clock.seconds)
        self._streams = Streams(self._wire, asker, limits.answer, self._allowance, self._answered)
        self._pulse = Pulse(
            clock, limits.quiet, limits.kept_seconds, self._is_busy, self._ping, self._silent, self.leave
        )
        self._fruitless = True
        self.quiet_since: float = clock.seconds()
        """When the peer has answered a request last, or the connection was begun."""
        self._abort: Any = None

    # --- what the client does

    @property
    def state(self) -> str:
        return self._core.state

    @property
    def room(self) -> int:
        """Streams that may be opened now."""
        if self._streams.stalled:
            return 0
        peer: int = self._wire.remote_settings.max_concurrent_streams
        return min(self._core.streams, peer) - len(self._streams)

    def ask(self, asking: Asking) -> None:
        """Send a request; there has to be room."""
        asking.carrier = self
        self._streams.begin(asking)
        self._pulse.used()
        self._flush()
        if asking.stream >= LAST_STREAM:
            self.leave()

    def drop(self, asking: Asking) -> None:
        """As `Carrier` has it."""
        self._streams.drop(asking)
        self._flush()
        self._emptied()

    def leave(self) -> None:
        """Open no further stream, and close when those that are open have ended."""
        self._machine.leave()
        self._asker.over(self, self._fruitless)
        self._emptied()

    def stop(self) -> None:
        """As `Carrier` has it."""
        self._end(NoAnswer(BROKE_OFF), ErrorCodes.NO_ERROR)

    # --- Twisted's side

    def connectionMade(self) -> None:
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)

    def handshakeCompleted(self) -> None:
        if self.transport.negotiatedProtocol != b"h2":
            self._end(NoAnswer(NO_HTTP2))
            return
        self._wire.initiate_connection()
        self._flush()

    def dataReceived(self, data: bytes) -> None:
        if self.state == "closed":
            return
        self._pulse.heard()
        self._allowance.spend(len(data))
        try:
            events = self._wire.receive_data(data)
        except Exception:
            # The library has prepared the GOAWAY for what it knows. Octets can be anything: so can errors.
            self._end(NoAnswer(UNREADABLE))
            return
        for event in events:
            if self.state == "closed":
                # What one of them led to ended it.
                return
            if isinstance(event, RemoteSettingsChanged):
                self._settings()
            elif isinstance(event, ConnectionTerminated):
                self._goes_away(event.last_stream_id or 0)
            else:
                self._streams.happened(event)
        if self._allowance.exceeded:
            self._end(NoAnswer(TOO_MUCH), ErrorCodes.ENHANCE_YOUR_CALM)
            return
        self._flush()
        self._emptied()
        if self.room > 0:
            self._asker.room()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        is_refusal = reason.check(SSL.Error) is not None and _REFUSAL in str(reason.value)
        self._over(NoAnswer(NO_HTTP2) if is_refusal else no_answer(reason))
        self._asker.gone(self)
        if self._abort is not None and self._abort.active():
            self._abort.cancel()

    # --- what the peer says

    def _settings(self) -> None:
        self._machine.greeted()
        if self._proves is None:
            self._machine.proved()
        self._streams.go_on()

    def _goes_away(self, last_stream: int) -> None:
        if self.state == "greeting":
            self._end(NoAnswer(BROKE_OFF))
            return
        # What it has not processed waits for another connection: that one is no way any more.
        beyond = self._streams.take(last_stream)
        self._machine.leave()
        self._asker.over(self, self._fruitless)
        self._asker.unprocessed(beyond)

    def _answered(self, answer: Answer) -> None:
        self._fruitless = False
        self.quiet_since = self._clock.seconds()
        if self._proves is not None and self._proves(answer):
            self._machine.proved()

    # --- whether it lives, and its end

    def _is_busy(self) -> bool:
        return self.state == "greeting" or len(self._streams) > 0

    def _ping(self) -> None:
        if self.state != "greeting":
            self._wire.ping(b"\0" * 8)
            self._flush()

    def _silent(self) -> None:
        self._end(NoAnswer(IN_TIME), ErrorCodes.NO_ERROR)

    def _emptied(self) -> None:
        if self.state == "leaving" and not len(self._streams):
            self._end(NoAnswer(BROKE_OFF), ErrorCodes.NO_ERROR)

    def _end(self, why: NoAnswer, code: ErrorCodes | None = None) -> None:
        """Close; with a GOAWAY where `code` is given."""
        if self.state == "closed":
            return
        if code is not None and self.state != "greeting":
            with suppress(ProtocolError):
                self._wire.close_connection(code)
        self._flush()
        self._abort = self._clock.callLater(GOODBYE, self.transport.abortConnection)
        self.transport.loseConnection()
        self._over(why)

    def _over(self, why: NoAnswer) -> None:
        before = self.state
        if before == "closed":
            return
        self._machine.close()
        self._pulse.stop()
        if before == "greeting":
            self._asker.no_connection(self, NoAnswer(why.reason, handed_over=False))
            return
        cut_off = self._streams.take()
        self._asker.over(self, self._fruitless)
        for asking in cut_off:
            self._asker.fail(asking, NoAnswer(why.reason))

    def _flush(self) -> None:
        if octets := self._wire.data_to_send():
            self.transport.write(octets)
