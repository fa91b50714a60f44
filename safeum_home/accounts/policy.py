"""The node's policy: a text of its operator's with a version, which people agree to when they sign up.

A file of it is UTF-8. Its first line is `version: TEXT`; what follows is shown as it stands.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec
from msgspec import Raw

from safeum_home.errors import Code, Problem
from safeum_home.protocol.commands import PolicyText

LONGEST = 60 * 1024
"""Octets of the policy as an answer holds it: the rest of a frame is for what is around it."""
STANDARD = "standard"
_FIRST = "version:"
_LONGEST_VERSION = 64


class PolicyError(Exception):
    """This is no policy; the message says why, without a name of the file."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Made by `parse`. `encoded` is what `policy.get` answers."""

    version: str
    text: str
    encoded: Raw


def parse(octets: bytes) -> Policy:
    """The policy in a file; raises `PolicyError`."""
    try:
        whole = octets.decode().removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise PolicyError("it is not UTF-8") from None
    first, _, text = whole.partition("\n")
    version = first.removeprefix(_FIRST).strip()
    if not first.startswith(_FIRST) or not version:
        raise PolicyError("its first line is not `version: TEXT`")
    if len(version) > _LONGEST_VERSION or not version.isprintable():
        raise PolicyError("its version has more than 64 characters, or some that cannot be shown")
    text = text.strip("\n")
    if not text.strip():
        raise PolicyError("there is no text below its version")
    if any((ord(char) < 32 and char not in "\n\t") or 127 <= ord(char) < 160 for char in text):
        raise PolicyError("there is a control character in it")
    encoded = msgspec.json.encode(PolicyText(version, text))
    if len(encoded) > LONGEST:
        raise PolicyError(f"it has more than {LONGEST} octets as JSON")
    return Policy(version, text, Raw(encoded))


@cache
def standard() -> Policy:
    """What says truthfully what a node keeps, where its operator has nothing to add."""
    return parse(files("safeum_home.accounts").joinpath("policy.txt").read_bytes())


def read(file: str) -> Policy:
    """The policy at a path, or the `standard` one. Blocks; raises `PolicyError`."""
    if file == STANDARD:
        return standard()
    try:
        with Path(file).open("rb") as opened:
            octets = opened.read(LONGEST + 1)
    except OSError as error:
        raise PolicyError(f"it cannot be read: {error.strerror}") from None
    if len(octets) > LONGEST:
        raise PolicyError(f"it has more than {LONGEST} octets")
    return parse(octets)


class CurrentPolicy:
    """The policy that is in force."""

    def __init__(self, policy: Policy) -> None:
        self.now = policy

    def check(self, version: str | None) -> str:
        """`version`, where it is the one in force; raises `consent_needed`, which names that one."""
        if version is None or version != self.now.version:
            raise Problem(Code.CONSENT_NEEDED, self.now.version)
        return version

    def due(self, consented: str | None) -> str | None:
        """The version that is to be agreed to by who has agreed to `consented`; None where that is it."""
        return None if consented == self.now.version else self.now.version
