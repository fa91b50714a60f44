"""Mobile numbers in their one written form: E.164 (ITU-T), as the countries' numbering plans have it."""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from safeum_home.errors import Code, Problem
from safeum_home.ids import is_number

_PASSED_OVER = re.compile(r"[ .()/-]")
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
"""The second is what plans such as North America's say, which tell the two apart nowhere."""


def e164(text: str) -> str:
    """A number that can be a mobile phone's, as `+` and digits; raises `invalid_number`.

    International form only: a number without its country would be another one from elsewhere.
    """
    compact = _PASSED_OVER.sub("", text)
    # The library would also take letters, other scripts' digits, extensions and prefixes.
    if not is_number(compact):
        raise Problem(Code.INVALID_NUMBER)
    try:
        number = phonenumbers.parse(compact)
    except NumberParseException:  # quotes the number
        raise Problem(Code.INVALID_NUMBER) from None
    possible = phonenumbers.is_possible_number(number) and phonenumbers.is_valid_number(number)
    if not possible or phonenumbers.number_type(number) not in _MOBILE:
        raise Problem(Code.INVALID_NUMBER)
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if not is_number(written):
        raise Problem(Code.INVALID_NUMBER)
    return written
