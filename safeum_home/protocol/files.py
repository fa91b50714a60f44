"""Files: the body of a message that has one, and where it is sent to and fetched from over HTTPS."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.ids import FILE_PATTERN

UPLOADS_PATH = "/v1/uploads"
"""Where tus 1.0 is spoken (https://tus.io/protocols/resumable-upload)."""
DOWNLOADS_PATH = "/v1/downloads"
TUS_VERSION = "1.0.0"
TUS_EXTENSIONS = ("creation", "termination", "checksum", "expiration")
TUS_CHECKSUMS = ("sha1", "sha256")
OCTETS_TYPE = "application/octet-stream"
OFFSET_TYPE = "application/offset+octet-stream"
"""What the body of a PATCH is (tus 1.0, PATCH)."""
MAX_PREVIEW = 8 * 1024
MAX_TYPE = 127
"""Characters of each half of a media type (RFC 6838 section 4.2)."""
NAME_PATTERN = r"^(?!\.{1,2}$)[^\x00-\x1f\x7f-\x9f/\\\u2028\u2029]{1,255}$(?!\n)"
TYPE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$(?!\n)"
TICKET_PATTERN = r"^[A-Za-z0-9_-]{43}$(?!\n)"

FileIdText = Annotated[
    str,
    Meta(pattern=FILE_PATTERN, max_length=27, description="A file; the same wherever it is forwarded to."),
]
FileSize = Annotated[int, Meta(ge=0, le=2**53 - 1, description="Octets.")]
MediaType = Annotated[
    str, Meta(pattern=TYPE_PATTERN, max_length=2 * MAX_TYPE + 1, description="RFC 6838, without parameters.")
]
FileName = Annotated[
    str,
    Meta(
        pattern=NAME_PATTERN,
        max_length=255,
        description="A name, not a path. Whoever stores it makes it safe for the place where that is.",
    ),
]
Pixels = Annotated[int, Meta(ge=1, le=65535)]
Ticket = Annotated[
    str,
    Meta(pattern=TICKET_PATTERN, max_length=43, description="A secret for a short time and one purpose."),
]


class File(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="file"):
    """A file. `size` and `type` are what the node has seen; all else is what the sender says of it."""

    file: FileIdText
    name: FileName
    size: FileSize
    type: MediaType
    caption: Annotated[str, Meta(max_length=8192)] = ""
    preview: Annotated[bytes, Meta(max_length=MAX_PREVIEW, description="A small picture, base64.")] = b""
    """Made by the sender's client. Whoever shows it takes it for what a stranger sent."""
    width: Pixels | None = None
    height: Pixels | None = None
    duration: Annotated[int, Meta(ge=0, le=2**53 - 1, description="Milliseconds.")] | None = None


class SealedFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a message in a secure chat: octets, of which all else is told within what is sealed."""

    file: FileIdText
    size: FileSize

    @property
    def type(self) -> str:
        """As which it has to be uploaded."""
        return OCTETS_TYPE


AnyFile = File | SealedFile


class Quota(Struct, frozen=True):
    """What an account's files take, uploads included, and may take. Octets."""

    used: int
    limit: int
