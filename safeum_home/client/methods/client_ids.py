"""Names for messages: UUIDs of version 7, which a node stores side by side where they are made together."""

from collections.abc import Callable
from secrets import token_bytes
from uuid import UUID


def new_client_id(milliseconds: float, random: Callable[[int], bytes] = token_bytes) -> str:
    """A UUID of version 7 (RFC 9562, section 5.7) at a time in milliseconds since 1970."""
    number = int.from_bytes(int(milliseconds).to_bytes(6, "big") + random(10), "big")
    number = number & ~(0xF << 76) | 7 << 76  # the version
    number = number & ~(0x3 << 62) | 2 << 62  # the variant
    return str(UUID(int=number))
