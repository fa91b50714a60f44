"""PNG (W3C Portable Network Graphics, third edition), as far as the pixels go."""

from zlib import crc32

from safeum_home.images.octets import Damaged, Moving, Reader, need

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Bit depths by colour type (section 11.2.1): grey, colours, palette, and the first two with alpha."""
_COLOUR = {b"sRGB": 1, b"gAMA": 4, b"cHRM": 32}
"""What says how colours are meant, in so many octets. A profile (iCCP) has room for anything: left out."""
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")
_CHUNKS = 1024


def begins(data: bytes) -> bool:
    """Whether this is to be a PNG."""
    return data.startswith(_SIGNATURE)


def strip(data: bytes) -> tuple[bytes, int, int]:
    """The picture without metadata, its width and its height; raises `Damaged` and `Moving`."""
    reader = Reader(data, len(_SIGNATURE))
    kind, header = _chunk(reader)
    need(kind == b"IHDR" and len(header) == 13, "it does not begin with IHDR")
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    depth, colour, compression, filtering, interlace = header[8:]
    need(0 < width < 2**31 and 0 < height < 2**31, "it has no size")
    need(depth in _DEPTHS.get(colour, ()), "there is no such colour type")
    need(compression == filtering == 0 and interlace in (0, 1), "IHDR is of an unknown form")
    kept = [_SIGNATURE, _written(kind, header), *_body(reader, colour, depth)]
    return b"".join(kept), width, height


def _body(reader: Reader, colour: int, depth: int) -> list[bytes]:
    """The chunks behind the header that are kept, IEND included."""
    kept: list[bytes] = []
    seen: set[bytes] = set()
    last = b"IHDR"
    palette = 0
    for _ in range(_CHUNKS):
        kind, body = _chunk(reader)
        if kind in _ANIMATION:
            raise Moving
        if kind == b"IDAT":
            need(b"IDAT" not in seen or last == b"IDAT", "IDAT is not in one piece")
            need(colour != 3 or palette > 0, "there is no palette")
            kept.append(_written(kind, body))
        elif kind == b"PLTE":
            palette, rest = divmod(len(body), 3)
            most = 2**depth if colour == 3 else 256
            need(rest == 0 and 0 < palette <= most and colour in (2, 3, 6), "PLTE is of a wrong form")
            need(seen.isdisjoint((b"PLTE", b"tRNS", b"IDAT")), "PLTE is out of place")
            kept.append(_written(kind, body))
        elif kind == b"tRNS":
            sizes = {0: (2,), 2: (6,), 3: range(1, palette + 1)}.get(colour, ())
            need(len(body) in sizes and seen.isdisjoint((b"tRNS", b"IDAT")), "tRNS is of a wrong form")
            kept.append(_written(kind, body))
        elif kind in _COLOUR:
            need(len(body) == _COLOUR[kind], f"{kind.decode()} is of a wrong form")
            if seen.isdisjoint((kind, b"PLTE", b"IDAT")):
                kept.append(_written(kind, body))
        elif kind == b"IEND":
            need(not body and b"IDAT" in seen, "it ends without a picture")
            return [*kept, _written(kind, body)]
        else:
            # A lower-case first letter says that it can be left out (section 5.4).
            need(kind[0] & 0x20 != 0, "a chunk is unknown")
        seen.add(kind)
        last = kind
    raise Damaged("it has too many chunks")


def _chunk(reader: Reader) -> tuple[bytes, bytes]:
    length = int.from_bytes(reader.take(4), "big")
    kind = reader.take(4)
    need(kind.isalpha(), "a chunk has no type")
    body = reader.take(length)
    need(int.from_bytes(reader.take(4), "big") == crc32(body, crc32(kind)), "a checksum is wrong")
    return kind, body


def _written(kind: bytes, body: bytes) -> bytes:
    return b"%b%b%b%b" % (
        len(body).to_bytes(4, "big"),
        kind,
        body,
        crc32(body, crc32(kind)).to_bytes(4, "big"),
    )
