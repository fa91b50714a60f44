"""The relay on the gateway's connections, which read and write whole data frames directly."""

from typing import Any

from bench.relay import ROOM, meet
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.websocket import ClientWebSocketFactory
from safeum_home.ports import ClientConnection
from safeum_home.protocol.frames import text_frame


class Fast:
    """A session that forwards what its connection receives."""

    waiting: "dict[bytes, Fast]" = {}
    room: "list[Fast]" = []

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.partner: Fast | None = None
        self.here = False

    def received(self, payload: bytes) -> None:
        frame = text_frame(payload)
        if self.partner is not None:
            self.partner.connection.write(frame)
        elif self.here:
            for other in self.room:
                if other is not self:
                    other.connection.write(frame)
        else:
            if payload == ROOM:
                self.here = True
                self.room.append(self)
            else:
                meet(self.waiting, payload, self)
            self.connection.write(frame)

    def paused(self) -> None: ...
    def resumed(self) -> None: ...
    def closed(self) -> None:
        if self.here:
            self.room.remove(self)


def factory(reactor: Any) -> ClientWebSocketFactory:
    """The gateway's own, without its limits on connections."""
    return ClientWebSocketFactory(reactor, EdgeLimits(), Fast)
