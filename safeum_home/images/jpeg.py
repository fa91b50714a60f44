"""JPEG (ITU-T T.81, with JFIF and Adobe's marker), as far as the pixels go: eight bits, Huffman-coded."""

import re

from safeum_home.images.octets import Damaged, Reader, need

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI, _COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE
_APP0, _APP14, _APP15 = 0xE0, 0xEE, 0xEF
_FRAMES = (0xC0, 0xC1, 0xC2)
"""Baseline, extended, progressive. Nothing that people look at pictures with takes the others."""
_JFIF = b"JFIF\0\1\1\0\0\1\0\1\0\0"
"""Version 1.01, square pixels, no thumbnail."""
_NEXT = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.S)
"""A marker in coded data, which is none of those that belong there (section B.1.1.5)."""
_SCANS = 64
"""Each costs whoever looks at the picture a pass over all its pixels; encoders make about ten."""
_SEGMENTS = 1024
_FILL = 64
"""Octets that may fill the space before a marker (section B.1.1.2); the standard sets no bound."""


def begins(data: bytes) -> bool:
    """Whether this is to be a JPEG."""
    return data.startswith(b"\xff\xd8\xff")


def strip(data: bytes) -> tuple[bytes, int, int]:
    """The picture without metadata, its width and its height; raises `Damaged`."""
    reader = Reader(data, 2)
    kept: list[bytes] = []
    frame: bytes | None = None
    colour: dict[int, bytes] = {}
    scans = 0
    for _ in range(_SEGMENTS):
        marker, body = _segment(reader)
        if marker == _EOI:
            need(scans > 0, "it ends without a picture")
            break
        if _APP0 <= marker <= _APP15 or marker == _COM:
            if scans == 0:
                _note_colour(marker, body, colour)
            continue
        if marker in _FRAMES:
            need(frame is None, "it has two frames")
            _check_frame(body)
            frame = body
        elif marker == _SOS:
            need(frame is not None, "a scan is before its frame")
            _check_scan(body, frame or b"")
            scans += 1
            need(scans <= _SCANS, "it has too many scans")
        elif marker in (_DQT, _DHT):
            (_check_quantisation if marker == _DQT else _check_huffman)(body)
        else:
            need(marker == _DRI and len(body) == 2, "a segment is of an unknown kind")
        kept.append(_written(marker, body))
        if marker == _SOS:
            kept.append(_coded(data, reader))
    else:
        raise Damaged("it has too many segments")
    assert frame is not None  # there was a scan
    head = [_written(marker, body) for marker, body in sorted(colour.items())]
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    return b"".join((b"\xff\xd8", *head, *kept, b"\xff\xd9")), width, height


def _segment(reader: Reader) -> tuple[int, bytes]:
    """The next marker and what is in its segment."""
    need(reader.take(1) == b"\xff", "a marker is missing")
    marker = 0xFF
    for _ in range(_FILL):
        if marker != 0xFF:
            break
        marker = reader.take(1)[0]
    if marker == _EOI:
        return marker, b""
    need(0xBF < marker < 0xFF and not 0xD0 <= marker <= _SOI, "a marker is out of place")
    length = int.from_bytes(reader.take(2), "big")
    need(length >= 2, "a segment has no length")
    return marker, reader.take(length - 2)


def _coded(data: bytes, reader: Reader) -> bytes:
    """The coded data of a scan; the reader then stands before the next marker."""
    found = _NEXT.search(data, reader.at)
    if found is None:
        raise Damaged("it ends too early")
    coded = data[reader.at : found.start()].rstrip(b"\xff")
    reader.at = found.start()
    need(len(coded) > 0, "a scan is empty")
    return coded


def _note_colour(marker: int, body: bytes, colour: dict[int, bytes]) -> None:
    """What decides how components become colours: whether there is a JFIF, and Adobe's transform."""
    if marker == _APP0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        colour[marker] = _JFIF
    elif marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
        colour[marker] = b"Adobe\0\x64\0\0\0\0%c" % body[11]


def _check_frame(body: bytes) -> None:
    need(len(body) > 6 and body[0] == 8, "it has not 8 bits for each sample")
    need(body[1:3] != b"\0\0" and body[3:5] != b"\0\0", "it has no size")
    count = body[5]
    need(count in (1, 3, 4) and len(body) == 6 + 3 * count, "its components are of a wrong form")
    need(len({body[6 + 3 * index] for index in range(count)}) == count, "two components are the same")
    for index in range(count):
        sampling, table = body[7 + 3 * index], body[8 + 3 * index]
        need(1 <= sampling >> 4 <= 4 and 1 <= sampling & 15 <= 4 and table <= 3, "a component is wrong")


def _check_scan(body: bytes, frame: bytes) -> None:
    known = {frame[6 + 3 * index] for index in range(frame[5])}
    count = body[0] if body else 0
    need(1 <= count <= 4 and len(body) == 4 + 2 * count, "a scan is of a wrong form")
    need({body[1 + 2 * index] for index in range(count)} <= known, "a scan is of unknown components")


def _check_quantisation(body: bytes) -> None:
    reader = Reader(body)
    need(reader.left > 0, "a table is empty")
    while reader.left:
        head = reader.take(1)[0]
        need(head >> 4 <= 1 and head & 15 <= 3, "a table is of a wrong form")
        reader.take(64 << (head >> 4))


def _check_huffman(body: bytes) -> None:
    reader = Reader(body)
    need(reader.left > 0, "a table is empty")
    while reader.left:
        head = reader.take(1)[0]
        need(head >> 4 <= 1 and head & 15 <= 3, "a table is of a wrong form")
        count = sum(reader.take(16))
        need(count <= 256, "a table is of a wrong form")
        reader.take(count)


def _written(marker: int, body: bytes) -> bytes:
    return b"\xff%c%b%b" % (marker, (len(body) + 2).to_bytes(2, "big"), body)
