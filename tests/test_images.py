"""Pictures made by a real encoder lose what is not of the picture, keep every pixel, and never surprise."""

import io
import struct
from functools import cache
from hashlib import sha256
from random import Random
from typing import Any
from zlib import crc32

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, PngImagePlugin
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.images import Picture, clean
from safeum_home.images.turned import turned

SECRET = "secretly in a garden"
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def drawn(mode: str, size: tuple[int, int] = (61, 47)) -> Image.Image:
    """Colours that run into each other, with something to see in each band."""
    width, height = size
    red = Image.linear_gradient("L").resize(size)
    green = Image.radial_gradient("L").resize(size)
    noise = Random(width).randbytes(width * height)
    blue = Image.frombytes("L", size, noise) if width * height < 10_000 else red.rotate(90)
    alpha = green.rotate(45)
    bands = {"L": (red,), "LA": (red, alpha), "RGB": (red, green, blue), "RGBA": (red, green, blue, alpha)}
    if mode in bands:
        return Image.merge(mode, bands[mode])
    return Image.merge("RGB", bands["RGB"]).convert(mode)


def exif() -> Image.Exif:
    """A camera, a place and a comment."""
    made = Image.Exif()
    made[ExifTags.Base.Make] = SECRET
    made[ExifTags.Base.Orientation] = 6
    made.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (52.0, 31.0, 12.0), 29: SECRET})
    return made


@cache
def icc() -> bytes:
    profile: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def laden(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A file with all the metadata that its format and the encoder know."""
    options |= {"exif": exif(), "icc_profile": icc(), "dpi": (300, 300)}
    packet = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{SECRET}</x:xmpmeta>".encode()
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", SECRET)
        texts.add_text("Author", SECRET * 9, zip=True)
        texts.add_itxt("XML:com.adobe.xmp", packet.decode())
        options["pnginfo"] = texts
    else:
        options["xmp"] = packet
    if kind == "JPEG":
        options["comment"] = SECRET.encode()
    return encoded(image, kind, **options)


@cache
def samples() -> tuple[tuple[str, bytes], ...]:
    """(format, file), of every kind that the encoder makes, each with metadata and without."""
    made: list[tuple[str, bytes]] = []
    jpegs: list[dict[str, Any]] = [
        {},
        {"progressive": True},
        {"quality": 5},
        {"keep_rgb": True},
        {"optimize": True, "progressive": True, "quality": 100},
        *({"subsampling": each, "restart_marker_rows": 1} for each in (0, 1, 2)),
    ]
    variants: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "JPEG": [("L", {}), ("CMYK", {}), *(("RGB", options) for options in jpegs)],
        "PNG": [(mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
        + [("P", {"transparency": 3}), ("L", {"transparency": 9}), ("RGB", {"transparency": (1, 2, 3)})],
        "WEBP": [(mode, {"lossless": each}) for mode in ("RGB", "RGBA") for each in (False, True)],
    }
    for kind, cases in variants.items():
        for mode, options in cases:
            image = drawn(mode)
            made += [(kind, encoded(image, kind, **options)), (kind, laden(image, kind, **options))]
    return tuple(made)


def pixels(data: bytes) -> tuple[str, tuple[int, int], str]:
    """What whoever looks at it gets; of the pixels a hash: to show how long ones differ takes minutes."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        # `transparency` is how a palette's or a single colour's alpha is told.
        transparency = image.info.get("transparency")
        palette = image.getpalette() if image.mode == "P" else None
        seen = sha256(image.tobytes() + repr((transparency, palette)).encode())
        return image.mode, image.size, seen.hexdigest()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc32(kind + body))


