"""The gateway's two halves: a connection and its session."""

from typing import Protocol


class ClientConnection(Protocol):
    """A WebSocket connection, as its session sees it."""

    @property
    def host(self) -> str:
        """The peer's IP address."""

    def write(self, frame: bytes) -> None:
        """Write a whole WebSocket frame (`frames.text_frame`). All of one reactor turn leave together."""

    def close(self, code: int, reason: str) -> None:
        """Close with a WebSocket close code; nothing is delivered to the handler afterwards but `closed`."""

    def pause_reading(self) -> None:
        """Take no more frames from the peer: TCP then holds it back."""

    def resume_reading(self) -> None: ...


class ConnectionHandler(Protocol):
    """A session, as its connection sees it."""

    def received(self, payload: bytes) -> None:
        """A whole text message, valid UTF-8, at most `MAX_FRAME` octets."""

    def paused(self) -> None:
        """The peer reads slower than it is written to: hold back until `resumed`."""

    def resumed(self) -> None: ...
    def closed(self) -> None:
        """The connection is gone; called once."""
