"""What a unique key is made of: a passphrase, or words that are generated."""

import unicodedata
from typing import NamedTuple

from mnemonic import Mnemonic
from zxcvbn import zxcvbn

from safeum_home.client.secure.refused import Reason, Refused

WORDS = (12, 15, 18, 21, 24)
"""How many there can be; 12 stand for 128 random bits, with 4 that check them (BIP-39)."""
FLOOR = 12.0
"""Below 10^12 guesses a passphrase is refused: with Argon2id as here those take one core 10,000 years."""
MOST = 1024
"""Octets of a passphrase."""
_LOOKED_AT = 72
"""Characters that the strength is estimated by: zxcvbn takes time that grows with the square, and more."""


class Strength(NamedTuple):
    """How strong a passphrase is, as zxcvbn estimates it: see Wheeler, USENIX Security 2016."""

    guesses: float
    """The logarithm to base 10 of how many it takes."""
    score: int
    """From 0, which is the weakest, to 4."""
    advice: str
    """What zxcvbn says of it, in English; empty where there is nothing to say."""

    @property
    def enough(self) -> bool:
        return self.guesses >= FLOOR


def words(count: int = 12) -> str:
    """New random words of the English list of BIP-39, with single spaces between them."""
    return str(Mnemonic("english").generate(strength=count * 32 // 3))


def normal(text: str) -> str:
    """The one written form of a passphrase: NFKC, white space at its ends gone and single within."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def strength(text: str) -> Strength:
    """How strong it is; generated words are as strong as they are random."""
    passphrase = normal(text)
    if not passphrase:
        return Strength(0.0, 0, "")
    listed = passphrase.split(" ")
    if len(listed) in WORDS and Mnemonic("english").check(passphrase):
        return Strength(len(listed) * 32 / 3 * 0.30103, 4, "")
    found = zxcvbn(passphrase[:_LOOKED_AT], max_length=_LOOKED_AT)
    feedback = found["feedback"]
    return Strength(float(found["guesses_log10"]), int(found["score"]), str(feedback["warning"] or ""))


def octets_of(text: str, even_weak: bool = False) -> bytearray:
    """What is stretched: to be wiped after use. Raises `Refused` for what is too long, or too weak."""
    passphrase = normal(text)
    octets = bytearray(passphrase.encode())
    if len(octets) > MOST:
        raise Refused(Reason.TOO_LARGE)
    if not even_weak and not strength(passphrase).enough:
        raise Refused(Reason.WEAK_PASSPHRASE)
    return octets
