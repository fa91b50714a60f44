"""A client's WebSocket connection, as `ports.ClientConnection`, and the factory of these."""

from collections.abc import Callable, Iterable
from random import uniform

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from safeum_home.errors import Code, Problem
from safeum_home.gateway.fastpath import FastWebSocket
from safeum_home.gateway.handshake import accept
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.problems import raw_response
from safeum_home.gateway.timers import Timeouts, TurnEnd
from safeum_home.ports import ClientConnection, ConnectionHandler
from safeum_home.protocol import SUBPROTOCOL, WEBSOCKET_PATH

GOING_AWAY, UNSUPPORTED_DATA, TOO_BIG, INTERNAL_ERROR = 1001, 1003, 1009, 1011
"""Close codes of RFC 6455 section 7.4.1."""

NewHandler = Callable[[ClientConnection], ConnectionHandler]
_log = Logger()


@implementer(IPushProducer)
class ClientWebSocket(FastWebSocket):
    """A connection to a client."""

    factory: "ClientWebSocketFactory"
    host = ""
    _registered = False
    _transport_full = False
    _unanswered_ping: bytes | None = None

    def __init__(self) -> None:
        self._outgoing: list[bytes] = []

    @property
    def autoPingInterval(self) -> float:
        # Spread, or all that came back together after a restart would be pinged together for ever.
        interval = self.factory.limits.ping_interval
        return uniform(0.9 * interval, 1.1 * interval)  # noqa: S311 - guards nothing

    # --- ClientConnection ---

    def write(self, frame: bytes) -> None:
        if not self._outgoing:
            self.factory.turn_end.add(self)
        self._outgoing.append(frame)

    def flush(self) -> None:
        """Hand over to the transport what was collected in this turn."""
        outgoing = self._outgoing
        if outgoing:
            self.transport.write(outgoing[0] if len(outgoing) == 1 else b"".join(outgoing))
            outgoing.clear()

    def close(self, code: int, reason: str) -> None:
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code, reason.encode()[:123].decode(errors="ignore").encode())
            self.resume_reading()

    def pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self.transport.pauseProducing()

    def resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resumeProducing()
            # Not at once: whoever resumes is not to be called back in the middle of it.
            self.factory.reactor.callLater(0, self._read_on)

    def _read_on(self) -> None:
        if self.data and self.state != self.STATE_CLOSED:
            self.consumeData()

    # --- IPushProducer: the transport's view of who writes ---

    def pauseProducing(self) -> None:
        self._transport_full = True
        if self._handler is not None and self.state == self.STATE_OPEN:
            self.tell(self._handler.paused)

    def resumeProducing(self) -> None:
        self._transport_full = False
        ping, self._unanswered_ping = self._unanswered_ping, None
        if ping is not None:
            self.sendPong(ping)
        if self._handler is not None and self.state == self.STATE_OPEN:
            self.tell(self._handler.resumed)

    def stopProducing(self) -> None:
        """The transport is gone; `connectionLost` says so too."""

    def tell(self, call: Callable[..., object], *args: object) -> None:
        try:
            call(*args)
        except Exception:
            _log.failure("a session failed")
            self.close(INTERNAL_ERROR, Code.INTERNAL.code)

    # --- from the transport ---

    def connectionMade(self) -> None:
        self.host = str(getattr(self.transport.getPeer(), "host", ""))
        self.factory.countConnections += 1
        self.openHandshakeTimeoutCall = self.factory.timeouts.call_later(
            self.openHandshakeTimeout, self.onOpenHandshakeTimeout
        )

    def dataReceived(self, data: bytes) -> None:
        self.data = self.data + data if self.data else data
        self.consumeData()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._connectionLost(reason)
        self._outgoing.clear()
        self.data = b""

    # --- autobahn's hooks ---

    def processHandshake(self) -> None:
        end = self.data.find(b"\r\n\r\n") + 4
        if end < 4:
            if len(self.data) > self.factory.limits.head:
                self.failHandshake("The request head is too long.", 431)
            return
        answer = accept(self.data[:end], self.factory.origins)
        if answer is None:
            super().processHandshake()
            return
        self.data = self.data[end:]
        self.sendData(answer)
        self.state = self.STATE_OPEN
        if self.openHandshakeTimeoutCall is not None:
            self.openHandshakeTimeoutCall.cancel()
            self.openHandshakeTimeoutCall = None
        self.autoPingPendingCall = self.factory.timeouts.call_later(self.autoPingInterval, self._sendAutoPing)
        self.onOpen()
        if self.data:
            self.consumeData()

    def onConnect(self, request: ConnectionRequest) -> str:
        if request.path != WEBSOCKET_PATH:
            raise ConnectionDeny(404, "There is no such thing here.")
        if "origin" in request.headers and request.origin.encode() not in self.factory.origins:
            raise ConnectionDeny(403, "Pages of this origin may not connect.")
        if SUBPROTOCOL not in request.protocols:
            raise ConnectionDeny(400, f"The subprotocol {SUBPROTOCOL} is required.")
        return SUBPROTOCOL

    def sendHttpErrorResponse(
        self, code: int, reason: str, responseHeaders: Iterable[tuple[str, str]] | None = None
    ) -> None:
        problem = Problem(Code.BAD_REQUEST, reason[:200])
        headers = [*(responseHeaders or ()), *([("Allow", "GET")] if code == 405 else ())]
        if code == 426:
            headers.append(("Upgrade", "websocket"))
        self.sendData(raw_response(problem, code, headers))

    def _onOpen(self) -> None:
        self.onOpen()

    def onOpen(self) -> None:
        self.forget_handshake()
        try:
            self._handler = self.factory.new_handler(self)
        except Exception:
            _log.failure("a session could not be made")
            self.close(INTERNAL_ERROR, Code.INTERNAL.code)
            return
        self._registered = True
        self.transport.registerProducer(self, True)

    def unregisterProducer(self) -> None:
        # autobahn does so whether there is one or not.
        if self._registered:
            self._registered = False
            self.transport.unregisterProducer()

    def onPing(self, payload: bytes) -> None:
        # Of pings that cannot be answered yet the last is enough (RFC 6455 section 5.5.3), and pongs for
        # a client that does not read would pile up.
        if self._transport_full:
            self._unanswered_ping = payload
        else:
            super().onPing(payload)

    def onMessageBegin(self, isBinary: bool) -> None:
        super().onMessageBegin(isBinary)
        if isBinary and not self.failedByMe:
            self._fail_connection(UNSUPPORTED_DATA, "text messages only")

    def onMessageFrameBegin(self, length: int) -> None:
        super().onMessageFrameBegin(length)
        # Empty fragments would pass every limit on octets.
        if not self.failedByMe and len(self.message_data) > self.factory.limits.fragments:
            self._fail_connection(TOO_BIG, "too many fragments")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        # autobahn would also pass on what comes after a close frame that it has sent.
        if self._handler is not None and self.state == self.STATE_OPEN:
            self.tell(self._handler.received, payload)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        handler, self._handler = self._handler, None
        if handler is not None:
            self.tell(handler.closed)

    def onAutoPingTimeout(self) -> None:
        if self._reading_paused:
            # The pong may well be there; it is this side that does not read.
            self.autoPingTimeoutCall = self.factory.timeouts.call_later(
                self.autoPingTimeout, self.onAutoPingTimeout
            )
        else:
            super().onAutoPingTimeout()

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Frames that autobahn writes take their place in the order of this turn's writes."""
        self.write(data)

    def _closeConnection(self, abort: bool = False) -> None:
        self.flush()
        super()._closeConnection(abort)


