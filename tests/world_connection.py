"""A client's connection, as far as memory goes."""

from typing import Any

import msgspec
from twisted.internet.task import Clock

from safeum_home.gateway.session import Session
from safeum_home.protocol import MAX_FRAME, frames


class Connection:
    """`ports.ClientConnection`, as far as memory goes."""

    def __init__(self, clock: Clock, host: str) -> None:
        self.clock = clock
        self._host = host
        self.session: Session
        self.written: list[dict[str, Any]] = []
        self.late: list[bytes] = []
        """What was written after the close frame, which RFC 6455 section 5.5.1 forbids."""
        self.close_code: int | None = None
        self.close_reason = ""
        self.reading = True
        self.over = False
        self.unread: list[bytes] = []

    @property
    def host(self) -> str:
        return self._host

    def write(self, frame: bytes) -> None:
        if self.close_code is not None or self.over:
            self.late.append(frame)
            return
        assert frame[0] == 0x81
        start = {126: 4, 127: 10}.get(frame[1], 2)
        payload = frame[start:]
        assert frame == frames.text_frame(payload) and len(payload) <= MAX_FRAME, len(payload)
        self.written.append(msgspec.json.decode(payload))

    def close(self, code: int, reason: str) -> None:
        if self.close_code is None and not self.over:
            self.close_code, self.close_reason = code, reason
            self.clock.callLater(0, self.lose)

    def lose(self) -> None:
        """The connection is gone."""
        if not self.over:
            self.over = True
            self.session.closed()

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def receive(self, payload: bytes) -> None:
        """A message of the client; it waits where the session does not read."""
        self.unread.append(payload)
        self.read_on()

    def read_on(self) -> None:
        while self.unread and self.reading and self.close_code is None and not self.over:
            self.session.received(self.unread.pop(0))
