"""autobahn's WebSocket protocol, kept lean.

autobahn keeps some eighty attributes for each connection and writes a log line for each octet. Here
the attributes' first values are those of the class, so an instance holds only what has changed; what
the handshake leaves behind is dropped; and nothing is logged that a peer could make us log.
"""

from functools import cached_property
from typing import Any, ClassVar

from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.utf8validator import Utf8Validator

from safeum_home.gateway.timers import Timeout
from safeum_home.ports import ConnectionHandler


class _Silent:
    """autobahn's log: it would tell of every peer's mistake, with its address and its words."""

    def _nothing(self, *_args: object, **_kwargs: object) -> None:
        return None

    trace = debug = info = warn = error = _nothing


class _Nobody:
    """A Deferred that nobody waits for."""

    def callback(self, _result: object) -> None:
        return None


class LeanWebSocket(WebSocketServerProtocol):  # type: ignore[misc]  # autobahn has no types
    """A server's connection, with every frame read by autobahn's own parser, and pauses."""

    _handler: ConnectionHandler | None = None
    _reading_paused = False

    # autobahn's, as `WebSocketProtocol.__init__` and `_connectionMade` would set them one by one.
    CONFIG_ATTRS: ClassVar[tuple[str, ...]] = ()
    log = _Silent()
    peer = "a client"
    is_open = is_closed = _Nobody()
    _transport_details = None
    _perMessageCompress = None
    trackedTimings = None
    trafficStats = TrafficStats()
    state = WebSocketServerProtocol.STATE_CONNECTING
    send_state = WebSocketServerProtocol.SEND_STATE_GROUND
    data = b""
    send_queue = ()
    triggered = False
    inside_message = False
    current_frame: Any = None
    current_frame_masker: Any = None
    wasMaxFramePayloadSizeExceeded = wasMaxMessagePayloadSizeExceeded = False
    closedByMe = failedByMe = droppedByMe = wasClean = False
    wasNotCleanReason = None
    wasServerConnectionDropTimeout = wasOpenHandshakeTimeout = wasCloseHandshakeTimeout = False
    wasServingFlashSocketPolicyFile = False
    localCloseCode = localCloseReason = remoteCloseCode = remoteCloseReason = None
    openHandshakeTimeoutCall: Timeout | None = None
    closeHandshakeTimeoutCall: Timeout | None = None
    autoPingTimeoutCall: Timeout | None = None
    autoPingPendingCall: Timeout | None = None
    autoPingPending = autoPingPendingSent = None
    autoPingPendingSeq = 0
    websocket_version = 13

    @cached_property
    def utf8validator(self) -> Any:
        return Utf8Validator()

    def forget_handshake(self) -> None:
        """Drop what only the opening handshake needed."""
        for name in _HANDSHAKE & vars(self).keys():
            delattr(self, name)

    def consumeData(self) -> None:
        if self.state not in (self.STATE_OPEN, self.STATE_CLOSING):
            super().consumeData()
            return
        while not self._reading_paused and self.processData() and self.state != self.STATE_CLOSED:
            pass


_HANDSHAKE = {
    *("http_request_data", "http_status_line", "http_headers", "http_request_uri", "http_request_path"),
    *("_wskey", "http_request_params", "http_request_host", "http_response_data", "websocket_protocols"),
    *("websocket_origin", "websocket_extensions", "websocket_extensions_in_use", "websocket_protocol_in_use"),
}
