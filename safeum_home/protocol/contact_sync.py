"""Finding contacts by their numbers: what an entry of the node's set is, and how one is opened.

An entry is `tag (8) || AES-256 (FIPS 197) of the account id's 16 octets`, tag and key being parts of the
pseudorandom function's output for the number. The one block is a permutation: it needs no nonce, and tells
nothing to those who never had the number evaluated. docs/contact-sync.md specifies it.
"""

from base64 import b32decode, b32encode
from bisect import bisect_left

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from safeum_home.ids import AccountId

TAG = 8
"""Octets of a tag: that two numbers of a set of a million share one has a chance of 1 in 37 millions."""
ENTRY = TAG + 16
"""Octets of an entry."""
MOST_POINTS = 1_000
"""Numbers that one command asks about: as many as fit a frame."""
MOST_PAGES = 4_096
"""A set's pages, a power of two: as many as their versions fit a frame."""
PAGE = 1_900
"""Entries of a page: as many as fit a frame."""


def entry(output: bytes, account: AccountId) -> bytes:
    """The entry of an account, whose number has this output (64 octets)."""
    return tag(output) + _cipher(output).encryptor().update(_raw(account))


def tag(output: bytes) -> bytes:
    """What an entry begins with: entries are in the order of their tags."""
    return output[:TAG]


def open_entry(output: bytes, sealed: bytes, node: str) -> AccountId:
    """The account of `node` in an entry that has this output's tag."""
    raw = _cipher(output).decryptor().update(sealed[TAG:])
    return AccountId(f"@{b32encode(raw).decode('ascii').rstrip('=').lower()}:{node}")


def page_of(tag: bytes, pages: int) -> int:
    """In which of a set's pages a tag stands: its first bits, as many as it takes to count the pages."""
    return int.from_bytes(tag[:2], "big") * pages >> 16


def place(entries: bytes, key: bytes) -> int:
    """The offset in a page of the first entry that is not before `key`, a tag or a whole entry."""
    size = len(key)
    index = bisect_left(
        range(len(entries) // ENTRY), key, key=lambda i: entries[i * ENTRY : i * ENTRY + size]
    )
    return index * ENTRY


def _raw(account: AccountId) -> bytes:
    return b32decode(account[1:27].upper() + "======")


def _cipher(output: bytes) -> Cipher[ECB]:
    # One block for each key: the mode is of no matter.
    return Cipher(AES(output[32:64]), ECB())  # noqa: S305 - see above
