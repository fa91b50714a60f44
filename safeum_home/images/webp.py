"""WebP (RFC 9649), as far as the pixels go."""

from safeum_home.images.octets import Damaged, Moving, Reader, need

_ALPHA, _ANIMATION = 0x10, 0x02
"""Flags of VP8X (section 2.7.1)."""
_CHUNKS = 256


def begins(data: bytes) -> bool:
    """Whether this is to be a WebP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def strip(data: bytes) -> tuple[bytes, int, int]:
    """The picture without metadata, its width and its height; raises `Damaged` and `Moving`."""
    head = Reader(data, 4)
    size = int.from_bytes(head.take(4), "little")
    need(size >= 4, "it has no length")
    reader = Reader(head.take(size), 4)
    extended: bytes | None = None
    alpha = b""
    for number in range(_CHUNKS):
        kind, body = _chunk(reader)
        if kind in (b"ANIM", b"ANMF"):
            raise Moving
        if kind == b"VP8X":
            need(number == 0 and len(body) == 10, "VP8X is of a wrong form")
            if body[0] & _ANIMATION:
                raise Moving
            extended = b"%c\0\0\0%b" % (body[0] & _ALPHA, body[4:])
        elif kind == b"ALPH":
            need(extended is not None and not alpha and len(body) > 1, "ALPH is of a wrong form")
            alpha = _written(kind, body)
        elif kind in (b"VP8 ", b"VP8L"):
            need(kind == b"VP8 " or not alpha, "ALPH is out of place")
            width, height = (_lossy if kind == b"VP8 " else _lossless)(body)
            kept = b""
            if extended is not None:
                need((width, height) == _canvas(extended), "its two sizes differ")
                kept = _written(b"VP8X", extended) + alpha
            kept += _written(kind, body)
            return b"RIFF%bWEBP%b" % ((len(kept) + 4).to_bytes(4, "little"), kept), width, height
        else:
            need(extended is not None, "a chunk is out of place")
    raise Damaged("it has too many chunks")


def _chunk(reader: Reader) -> tuple[bytes, bytes]:
    kind = reader.take(4)
    body = reader.take(int.from_bytes(reader.take(4), "little"))
    if len(body) % 2 and reader.left:  # some leave the last one's padding out
        # Section 2.3 wants it zero, and decoders of damaged pictures read it as pixels.
        need(reader.take(1) == b"\0", "a padding is not zero")
    return kind, body


def _canvas(extended: bytes) -> tuple[int, int]:
    return int.from_bytes(extended[4:7], "little") + 1, int.from_bytes(extended[7:10], "little") + 1


def _lossy(body: bytes) -> tuple[int, int]:
    """Width and height of a key frame (RFC 6386 section 9.1)."""
    need(len(body) > 10 and body[3:6] == b"\x9d\x01\x2a" and not body[0] & 1, "it holds no key frame")
    first = int.from_bytes(body[:3], "little") >> 5
    need(first < len(body) - 10, "it ends too early")
    width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
    need(0 < width < 1 << 14 and 0 < height < 1 << 14, "it has no size")
    return width, height


def _lossless(body: bytes) -> tuple[int, int]:
    """Width and height of a lossless picture (RFC 9649 section 3.4)."""
    need(len(body) > 5 and body[0] == 0x2F, "it holds no lossless picture")
    bits = int.from_bytes(body[1:5], "little")
    need(bits >> 29 == 0, "it is of an unknown version")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _written(kind: bytes, body: bytes) -> bytes:
    return b"%b%b%b%b" % (kind, len(body).to_bytes(4, "little"), body, b"\0" * (len(body) % 2))
