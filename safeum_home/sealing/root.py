"""The root secret: 32 random octets from which every other key of a node descends.

People keep it as 24 words (BIP-39, English) or as shares of 33 words, of which some number is enough
(SLIP-39, one group, no passphrase). The libraries for both work on Python objects: what they leave
behind in freed memory is zeroed as far as it can be reached, which is not everywhere.
"""

import dataclasses
import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass

import shamir_mnemonic
from mnemonic import Mnemonic
from shamir_mnemonic.share import Share
from shamir_mnemonic.utils import MnemonicError
from shamir_mnemonic.wordlist import WORDLIST

from safeum_home.errors import Code, Problem
from safeum_home.sealing.memory import KEY_SIZE, Arena, Slot, scrub

MOST_SHARES = 16
WORDS = 24
SHARE_WORDS = 33
_WORD = re.compile(r"[a-z]+")
_HEX = re.compile(r"[0-9a-f]{64}")


def generate(arena: Arena) -> Slot:
    """A new root secret."""
    return arena.slot().fill_random()


def to_words(root: Slot) -> str:
    """The root secret as 24 words."""
    octets = bytes(root.view())
    try:
        return str(Mnemonic("english").to_mnemonic(octets))
    finally:
        scrub(octets)


def split(root: Slot, threshold: int, count: int) -> list[str]:
    """The root secret as `count` shares, any `threshold` of which are enough.

    Raises `invalid_params` unless 1 <= threshold <= count <= 16. One of one is allowed; several
    shares that are each enough are not: that would be copies, which the words are simpler for.
    """
    if not 1 <= threshold <= count <= MOST_SHARES or (threshold == 1 and count > 1):
        raise Problem(Code.INVALID_PARAMS, "the threshold is from 2 to the number of shares, at most 16")
    octets = bytes(root.view())
    try:
        # The exponent slows down guessing of a passphrase, of which there is none.
        [shares] = shamir_mnemonic.generate_mnemonics(1, [(threshold, count)], octets, iteration_exponent=0)
    finally:
        scrub(octets)
    return list(shares)


@dataclass(frozen=True)
class HeldShare:
    """A share whose secret part waits in locked memory."""

    outline: Share
    value: Slot

    @property
    def threshold(self) -> int:
        """How many shares of its set are needed."""
        return int(self.outline.member_threshold)

    @property
    def index(self) -> int:
        return int(self.outline.index)

    def fits(self, other: "HeldShare") -> bool:
        """Whether both are of one set, as far as shares tell."""
        return bool(self.outline.group_parameters() == other.outline.group_parameters())


def parse(arena: Arena, text: str) -> Slot | HeldShare:
    """What an operator typed: 24 words or 64 hexadecimal digits (a root secret), or 33 words (a share).

    Case, white space, numbering and punctuation are of no matter. Raises `invalid_words`, which
    repeats nothing of the text.
    """
    folded = text.lower()
    if _HEX.fullmatch(folded.strip()):
        return _into_slot(arena, bytearray.fromhex(folded.strip()))
    words = _WORD.findall(folded)
    if len(words) == WORDS:
        return _into_slot(arena, _from_words(words))
    if len(words) == SHARE_WORDS:
        return _from_share(arena, words)
    raise Problem(Code.INVALID_WORDS, f"{len(words)} words; a secret has {WORDS}, a share {SHARE_WORDS}")


def combine(arena: Arena, shares: Iterable[HeldShare]) -> Slot:
    """The root secret of as many shares of one set as are needed; raises `foreign_share`.

    Where two or more shares are needed, a digest in them tells one that does not belong.
    """
    values = [(share, bytes(share.value.view())) for share in shares]
    texts = [dataclasses.replace(share.outline, value=value).mnemonic() for share, value in values]
    octets = None
    with suppress(MnemonicError):
        octets = shamir_mnemonic.combine_mnemonics(texts)
    for _, value in values:
        scrub(value)
    if octets is None:
        raise Problem(Code.FOREIGN_SHARE, "the shares do not fit together")
    return _into_slot(arena, octets)


def _from_words(words: list[str]) -> bytearray:
    octets = None
    with suppress(LookupError, ValueError):  # their texts quote a word: not even the context is kept
        octets = Mnemonic("english").to_entropy(words)
    if octets is None:
        raise _invalid(words, Mnemonic("english").wordlist)
    return bytearray(octets)


def _from_share(arena: Arena, words: list[str]) -> HeldShare:
    share = None
    with suppress(MnemonicError):  # its text quotes the share
        share = Share.from_mnemonic(" ".join(words))
    if share is None:
        raise _invalid(words, WORDLIST)
    if share.group_count != 1 or len(share.value) != KEY_SIZE:
        raise Problem(Code.INVALID_WORDS, "a share, but not of a node's root secret")
    return HeldShare(dataclasses.replace(share, value=b""), _into_slot(arena, share.value))


def _invalid(words: list[str], known: Collection[str]) -> Problem:
    """Which words are wrong, by their places alone."""
    wrong = [str(place) for place, word in enumerate(words, 1) if word not in known]
    if not wrong:
        return Problem(
            Code.INVALID_WORDS, "each word is in the list, but not all are right, or not in their places"
        )
    are = "word {} is" if len(wrong) == 1 else "words {} are"
    return Problem(Code.INVALID_WORDS, f"{are.format(', '.join(wrong))} not in the list")


def _into_slot(arena: Arena, octets: bytes | bytearray) -> Slot:
    """Move 32 octets that nobody else holds."""
    if len(octets) != KEY_SIZE:
        scrub(octets)
        raise Problem(Code.INVALID_WORDS)
    slot = arena.slot()
    slot.view()[:] = octets
    scrub(octets)
    return slot
