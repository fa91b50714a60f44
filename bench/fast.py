"""The relay on the gateway's connections, which read and write whole data frames directly."""

from typing import Any

from bench.relay import meet
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.websocket import ClientWebSocketFactory
from safeum_home.ports import ClientConnection
from safeum_home.protocol.frames import text_frame


class Fast:
    """A session that forwards what its connection receives."""

    waiting: "dict[bytes, Fast]" = {}

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.partner: Fast | None = None

    def received(self, payload: bytes) -> None:
        if self.partner is not None:
            self.partner.connection.write(text_frame(payload))
            return
        meet(self.waiting, payload, self)
        self.connection.write(text_frame(payload))

    def paused(self) -> None: ...
    def resumed(self) -> None: ...
    def closed(self) -> None: ...


def factory(reactor: Any) -> ClientWebSocketFactory:
    """The gateway's own, without its limits on connections."""
    return ClientWebSocketFactory(reactor, EdgeLimits(), Fast)
