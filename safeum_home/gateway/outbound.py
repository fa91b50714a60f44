"""What is on its way to a client: bounded, because clients may read slowly or not at all."""

from collections import deque

from safeum_home.ports import ClientConnection

SLOW_READER = 4008


class Outbound:
    """Frames to one client. Where the bound is reached the client is closed with 4008: what it missed
    comes again when it resumes, so nothing is lost by it.
    """

    __slots__ = ("_bytes", "_connection", "_frames", "_max_bytes", "_max_frames", "_paused")

    def __init__(self, connection: ClientConnection, max_frames: int, max_bytes: int) -> None:
        self._connection = connection
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames: deque[bytes] | None = None
        self._bytes = 0
        self._paused = False

    @property
    def clear(self) -> bool:
        """Whether the client keeps up."""
        return not self._paused

    def write(self, frame: bytes) -> None:
        if not self._paused:
            self._connection.write(frame)
            return
        if self._frames is None:
            self._frames = deque()
        self._frames.append(frame)
        self._bytes += len(frame)
        if len(self._frames) > self._max_frames or self._bytes > self._max_bytes:
            self.drop()
            self._connection.close(SLOW_READER, "slow reader: resume")

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        while self._frames and not self._paused:
            frame = self._frames.popleft()
            self._bytes -= len(frame)
            self._connection.write(frame)
        if not self._frames:
            self._frames = None

    def drop(self) -> None:
        """Forget what waits."""
        self._frames = None
        self._bytes = 0