class CleanTests(SynchronousTestCase):
    def refused(self, code: Code, data: bytes, *arguments: Any) -> str:
        problem = self.assertRaises(Problem, clean, data, *arguments)
        self.assertIs(problem.code, code, problem)
        return problem.detail or ""

    def test_pixels_stay(self) -> None:
        """Every pixel is what it was, of every kind of file; and the size is the encoder's."""
        for kind, data in samples():
            picture = clean(data)
            self.assertEqual((picture.type, (picture.width, picture.height)), (FORMATS[kind], (61, 47)))
            self.assertEqual(pixels(picture.data), pixels(data), kind)
            self.assertEqual(clean(picture.data), picture)

    def test_metadata_goes(self) -> None:
        """Camera, place, comments, colour profile and resolution went in, and did not come out."""
        for kind, data in samples():
            cleaned = clean(data).data
            with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(cleaned)) as after:
                after.load()
                self.assertEqual(dict(after.getexif()), {})
                kept = set(after.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
                kept -= {"progressive", "progression", "adobe", "adobe_transform", "transparency"}
                # What the decoder says of every WebP.
                kept -= {"loop", "background", "timestamp", "duration"}
                self.assertEqual(kept, set(), kind)
                if "exif" in before.info:
                    self.assertIn(SECRET, str(dict(before.getexif())))
            for hidden in (SECRET.encode(), b"Exif", b"adobe:ns", b"acsp", b"ICC", b"eXIf", b"XMP", b"EXIF"):
                self.assertNotIn(hidden, cleaned, kind)

    def test_webp_says_what_it_holds(self) -> None:
        """Flags of what was left out are gone; that of an alpha channel stays (RFC 9649, section 2.7.1)."""
        flags = set()
        for kind, data in samples():
            if kind == "WEBP" and data[12:16] == b"VP8X":
                cleaned = clean(data).data
                self.assertEqual(cleaned[12:16], b"VP8X")
                self.assertEqual(cleaned[20], data[20] & 0x10)
                flags.add((data[20] & ~0x10 != 0, cleaned[20] != 0))
        self.assertLessEqual({(True, True), (True, False)}, flags)

    def test_as_much_as_was_laden(self) -> None:
        """The files with metadata hold it, so that the test above can fail."""
        laden_ones = [data for _, data in samples() if SECRET.encode() in data]
        self.assertEqual(len(laden_ones), len(samples()) // 2)
        for data in laden_ones:
            self.assertLess(len(clean(data).data), len(data) - 500)

    def test_what_follows_the_end(self) -> None:
        """A video, an uncropped older picture or anything else behind the picture's end is left out."""
        for _, data in samples():
            self.assertEqual(clean(data + SECRET.encode() * 50), clean(data))

    def test_colours(self) -> None:
        """What Adobe's marker says of colours stays, and nothing else that is in it."""
        data = encoded(drawn("CMYK"), "JPEG")
        at = data.index(b"Adobe")
        self.assertEqual((data[at - 3], data[at + 11]), (0xEE, 0))
        other = data[: at + 5] + b"flags" + data[at + 10 : at + 11] + b"\2" + data[at + 12 :]
        self.assertNotEqual(pixels(other), pixels(data))
        for each in (data, other):
            self.assertEqual(pixels(clean(each).data), pixels(each))
            self.assertNotIn(b"flags", clean(each).data)

    def test_thumbnails(self) -> None:
        """A JFIF header with a thumbnail in it becomes one without."""
        data = encoded(drawn("RGB"), "JPEG")
        body = b"JFIF\0\1\2\1\0\x48\0\x48\2\2" + b"\xaa\xbb\xcc" * 4
        segment = b"\xff\xe0" + struct.pack(">H", len(body) + 2) + body
        with_thumbnail = data[:2] + segment + data[20:]
        self.assertEqual(data[2:4], b"\xff\xe0")
        picture = clean(with_thumbnail)
        self.assertNotIn(b"\xaa\xbb\xcc", picture.data)
        self.assertEqual(pixels(picture.data), pixels(data))

    def test_metadata_between_scans(self) -> None:
        """Comments stand anywhere in a progressive JPEG, and fill octets before any marker."""
        data = encoded(drawn("RGB"), "JPEG", progressive=True)
        parts = data.split(b"\xff\xda")
        comment = b"\xff\xff\xff\xfe" + struct.pack(">H", len(SECRET) + 2) + SECRET.encode()
        laden_one = (comment + b"\xff\xff\xda").join(parts)
        self.assertGreater(len(parts), 5)
        self.assertEqual(clean(laden_one), clean(data))

    def test_kinds(self) -> None:
        """What it is said to be is what it has to be."""
        for kind, data in samples():
            for said in FORMATS.values():
                if said == FORMATS[kind]:
                    self.assertIsInstance(clean(data, said), Picture)  # type: ignore[arg-type]
                else:
                    self.assertEqual(self.refused(Code.INVALID_IMAGE, data, said), f"this is {FORMATS[kind]}")
        for other in (encoded(drawn("P"), "GIF"), encoded(drawn("RGB"), "BMP"), b"<svg/>", b"", b"\xff\xd8"):
            self.refused(Code.INVALID_IMAGE, other)

    def test_sizes(self) -> None:
        """512x512 is the most."""
        for kind in FORMATS:
            for size in ((512, 512), (1, 1), (512, 1)):
                picture = clean(encoded(drawn("RGB", size), kind))
                self.assertEqual((picture.width, picture.height), size)
            for size in ((513, 1), (1, 513)):
                detail = self.refused(Code.TOO_LARGE, encoded(drawn("RGB", size), kind))
                self.assertEqual(detail, f"{size[0]}x{size[1]} pixels; 512x512 is the most")

    def test_animations(self) -> None:
        """None is taken."""
        frames = [drawn("RGB").rotate(angle) for angle in (0, 90)]
        for kind in ("PNG", "WEBP"):
            moving = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
            self.refused(Code.ANIMATED_IMAGE, moving)

    def test_truncated(self) -> None:
        """A file that ends anywhere before its end is refused."""
        for kind, data in samples():
            whole = clean(data).data
            for end in range(0, len(whole) - (kind == "WEBP"), 1 + len(whole) // 400):
                self.refused(Code.INVALID_IMAGE, whole[:end])

    def test_bombs(self) -> None:
        """Headers that say what no 40 KiB can hold, and pictures that cost whoever looks at them."""
        header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")
        self.refused(Code.TOO_LARGE, bomb)
        data = encoded(drawn("RGB"), "JPEG", progressive=True)
        last = data.rindex(b"\xff\xda")
        self.assertEqual(clean(data[:-2] + data[last:-2] * 20 + b"\xff\xd9").width, 61)
        self.assertIn("scans", self.refused(Code.INVALID_IMAGE, data[:-2] + data[last:-2] * 64 + b"\xff\xd9"))
        many = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0))
        self.assertIn("many", self.refused(Code.INVALID_IMAGE, many + chunk(b"IDAT", b"x") * 3000))

    def test_padding(self) -> None:
        """What fills up a WebP's chunk to an even length is zero; one that is missing is made good."""
        data = encoded(drawn("RGB"), "WEBP")
        self.assertEqual(data[12:16], b"VP8 ")
        size = struct.unpack("<I", data[16:20])[0]
        body = data[20 : 20 + size] + b"\7" * (1 - size % 2)
        odd = (
            b"RIFF"
            + struct.pack("<I", len(body) + 13)
            + b"WEBPVP8 "
            + struct.pack("<I", len(body))
            + body
            + b"\0"
        )
        self.assertEqual(pixels(odd), pixels(data))
        self.assertEqual(clean(odd).data, odd)
        self.assertIn("padding", self.refused(Code.INVALID_IMAGE, odd[:-1] + b"x"))
        shorter = odd[:4] + struct.pack("<I", len(odd) - 9) + odd[8:-1]
        self.assertEqual(clean(shorter).data, odd)

    def test_critical_chunks(self) -> None:
        """A chunk that a viewer must know, and we do not, is no metadata: it is refused."""
        data = encoded(drawn("RGB"), "PNG")
        self.refused(Code.INVALID_IMAGE, data[:33] + chunk(b"ABCD", b"x") + data[33:])
        self.assertEqual(clean(data[:33] + chunk(b"aBCD", b"x") + data[33:]), clean(data))

    def test_order(self) -> None:
        """Chunks out of place."""
        start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 3, 0, 0, 0))
        palette, clear, row = chunk(b"PLTE", bytes(6)), chunk(b"tRNS", bytes(2)), chunk(b"IDAT", b"x")
        end = chunk(b"IEND", b"")
        self.assertEqual(clean(start + palette + clear + row + row + end).width, 9)
        for wrong in (
            row + end,
            palette + end,
            palette + palette + row + end,
            clear + palette + row + end,
            palette + row + clear + end,
            palette + chunk(b"tRNS", bytes(3)) + row + end,
            chunk(b"PLTE", bytes(7)) + row + end,
            palette + row + chunk(b"tEXt", b"a\0b") + row + end,
            palette + row,
        ):
            self.refused(Code.INVALID_IMAGE, start + wrong)


