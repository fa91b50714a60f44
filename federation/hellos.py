"""Nodes that say that they are there again."""

from collections.abc import Callable

from msgspec import Struct

from federation.inbound import Post, decode
from safeum_home.protocol.federation.transactions import Hello


def hello(greeted: Callable[[str], None]) -> Post:
    """Takes a `Hello`, and tells `greeted` of the node."""

    async def answer(origin: str, octets: bytes, _digest: bytes) -> Struct:
        said = decode(octets, Hello)
        greeted(origin)
        return said

    return answer
