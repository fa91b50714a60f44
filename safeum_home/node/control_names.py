"""An account as an operator may write it: as on paper, with blanks in a number, or as an address."""

import re

from safeum_home import ids
from safeum_home.errors import Code, Problem

_BETWEEN = re.compile(r"[\s.()/-]")


def alias_of(text: str, home: str | None = None) -> str:
    """The alias that `text` means: a login, a number, an account's id, or one with its node behind it.

    Raises `not_found` where it is none, and where the node behind it is another than `home`.
    """
    text = text.strip()
    login, at, node = text.partition("@")
    if login.startswith("+"):
        text = _BETWEEN.sub("", login) + at + node
    try:
        alias, where = ids.address(text, home or "")
    except Problem:
        raise Problem(Code.NOT_FOUND, "there is no account with this login") from None
    if home is not None and where != home:
        raise Problem(Code.NOT_FOUND, "accounts of another node are not known here")
    return alias
