"""What two people compare to know that they have each other's keys: a number, or a picture to scan."""

import segno

from safeum_home.client.secure.members import MAX_ACCOUNT
from safeum_home.client.secure.octets import HASH, Reader, digest, text
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.protocol.signing import decode_octets, encode_octets

GROUPS = 12
DIGITS = 5
_NUMBER_PERSON = b"safeum number v1"
_SCHEME = "safeum:verify:1:"


def safety_number(own: tuple[str, PublicKeys], other: tuple[str, PublicKeys]) -> str:
    """60 digits in twelve groups, of accounts with their keys: the same, whichever is whose.

    Each half stands for one of the two: so about 2^99 tries would make keys with the same one.
    """
    halves = sorted(_half(account, keys) for account, keys in (own, other))
    return " ".join(" ".join(half) for half in halves)


def _half(account: str, keys: PublicKeys) -> list[str]:
    octets = digest(keys.sign + keys.box + account.encode(), _NUMBER_PERSON, 64)
    starts = range(0, 5 * GROUPS // 2, 5)
    return [f"{int.from_bytes(octets[at : at + 5], 'big') % 10**DIGITS:0{DIGITS}}" for at in starts]


def fingerprint(hash: bytes) -> str:
    """The hash of keys for people: eight groups of five hexadecimal digits, the first 160 bits."""
    digits = hash.hex()[:40]
    return " ".join(digits[at : at + 5] for at in range(0, 40, 5))


def scan_text(own: tuple[str, bytes], other: tuple[str, bytes]) -> str:
    """What the picture of `own` for `other` says: both accounts, with the hashes of keys as known here."""
    octets = b"".join(text(account) + hash for account, hash in (own, other))
    return _SCHEME + encode_octets(octets)


def picture(said: str) -> segno.QRCode:
    """`scan_text` as a QR code (ISO/IEC 18004)."""
    return segno.make_qr(said, error="m")


def scanned(said: str, own: tuple[str, bytes], other: tuple[str, bytes]) -> bool:
    """Whether what was scanned from the screen of `other` has the keys that are known here, of both.

    Raises `Refused`: MALFORMED for what is no such picture, NOT_A_MEMBER for one of, or for, somebody else.
    False is no mistake of the picture: one of the two sees keys that are not the other's.
    """
    encoded = said.removeprefix(_SCHEME)
    octets = decode_octets(encoded, len(encoded) * 3 // 4)
    if encoded == said or octets is None:
        raise Refused(Reason.MALFORMED)
    reader = Reader(octets)
    theirs, mine = ((reader.text(MAX_ACCOUNT), reader.take(HASH)) for _ in range(2))
    reader.end()
    if (theirs[0], mine[0]) != (other[0], own[0]):
        raise Refused(Reason.NOT_A_MEMBER)
    return theirs == other and mine == own