class ClientWebSocketFactory(WebSocketServerFactory):  # type: ignore[misc]  # autobahn has no types
    """Makes connections of `protocol`, each with a handler of `new_handler`.

    `origins` are the web origins (`https://chat.example`) whose pages may connect; whoever sends no
    Origin is no browser and may. The protocol expects the request head at once or within
    `limits.head_timeout`, and `connections` are counted in `edge`.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        limits: EdgeLimits,
        new_handler: NewHandler,
        origins: Iterable[str] = (),
        protocol: type[ClientWebSocket] = ClientWebSocket,
    ) -> None:
        super().__init__(protocols=[SUBPROTOCOL], server="", reactor=reactor)
        self.limits = limits
        self.new_handler = new_handler
        self.origins = frozenset(origin.encode() for origin in origins)
        self.turn_end = TurnEnd(reactor)
        self.timeouts = self._batched_timer = Timeouts(reactor)
        self.setProtocolOptions(
            versions=[13],
            webStatus=False,
            failByDrop=False,
            echoCloseCodeReason=True,
            maxFramePayloadSize=limits.frame,
            maxMessagePayloadSize=limits.frame,
            openHandshakeTimeout=limits.head_timeout,
            closeHandshakeTimeout=limits.close_timeout,
            autoPingTimeout=limits.ping_timeout,
            allowNullOrigin=True,  # `onConnect` decides
        )
        options = {name: getattr(self, name) for name in WebSocketServerProtocol.CONFIG_ATTRS}
        del options["autoPingInterval"]
        # A plain function would become a method of the class.
        options["perMessageCompressionAccept"] = staticmethod(self.perMessageCompressionAccept)
        self.protocol = type(protocol.__name__, (protocol,), options)
