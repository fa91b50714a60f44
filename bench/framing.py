"""WebSocket frames (RFC 6455 section 5.2) as a client writes them, and where a server's begin and end."""

Spans = list[tuple[int, int]]
"""Where the payloads of whole text frames begin and end in a buffer."""
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
_NO_MASK = bytes(4)


def header(size: int, first: int = TEXT) -> bytes:
    """What precedes a client's payload of `size` octets. The mask is zero: masking is then the identity."""
    if size < 126:
        return bytes((first, 0x80 | size)) + _NO_MASK
    if size < 65536:
        return bytes((first, 0xFE)) + size.to_bytes(2, "big") + _NO_MASK
    return bytes((first, 0xFF)) + size.to_bytes(8, "big") + _NO_MASK


def frame(payload: bytes, first: int = TEXT) -> bytes:
    """A whole client frame."""
    return header(len(payload), first) + payload


def split(data: bytes) -> tuple[Spans, list[tuple[int, bytes]], int]:
    """The whole frames in `data`: where texts lie, the others (first octet, payload), where the rest is."""
    position, size = 0, len(data)
    spans: Spans = []
    others: list[tuple[int, bytes]] = []
    while size - position >= 2:
        length = data[position + 1]
        start = position + 2
        if length >= 126:
            start += 2 if length == 126 else 8
            if start > size:
                break
            length = int.from_bytes(data[position + 2 : start], "big")
        end = start + length
        if end > size:
            break
        if data[position] == TEXT:
            spans.append((start, end))
        else:
            others.append((data[position], data[start:end]))
        position = end
    return spans, others, position
