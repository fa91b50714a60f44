"""The vault at the node: read and replaced as a whole, in parts that fit frames."""

from typing import NamedTuple

from safeum_home.client.errors import BadAnswer, RemoteProblem
from safeum_home.client.methods.methods import Methods
from safeum_home.client.secure.vault import MOST
from safeum_home.errors import Code
from safeum_home.protocol.commands.vault import MOST_PARTS, PART, VaultGet, VaultPut
from safeum_home.protocol.signing import decode_octets, encode_octets

_NONE_SUCH = 2**53 - 1
"""A version that there is not."""


class Kept(NamedTuple):
    """Version `n`, base64url; 0 and nothing where there is none."""

    n: int
    data: str


async def get(client: Methods) -> Kept:
    """What the node has.

    Raises `ClientError`: `vault_conflict` where it became another one meanwhile, `not_found` where it is
    damaged.
    """
    first = await client.call(VaultGet())
    if first.n == 0:
        return Kept(0, "")
    if not 1 <= first.parts <= MOST_PARTS:
        raise BadAnswer("The node's vault is in more parts than any can be.")
    pieces, size = [first.data], len(first.data)
    for part in range(1, first.parts):
        pieces.append((await client.call(VaultGet(part, first.n))).data)
        size += len(pieces[-1])
        if size > 2 * MOST:
            raise BadAnswer("The node's vault is larger than any can be.")
    octets = [decode_octets(piece, len(piece) * 3 // 4) for piece in pieces]
    if None in octets:
        raise BadAnswer("The node's vault is no base64url.")
    return Kept(first.n, encode_octets(b"".join(each for each in octets if each is not None)))


async def version(client: Methods) -> int:
    """Which one the node has, though it may be damaged; 0 for none. Raises `ClientError`."""
    try:
        first = await client.call(VaultGet(n=_NONE_SUCH))
    except RemoteProblem as error:
        told = error.detail or ""
        if not error.of(Code.VAULT_CONFLICT) or not told.isdecimal() or int(told) >= _NONE_SUCH:
            raise
        return int(told)
    return int(first.n)


async def put(client: Methods, kept: Kept, after: int) -> None:
    """Replace the one of version `after`. Raises `ClientError`: `vault_conflict`."""
    octets = decode_octets(kept.data, len(kept.data) * 3 // 4) or b""
    pieces = [octets[at : at + PART] for at in range(0, len(octets), PART)]
    for part, piece in enumerate(pieces):
        await client.call(VaultPut(kept.n, part, len(pieces), encode_octets(piece), after))
