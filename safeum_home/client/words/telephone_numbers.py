"""Numbers of the telephone network: as people write them, and as they are shown to them."""

import re

import phonenumbers

from safeum_home.client.words.text import safe
from safeum_home.protocol.telephone_types import E164_PATTERN

WITHHELD = "a withheld number"
_BETWEEN = str.maketrans("", "", " ()-./\N{NO-BREAK SPACE}\N{NON-BREAKING HYPHEN}")
"""What people write between digits."""
_E164 = re.compile(E164_PATTERN)
_SHORT = re.compile(r"[0-9*#]{2,6}")


def shown(number: str | None) -> str:
    """`+49 30 123456`; a number that a node has made up as it is, without what a terminal would obey."""
    if number is None:
        return WITHHELD
    if _E164.match(number) is None:
        return safe(number)
    parsed = phonenumbers.parse(number)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def is_national(text: str) -> bool:
    """Whether it is a number without its country."""
    digits = text.translate(_BETWEEN)
    return digits.isdecimal() and digits.isascii() and _SHORT.fullmatch(digits) is None


def understood(text: str, country: str | None = None) -> str:
    """A number in international form, of what was written; raises `ValueError`, with words for people.

    Without a country it has to be a whole number of `country` (ISO 3166-1), with what is dialled there before
    an area code. Short numbers are left as they are.
    """
    digits = text.translate(_BETWEEN)
    if not is_national(text):
        plus = digits.startswith("+") and digits[1:].isdecimal() and digits.isascii()
        if plus or _SHORT.fullmatch(digits):
            return digits
        raise ValueError("Which number? As +49 30 123456.")
    number = None if country is None else _national(digits, country)
    if number is None:
        raise ValueError("Write it with + and the country: +49 30 123456.")
    return number


def _national(digits: str, region: str) -> str | None:
    """None where it could be several, or is none."""
    about = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if about is None or about.general_desc is None:
        return None
    abroad = re.match(about.international_prefix or r"(?!)", digits)
    prefixed = not about.national_prefix or digits.startswith(about.national_prefix)
    # Where all whole numbers are of one length, none of them is taken for one of the same town.
    if abroad is None and not prefixed and len(about.general_desc.possible_length) > 1:
        return None
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