class TurnedTests(SynchronousTestCase):
    def test_orientation(self) -> None:
        """Only what viewers would turn or mirror is told from the rest."""
        image = drawn("RGB")
        for orientation in range(1, 9):
            for order in ("<", ">"):
                exif = Image.Exif()
                exif.endian = order
                exif[ExifTags.Base.Make] = SECRET
                exif[ExifTags.Base.Orientation] = orientation
                self.assertEqual(turned(encoded(image, "JPEG", exif=exif)), orientation != 1)
        self.assertFalse(turned(encoded(image, "JPEG")))
        self.assertFalse(turned(encoded(image, "PNG", exif=exif)))

    @settings(max_examples=500)
    @given(st.data())
    def test_any_octets(self, data: st.DataObject) -> None:
        """Whatever the octets."""
        made = bytearray(encoded(Image.new("L", (1, 1)), "JPEG", exif=exif())[:200])
        for _ in range(data.draw(st.integers(0, 5))):
            made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
        turned(bytes(made[: data.draw(st.integers(0, len(made)))]))


class FuzzTests(SynchronousTestCase):
    """Whatever the octets: a picture or a coded refusal."""

    many = settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))

    def _clean_or_refused(self, data: bytes) -> Picture | None:
        try:
            picture = clean(data)
        except Problem as problem:
            self.assertIn(problem.code, (Code.INVALID_IMAGE, Code.ANIMATED_IMAGE, Code.TOO_LARGE))
            return None
        self.assertEqual(clean(picture.data), picture)
        self.assertLessEqual(len(picture.data), len(data) + 64)
        return picture

    @many
    @given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBP", b""]), st.binary())
    def test_any_octets(self, start: bytes, data: bytes) -> None:
        """Octets behind a good beginning."""
        self._clean_or_refused(start + data)

    @many
    @given(st.data())
    def test_mutations(self, data: st.DataObject) -> None:
        """Good files with octets changed, cut out and doubled: what is taken looks as it did."""
        _, sample = data.draw(st.sampled_from(samples()))
        damaged = bytearray(sample)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, min(len(damaged) - 1, 900)))
            count = data.draw(st.integers(1, 40))
            match data.draw(st.sampled_from(("set", "cut", "double", "insert"))):
                case "set":
                    damaged[at] = data.draw(st.integers(0, 255))
                case "cut":
                    del damaged[at : at + count]
                case "double":
                    damaged[at:at] = damaged[at : at + count]
                case _:
                    damaged[at:at] = data.draw(st.binary(max_size=count))
        picture = self._clean_or_refused(bytes(damaged))
        if picture is None:
            return
        try:
            seen = pixels(bytes(damaged))
        except Exception:
            return  # what cannot be decoded before cannot be after
        self.assertEqual((picture.width, picture.height), seen[1])
        self.assertEqual(pixels(picture.data), seen)

    @many
    @given(st.data())
    def test_chunks(self, data: st.DataObject) -> None:
        """PNGs of any chunks with good checksums, which mutations never get past."""
        kinds = st.sampled_from(b"IHDR PLTE tRNS gAMA sRGB IDAT IEND tEXt zzzz".split())
        header = struct.pack(">IIBBBBB", 9, 9, 8, data.draw(st.sampled_from((0, 2, 3, 4, 6))), 0, 0, 0)
        chunks = data.draw(st.lists(st.tuples(kinds, st.binary(max_size=12)), max_size=12))
        body = b"".join(chunk(*each) for each in [(b"IHDR", header), *chunks])
        self._clean_or_refused(b"\x89PNG\r\n\x1a\n" + body)
