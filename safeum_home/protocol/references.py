"""References under which accounts pay in: random, and of no meaning to anybody but the node.

For transfers they are creditor references (ISO 11649): `RF`, two check digits, and what is random. A mistake
in typing one is found, by the bank or here.
"""

import re
from base64 import b32encode

from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

from safeum_home.ids import RandomBytes

_OCTETS = 10
"""80 bits: 16 characters of the 21 that there is room for."""
_WRITTEN = re.compile(r"RF[0-9]{2}[A-Z2-7]{16}")


def new_reference(random: RandomBytes) -> str:
    """Sixteen characters of A-Z and 2-7."""
    return b32encode(random(_OCTETS)).decode()


def new_creditor_reference(random: RandomBytes) -> str:
    """`RF` and 18 characters."""
    body = new_reference(random)
    return f"RF{mod_97_10.calc_check_digits(f'{body}RF')}{body}"


def creditor_reference(text: str) -> str | None:
    """The one that stands in a text, however it is spaced; None where none does, or more than one."""
    compact = iso11649.compact(text)
    found = {each for each in _WRITTEN.findall(compact) if iso11649.is_valid(each)}
    return found.pop() if len(found) == 1 else None
