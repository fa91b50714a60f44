"""What is on its way to a client: bounded, because clients may read slowly or not at all."""

from collections import deque

from safeum_home.ports import ClientConnection

SLOW_READER = 4008


class Outbound:
    """Frames to one client, and the end of them.

    Where the bound is reached the client is closed with 4008. Nothing is written after a close: a frame
    behind one that was left out would carry the client's cursor over the gap. So what was left out comes
    when the client resumes, and nothing is lost by a close.
    """

    __slots__ = ("_bytes", "_connection", "_flowing", "_frames", "_max_bytes", "_max_frames", "closed")

    def __init__(self, connection: ClientConnection, max_frames: int, max_bytes: int) -> None:
        self._connection = connection
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames: deque[bytes] | None = None
        self._bytes = 0
        self._flowing = True
        self.closed = False

    @property
    def clear(self) -> bool:
        """Whether the client keeps up."""
        return self._flowing

    def write(self, frame: bytes) -> None:
        if self._flowing:
            self._connection.write(frame)
            return
        if self.closed:
            return
        if self._frames is None:
            self._frames = deque()
        self._frames.append(frame)
        self._bytes += len(frame)
        if len(self._frames) > self._max_frames or self._bytes > self._max_bytes:
            self.close(SLOW_READER, "slow reader: resume")

    def pause(self) -> None:
        self._flowing = False

    def resume(self) -> None:
        self._flowing = not self.closed
        while self._frames and self._flowing:
            frame = self._frames.popleft()
            self._bytes -= len(frame)
            self._connection.write(frame)
        if not self._frames:
            self._frames = None

    def close(self, code: int, reason: str) -> None:
        """Close the connection, once; what still waits is forgotten."""
        if not self.closed:
            self.end()
            self._connection.close(code, reason)

    def end(self) -> None:
        """The connection is over: nothing is written any more."""
        self.closed = True
        self._flowing = False
        self._frames = None
        self._bytes = 0
