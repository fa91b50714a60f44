"""That an account has other keys now, said by those that it had: so it is no swap, and shown all the same.

    sign, box  32 each: the first keys of the line
    count       1   of those that have followed: 1 to 8; and for each of them, in their order:
      at        8   when it was named, in milliseconds
      sign, box 32 each
      word     64   Ed25519 by the keys before it of a tag, account, hash before, hash now, and `at`

The envelope is signed with the last ones. So who has only these can post it, into chats that others were away
from or that were forgotten: the word of the keys before is good for all chats, and is no secret.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from safeum_home.client.secret import KEY
from safeum_home.client.secure.envelope import Envelope
from safeum_home.client.secure.octets import Reader, malformed, number
from safeum_home.client.secure.people import MOST_FORMER
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.protocol.federation.signed import SIGNATURE_SIZE, is_signed_by
from safeum_home.protocol.signing import decode_octets, encode_octets

MOST = 2 * KEY + 1 + MOST_FORMER * (8 + 2 * KEY + SIGNATURE_SIZE)
"""Octets of a line."""
_TAG = b"safeum secure succession v1\0"


class Named(NamedTuple):
    """Keys that those before have named as their followers."""

    at: int
    keys: PublicKeys
    word: bytes


class Line(NamedTuple):
    """Keys of one account, each of which has named the next ones. Nothing of it is believed yet."""

    first: PublicKeys
    named: tuple[Named, ...]

    @property
    def keys(self) -> tuple[PublicKeys, ...]:
        """All of them, the oldest first: two or more."""
        return self.first, *(each.keys for each in self.named)

    @property
    def last(self) -> PublicKeys:
        return self.named[-1].keys

    @property
    def before(self) -> PublicKeys:
        """Those that have named the last ones."""
        return self.keys[-2]

    @property
    def octets(self) -> bytes:
        """The content of an envelope."""
        named = (number(at) + keys.sign + keys.box + word for at, keys, word in self.named)
        return self.first.sign + self.first.box + number(len(self.named), 1) + b"".join(named)

    @property
    def text(self) -> str:
        """What the vault keeps: base64url."""
        return encode_octets(self.octets)

    def is_said(self, account: str) -> bool:
        """Whether all of them have named the next ones, as keys of this account."""
        return all(
            is_signed_by(before.sign, _signed(account, before.hash, after.keys.hash, after.at), after.word)
            for before, after in zip(self.keys, self.named, strict=False)
        )


def _signed(account: str, before: bytes, after: bytes, at: int) -> bytes:
    return _TAG + account.encode() + b"\0" + before + after + number(at)


def name(own: UniqueKey, new: PublicKeys, at: int, line: Line | None = None) -> Line:
    """`own` names its followers; `line` is how it came to be in force itself. Of that the last are kept."""
    word = own.signing.sign(_signed(own.account, own.hash, new.hash, at))
    known = (own.public, *()) if line is None else line.keys
    named = (*(() if line is None else line.named), Named(at, new, word))
    over = max(0, len(named) - MOST_FORMER)
    return Line(known[over], named[over:])


def take(reader: Reader) -> Line:
    """Raises `Refused(MALFORMED)`."""
    first, count = PublicKeys(reader.take(KEY), reader.take(KEY)), reader.number(1)
    if not 1 <= count <= MOST_FORMER:
        raise malformed()
    named = tuple(
        Named(reader.number(), PublicKeys(reader.take(KEY), reader.take(KEY)), reader.take(SIGNATURE_SIZE))
        for _ in range(count)
    )
    reader.end()
    line = Line(first, named)
    if len(set(line.keys)) != len(line.keys):
        raise malformed()
    return line


def of_text(text: str) -> Line:
    """What `Line.text` was; raises `Refused(MALFORMED)`."""
    octets = decode_octets(text, len(text) * 3 // 4)
    if octets is None:
        raise malformed()
    return take(Reader(octets))


def read(envelope: Envelope, account: str) -> Line:
    """What an envelope says: keys of `account` that have named each other. Raises `Refused(MALFORMED)`."""
    line = take(Reader(envelope.content))
    if not line.is_said(account):
        raise malformed()
    return line


def steps(keys: Sequence[PublicKeys]) -> list[tuple[bytes, bytes]]:
    """Hashes before and after, for each that has named others."""
    return [(before.hash, after.hash) for before, after in pairwise(keys)]
