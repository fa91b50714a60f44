"""What the vault keeps of the keys that its owner had before, and of who was told of those in force."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.client.secure import succession
from safeum_home.client.secure.payloads import Octets32
from safeum_home.client.secure.people import MOST_FORMER
from safeum_home.protocol.scalars import Chat

MOST_CHATS = 10_000
LineText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]*$(?!\n)", max_length=(succession.MOST * 4 + 2) // 3)]


class OwnMemory(Struct, frozen=True, omit_defaults=True):
    """`line` is how the keys of this vault came to be in force: base64url, empty for the first ones.

    `published`: the directory has had them. `told` are chats in which that was said, `lost` hashes of keys
    whose owner has forgotten their passphrase.
    """

    line: LineText = ""
    published: bool = False
    told: Annotated[tuple[Chat, ...], Meta(max_length=MOST_CHATS)] = ()
    lost: Annotated[tuple[Octets32, ...], Meta(max_length=MOST_FORMER)] = ()

    def check(self) -> None:
        """Raises `Refused(MALFORMED)` where the line is none."""
        if self.line:
            succession.of_text(self.line)


def merge(one: OwnMemory, other: OwnMemory) -> OwnMemory:
    """Of two that follow on the same vault. Of two lines it is the longer one."""
    line = max(one.line, other.line, key=lambda each: (len(each), each))
    of_it = [each for each in (one, other) if each.line == line]
    told = {chat for each in of_it for chat in each.told}
    lost = sorted({*one.lost, *other.lost})[:MOST_FORMER]
    return OwnMemory(
        line,
        any(each.published for each in of_it),
        tuple(sorted(told)[:MOST_CHATS]),
        tuple(lost),
    )
