"""What people say in a secure chat: JSON that is sealed. It comes from somebody else, and is read strictly.

Messages are named by their hash (`envelope.Envelope.hash`): nobody can put another one in its place.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from safeum_home.client.secure import strict_json
from safeum_home.client.secure.octets import malformed
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.protocol.files import MAX_PREVIEW, FileIdText, FileName, MediaType, Pixels
from safeum_home.protocol.message_types import Emoji, Mentions
from safeum_home.protocol.scalars import CursorText

MOST_OCTETS = 32_000
"""Of the JSON of a payload."""
MOST_DELETED = 100
MOST_WAVE = 128

# The last character has bits that stand for nothing: they are zeros in the one form that octets have.
Octets32 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$(?!\n)", max_length=43)]
"""32 octets, base64url: a hash, a key, a nonce."""
Octets16 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{21}[AQgw]$(?!\n)", max_length=22)]
Octets80 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{106}[AEIMQUYcgkosw048]$(?!\n)", max_length=107)]
Written = Annotated[str, Meta(min_length=1, max_length=8192)]
Size = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class _Payload(Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    pass


class Reply(Struct, frozen=True, omit_defaults=True):
    """The message that is answered. `id` is what its sender's node calls it: not to be trusted."""

    hash: Octets32
    id: CursorText | None = None


class Text(_Payload, frozen=True, tag="text"):
    """Plain text."""

    text: Written
    mentions: Mentions = ()
    reply: Reply | None = None


class Edit(_Payload, frozen=True, tag="edit"):
    """Another text in place of the one of `message`, which its author alone can change."""

    message: Octets32
    text: Written
    mentions: Mentions = ()


class Reaction(_Payload, frozen=True, tag="reaction"):
    """One of each account to each message; none takes it back."""

    message: Octets32
    emoji: Emoji | None = None


class Deletion(_Payload, frozen=True, tag="deletion"):
    """For all, by their author. What a node has of them goes by its own command."""

    messages: Annotated[tuple[Octets32, ...], Meta(min_length=1, max_length=MOST_DELETED)]


class Voice(Struct, frozen=True):
    """That a file is a voice note."""

    duration: Size
    """Milliseconds."""
    wave: Annotated[bytes, Meta(max_length=MOST_WAVE)] = b""
    """How loud it is, at equal distances: 0 to 255."""


class File(_Payload, frozen=True, tag="file"):
    """A file, which lies at a node encrypted with `key` (`files`); `size` is that of what is in it.

    `hash` is BLAKE2b-256 of what lies there. Name and preview come from a stranger.
    """

    file: FileIdText
    key: Octets32
    hash: Octets32
    size: Size
    name: FileName
    type: MediaType
    caption: Annotated[str, Meta(max_length=8192)] = ""
    preview: Annotated[bytes, Meta(max_length=MAX_PREVIEW)] = b""
    width: Pixels | None = None
    height: Pixels | None = None
    voice: Voice | None = None
    reply: Reply | None = None


class CompareStart(_Payload, frozen=True, tag="compare.start"):
    """Begins to compare emoji (`comparing`): the commitment to a key that is not shown yet."""

    compare: Octets16
    to: Annotated[str, Meta(max_length=283)]
    commitment: Octets32


class CompareAnswer(_Payload, frozen=True, tag="compare.answer"):
    """The key of who was asked."""

    compare: Octets16
    key: Octets32


class CompareReveal(_Payload, frozen=True, tag="compare.reveal"):
    """The key that was committed to, and the nonce."""

    compare: Octets16
    key: Octets32
    nonce: Octets32


class CompareDone(_Payload, frozen=True, tag="compare.done"):
    """Its sender sees the same emoji, or does not, or has given up."""

    compare: Octets16
    same: bool


class Unknown(Struct, frozen=True):
    """A payload of a later version: of which `text` is shown, where it has one."""

    kind: Annotated[str, Meta(max_length=64)]
    text: Annotated[str, Meta(max_length=8192)] = ""


class _Tag(Struct):
    kind: Annotated[str, Meta(min_length=1, max_length=64)]
    text: object = ""


Compare = CompareStart | CompareAnswer | CompareReveal | CompareDone
Content = Text | Edit | Reaction | Deletion | File
Payload = Content | Compare
QUIET = (Edit, Reaction, Deletion, CompareAnswer, CompareReveal, CompareDone)
"""Those that wake nobody."""
_TYPES = (Text, Edit, Reaction, Deletion, File, CompareStart, CompareAnswer, CompareReveal, CompareDone)
_KNOWN = frozenset(each.__struct_config__.tag for each in _TYPES)
_encoder = msgspec.json.Encoder(order="sorted")
_decoder: "msgspec.json.Decoder[Payload]" = msgspec.json.Decoder(Payload)
_tags: "msgspec.json.Decoder[_Tag]" = msgspec.json.Decoder(_Tag)


def is_quiet(payload: Payload) -> bool:
    return isinstance(payload, QUIET)


def encode(payload: Payload) -> bytes:
    """Raises `Refused`: MALFORMED for what others would not read, TOO_LARGE."""
    try:
        octets = _encoder.encode(payload)
    except UnicodeEncodeError:
        raise malformed() from None
    if len(octets) > MOST_OCTETS:
        raise Refused(Reason.TOO_LARGE)
    _read(octets)
    return octets


def decode(octets: bytes) -> Payload | Unknown:
    """Raises `Refused(MALFORMED)`."""
    if len(octets) > MOST_OCTETS:
        raise malformed()
    strict_json.check(octets)
    return _read(octets)


def _read(octets: bytes) -> Payload | Unknown:
    try:
        return _decoder.decode(octets)
    except (msgspec.DecodeError, RecursionError):
        pass  # or it is of a kind that is not known here
    try:
        tag = _tags.decode(octets)
    except (msgspec.DecodeError, RecursionError):
        raise malformed() from None
    if tag.kind in _KNOWN:
        raise malformed()
    return Unknown(tag.kind, tag.text[:8192] if isinstance(tag.text, str) else "")
