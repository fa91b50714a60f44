"""Whole text messages straight from the receive buffer; all else goes the way autobahn has for it.

A client's usual frame is one octet 0x81 (FIN, text), a masked length, a mask and the payload (RFC 6455
section 5.2). Where such a frame lies whole in the buffer it is unmasked as one big integer and handed
over. autobahn gets every other frame, and is given it alone: its parser copies the rest of its buffer
for each frame, which for a burst of small ones would be quadratic.
"""

from collections.abc import Callable
from typing import Any

from safeum_home.gateway.lean import LeanWebSocket

_TEXT = 0x81


def unmask(mask: bytes, masked: bytes) -> bytes:
    """XOR with the repeated mask of 4 octets (RFC 6455 section 5.3)."""
    size = len(masked)
    key = (mask * ((size + 3) >> 2))[:size]
    return (int.from_bytes(masked, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


def frame_end(buffer: bytes, at: int) -> int:
    """Where the frame that begins at `at` ends; beyond the buffer where it, or its header, is not whole."""
    if len(buffer) - at < 2:
        return len(buffer) + 1
    second = buffer[at + 1]
    size = second & 0x7F
    header = 6 if second & 0x80 else 2
    if size > 125:
        octets = 2 if size == 126 else 8
        header += octets
        if len(buffer) - at < header:
            return len(buffer) + 1
        size = int.from_bytes(buffer[at + 2 : at + 2 + octets], "big")
    return at + header + size


class FastWebSocket(LeanWebSocket):
    """A server's connection with the direct path. Subclasses say how a session is told of something."""

    factory: Any

    def tell(self, call: Callable[..., object], *args: object) -> None:
        """Call the session; it must not raise, and what it raises must not get out."""
        call(*args)

    def consumeData(self) -> None:
        if self.state != self.STATE_OPEN and self.state != self.STATE_CLOSING:
            super().consumeData()
            return
        buffer, self.data = self.data, b""
        at, end = 0, len(buffer)
        while at < end and not self._reading_paused and self.state != self.STATE_CLOSED:
            after = at
            if self.current_frame is None and not self.inside_message and self.state == self.STATE_OPEN:
                after = self._whole_texts(buffer, at)
            if after == at:
                after = self._next_stock(buffer, at)
                self.data = buffer[at:after]
                super().consumeData()
                if self.data:
                    # A header that is not whole yet, or a pause between a header and its payload.
                    after -= len(self.data)
                    self.data = b""
                    at = after
                    if not self._reading_paused:
                        break
            at = after
        if at < end:
            self.data = buffer[at:] if at else buffer

    def _next_stock(self, buffer: bytes, at: int) -> int:
        """Up to where autobahn is to be given the buffer: at most to the end of one frame."""
        if self.current_frame is None:
            return min(frame_end(buffer, at), len(buffer))
        rest = self.current_frame.length - self.current_frame_masker.pointer()
        return min(at + rest, len(buffer)) if rest else len(buffer)

    def _whole_texts(self, buffer: bytes, at: int) -> int:
        """Hand over whole text messages from `at` on, as many as there are; where it stopped."""
        handler = self._handler
        if handler is None:
            return at
        end, limit = len(buffer), self.factory.limits.frame
        received = handler.received
        while end - at >= 6 and buffer[at] == _TEXT:
            size = buffer[at + 1] - 0x80
            start = at + 6
            if size == 126 and end - at >= 8:
                size = buffer[at + 2] << 8 | buffer[at + 3]
                start = at + 8
                if size < 126:
                    break
            elif not 0 <= size < 126:
                break
            stop = start + size
            if stop > end or size > limit:
                break
            payload = unmask(buffer[start - 4 : start], buffer[start:stop])
            if not payload.isascii():
                try:
                    payload.decode()
                except UnicodeDecodeError:
                    break
            at = stop
            if self.autoPingTimeoutCall is not None:
                self._cancelAutoPingTimeoutCall()
            self.tell(received, payload)
            if self._reading_paused or self.state != self.STATE_OPEN:
                break
        return at
