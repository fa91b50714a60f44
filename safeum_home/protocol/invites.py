"""Invites: who may sign up where not everybody may. A code, and the link that carries it.

In the link the code is the fragment, which no browser sends: so it is in no server's log.
"""

from base64 import b32encode
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

INVITE_PATH = "/invite"
GROUP_PATH = "/group"
_OCTETS = 16
LONGEST = 320
"""Characters of what `code_in` looks at."""

InviteCode = Annotated[
    str, Meta(min_length=1, max_length=64, description="The part of an invite's link behind `#`.")
]


def new_code(random: Callable[[int], bytes]) -> str:
    """A code of 128 random bits: 26 base32 characters (RFC 4648 section 6), in lower case."""
    return b32encode(random(_OCTETS)).decode().rstrip("=").lower()


def link(node: str, code: str) -> str:
    """What is handed to who is invited."""
    return f"https://{node}{INVITE_PATH}#{code}"


def group_link(node: str, code: str) -> str:
    """By what a group is joined."""
    return f"https://{node}{GROUP_PATH}#{code}"


def node_in(text: str) -> str | None:
    """The node that a link leads to; None where only a code was typed."""
    place = text[:LONGEST].rpartition("#")[0].strip().lower()
    authority = (place.partition("://")[2] or place).partition("/")[0]
    return authority.removesuffix(":443") or None


def code_in(text: str) -> str:
    """The code in a link or in what was typed; whether it is good only the node can tell."""
    return text[:LONGEST].rpartition("#")[2].strip().lower()[:64]
