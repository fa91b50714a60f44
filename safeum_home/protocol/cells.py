"""Cells of CSV files (RFC 4180) that somebody may open in a spreadsheet, which takes some texts for formulas.

What begins with one of `=`, `+`, `-`, `@`, a tab or a carriage return gets an apostrophe in front, which
spreadsheets take as "this is text" (OWASP, CSV Injection). Numbers are left as they are: an amount below
zero, and a telephone number in international form (E.164), are digits behind a sign, and nothing can be done
with those; programs of carriers and banks would stumble over the apostrophe.
"""

import re

_BEGINS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-][0-9]{1,15}(?:\.[0-9]{1,6})?\Z")


def cell(text: str) -> str:
    """A cell that is no formula."""
    return f"'{text}" if text.startswith(_BEGINS) and not _NUMBER.match(text) else text
