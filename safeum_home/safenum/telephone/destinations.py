"""Numbers that are not dialled from here, whatever they would cost."""

from functools import cache

from phonenumbers import SUPPORTED_SHORT_REGIONS, is_emergency_number

from safeum_home.errors import Code, Problem
from safeum_home.ids import is_number

EMERGENCY, SHORT, OWN = "emergency", "short", "own"
"""Details of `destination_refused`, besides the classes of rate tables."""


def check(number: str) -> None:
    """Raises `destination_refused` for emergency and other short numbers: from nowhere they lead nowhere.

    A node does not know where its callers are, and no emergency service is told.
    """
    if is_number(number):
        return
    raise Problem(Code.DESTINATION_REFUSED, EMERGENCY if _is_emergency(number) else SHORT)


@cache
def _regions() -> tuple[str, ...]:
    return tuple(sorted(SUPPORTED_SHORT_REGIONS))


def _is_emergency(number: str) -> bool:
    """Anywhere in the world, also behind the code of a country, which has up to three digits.

    What has keys in it that are no digits is a code of some network.
    """
    digits = number.removeprefix("+")
    codes = range(1 + 3 * number.startswith("+"))
    return digits.isdigit() and any(
        is_emergency_number(digits[code:], region) for code in codes for region in _regions()
    )
