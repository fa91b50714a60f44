"""Whether a JPEG is stored lying, and says so in its EXIF, which is taken out."""

from safeum_home.images.octets import Damaged, Reader, need

_APP1, _SOS = 0xE1, 0xDA
_ORIENTATION = 0x0112
_UPRIGHT = 1


def turned(data: bytes) -> bool:
    """Whether viewers turn or mirror this picture (EXIF 2.32, section 4.6.4 A); False where nothing says so.

    Without its EXIF it is shown as it is stored.
    """
    try:
        return _orientation(data) not in (0, _UPRIGHT)
    except Damaged:
        return False


def _orientation(data: bytes) -> int:
    reader = Reader(data)
    need(reader.take(2) == b"\xff\xd8", "no JPEG")
    while True:
        head = reader.take(4)
        need(head[0] == 0xFF and head[1] != _SOS, "no EXIF")
        body = reader.take(max(0, int.from_bytes(head[2:], "big") - 2))
        if head[1] == _APP1 and body.startswith(b"Exif\0\0"):
            return _of_tiff(body[6:])


def _of_tiff(tiff: bytes) -> int:
    """The orientation in the first directory of a TIFF (revision 6.0, section 2); 0 where there is none."""
    need(tiff[:2] in (b"II", b"MM"), "no TIFF")

    def number(octets: bytes) -> int:
        return int.from_bytes(octets, "little" if tiff[:2] == b"II" else "big")

    reader = Reader(tiff, 4)
    reader.at = number(reader.take(4))
    need(reader.left > 0, "no directory")
    for _ in range(number(reader.take(2))):
        entry = reader.take(12)
        if number(entry[:2]) == _ORIENTATION:
            return number(entry[8:10])
    return 0
