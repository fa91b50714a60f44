"""Pictures without what does not belong into them: parsed, measured and stripped, and never decoded.

What is known to be of the picture is copied and all else is left out: EXIF, XMP, comments, colour profiles,
thumbnails, whatever follows the picture's end. The octets that hold the pixels stay as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass

from safeum_home.errors import Code, Problem
from safeum_home.images import jpeg, png, webp
from safeum_home.images.octets import Damaged, Moving
from safeum_home.protocol.types import MAX_AVATAR_SIDE, AvatarType

_Strip = Callable[[bytes], tuple[bytes, int, int]]

_KINDS: tuple[tuple[AvatarType, Callable[[bytes], bool], _Strip], ...] = (
    ("image/jpeg", jpeg.begins, jpeg.strip),
    ("image/png", png.begins, png.strip),
    ("image/webp", webp.begins, webp.strip),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that holds nothing but itself. `width` and `height` are in pixels."""

    type: AvatarType
    width: int
    height: int
    data: bytes


def clean(data: bytes, kind: AvatarType | None = None, most: int = MAX_AVATAR_SIDE) -> Picture:
    """The picture in `data`, stripped; `kind` is what it is said to be, where that is to be checked.

    Raises `invalid_image` for what is damaged, not of a known kind, or of another one than `kind`;
    `animated_image`; and `too_large` for more than `most` pixels in either direction.
    """
    known = next(((found, strip) for found, begins, strip in _KINDS if begins(data)), None)
    if known is None:
        raise Problem(Code.INVALID_IMAGE, "neither JPEG nor PNG nor WebP")
    found, strip = known
    if kind is not None and kind != found:
        raise Problem(Code.INVALID_IMAGE, f"this is {found}")
    try:
        stripped, width, height = strip(data)
    except Damaged as error:
        raise Problem(Code.INVALID_IMAGE, str(error)) from None
    except Moving:
        raise Problem(Code.ANIMATED_IMAGE) from None
    if width > most or height > most:
        raise Problem(Code.TOO_LARGE, f"{width}x{height} pixels; {most}x{most} is the most")
    return Picture(found, width, height, stripped)
