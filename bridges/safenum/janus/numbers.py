"""Numbers in header fields: as they are, or in a `sip:` or `tel:` URI (RFC 3261, RFC 3966)."""

import re

_NUMBER = re.compile(r"[^<]{0,128}?<?\s*(?:sips?:|tel:)?(\+[1-9][0-9]{6,14})(?=[@;>\s]|\Z)")


def number(text: str) -> str:
    """The number in international form; empty where there is none."""
    found = _NUMBER.match(text[:512])
    return "" if found is None else found[1]
